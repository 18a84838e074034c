package segsource

import (
	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// values calls read with what values are read from. An error that is
// [segment.ErrReplaced] says that the file is gone, and that some lay behind what is mapped.
func (f *File) values(read func(segment.Space) error) error {
	err := f.within(read)
	if err != nil && spool.Gone(err) {
		return segment.ErrReplaced
	}
	return err
}

// within calls read with what is read of the file: rows refer to lanes and texts that its
// writer publishes behind what is mapped, and the list of removed series to such series.
func (f *File) within(read func(segment.Space) error) (err error) {
	switch {
	case f.Own != nil:
		return read(f.Own)
	case f.region.Len() == 0:
		return read(&f.kept)
	}
	c := &f.files.contents
	*c = spool.Contents{Mapped: f.image, Opener: f}
	if f.sparse {
		c.Region = &f.region
	}
	defer c.Close()
	if fault := f.region.Guard(func() { err = read(c) }); fault != nil {
		return fault
	}
	return c.Result(err)
}

// Reopen implements [spool.Opener].
func (f *File) Reopen() (*mapped.File, error) {
	file, err := f.files.reading.Open(f.Place)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Identity != f.identity {
		err = mapped.ErrReplaced
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

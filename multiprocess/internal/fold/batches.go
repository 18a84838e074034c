package fold

import (
	"errors"
	"syscall"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/estate"
)

// inBatches absorbs n files in batches that the limits of the process allow, and
// smaller ones where there are too few descriptors, or too little space for what
// they add to the archive while they are there themselves. A batch that has been
// published is not tried again, whatever failed behind that: it would count twice.
func (f *folding) inBatches(n int, absorb func(from, n int) error) error {
	batch := f.dir.Budget()
	for from := 0; from < n; {
		size := min(batch, n-from)
		reported, generation := len(f.report.Left), f.generation
		err := absorb(from, size)
		f.release()
		switch {
		case err == nil:
			from += size
		case size > 1 && f.generation == generation && (noDescriptors(err) || errors.Is(err, mapped.ErrNoSpace)):
			batch = size / 2
			f.report.Left = f.report.Left[:reported]
			if err := f.again(); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

// noDescriptors reports whether the process or the system has no descriptor left.
func noDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// again makes what remains that of the present archive, after a batch that failed
// was added to it.
func (f *folding) again() error {
	f.remains, f.start = estate.NewRemains(), 0
	access, absorbed := f.access, f.absorbed
	e, h, err := f.readArchive()
	if err != nil {
		return err
	}
	f.access, f.absorbed = access, absorbed
	f.inherit(e, h)
	return nil
}

// release lets go of the files that are held.
func (f *folding) release() {
	for _, g := range f.held {
		_ = g.Close() // nothing depends on it
	}
	f.held = nil
}

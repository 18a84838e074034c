package spool

import (
	"cmp"
	"errors"
	"io/fs"
	"math"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
)

// Contents is the bytes of a segment's file for a reader: those at its beginning that
// are mapped, and the others read from the file when they are asked for, as they are then.
// A writer goes on meanwhile, and words in what is mapped refer to what it publishes behind
// that. If nothing is mapped all is read. It is a [segment.Holed], and not safe for
// concurrent use.
type Contents struct {
	Mapped segment.Image  // the first bytes of the file; none if all is read
	Region *mapped.Region // whose bytes these are; nil if the file cannot have holes there
	File   *mapped.File   // from which the others are read; nil if the opener gives it
	Opener Opener         // asked once, for the first bytes that are to be read

	opened      *mapped.File // by the opener
	published   uint64       // when that was read last
	spent, most uint64       // how many bytes were read, and may be
	wrong       error
}

// Opener opens the file of which the first bytes are mapped. An error that is
// [mapped.ErrReplaced] says that another one has its place.
type Opener interface {
	Reopen() (*mapped.File, error)
}

const (
	// readMost is how many times as many bytes as are published may be read of a file
	// behind what is mapped of it, beside readSlack: those of records that each are
	// referred to once are fewer, though many are read in parts. Each reading counts as
	// eachRead bytes more. Only forged words lead to more.
	readMost  = 8
	readSlack = 64 << 20
	eachRead  = 128
	// mostHoles is how many bytes are read at once of a file if holes are among them.
	mostHoles = 16 << 20
)

// Bytes implements [segment.Space]. It returns nil also for bytes that are published and
// cannot be read: then [Contents.Result] says why.
func (c *Contents) Bytes(offset, n uint64) []byte {
	b := c.Mapped.Bytes(offset, n)
	if b != nil || c.wrong != nil || len(c.Mapped) > 0 && segment.Published(&c.Mapped) <= uint64(len(c.Mapped)) {
		return b
	}
	if b, c.wrong = c.read(offset, n); c.wrong != nil {
		return nil
	}
	return b
}

// read reads bytes of the file; nil if they are not published.
func (c *Contents) read(offset, n uint64) ([]byte, error) {
	if err := c.open(); err != nil {
		return nil, err
	}
	published := func(end uint64) (bool, error) {
		if end > c.published {
			word := mapped.Aligned(segment.HeaderSize)
			if _, err := c.File.ReadAt(word, 0); err != nil {
				return false, err
			}
			c.published = segment.Published(segment.Image(word))
		}
		return end <= c.published, nil
	}
	if offset > math.MaxInt64-n || n > math.MaxInt64 {
		return nil, nil
	}
	if there, err := published(max(offset+n, segment.HeaderSize)); err != nil || !there {
		return nil, err
	}
	if c.spent += n + eachRead; c.spent > c.most {
		if _, err := published(math.MaxInt64); err != nil {
			return nil, err
		}
		if c.most = readMost*c.published + readSlack; c.spent > c.most {
			return nil, Defectf(ReasonCorrupt, "words in it refer to more than %d bytes of records, and %d bytes are in use: many words refer to the same records", c.most, c.published)
		}
	}
	switch {
	case n > math.MaxInt/2:
		return nil, Defectf(ReasonRead, "%d bytes in one piece are too many to be read", n)
	case n > mostHoles && !c.There(offset, n):
		return nil, cmp.Or(c.wrong, Defectf(ReasonSparse, "%d bytes in one piece, some of which are not there", n))
	}
	b := mapped.Aligned(int(n))
	_, err := c.File.ReadAt(b, int64(offset))
	return b, err
}

// open has the opener open the file if it is not open.
func (c *Contents) open() (err error) {
	if c.File == nil {
		c.opened, err = c.Opener.Reopen()
		c.File = c.opened
	}
	return err
}

// There implements [segment.Holed]. It is false also for bytes of which that cannot be found
// out: then [Contents.Result] says why.
func (c *Contents) There(offset, n uint64) bool {
	switch {
	case c.Mapped.Bytes(offset, n) != nil:
		return c.Region == nil || c.Region.There(int64(offset), int64(n))
	case c.wrong != nil || offset > math.MaxInt64:
		return false
	}
	if c.wrong = c.open(); c.wrong != nil {
		return false
	}
	there, err := c.File.There(int64(offset), int64(n))
	switch {
	case errors.Is(err, mapped.ErrHoles): // where no sparse file is read
		return true
	case err != nil:
		c.wrong = err
	}
	return there
}

// Result returns why bytes were not given that are published, if there are any, or else the
// error.
func (c *Contents) Result(err error) error {
	if c.wrong != nil {
		return c.wrong
	}
	return err
}

// Gone reports whether an error says that the file at a place is no more the one that was
// opened there.
func Gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, mapped.ErrReplaced)
}

// Close closes the file if the opener has opened it.
func (c *Contents) Close() {
	if c.opened != nil {
		c.opened.Close()
	}
	*c = Contents{}
}

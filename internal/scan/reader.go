package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// bufferSize is the number of bytes read at once; the buffer grows only for
// longer lines.
const bufferSize = 64 << 10

// emptyReads is the number of reads without bytes that are allowed in a row.
const emptyReads = 100

// progressing is a reader that fails instead of returning no bytes for ever.
type progressing struct{ r io.Reader }

// Progressing returns a reader that reads from r and returns [io.ErrNoProgress] once
// r has returned neither bytes nor an error a hundred times in a row.
func Progressing(r io.Reader) io.Reader { return progressing{r} }

func (p progressing) Read(b []byte) (n int, err error) {
	for range emptyReads {
		if n, err = p.r.Read(b); n != 0 || err != nil || len(b) == 0 {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// reader cuts its input into lines.
type reader struct {
	r      io.Reader
	buf    []byte
	start  int // of the line to come
	end    int // of what was read
	number int // of the line returned last
	left   int64
	limits Limits
	long   bool  // the next bytes are the rest of a line that is too long
	err    error // of r
}

func newReader(r io.Reader, limits Limits) reader {
	limits = limits.WithDefaults()
	return reader{r: Progressing(r), left: limits.Input, limits: limits}
}

// next returns the next line without its line feed, and whether it had one. The
// line is valid until the next call.
func (r *reader) next() (line []byte, ended bool, err error) {
	if r.long {
		if err := r.skip(); err != nil {
			return nil, false, err
		}
	}
	searched := 0
	for {
		rest := r.buf[r.start:r.end]
		if i := bytes.IndexByte(rest[searched:], '\n'); i >= 0 && searched+i <= r.limits.Line {
			r.number++
			line = rest[:searched+i]
			r.start += len(line) + 1
			return line, true, nil
		}
		searched = len(rest)
		switch {
		case searched > r.limits.Line:
			r.long = true
			return nil, false, &LimitError{"Line", int64(r.limits.Line), &SyntaxError{r.number + 1, r.limits.Line + 1,
				fmt.Sprintf("a line of more than %d bytes", r.limits.Line), "a shorter one"}}
		case searched > 0 && errors.Is(r.err, io.EOF):
			r.number++
			r.start = r.end
			return rest, false, nil
		case r.err != nil:
			return nil, false, r.err
		}
		if err := r.fill(); err != nil {
			return nil, false, err
		}
	}
}

// skip skips the rest of a line that is too long.
func (r *reader) skip() error {
	for {
		if i := bytes.IndexByte(r.buf[r.start:r.end], '\n'); i >= 0 {
			r.start += i + 1
			r.number++
			r.long = false
			return nil
		}
		r.start = r.end
		if r.err != nil {
			return r.err
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// fill reads more bytes after those left in the buffer.
func (r *reader) fill() error {
	if r.left < 0 {
		return ErrUnread
	}
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buf) {
		grown := make([]byte, max(bufferSize, 2*len(r.buf)))
		copy(grown, r.buf[:r.end])
		r.buf = grown
	}
	n, err := r.r.Read(r.buf[r.end:])
	r.left -= int64(n)
	if r.left < 0 {
		return &LimitError{"Input", r.limits.Input, &SyntaxError{r.number + 1, 1,
			fmt.Sprintf("a page of more than %d bytes", r.limits.Input), "a shorter one"}}
	}
	r.end += n
	r.err = err
	return nil
}

package mapped

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"unsafe"
)

// Identity tells files apart where the system can: two files of different
// identity are different. While a file is mapped its identity is not given to
// another. The zero Identity is unknown.
type Identity struct{ device, inode uint64 }

// Inode returns the number of the file's inode; 0 if unknown.
func (i Identity) Inode() uint64 { return i.inode }

// Info is what a path leads to.
type Info struct {
	Identity Identity
	Size     int64
	Mode     fs.FileMode // type bits only
}

// ErrFault is returned by [Region.Guard] when mapped bytes could not be read, because
// the file was truncated or its device failed.
var ErrFault = errors.New("mapped bytes could not be read: the file was truncated or its device failed")

// Region is the beginning of a file, mapped read-only. The zero Region is empty.
// It is not safe for concurrent use with Unmap.
type Region struct{ data []byte }

// Bytes returns the mapped bytes, to be touched under [Region.Guard] only.
func (r *Region) Bytes() []byte { return r.data }

// Len returns the number of mapped bytes.
func (r *Region) Len() int { return len(r.data) }

// Unmap ends the mapping. Unmapping an empty region does nothing.
func (r *Region) Unmap() {
	if r.data != nil {
		unmap(r.data)
		r.data = nil
	}
}

// Guard calls read, which reads from the region, and returns an error that is
// [ErrFault] if a page of it is gone. Other panics go on.
func (r *Region) Guard(read func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		fault, ok := p.(interface{ Addr() uintptr })
		if !ok {
			panic(p)
		}
		offset := fault.Addr() - uintptr(unsafe.Pointer(unsafe.SliceData(r.data)))
		if offset >= uintptr(len(r.data)) {
			panic(p)
		}
		err = fmt.Errorf("at offset %d: %w", offset, ErrFault)
	}()
	read()
	return nil
}

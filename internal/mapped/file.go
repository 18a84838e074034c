package mapped

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"unsafe"
)

// Coherent reports whether [File.ReadAt] sees at once what was stored through mappings.
// OpenBSD has caches of their own for both.
const Coherent = runtime.GOOS != "openbsd"

// Identity tells files apart where the system can: two files of different
// identity are different. While a file is mapped its identity is not given to
// another. The zero Identity is unknown.
type Identity struct{ device, inode uint64 }

// Inode returns the number of the file's inode; 0 if unknown.
func (i Identity) Inode() uint64 { return i.inode }

// Info is what a name leads to. What the system does not tell is zero, but Links,
// which is 1 then.
type Info struct {
	Identity  Identity
	Size      int64
	Mode      fs.FileMode // type bits only
	Perm      fs.FileMode // permission bits only
	Links     uint64      // how many names the file has
	UID, GID  uint32      // its owner and group
	Allocated int64       // bytes that it takes on the disk, or in memory
	Modified  int64       // when its bytes changed, in nanoseconds since 1970
	Changed   int64       // when anything of it changed, its names included; likewise
}

// CheckRegular returns an error unless the info is a regular file's.
func (i *Info) CheckRegular() error {
	switch {
	case i.Mode == 0:
		return nil
	case i.Mode&fs.ModeDir != 0:
		return &NotRegular{"it is a directory, not a regular file"}
	case i.Mode&fs.ModeSymlink != 0:
		return &NotRegular{"it is a symbolic link, which is not followed"}
	case i.Mode&fs.ModeNamedPipe != 0:
		return &NotRegular{"it is a pipe, not a regular file"}
	case i.Mode&fs.ModeSocket != 0:
		return &NotRegular{"it is a socket, not a regular file"}
	case i.Mode&fs.ModeDevice != 0:
		return &NotRegular{"it is a device, not a regular file"}
	}
	return &NotRegular{"it is not a regular file"}
}

// NotRegular says that a name leads to something else than a regular file.
type NotRegular struct{ what string }

// Error says what it is.
func (e *NotRegular) Error() string { return e.what }

// ErrReplaced is returned where a name leads to another file than a moment ago.
var ErrReplaced = errors.New("another file has taken its name")

// ErrHoles is returned by [File.Copy] where holes cannot be told from bytes that
// are there, so that reading the file might cost far more than it has.
var ErrHoles = errors.New("most of its bytes are not there (it is a sparse file)")

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

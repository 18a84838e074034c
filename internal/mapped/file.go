package mapped

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"runtime/debug"
	"slices"
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

// Info describes a file, directory or link. A field that the system does not tell is
// zero, except Links, which is 1 then.
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

// ErrCut is returned by [File.ReadAt] and [File.Copy] when the file ends before the bytes
// that were asked for: it was truncated. It is an [io.ErrUnexpectedEOF], which a reading
// that was short for another reason is, too.
var ErrCut = fmt.Errorf("it has fewer bytes than a moment ago: it was truncated: %w", io.ErrUnexpectedEOF)

// ErrFault is returned by [Region.Guard] when mapped bytes could not be read, because
// the file was truncated or its device failed.
var ErrFault = errors.New("mapped bytes could not be read: the file was truncated or its device failed")

// Region is the beginning of a file, mapped read-only, or a copy of it. The zero Region
// is empty. It is not safe for concurrent use with Unmap.
type Region struct {
	data   []byte
	copied bool
	parts  []part // of a copy: what was copied, by offset; the rest is holes
}

// part is bytes of a file from an offset up to another.
type part struct{ from, to int64 }

// There reports whether none of n bytes from an offset on lies in a hole of the file
// that was copied.
func (r *Region) There(offset, n int64) bool {
	if !r.copied || n <= 0 {
		return true
	}
	i, _ := slices.BinarySearchFunc(r.parts, offset, func(p part, at int64) int { return cmp.Compare(p.to, at+1) })
	return i < len(r.parts) && r.parts[i].from <= offset && n <= r.parts[i].to-offset
}

// Bytes returns the mapped bytes, to be touched under [Region.Guard] only.
func (r *Region) Bytes() []byte { return r.data }

// Len returns the number of mapped bytes.
func (r *Region) Len() int { return len(r.data) }

// Unmap ends the mapping. Unmapping an empty region does nothing.
func (r *Region) Unmap() {
	if r.data != nil {
		unmap(r.data)
		*r = Region{}
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

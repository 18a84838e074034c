//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package mapped

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// GrowingSupported reports whether [Create] and [OpenWritable] can work on this
// system.
const GrowingSupported = true

// Growing is a file that this process writes through extents of memory that
// never move. The methods of [File] work on it too.
//
// What is stored into an extent is seen by every process that maps or reads the
// file, at once, and outlives this process however it dies. Extents may be
// touched by many goroutines; the methods are for one at a time. Neither the
// descriptor nor the mappings are ever ended by the garbage collector: a Growing
// that is dropped stays open, and locked, until the process ends.
type Growing struct {
	File
	identity Identity
	held     bool // the lock
	extents  [][]byte
}

// Create creates a file; one that exists, or a symbolic link, is an error that
// is fs.ErrExist. The file has exactly the permissions of perm whatever the
// umask of the process says: who reads a segment is for the one who names perm
// to decide, and a umask meant for other files must not hide it from them. It
// never has more than that, not even for a moment. Children do not inherit the
// descriptor.
func Create(path string, perm fs.FileMode) (*Growing, error) {
	perm = perm.Perm()
	g, err := openGrowing(path, unix.O_CREAT|unix.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	err = retry(func() error { return unix.Fstat(g.fd, &st) })
	if err == nil && fs.FileMode(st.Mode).Perm() != perm { // some file systems refuse every chmod
		err = retry(func() error { return unix.Fchmod(g.fd, uint32(perm)) })
	}
	if err != nil {
		_ = unix.Close(g.fd)
		_ = unix.Unlink(path)
		return nil, g.failed("chmod", err)
	}
	return g, nil
}

// OpenWritable opens an existing regular file, such as that of a dead writer. A
// symbolic link at the end of path, or anything else, is an error. It never
// waits, and children do not inherit the descriptor.
func OpenWritable(path string) (*Growing, error) { return openGrowing(path, 0, 0) }

func openGrowing(path string, flags int, perm fs.FileMode) (*Growing, error) {
	g := &Growing{File: File{path: path}}
	err := retry(func() (err error) {
		g.fd, err = unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK|flags, uint32(perm))
		return err
	})
	if err != nil {
		return nil, g.failed("open", err)
	}
	info, err := g.Stat()
	if err == nil && !info.Mode.IsRegular() {
		err = g.failed("open", errors.New("is not a regular file"))
	}
	if err != nil {
		_ = unix.Close(g.fd)
		return nil, err
	}
	g.identity = info.Identity
	return g, nil
}

// Identity returns the identity of the file, which renaming does not change.
func (g *Growing) Identity() Identity { return g.identity }

// Rename gives the file another name, in place of a file that has it. Errors tell
// of the file by that name from then on.
func (g *Growing) Rename(path string) error {
	if err := os.Rename(g.path, path); err != nil {
		return err
	}
	g.path = path
	return nil
}

// Extend makes sure that the n bytes from offset on exist, zeros where the file
// had none, and that the file system holds space for them; then it maps them for
// reading and writing, until [Growing.Unmap]. Both numbers are multiples of
// os.Getpagesize. Bytes may lie beyond the end of the file, leaving a hole.
//
// An error that is [ErrNoSpace] says that there is no room. After an error
// nothing more is mapped, the file has its former size, and other extents are as
// they were.
//
// Storing into an extent cannot fail for want of space where the [FileSystem] is
// Proven. Where the system cannot reserve space the bytes are written instead,
// which takes space where files are overwritten in place. Nobody else may write
// to the range meanwhile: the one who extends holds the lock.
func (g *Growing) Extend(offset int64, n int) ([]byte, error) {
	page := os.Getpagesize()
	if offset < 0 || n <= 0 || offset%int64(page) != 0 || n%page != 0 || offset > math.MaxInt64-int64(n) {
		return nil, g.failed("extend", fmt.Errorf("%d bytes at offset %d are not whole pages of %d bytes", n, offset, page))
	}
	before, err := g.Stat()
	if err != nil {
		return nil, err
	}
	if err := allocate(&g.File, offset, offset+int64(n)); err != nil {
		g.shrink(before.Size)
		for _, full := range []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG, unix.ENOMEM} {
			if errors.Is(err, full) {
				err = fmt.Errorf("%w: %w", ErrNoSpace, err)
				break
			}
		}
		return nil, g.failed("extend", err)
	}
	extent, err := unix.Mmap(g.fd, offset, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		g.shrink(before.Size)
		return nil, g.failed("mmap", err)
	}
	g.extents = append(g.extents, extent)
	return extent, nil
}

// shrink gives back what a failed Extend took. When it fails the file is merely
// longer than it need be.
func (g *Growing) shrink(size int64) {
	if now, err := g.Stat(); err == nil && now.Size > size {
		_ = retry(func() error { return unix.Ftruncate(g.fd, size) })
	}
}

// rewrite writes the bytes from offset to end, which are whole pages, as they
// are, and zeros where there are none, so that they take space on the disk.
func rewrite(f *File, offset, end int64) error {
	page := make([]byte, os.Getpagesize())
	for ; offset < end; offset += int64(len(page)) {
		clear(page)
		if _, err := f.ReadAt(page, offset); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		for done := 0; done < len(page); {
			var n int
			err := retry(func() (err error) {
				n, err = unix.Pwrite(f.fd, page[done:], offset+int64(done))
				return err
			})
			if err != nil {
				return err
			}
			done += n
		}
	}
	return nil
}

// Sync waits until all that was stored into the extents is on the disk. It is not
// needed for others to see it, nor for it to outlive the process, but to outlive
// the system. On macOS the disk's own cache may still hold it.
func (g *Growing) Sync() error {
	if err := flush(g); err != nil {
		return g.failed("sync", err)
	}
	return nil
}

// Close gives up the lock and closes the descriptor. The extents stay mapped
// until [Growing.Unmap]. Closing again does nothing.
func (g *Growing) Close() error {
	if g.fd < 0 {
		return nil
	}
	var err error
	if g.held {
		// A mapping, and a child between fork and exec, keep what was opened, and
		// with it the lock, past the closing of the descriptor.
		err = unlock(g.fd)
	}
	if closed := unix.Close(g.fd); err == nil {
		err = closed
	}
	g.fd, g.held = -1, false
	if err != nil {
		return g.failed("close", err)
	}
	return nil
}

// Unmap ends the mappings of all extents, whose bytes must not be touched any
// more: doing so crashes the process. The descriptor, if open, and the lock stay.
// Calling it again does nothing.
func (g *Growing) Unmap() {
	for _, extent := range g.extents {
		unmap(extent)
	}
	g.extents = nil
}

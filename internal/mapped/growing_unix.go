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

// Create is [Dir.Create] of a path.
func Create(path string, perm fs.FileMode) (*Growing, error) { return here.Create(path, perm) }

// OpenWritable is [Dir.OpenWritable] of a path.
func OpenWritable(path string) (*Growing, error) { return here.OpenWritable(path) }

// Create creates a file; one that exists, or a symbolic link, is an error that
// is fs.ErrExist. The file has exactly the permissions of perm whatever the
// umask of the process says: the caller decides with perm who can read a segment,
// and a umask meant for other files must not hide it from its readers. It never has
// more permissions than perm, not even for a moment. Children do not inherit the
// descriptor.
func (d *Dir) Create(name string, perm fs.FileMode) (*Growing, error) {
	perm = perm.Perm()
	g := &Growing{File: File{dir: d, name: name}}
	if err := g.open(unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CREAT|unix.O_EXCL, perm); err != nil {
		return nil, noSpace(err)
	}
	info, err := g.Stat()
	if err == nil {
		g.identity = info.Identity
		if info.Perm != perm { // some file systems refuse every chmod
			err = g.Chmod(perm)
		}
	}
	if err != nil {
		_ = g.Close()
		if now, failed := d.Stat(name); failed == nil && now.Identity == g.identity {
			_ = d.Remove(name)
		}
		return nil, err
	}
	return g, nil
}

// OpenWritable opens an existing regular file, such as that of a dead writer, for reading
// and writing. A name of anything else, a symbolic link included, is not opened: the error
// is a [*NotRegular] then. It never waits, and children do not inherit the descriptor.
func (d *Dir) OpenWritable(name string) (*Growing, error) {
	info, err := d.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := info.CheckRegular(); err != nil {
		return nil, d.failed("open", name, err)
	}
	g := &Growing{File: File{dir: d, name: name}, identity: info.Identity}
	if err := g.open(unix.O_RDWR|unix.O_NOFOLLOW, 0); err != nil {
		return nil, err
	}
	if _, err := g.still(info); err != nil {
		return nil, err
	}
	return g, nil
}

// Identity returns the identity of the file, which renaming does not change.
func (g *Growing) Identity() Identity { return g.identity }

// Name returns the name by which the file was opened or created, or that Rename
// gave it.
func (g *Growing) Name() string { return g.name }

// Rename gives the file another name in its directory and replaces the file that
// had it. Later errors name the file so. It is an error that is
// [ErrReplaced] if another file has taken this one's name.
func (g *Growing) Rename(to string) error {
	now, err := g.dir.Stat(g.name)
	if err == nil && now.Identity != g.identity {
		err = g.failed("rename", ErrReplaced)
	}
	if err != nil {
		return err
	}
	if err := g.dir.Rename(g.name, to); err != nil {
		return err
	}
	g.name = to
	return nil
}

// Chmod gives the file these permissions, whatever the umask of the process says.
func (g *Growing) Chmod(perm fs.FileMode) error {
	_, err := g.before(OpChmod, 0)
	if err == nil {
		err = retry(func() error { return unix.Fchmod(g.fd, uint32(perm.Perm())) })
	}
	if err != nil {
		return g.failed("chmod", err)
	}
	return nil
}

// Chown gives the file to a user and a group; -1 keeps the present one.
func (g *Growing) Chown(uid, gid int) error {
	_, err := g.before(OpChown, 0)
	if err == nil {
		err = retry(func() error { return unix.Fchown(g.fd, uid, gid) })
	}
	if err != nil {
		return g.failed("chown", err)
	}
	return nil
}

// Truncate cuts the file to a size, or makes it longer by a hole. Extents that lie
// beyond must not be touched any more.
func (g *Growing) Truncate(size int64) error {
	_, err := g.before(OpTruncate, size)
	if err == nil {
		err = retry(func() error { return unix.Ftruncate(g.fd, size) })
	}
	if err != nil {
		return g.failed("truncate", err)
	}
	return nil
}

// WriteAt writes p from offset on.
func (g *Growing) WriteAt(p []byte, offset int64) (done int, err error) {
	allowed, failure := g.before(OpWrite, int64(len(p)))
	done, err = g.pwrite(p[:allowed], offset)
	switch {
	case err != nil:
	case failure != nil:
		err = failure
	case done < len(p):
		err = io.ErrShortWrite
	}
	if err != nil {
		return done, g.failed("write", noSpace(err))
	}
	return done, nil
}

func (g *Growing) pwrite(p []byte, offset int64) (done int, err error) {
	for done < len(p) {
		var n int
		err := retry(func() (err error) {
			n, err = unix.Pwrite(g.fd, p[done:], offset+int64(done))
			return err
		})
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// noSpace returns an error that is [ErrNoSpace], too, if the error says that the disk or a
// quota has no room; other errors as they are.
func noSpace(err error) error {
	for _, full := range []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG, unix.ENOMEM} {
		if errors.Is(err, full) {
			return fmt.Errorf("%w: %w", ErrNoSpace, err)
		}
	}
	return err
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
// which takes space where files are overwritten in place. No other process may write
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
	allowed, failure := g.before(OpExtend, int64(n))
	if err = allocate(g, offset, offset+allowed); err == nil {
		err = failure
	}
	if err == nil && allowed < int64(n) {
		err = io.ErrShortWrite
	}
	if err != nil {
		g.shrink(before.Size)
		return nil, g.failed("extend", noSpace(err))
	}
	extent, err := unix.Mmap(g.fd, offset, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		g.shrink(before.Size)
		return nil, g.failed("mmap", err)
	}
	g.extents = append(g.extents, extent)
	return extent, nil
}

// shrink gives back what a failed Extend took. When it fails the file is only
// longer than needed.
func (g *Growing) shrink(size int64) {
	if now, err := g.Stat(); err == nil && now.Size > size {
		_ = retry(func() error { return unix.Ftruncate(g.fd, size) })
	}
}

// rewrite writes the bytes from offset to end, which are whole pages, as they
// are, and zeros where there are none, so that they take space on the disk.
func rewrite(g *Growing, offset, end int64) error {
	page := make([]byte, os.Getpagesize())
	for ; offset < end; offset += int64(len(page)) {
		clear(page)
		if _, err := g.ReadAt(page, offset); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if _, err := g.pwrite(page, offset); err != nil {
			return err
		}
	}
	return nil
}

// Sync waits until all that was stored into the extents is on the disk. It is not
// needed for others to see it, nor for it to outlive the process, but to outlive
// the system. On macOS the disk's own cache may still hold it.
func (g *Growing) Sync() error {
	_, err := g.before(OpSync, 0)
	if err == nil {
		err = flush(g)
	}
	if err != nil {
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
	g.dir.refill()
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

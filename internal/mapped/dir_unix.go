//go:build unix

package mapped

import (
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Dir is an open directory. All that is done to its files goes through its
// descriptor, so that no link on the way can lead elsewhere; names have no
// slashes. Methods are safe for concurrent use, but for Close.
type Dir struct {
	path     string
	fd       int
	hook     Hook
	identity Identity

	listing sync.Mutex
	spare   atomic.Int64 // a descriptor for when there are no others, -1 while it is lent
	filling sync.Mutex
}

// here stands for the working directory. It has no spare descriptor.
var here = workingDir(nil)

func workingDir(hook Hook) *Dir {
	d := &Dir{fd: unix.AT_FDCWD, hook: hook}
	d.spare.Store(-1)
	return d
}

// OpenDir opens a directory. The hook, which may be nil, is called before each
// operation. The directory has a second descriptor, which is used when the process
// has no other left, so that its files can be opened one at a time even then.
func OpenDir(path string, hook Hook) (*Dir, error) {
	d := &Dir{path: path, hook: hook}
	d.spare.Store(-1)
	_, err := hook.ask(OpOpenDir, path, 0)
	if err == nil {
		err = retry(func() (err error) {
			d.fd, err = unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
			return err
		})
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	info, err := d.Info()
	if err != nil {
		_ = unix.Close(d.fd)
		return nil, err
	}
	d.identity = info.Identity
	d.refill()
	return d, nil
}

// Path returns the path that was opened.
func (d *Dir) Path() string { return d.path }

// lend closes the spare descriptor, so that the system can give out another, and reports
// whether there was one.
func (d *Dir) lend() bool {
	spare := d.spare.Swap(-1)
	if spare < 0 {
		return false
	}
	_ = unix.Close(int(spare)) // it was opened for its number alone
	return true
}

// refill gets a spare descriptor if there is none.
func (d *Dir) refill() {
	if d.path == "" || d.spare.Load() >= 0 { // the working directory has none
		return
	}
	d.filling.Lock()
	defer d.filling.Unlock()
	if d.spare.Load() >= 0 || d.fd < 0 {
		return
	}
	if fd, err := unix.Openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		d.spare.Store(int64(fd))
	}
}

// Close closes the directory. Files that it opened stay open.
func (d *Dir) Close() {
	d.filling.Lock()
	defer d.filling.Unlock()
	if d.fd >= 0 {
		_ = unix.Close(d.fd) // it was only read from
		d.fd = -1
		d.lend()
	}
}

// Same reports whether the path still leads to this directory.
func (d *Dir) Same() (bool, error) {
	var st unix.Stat_t
	_, err := d.hook.ask(OpCheckDir, d.path, 0)
	if err == nil {
		err = retry(func() error { return unix.Stat(d.path, &st) })
	}
	if err != nil {
		return false, &fs.PathError{Op: "stat", Path: d.path, Err: err}
	}
	return infoOf(&st).Identity == d.identity, nil
}

// Info says what the directory is, as it is now.
func (d *Dir) Info() (Info, error) {
	var st unix.Stat_t
	_, err := d.hook.ask(OpStatDir, d.path, 0)
	if err == nil {
		err = retry(func() error { return unix.Fstat(d.fd, &st) })
	}
	if err != nil {
		return Info{}, &fs.PathError{Op: "stat", Path: d.path, Err: err}
	}
	return infoOf(&st), nil
}

// FileSystem returns the file system that holds the directory.
func (d *Dir) FileSystem() (FileSystem, error) {
	_, err := d.hook.ask(OpStatDir, d.path, 0)
	var system FileSystem
	if err == nil {
		system, err = fileSystemOf(d.fd)
	}
	if err != nil {
		return FileSystem{}, &fs.PathError{Op: "statfs", Path: d.path, Err: err}
	}
	return system, nil
}

// List returns the names in the directory, sorted. It opens nothing.
func (d *Dir) List() (names []string, err error) {
	d.listing.Lock()
	defer d.listing.Unlock()
	if _, err = d.hook.ask(OpList, d.path, 0); err == nil {
		_, err = unix.Seek(d.fd, 0, 0)
	}
	for buffer := make([]byte, 1<<15); err == nil; {
		var n int
		err = retry(func() (err error) {
			n, err = unix.ReadDirent(d.fd, buffer)
			return err
		})
		if n <= 0 {
			break
		}
		_, _, names = unix.ParseDirent(buffer[:n], -1, names)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: d.path, Err: err}
	}
	slices.Sort(names)
	return names, nil
}

// Sync waits until the names of the files are on the disk: those that were
// created, renamed and removed.
func (d *Dir) Sync() error {
	_, err := d.hook.ask(OpSyncDir, d.path, 0)
	if err == nil {
		err = retry(func() error { return unix.Fsync(d.fd) })
		if err == unix.EINVAL || err == unix.ENOTSUP { //nolint:errorlint // unix returns bare numbers
			err = nil // the file system does not sync directories
		}
	}
	if err != nil {
		return &fs.PathError{Op: "sync", Path: d.path, Err: err}
	}
	return nil
}

// Stat returns the info of the file with the name; of a symbolic link that of the link.
func (d *Dir) Stat(name string) (Info, error) {
	var st unix.Stat_t
	_, err := d.hook.ask(OpStat, name, 0)
	if err == nil {
		err = retry(func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	}
	if err != nil {
		return Info{}, d.failed("stat", name, err)
	}
	return infoOf(&st), nil
}

// Open opens a regular file for reading. A name of anything else, a symbolic link
// included, is not opened: the error is a [*NotRegular] then. It never waits.
func (d *Dir) Open(name string) (*File, error) {
	info, err := d.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := info.CheckRegular(); err != nil {
		return nil, d.failed("open", name, err)
	}
	f := &File{dir: d, name: name}
	if err := f.open(unix.O_RDONLY|unix.O_NOFOLLOW, 0); err != nil {
		return nil, err
	}
	return f.still(info)
}

// Remove removes a name.
func (d *Dir) Remove(name string) error {
	_, err := d.hook.ask(OpRemove, name, 0)
	if err == nil {
		err = retry(func() error { return unix.Unlinkat(d.fd, name, 0) })
	}
	if err != nil {
		return d.failed("remove", name, err)
	}
	return nil
}

// Rename gives a file another name and replaces the file that had it.
func (d *Dir) Rename(from, to string) error {
	_, err := d.hook.ask(OpRename, from, 0)
	if err == nil {
		err = retry(func() error { return unix.Renameat(d.fd, from, d.fd, to) })
	}
	if err != nil {
		return d.failed("rename", from, err)
	}
	return nil
}

// RenameNew gives a regular file another name, unless something has it already,
// which is an error that is fs.ErrExist. Where the system or the file system has
// no such call, the file gets its new name first and loses the old one then: a
// crash between the two leaves it with both, and a file system without hard links
// refuses.
func (d *Dir) RenameNew(from, to string) error {
	_, err := d.hook.ask(OpRenameNew, from, 0)
	if err == nil {
		err = retry(func() error { return renameNew(d.fd, from, to) })
	}
	if err != nil {
		return d.failed("rename", from, err)
	}
	return nil
}

func (d *Dir) failed(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: filepath.Join(d.path, name), Err: err}
}

//go:build !unix

package mapped

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Dir is an open directory. All that is done to its files goes through it, so that
// no link on the way can lead elsewhere; names have no slashes. Methods are safe
// for concurrent use, but for Close.
type Dir struct {
	path string
	root *os.Root
	hook Hook
	info fs.FileInfo
}

// OpenDir opens a directory. The hook, which may be nil, is called before each
// operation.
func OpenDir(path string, hook Hook) (*Dir, error) {
	if _, err := hook.ask(OpOpenDir, path, 0); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &Dir{path, root, hook, info}, nil
}

// Path returns the path that was opened.
func (d *Dir) Path() string { return d.path }

// Close closes the directory. Files that it opened stay open.
func (d *Dir) Close() { _ = d.root.Close() } // it was only read from

// Same reports whether the path still leads to this directory.
func (d *Dir) Same() (bool, error) {
	if _, err := d.hook.ask(OpCheckDir, d.path, 0); err != nil {
		return false, d.failed("stat", "", err)
	}
	info, err := os.Stat(d.path)
	if err != nil {
		return false, err
	}
	return os.SameFile(info, d.info), nil
}

// Info says what the directory is, as it is now.
func (d *Dir) Info() (Info, error) {
	if _, err := d.hook.ask(OpStatDir, d.path, 0); err != nil {
		return Info{}, d.failed("stat", "", err)
	}
	info, err := d.root.Stat(".")
	if err != nil {
		return Info{}, err
	}
	return infoOf(info), nil
}

// FileSystem returns the zero FileSystem: this system is not asked.
func (d *Dir) FileSystem() (FileSystem, error) { return FileSystem{}, nil }

// List returns the names in the directory, sorted.
func (d *Dir) List() ([]string, error) {
	if _, err := d.hook.ask(OpList, d.path, 0); err != nil {
		return nil, d.failed("readdir", "", err)
	}
	dir, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	slices.Sort(names)
	return names, errors.Join(err, dir.Close())
}

// Sync does nothing: this system does not sync directories.
func (d *Dir) Sync() error { return nil }

// Stat returns the info of the file with the name; of a symbolic link that of the link.
func (d *Dir) Stat(name string) (Info, error) {
	if _, err := d.hook.ask(OpStat, name, 0); err != nil {
		return Info{}, d.failed("stat", name, err)
	}
	info, err := d.root.Lstat(name)
	if err != nil {
		return Info{}, d.failed("stat", name, bare(err))
	}
	return infoOf(info), nil
}

// Open opens a regular file for reading. A name of anything else, a symbolic link
// included, is not opened: the error is a [*NotRegular] then.
func (d *Dir) Open(name string) (*File, error) {
	info, err := d.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := info.CheckRegular(); err != nil {
		return nil, d.failed("open", name, err)
	}
	if _, err := d.hook.ask(OpOpen, name, 0); err != nil {
		return nil, d.failed("open", name, err)
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, d.failed("open", name, bare(err))
	}
	return &File{f, d, name}, nil
}

// Remove removes a name.
func (d *Dir) Remove(name string) error {
	_, err := d.hook.ask(OpRemove, name, 0)
	if err == nil {
		err = d.root.Remove(name)
	}
	if err != nil {
		return d.failed("remove", name, bare(err))
	}
	return nil
}

// Rename gives a file another name and replaces the file that had it.
func (d *Dir) Rename(from, to string) error {
	_, err := d.hook.ask(OpRename, from, 0)
	if err == nil {
		err = d.root.Rename(from, to)
	}
	if err != nil {
		return d.failed("rename", from, bare(err))
	}
	return nil
}

// RenameNew gives a file another name. If a file has that name already, it returns an
// error that is fs.ErrExist.
func (d *Dir) RenameNew(from, to string) error {
	_, err := d.hook.ask(OpRenameNew, from, 0)
	if err == nil {
		if _, err = d.root.Lstat(to); err == nil {
			err = fs.ErrExist
		} else if errors.Is(err, fs.ErrNotExist) {
			err = d.root.Rename(from, to)
		}
	}
	if err != nil {
		return d.failed("rename", from, bare(err))
	}
	return nil
}

// bare returns the error that an [fs.PathError] wraps, and other errors as they are.
func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func (d *Dir) failed(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: filepath.Join(d.path, name), Err: err}
}

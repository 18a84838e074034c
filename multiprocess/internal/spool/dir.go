package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"telltale/internal/mapped"
)

// Dir is a directory. Methods are safe for concurrent use, but for Close.
type Dir struct {
	dir     *mapped.Dir
	MaxRead ReadLimit // of its files; set before use
}

// Open opens a directory. All operations pass the hook, which may be nil.
func Open(path string, hook mapped.Hook) (*Dir, error) {
	dir, err := mapped.OpenDir(path, hook)
	if err != nil {
		return nil, err
	}
	return &Dir{dir: dir}, nil
}

// Path returns the path that was opened.
func (d *Dir) Path() string { return d.dir.Path() }

// PathOf returns the path of a file, for messages.
func (d *Dir) PathOf(n Name) string { return filepath.Join(d.dir.Path(), n.text) }

// Close closes the directory. Files that it opened stay open.
func (d *Dir) Close() { d.dir.Close() }

// Same reports whether the path still leads to this directory.
func (d *Dir) Same() (bool, error) { return d.dir.Same() }

// Info says what the directory is, as it is now.
func (d *Dir) Info() (mapped.Info, error) { return d.dir.Info() }

// Born returns when the directory was made, in nanoseconds since 1970; 0 for unknown.
func (d *Dir) Born() int64 { return d.dir.Born() }

// FileSystem returns the file system that holds the directory.
func (d *Dir) FileSystem() (mapped.FileSystem, error) { return d.dir.FileSystem() }

// List returns all names in the directory, sorted by their texts.
func (d *Dir) List() ([]Name, error) {
	texts, err := d.dir.List()
	if err != nil {
		return nil, err
	}
	names := make([]Name, len(texts))
	for i, text := range texts {
		names[i] = Parse(text)
	}
	return names, nil
}

// Stat says what a name is, itself if it is a symbolic link. It opens nothing.
func (d *Dir) Stat(n Name) (mapped.Info, error) { return d.dir.Stat(n.text) }

// Sync waits until the names of files that were created, renamed and removed are on
// the disk.
func (d *Dir) Sync() error { return d.dir.Sync() }

// Read opens a file for reading. It is an error that is a [*mapped.NotRegular] if
// it is something else than a regular file, and a [*Defect] if its name is
// Foreign.
func (d *Dir) Read(n Name) (*mapped.File, error) {
	if n.kind == Foreign {
		return nil, Defectf(ReasonName, "its name is nobody's")
	}
	return d.dir.Open(n.text)
}

// Write opens a file for reading and writing, for its lock, or to cut it. Besides
// the errors of Read it is a [*Defect] if the file has several names: it may be
// another directory's, where it means something else.
func (d *Dir) Write(n Name) (*mapped.Growing, error) {
	if n.kind == Foreign {
		return nil, Defectf(ReasonName, "its name is nobody's")
	}
	info, err := d.Stat(n)
	if err != nil {
		return nil, err
	}
	if info.CheckRegular() == nil { // the other case is OpenWritable's
		if err := checkLinks(&info); err != nil {
			return nil, err
		}
	}
	g, err := d.dir.OpenWritable(n.text)
	if err != nil {
		return nil, err
	}
	if info, err = g.Stat(); err == nil {
		err = checkLinks(&info)
	}
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func checkLinks(info *mapped.Info) error {
	if info.Links > 1 {
		return Defectf(ReasonLinked, "it has %d names (hard links), so that it is read, but neither locked nor changed", info.Links)
	}
	return nil
}

// Create creates a file with the given permissions and owners as [Dir.Access] has
// them.
func (d *Dir) Create(n Name, access Access) (*mapped.Growing, error) {
	if n.kind == Foreign {
		return nil, Defectf(ReasonName, "its name is nobody's")
	}
	g, err := d.dir.Create(n.text, access.Mode&0o600)
	if err != nil {
		return nil, err
	}
	if err := access.give(g); err != nil {
		return nil, errors.Join(err, g.Close(), d.Remove(n, g.Identity()))
	}
	return g, nil
}

// LocksWork reports whether the directory's file system honours locks. It locks the
// file of that name and identity, which no other process uses, for a moment.
func (d *Dir) LocksWork(n Name, id mapped.Identity) (bool, error) {
	return mapped.LocksWork(func() (*mapped.Growing, error) {
		g, err := d.Write(n)
		if err == nil && g.Identity() != id {
			return nil, errors.Join(Defectf(ReasonReplaced, "another file has taken the name of %s", n.text), g.Close())
		}
		return g, err
	})
}

// Show gives a file another name, in place of the file of that identity, the zero
// one if there is none. It is an error if another one has the name, or if another
// file has taken the name of g.
func (d *Dir) Show(g *mapped.Growing, to Name, over mapped.Identity) error {
	if err := d.expect(to, over); err != nil {
		return err
	}
	return g.Rename(to.text)
}

// expect returns an error unless a name leads to the file of that identity.
func (d *Dir) expect(n Name, want mapped.Identity) error {
	info, err := d.Stat(n)
	if errors.Is(err, fs.ErrNotExist) && want == (mapped.Identity{}) {
		return nil
	}
	if err == nil && info.Identity != want {
		err = Defectf(ReasonReplaced, "another file has taken the name of %s", n.text)
	}
	return err
}

// Remove removes the name of a file if it still leads to the file of that
// identity.
func (d *Dir) Remove(n Name, id mapped.Identity) error {
	if err := d.expect(n, id); err != nil {
		return err
	}
	return d.dir.Remove(n.text)
}

// Rename gives a file of that identity another name, unless something has that
// already, which is an error that is fs.ErrExist.
func (d *Dir) Rename(from, to Name, id mapped.Identity) error {
	if from.kind == Foreign || to.kind == Foreign {
		return Defectf(ReasonName, "%s cannot be renamed to %s", Quote(from.text), Quote(to.text))
	}
	if err := d.expect(from, id); err != nil {
		return err
	}
	return d.dir.RenameNew(from.text, to.text)
}

// LockFolds takes the lock that lets one process at a time change what dead
// writers left. It is nil where another one has it.
func (d *Dir) LockFolds() (*mapped.Growing, error) { return d.lock(FoldLockName) }

// LockSends takes the lock that lets one process at a time send the directory's
// metrics. It is nil where another one has it.
func (d *Dir) LockSends() (*mapped.Growing, error) { return d.lock(SendLockName) }

// lock takes a lock, which is a file of that name.
func (d *Dir) lock(name Name) (*mapped.Growing, error) {
	lock, err := d.openLock(name)
	if err != nil {
		return nil, err
	}
	locked, err := lock.Lock()
	if err == nil && locked {
		err = d.checkLock(name, lock)
	}
	if err != nil || !locked {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// openLock opens a lock, or makes it. It is opened first, because in a directory
// like /tmp Linux may refuse to create a file that exists and is somebody
// else's (protected_regular).
func (d *Dir) openLock(name Name) (*mapped.Growing, error) {
	for range 3 { // in which others may make it and delete it
		lock, err := d.Write(name)
		switch {
		case err == nil:
			return lock, nil
		case errors.Is(err, fs.ErrPermission):
			access, failed := d.lockAccess()
			if failed != nil {
				return nil, errors.Join(err, failed)
			}
			return nil, fmt.Errorf("%w; if this process should have the lock, \"chmod %#o %s\" lets all who may write to the directory", err, access.Mode, Quote(d.PathOf(name)))
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		access, err := d.lockAccess()
		if err != nil {
			return nil, err
		}
		lock, err = d.Create(name, access)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return lock, err
		}
	}
	return nil, Defectf(ReasonReplaced, "other processes keep creating and deleting %s", name)
}

// checkLock checks that the lock can be seen by others, and is where they look.
func (d *Dir) checkLock(name Name, lock *mapped.Growing) error {
	if err := d.expect(name, lock.Identity()); err != nil {
		return err
	}
	file, err := d.Read(name)
	if err != nil {
		return err
	}
	defer file.Close()
	seen, err := file.Locked()
	if err == nil && !seen {
		err = errors.New("locks do not hold there, so that live processes cannot be told from dead ones")
	}
	return err
}

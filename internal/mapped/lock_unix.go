//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package mapped

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Lock takes the exclusive lock of the whole file without waiting, and reports
// whether it is this Growing's now. It is held until [Growing.Close] or the
// process ends, in whatever way, and does not pass to children. It belongs to
// this opening of the file: a second one, in the same process too, is refused.
func (g *Growing) Lock() (bool, error) {
	if g.held {
		return true, nil
	}
	_, err := g.before(OpLock, 0)
	var locked bool
	if err == nil {
		locked, err = lock(g.fd)
	}
	if err != nil {
		return false, g.failed("lock", err)
	}
	g.held = locked
	return locked, nil
}

// Locked is [File.Locked]: false while this Growing has the lock.
func (g *Growing) Locked() (bool, error) {
	if g.held {
		return false, nil // flock would trade the lock for a shared one
	}
	return g.File.Locked()
}

// Locked reports whether the file is locked through another opening of it. It
// takes no lock on Linux; elsewhere it holds a shared one for a moment, which may
// refuse the file to a Lock that comes right then, but not to another Locked.
func (f *File) Locked() (bool, error) {
	_, err := f.before(OpLocked, 0)
	var locked bool
	if err == nil {
		locked, err = probe(f.fd)
	}
	if err != nil {
		return false, f.failed("lock", err)
	}
	return locked, nil
}

// LocksWork reports whether a file system honours locks: some accept them all. It
// opens a file of it twice for writing and locks it through both for a moment, so
// the file must be one that no other process uses.
func LocksWork(open func() (*Growing, error)) (bool, error) {
	first, err := open()
	if err != nil {
		return false, err
	}
	defer first.Close() //nolint:errcheck // nothing was written
	second, err := open()
	if err != nil {
		return false, err
	}
	defer second.Close() //nolint:errcheck // nothing was written

	locked, err := first.Lock()
	if err != nil {
		return false, unlessUnsupported(err)
	}
	if !locked {
		return true, nil // another opening has the lock
	}
	seen, err := second.Locked()
	if err != nil || !seen {
		return false, unlessUnsupported(err)
	}
	again, err := second.Lock()
	return !again && err == nil, unlessUnsupported(err)
}

// unlessUnsupported drops errors by which systems say that a file cannot be locked.
func unlessUnsupported(err error) error {
	for _, unsupported := range []error{unix.ENOLCK, unix.EOPNOTSUPP, unix.ENOTSUP, unix.ENOSYS, unix.EINVAL} {
		if errors.Is(err, unsupported) {
			return nil
		}
	}
	return err
}

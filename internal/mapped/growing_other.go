//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package mapped

import (
	"errors"
	"io/fs"
)

// GrowingSupported reports whether [Dir.Create] and [Dir.OpenWritable] can work on
// this system.
const GrowingSupported = false

// Growing is a file that this process writes through memory, which cannot be had
// on this system.
type Growing struct{ File }

// Create fails with errors.ErrUnsupported.
func Create(path string, _ fs.FileMode) (*Growing, error) { return nil, unsupported("open", path) }

// OpenWritable fails with errors.ErrUnsupported.
func OpenWritable(path string) (*Growing, error) { return nil, unsupported("open", path) }

// Create fails with errors.ErrUnsupported.
func (d *Dir) Create(name string, _ fs.FileMode) (*Growing, error) {
	return nil, unsupported("open", name)
}

// OpenWritable fails with errors.ErrUnsupported.
func (d *Dir) OpenWritable(name string) (*Growing, error) { return nil, unsupported("open", name) }

// LocksWork fails with errors.ErrUnsupported.
func LocksWork(func() (*Growing, error)) (bool, error) { return false, errors.ErrUnsupported }

// Identity returns the unknown identity.
func (g *Growing) Identity() Identity { return Identity{} }

// Name returns the empty string.
func (g *Growing) Name() string { return "" }

// Rename fails with errors.ErrUnsupported.
func (g *Growing) Rename(string) error { return errors.ErrUnsupported }

// Chmod fails with errors.ErrUnsupported.
func (g *Growing) Chmod(fs.FileMode) error { return errors.ErrUnsupported }

// Chown fails with errors.ErrUnsupported.
func (g *Growing) Chown(int, int) error { return errors.ErrUnsupported }

// Truncate fails with errors.ErrUnsupported.
func (g *Growing) Truncate(int64) error { return errors.ErrUnsupported }

// WriteAt fails with errors.ErrUnsupported.
func (g *Growing) WriteAt([]byte, int64) (int, error) { return 0, errors.ErrUnsupported }

// Extend fails with errors.ErrUnsupported.
func (g *Growing) Extend(int64, int) ([]byte, error) { return nil, errors.ErrUnsupported }

// Lock fails with errors.ErrUnsupported.
func (g *Growing) Lock() (bool, error) { return false, errors.ErrUnsupported }

// Sync fails with errors.ErrUnsupported.
func (g *Growing) Sync() error { return errors.ErrUnsupported }

// Close does nothing.
func (g *Growing) Close() error { return nil }

// Unmap does nothing.
func (g *Growing) Unmap() {}

// Locked fails with errors.ErrUnsupported.
func (f *File) Locked() (bool, error) { return false, errors.ErrUnsupported }

func unsupported(op, path string) error {
	return &fs.PathError{Op: op, Path: path, Err: errors.ErrUnsupported}
}

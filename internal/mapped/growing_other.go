//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package mapped

import (
	"errors"
	"io/fs"
)

// GrowingSupported reports whether [Create] and [OpenWritable] can work on this
// system.
const GrowingSupported = false

// Growing is a file that this process writes through memory, which cannot be had
// on this system.
type Growing struct{ File }

// Create fails with errors.ErrUnsupported.
func Create(path string, _ fs.FileMode) (*Growing, error) { return nil, unsupported("open", path) }

// OpenWritable fails with errors.ErrUnsupported.
func OpenWritable(path string) (*Growing, error) { return nil, unsupported("open", path) }

// Identity returns the unknown identity.
func (g *Growing) Identity() Identity { return Identity{} }

// Rename fails with errors.ErrUnsupported.
func (g *Growing) Rename(string) error { return errors.ErrUnsupported }

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

// Probe fails with errors.ErrUnsupported.
func Probe(path string) (bool, error) { return false, unsupported("lock", path) }

// LocksWork fails with errors.ErrUnsupported.
func LocksWork(path string) (bool, error) { return false, unsupported("lock", path) }

// RenameNoReplace fails with errors.ErrUnsupported.
func RenameNoReplace(old, _ string) error { return unsupported("rename", old) }

// SyncDir fails with errors.ErrUnsupported.
func SyncDir(dir string) error { return unsupported("sync", dir) }

func unsupported(op, path string) error {
	return &fs.PathError{Op: op, Path: path, Err: errors.ErrUnsupported}
}

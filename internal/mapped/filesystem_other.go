//go:build !darwin && !freebsd && !linux

package mapped

import "os"

// FileSystemOf returns the zero FileSystem for a path that exists: this system is
// not asked.
func FileSystemOf(path string) (FileSystem, error) {
	_, err := os.Stat(path)
	return FileSystem{}, err
}

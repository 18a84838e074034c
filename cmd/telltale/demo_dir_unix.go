//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// holdDemoDir keeps a directory from being removed as abandoned, until release
// is called or the process ends in any way. Each process of a demo holds its
// directory by a shared lock.
func holdDemoDir(dir string) (release func(), err error) {
	file, err := openDir(dir)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if err == nil && !isAt(file, dir) || errors.Is(err, unix.EWOULDBLOCK) {
		_ = file.Close()
		return nil, errRemoved
	}
	// On a file system without such locks no process can take the directory for
	// abandoned either.
	return func() { _ = file.Close() }, nil
}

// removeAbandoned removes a directory of a demo of this user if no process holds
// it, and reports whether one does. It does not touch anything else at dir.
func removeAbandoned(dir string) (held bool) {
	if !demoDirName.MatchString(filepath.Base(dir)) {
		return false
	}
	file, err := openDir(dir)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	var stat unix.Stat_t
	if unix.Fstat(int(file.Fd()), &stat) != nil || int(stat.Uid) != os.Geteuid() {
		return false
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil && isAt(file, dir) {
		_ = os.RemoveAll(dir)
	}
	return errors.Is(err, unix.EWOULDBLOCK)
}

// openDir opens a directory, which must not be a symbolic link.
func openDir(dir string) (*os.File, error) {
	return os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
}

// isAt reports whether a file is still at the path.
func isAt(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(opened, there)
}

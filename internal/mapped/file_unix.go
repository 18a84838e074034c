//go:build unix

package mapped

import (
	"errors"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Supported reports whether [File.Map] can work on this system.
const Supported = true

// File is a file opened for reading.
type File struct {
	path string
	fd   int
}

// Open opens a file without ever waiting: not for the writer of a pipe either.
func Open(path string) (*File, error) { return open(path, 0) }

// OpenNoFollow is [Open], but a symbolic link at the end of path is an error.
func OpenNoFollow(path string) (*File, error) { return open(path, unix.O_NOFOLLOW) }

func open(path string, flags int) (*File, error) {
	f := &File{path: path}
	err := retry(func() (err error) {
		f.fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|flags, 0)
		return err
	})
	if err != nil {
		return nil, f.failed("open", err)
	}
	return f, nil
}

// Stat says what was opened.
func (f *File) Stat() (Info, error) {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstat(f.fd, &st) }); err != nil {
		return Info{}, f.failed("stat", err)
	}
	return infoOf(&st), nil
}

// Lstat says what the path is, itself if it is a symbolic link.
func Lstat(path string) (Info, error) {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Lstat(path, &st) }); err != nil {
		return Info{}, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return infoOf(&st), nil
}

func infoOf(st *unix.Stat_t) Info {
	info := Info{Identity: Identity{wide(st.Dev), wide(st.Ino)}, Size: st.Size}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		info.Mode = fs.ModeDir
	case unix.S_IFLNK:
		info.Mode = fs.ModeSymlink
	case unix.S_IFIFO:
		info.Mode = fs.ModeNamedPipe
	case unix.S_IFSOCK:
		info.Mode = fs.ModeSocket
	default:
		info.Mode = fs.ModeIrregular
	}
	return info
}

// wide converts numbers whose type differs from system to system.
func wide[T ~int32 | ~uint32 | ~int64 | ~uint64](n T) uint64 { return uint64(n) }

// Map maps the first n bytes. The mapping outlives the File.
func (f *File) Map(n int) (Region, error) {
	data, err := unix.Mmap(f.fd, 0, n, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return Region{}, f.failed("mmap", err)
	}
	return Region{data}, nil
}

func unmap(data []byte) { _ = unix.Munmap(data) } // fails only for what was never mapped

// ReadAt fills p from offset on; a file that ends before is io.ErrUnexpectedEOF.
func (f *File) ReadAt(p []byte, offset int64) (int, error) {
	done := 0
	for done < len(p) {
		var n int
		err := retry(func() (err error) {
			n, err = unix.Pread(f.fd, p[done:], offset+int64(done))
			return err
		})
		if err != nil {
			return done, f.failed("read", err)
		}
		if n == 0 {
			return done, io.ErrUnexpectedEOF
		}
		done += n
	}
	return done, nil
}

// Close closes the file.
func (f *File) Close() { _ = unix.Close(f.fd) } // it was only read from

func (f *File) failed(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.path, Err: err}
}

func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

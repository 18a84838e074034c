//go:build !unix

package mapped

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Supported reports whether [File.Map] can work on this system.
const Supported = false

// File is a regular file opened for reading.
type File struct {
	file *os.File
	dir  *Dir
	name string
}

// Open opens a regular file. The hook, which may be nil, is called before each
// operation, with the path.
func Open(path string, hook Hook) (*File, error) {
	of := &Dir{hook: hook}
	_, err := hook.ask(OpStat, path, 0)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(path)
	}
	if err == nil {
		_, err = hook.ask(OpOpen, path, 0)
	}
	if err != nil {
		return nil, err
	}
	found := infoOf(info)
	if err := found.CheckRegular(); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &File{file: f, dir: of, name: path}, nil
}

func (f *File) before(op Op, n int64) (int64, error) {
	return f.dir.hook.ask(op, f.name, n)
}

// Stat says what was opened.
func (f *File) Stat() (Info, error) {
	if _, err := f.before(OpStatFile, 0); err != nil {
		return Info{}, f.failed("stat", err)
	}
	info, err := f.file.Stat()
	if err != nil {
		return Info{}, err
	}
	return infoOf(info), nil
}

func infoOf(info fs.FileInfo) Info {
	changed := info.ModTime().UnixNano()
	return Info{
		Size: info.Size(), Mode: info.Mode().Type(), Perm: info.Mode().Perm(), Links: 1,
		Allocated: info.Size(), Modified: changed, Changed: changed,
	}
}

// Map fails: this system's files are read into memory.
func (f *File) Map(int) (Region, error) { return Region{}, errors.ErrUnsupported }

// Copy fails: this system does not tell holes apart.
func (f *File) Copy(int) (Region, error) { return Region{}, ErrHoles }

// There fails likewise.
func (f *File) There(int64, int64) (bool, error) { return false, ErrHoles }

func unmap([]byte) {}

// ReadAt fills p from offset on; the error is [ErrCut] if the file ends before that, and
// io.ErrUnexpectedEOF if fewer bytes came than it has.
func (f *File) ReadAt(p []byte, offset int64) (int, error) {
	allowed, failure := f.before(OpRead, int64(len(p)))
	n, err := f.file.ReadAt(p[:allowed], offset)
	switch {
	case failure != nil:
		err = f.failed("read", failure)
	case err == io.EOF || err == nil: //nolint:errorlint // os returns it bare
		switch short := allowed < int64(len(p)); {
		case n < int(allowed):
			err = ErrCut
		case short:
			err = io.ErrUnexpectedEOF
		default:
			err = nil
		}
	}
	return n, err
}

// Close closes the file.
func (f *File) Close() { _ = f.file.Close() } // it was only read from

func (f *File) failed(op string, err error) error {
	path := f.name
	if f.dir != nil {
		path = filepath.Join(f.dir.path, f.name)
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

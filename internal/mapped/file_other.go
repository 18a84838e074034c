//go:build !unix

package mapped

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// Supported reports whether [File.Map] can work on this system.
const Supported = false

// File is a file opened for reading.
type File struct{ file *os.File }

// Open opens a file.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// Stat says what was opened.
func (f *File) Stat() (Info, error) {
	info, err := f.file.Stat()
	if err != nil {
		return Info{}, err
	}
	return infoOf(info), nil
}

// OpenNoFollow is [Open], but a symbolic link at the end of path is an error.
func OpenNoFollow(path string) (*File, error) {
	info, err := Lstat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode&fs.ModeSymlink != 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("is a symbolic link")}
	}
	return Open(path)
}

// Lstat says what the path is, itself if it is a symbolic link.
func Lstat(path string) (Info, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Info{}, err
	}
	return infoOf(info), nil
}

func infoOf(info fs.FileInfo) Info { return Info{Size: info.Size(), Mode: info.Mode().Type()} }

// Map fails: this system's files are read into memory.
func (f *File) Map(int) (Region, error) { return Region{}, errors.ErrUnsupported }

func unmap([]byte) {}

// ReadAt fills p from offset on; a file that ends before is io.ErrUnexpectedEOF.
func (f *File) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.file.ReadAt(p, offset)
	if err == io.EOF {
		err = nil
		if n < len(p) {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// Close closes the file.
func (f *File) Close() { _ = f.file.Close() } // it was only read from

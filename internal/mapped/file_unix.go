//go:build unix

package mapped

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Supported reports whether [File.Map] can work on this system.
const Supported = true

// File is a regular file opened for reading.
type File struct {
	dir  *Dir
	name string
	fd   int
}

// Open opens a regular file without ever waiting, not for the writer of a pipe
// either. Symbolic links are followed: the path is one that a user has named.
// What is found in a directory that others write to is opened by [Dir.Open]. The
// hook, which may be nil, is called before each operation, with the path.
func Open(path string, hook Hook) (*File, error) {
	f := &File{dir: workingDir(hook), name: path}
	var st unix.Stat_t
	_, err := f.before(OpStat, 0)
	if err == nil {
		err = retry(func() error { return unix.Stat(path, &st) })
	}
	if err != nil {
		return nil, f.failed("stat", err)
	}
	info := infoOf(&st)
	if err := info.CheckRegular(); err != nil {
		return nil, f.failed("open", err)
	}
	if err := f.open(unix.O_RDONLY, 0); err != nil {
		return nil, err
	}
	return f.still(info)
}

// still returns the opened file if it is a regular one of the identity in the info; else it
// closes the file and returns an error, [ErrReplaced] if it is another file.
func (f *File) still(info Info) (*File, error) {
	now, err := f.Stat()
	if err == nil {
		err = now.CheckRegular()
		if err == nil && now.Identity != info.Identity {
			err = ErrReplaced
		}
		if err != nil {
			err = f.failed("open", err)
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// open opens the file at its name. Where the process has no descriptor left it
// takes the directory's spare one.
func (f *File) open(flags int, perm fs.FileMode) error {
	op := OpOpen
	switch {
	case flags&unix.O_CREAT != 0:
		op = OpCreate
	case flags&unix.O_RDWR != 0:
		op = OpOpenWrite
	}
	open := func() (err error) {
		if _, err := f.before(op, 0); err != nil {
			return err
		}
		f.fd, err = unix.Openat(f.dir.fd, f.name, flags|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, uint32(perm))
		return err
	}
	err := retry(open)
	if errors.Is(err, unix.EMFILE) && f.dir.lend() {
		err = retry(open)
	}
	if err != nil {
		f.dir.refill()
		return f.failed("open", err)
	}
	return nil
}

// before asks the hook.
func (f *File) before(op Op, n int64) (int64, error) { return f.dir.hook.ask(op, f.name, n) }

// Stat says what was opened, as it is now.
func (f *File) Stat() (Info, error) {
	var st unix.Stat_t
	_, err := f.before(OpStatFile, 0)
	if err == nil {
		err = retry(func() error { return unix.Fstat(f.fd, &st) })
	}
	if err != nil {
		return Info{}, f.failed("stat", err)
	}
	return infoOf(&st), nil
}

func infoOf(st *unix.Stat_t) Info {
	info := Info{
		Identity: Identity{wide(st.Dev), wide(st.Ino)}, Size: st.Size,
		Perm: fs.FileMode(st.Mode).Perm(), Links: wide(st.Nlink), UID: st.Uid, GID: st.Gid,
		Allocated: int64(wide(st.Blocks)) * 512,
		Modified:  st.Mtim.Nano(), Changed: st.Ctim.Nano(),
	}
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
	case unix.S_IFCHR, unix.S_IFBLK:
		info.Mode = fs.ModeDevice
	default:
		info.Mode = fs.ModeIrregular
	}
	return info
}

// wide returns a number, whose type differs from system to system, as a uint64.
func wide[T ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64](n T) uint64 { return uint64(n) }

// Map maps the first n bytes. The mapping outlives the File.
func (f *File) Map(n int) (Region, error) {
	allowed, err := f.before(OpMap, int64(n))
	var data []byte
	if err == nil {
		data, err = unix.Mmap(f.fd, 0, int(allowed), unix.PROT_READ, unix.MAP_SHARED)
	}
	if err != nil {
		return Region{}, f.failed("mmap", err)
	}
	return Region{data: data}, nil
}

// Copy returns a copy of the first n bytes as they are now, in memory that only
// this process has. It reads only extents with data: holes are zeros that take no
// memory, in the file system neither, where reading them through a mapping would
// fill them. The error is [ErrCut] if the file has fewer bytes, and [ErrHoles] if the
// system does not tell holes apart.
func (f *File) Copy(n int) (Region, error) {
	info, err := f.Stat()
	if err != nil {
		return Region{}, err
	}
	data, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|noReserve)
	if err != nil {
		return Region{}, f.failed("mmap", err)
	}
	// Where data takes less than its size on the disk it is compressed, or the
	// file system has not decided yet.
	left := max(info.Allocated, copyFloor/compression) * compression
	region := Region{data: data, copied: true}
	for at := int64(0); at < int64(n); {
		from, to, err := f.data(at)
		if errors.Is(err, unix.ENXIO) { // all that follows is hole, or is no more
			if err = f.reaches(n); err == nil {
				break
			}
		}
		to = min(to, int64(n))
		if err == nil && from < to {
			if left -= to - from; left < 0 {
				err = ErrHoles
			} else {
				_, err = f.ReadAt(data[from:to], from)
				region.add(from, to)
			}
		}
		if err != nil {
			unmap(data)
			return Region{}, err
		}
		at = max(to, from)
	}
	return region, nil
}

// reaches returns [ErrCut] if the file has fewer than n bytes now.
func (f *File) reaches(n int) error {
	info, err := f.Stat()
	if err == nil && info.Size < int64(n) {
		err = ErrCut
	}
	return err
}

// add notes that bytes were copied behind those before.
func (r *Region) add(from, to int64) {
	if n := len(r.parts); n > 0 && r.parts[n-1].to == from {
		r.parts[n-1].to = to
	} else {
		r.parts = append(r.parts, part{from, to})
	}
}

// There reports whether none of n bytes from an offset on lies in a hole.
func (f *File) There(offset, n int64) (bool, error) {
	from, to, err := f.data(offset)
	if errors.Is(err, unix.ENXIO) {
		return false, nil // all that follows is hole
	}
	return err == nil && from == offset && n <= to-offset, err
}

const (
	// compression is how much smaller than its data a file may be on the disk.
	compression = 64
	// copyFloor is how many bytes are read of a file that seems to take no space.
	copyFloor = 16 << 20
)

// data returns where the first bytes at or behind an offset lie that are in no hole. The
// error is unix.ENXIO if there are none, and [ErrHoles] where the system does not tell.
func (f *File) data(at int64) (from, to int64, err error) {
	if _, err := f.before(OpData, 0); err != nil {
		return 0, 0, f.failed("seek", err)
	}
	if seekData < 0 {
		return 0, 0, ErrHoles
	}
	if from, err = unix.Seek(f.fd, at, seekData); err == nil {
		to, err = unix.Seek(f.fd, from, seekHole)
	}
	switch {
	case errors.Is(err, unix.EINVAL):
		return 0, 0, ErrHoles
	case err != nil:
		return 0, 0, f.failed("seek", err)
	}
	return from, to, nil
}

func unmap(data []byte) { _ = unix.Munmap(data) } // fails only for what was never mapped

// ReadAt fills p from offset on; the error is [ErrCut] if the file ends before that, and
// io.ErrUnexpectedEOF if fewer bytes came than it has.
func (f *File) ReadAt(p []byte, offset int64) (int, error) {
	allowed, failure := f.before(OpRead, int64(len(p)))
	short := allowed < int64(len(p))
	p = p[:allowed]
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
			return done, ErrCut
		}
		done += n
	}
	switch {
	case failure != nil:
		return done, f.failed("read", failure)
	case short:
		return done, io.ErrUnexpectedEOF
	}
	return done, nil
}

// Close closes the file.
func (f *File) Close() {
	_ = unix.Close(f.fd) // it was only read from
	f.dir.refill()
}

func (f *File) failed(op string, err error) error {
	return &fs.PathError{Op: op, Path: filepath.Join(f.dir.path, f.name), Err: err}
}

func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

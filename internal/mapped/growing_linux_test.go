package mapped_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"telltale/internal/mapped"
)

func init() {
	children["tmpfs"] = func(dir string) error { return fillMount(dir, "tmpfs") }
	children["ramfs"] = onRamfs
	children["limit"] = reachLimit
}

// room is how many bytes there are for the file of a child that fills it.
const room = 6 << 20

// mayNotMount is what a child says that lacks the privilege.
const mayNotMount = "may not mount"

func fileSystemOf(path string) (mapped.FileSystem, error) {
	d, err := mapped.OpenDir(path, nil)
	if err != nil {
		return mapped.FileSystem{}, err
	}
	defer d.Close()
	return d.FileSystem()
}

// mount mounts a small file system of memory on dir, for this process alone.
func mount(dir, kind string) error {
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if err == nil {
		err = unix.Mount(kind, dir, kind, 0, fmt.Sprintf("size=%d", room))
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		fmt.Println(mayNotMount)
		os.Exit(0)
	}
	if err != nil {
		return err
	}
	if on, err := fileSystemOf(dir); err != nil || on.Name != kind || !on.Memory || on.Remote {
		return fmt.Errorf("%+v on a %s: %w", on, kind, err)
	}
	return nil
}

func fillMount(dir, kind string) error {
	if err := mount(dir, kind); err != nil {
		return err
	}
	return fill(filepath.Join(dir, "x"), unix.ENOSPC)
}

// reachLimit fills a file to the limit on its process's files.
func reachLimit(dir string) error {
	limit := unix.Rlimit{Cur: room, Max: room}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return fill(filepath.Join(dir, "x"), unix.EFBIG)
}

// fill extends a file until no room is left, sees that the error is why, and that
// every byte of the extents can be written and is kept all the same.
func fill(path string, why error) error {
	g, err := mapped.Create(path, 0o600)
	if err != nil {
		return err
	}
	var extents [][]byte
	size := 0
	for _, n := range []int{room + 2<<20, 1<<20 + page, page} { // until so many bytes find no room
		for {
			extent, err := g.Extend(int64(size), n)
			if err == nil {
				extents, size = append(extents, extent), size+n
				if size > room {
					return fmt.Errorf("%d bytes found room", size)
				}
				continue
			}
			if extent != nil || !errors.Is(err, mapped.ErrNoSpace) || !errors.Is(err, why) || !strings.Contains(err.Error(), path) {
				return fmt.Errorf("a full disk: %w", err)
			}
			if info, err := g.Stat(); err != nil || info.Size != int64(size) {
				return fmt.Errorf("extents of %d bytes leave a file of %d: %w", size, info.Size, err)
			}
			break
		}
	}
	if size < room/2 {
		return fmt.Errorf("only %d bytes found room", size)
	}
	for i, extent := range extents {
		for at := range extent {
			extent[at] = byte(i + 1)
		}
	}
	p := make([]byte, size)
	if _, err := g.ReadAt(p, 0); err != nil {
		return err
	}
	for i, extent := range extents {
		for _, b := range p[:len(extent)] {
			if b != byte(i+1) {
				return fmt.Errorf("extent %d holds a byte %d", i, b)
			}
		}
		p = p[len(extent):]
	}
	g.Unmap()
	return errors.Join(g.Close(), untilReleased())
}

// onRamfs works where space cannot be reserved but by writing.
func onRamfs(dir string) error {
	if err := mount(dir, "ramfs"); err != nil {
		return err
	}
	path := filepath.Join(dir, "x")
	before := strings.Repeat("before", page) // six pages
	if err := os.WriteFile(path, []byte(before)[:5*page+1], 0o600); err != nil {
		return err
	}
	g, err := mapped.OpenWritable(path)
	if err != nil {
		return err
	}
	if err := mayReserve(path); !errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("ramfs reserves space: %w", err)
	}
	extent, err := g.Extend(int64(page), 7*page)
	if err != nil {
		return err
	}
	if string(extent[:4*page+1]) != before[page:5*page+1] || strings.Trim(string(extent[4*page+1:]), "\x00") != "" {
		return errors.New("bytes that were there are not what they were")
	}
	extent[7*page-1] = 1
	if info, err := g.Stat(); err != nil || info.Size != int64(8*page) {
		return fmt.Errorf("a file of %d bytes: %w", info.Size, err)
	}
	return untilReleased()
}

func mayReserve(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(unix.Fallocate(int(f.Fd()), 0, 0, 1), f.Close())
}

func TestExtendWithoutRoom(t *testing.T) {
	for _, kind := range []string{"tmpfs", "ramfs", "limit"} {
		t.Run(kind, func(t *testing.T) {
			c := command(kind, t.TempDir())
			if kind != "limit" {
				// Its own user is root of its own mounts.
				c.SysProcAttr = &syscall.SysProcAttr{
					Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
					UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
					GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
				}
			}
			out, err := c.Output()
			if string(out) == mayNotMount+"\n" || errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) { // no namespaces allowed, or none left
				t.Skip("NOT TESTED: this process may not make a user namespace and mount in it:", err)
			}
			if err != nil || string(out) != "ready\n" {
				t.Errorf("%s, %v", out, err)
			}
		})
	}
}

func TestOpenWritableDoesNotWaitForAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := mapped.OpenWritable(path); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Error(err)
	}
}

// A probe on Linux leaves no moment in which a Lock is refused.
func TestProbesRefuseNoLock(t *testing.T) {
	g, path := create(t)
	var probes sync.WaitGroup
	done := make(chan struct{})
	defer probes.Wait()
	defer close(done)
	for range 4 {
		probes.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					if _, err := probe(path); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for range 2000 {
		mine, err := mapped.OpenWritable(path)
		if err != nil {
			t.Fatal(err)
		}
		if locked, err := mine.Lock(); err != nil || !locked {
			t.Errorf("refused: %v", err)
			break
		}
		if locked, err := g.Locked(); err != nil || !locked {
			t.Errorf("a held lock was not seen: %v", err)
			break
		}
		if err := mine.Close(); err != nil {
			t.Error(err)
			break
		}
	}
}

// A signal in the midst of reserving space only delays it.
func TestExtendUnderSignals(t *testing.T) {
	const size = 32 << 20
	dir := "/dev/shm" // where a signal may undo all of a call
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Type != unix.TMPFS_MAGIC || st.Bavail < 2*size/uint64(st.Bsize) {
		t.Skipf("NOT TESTED: %s is no tmpfs with room for %d bytes: %v", dir, 2*size, err)
	}
	if on, err := fileSystemOf(dir); err != nil || on != (mapped.FileSystem{Name: "tmpfs", Memory: true, Proven: true}) {
		t.Fatalf("%s: %+v, %v", dir, on, err)
	}
	dir, err := os.MkdirTemp(dir, "telltale")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	g, err := mapped.Create(filepath.Join(dir, "x"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	cleanUp(t, g)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread := unix.Gettid()
	var signals sync.WaitGroup
	signals.Go(func() {
		for range 20000 {
			_ = unix.Tgkill(os.Getpid(), thread, unix.SIGURG)
		}
	})
	defer signals.Wait()
	extent := extend(t, g, 0, size)
	extent[len(extent)-1] = 1
}

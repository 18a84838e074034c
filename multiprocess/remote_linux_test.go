package multiprocess_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"telltale/multiprocess"
)

func init() {
	children["remote"] = func(args []string) error { return onFUSE(args[0], refuse) }
}

// onFUSE mounts an empty file system on dir, for this process alone, which this process
// serves: to the system it is one as the network's are.
func onFUSE(dir string, do func(dir string) error) error {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	if err == nil {
		err = unix.Mount("none", dir, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd))
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
		fmt.Println(mayNotMount)
		os.Exit(0)
	}
	if err != nil {
		return err
	}
	go serveFUSE(fd)
	return do(dir)
}

// serveFUSE answers what the system asks of an empty directory, until it asks no more.
func serveFUSE(fd int) {
	order := binary.NativeEndian
	for in := make([]byte, 64<<10); ; {
		n, err := unix.Read(fd, in)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n < 40 {
			return
		}
		var answer []byte
		fault := int32(0)
		switch order.Uint32(in[4:]) { // see fuse(4) and linux/fuse.h
		case 2, 36: // FORGET, INTERRUPT
			continue
		case 26: // INIT
			answer = make([]byte, 64)
			order.PutUint32(answer, 7)
			order.PutUint32(answer[4:], 31)
			order.PutUint32(answer[20:], 4096)
		case 3: // GETATTR
			answer = make([]byte, 104)
			order.PutUint64(answer[16:], 1)
			order.PutUint32(answer[16+60:], unix.S_IFDIR|0o777)
			order.PutUint32(answer[16+64:], 2)
		case 27: // OPENDIR
			answer = make([]byte, 16)
		case 17: // STATFS
			answer = make([]byte, 80)
			order.PutUint32(answer[40:], 4096)
		case 28, 29: // READDIR, RELEASEDIR
		default:
			fault = -int32(unix.ENOSYS)
		}
		out := make([]byte, 16, 16+len(answer))
		order.PutUint32(out, uint32(16+len(answer)))
		order.PutUint32(out[4:], uint32(fault))
		copy(out[8:], in[8:16])
		if _, err := unix.Write(fd, append(out, answer...)); err != nil && !errors.Is(err, unix.ENOENT) { // it was interrupted
			return
		}
	}
}

// refuse prints what opening a store and folding say.
func refuse(dir string) error {
	_, err := multiprocess.Open(dir)
	fmt.Println(err)
	_, err = multiprocess.Fold(context.Background(), dir)
	fmt.Println(err)
	return nil
}

// Stores and folds refuse directories on file systems that others serve, and say what
// to do.
func TestRemoteFileSystemsAreRefused(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(mounting(t, "remote")), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "it is on fuse") || !strings.Contains(lines[0], "use a local directory") || !strings.Contains(lines[1], "it is on fuse") {
		t.Errorf("%q", lines)
	}
}

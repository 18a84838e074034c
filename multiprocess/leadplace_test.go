//go:build unix

package multiprocess_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/internal/mapped"
)

// placed returns the inode of a directory, and when it was made, 0 for unknown.
func placed(t *testing.T, path string) (inode uint64, born int64) {
	t.Helper()
	d, err := mapped.OpenDir(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	info, err := d.Info()
	if err != nil {
		t.Fatal(err)
	}
	return info.Identity.Inode(), d.Born()
}

// A directory into which the file of one that is gone was copied has an identity of its
// own, also where it got the inode of that.
func TestIdentityWhereAnInodeIsUsedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shared")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	was, _ := placed(t, dir)
	first := leader(t, dir)
	first.Close()
	text, err := os.ReadFile(filepath.Join(dir, "send.lock"))
	if err := errors.Join(err, os.RemoveAll(dir), os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "send.lock"), text, 0o600)); err != nil {
		t.Fatal(err)
	}
	is, born := placed(t, dir)
	t.Logf("the inodes are %d and %d", was, is)
	if next := leader(t, dir); next.Identity() == first.Identity() && (is != was || born != 0) {
		t.Error("it has the identity of the other one")
	}
}

// A file in which an earlier version has noted the inode alone keeps its identity.
func TestIdentityOfAnInode(t *testing.T) {
	dir := t.TempDir()
	inode, _ := placed(t, dir)
	const identity = "0123456789abcdef0123456789abcdef"
	file := filepath.Join(dir, "send.lock")
	if err := os.WriteFile(file, fmt.Appendf(nil, "telltale send 1\nidentity %s\ndirectory %020d\nnewest %016d\n", identity, inode, 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l := leader(t, dir)
		if l.Identity() != identity || l.Last().UnixMilli() < 5000 {
			t.Errorf("the identity is %s, the last time %v", l.Identity(), l.Last())
		}
		if _, err := l.Next(); err != nil {
			t.Error(err)
		}
		l.Close()
	}
	if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), "telltale send 1\nidentity "+identity+"\n") {
		t.Errorf("%v: %q", err, text)
	}
}

package mapped_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"telltale/internal/mapped"
)

func openDir(t *testing.T, path string) *mapped.Dir {
	t.Helper()
	d, err := mapped.OpenDir(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestDirListsAndFinds(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	want := []string{"a", "b", "c"}
	for _, name := range want {
		if err := os.WriteFile(filepath.Join(path, name), []byte(name), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // from the first one again
		if names, err := d.List(); err != nil || !slices.Equal(names, want) {
			t.Fatalf("listed %q, %v", names, err)
		}
	}
	if info, err := d.Stat("a"); err != nil || info.Size != 1 || info.Links != 1 || info.CheckRegular() != nil {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := d.Stat("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a name that is not there: %v", err)
	}
	if err := d.RenameNew("a", "b"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("renamed to a name that is taken: %v", err)
	}
	if err := errors.Join(d.RenameNew("a", "d"), d.Rename("d", "b"), d.Remove("c"), d.Sync()); err != nil {
		t.Error(err)
	}
	if names, err := d.List(); err != nil || !slices.Equal(names, []string{"b"}) {
		t.Errorf("left %q, %v", names, err)
	}
	if same, err := d.Same(); err != nil || !same {
		t.Errorf("the same directory: %v, %v", same, err)
	}
	if _, err := mapped.OpenDir(filepath.Join(path, "none"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if _, err := mapped.OpenDir(filepath.Join(path, "b"), nil); err == nil {
		t.Error("a file was opened as a directory")
	}
}

// Every operation passes the hook, which can make it fail.
func TestHookMakesOperationsFail(t *testing.T) {
	needGrowing(t)
	failure := errors.New("injected")
	var failing mapped.Op
	seen := make(map[mapped.Op]int)
	hook := func(op mapped.Op, _ string, n int64) (int64, error) {
		if seen[op]++; op == failing {
			return 0, failure
		}
		return n, nil
	}
	all := func(path string) error {
		d, err := mapped.OpenDir(path, hook)
		if err != nil {
			return err
		}
		defer d.Close()
		_, same := d.Same()
		_, system := d.FileSystem()
		_, list := d.List()
		g, err := d.Create("x", 0o600)
		if err = errors.Join(same, system, list, err); err != nil {
			return err
		}
		defer g.Unmap()
		defer g.Close() //nolint:errcheck // nothing depends on it
		_, extend := g.Extend(0, os.Getpagesize())
		_, write := g.WriteAt([]byte("telltale"), 0)
		_, lock := g.Lock()
		if err := errors.Join(extend, write, lock, g.Chmod(0o640), g.Chown(-1, -1), g.Truncate(100), g.Sync(), g.Rename("y")); err != nil {
			return err
		}
		again, err := d.OpenWritable("y")
		if err != nil {
			return err
		}
		f, open := d.Open("y")
		if err := errors.Join(open, again.Close()); err != nil {
			return err
		}
		defer f.Close()
		_, locked := f.Locked()
		_, read := f.ReadAt(make([]byte, 8), 0)
		region, mapping := f.Map(100)
		region.Unmap()
		region, data := f.Copy(100)
		region.Unmap()
		return errors.Join(locked, read, mapping, data, d.RenameNew("y", "z"), d.Remove("z"), d.Sync())
	}
	if err := all(t.TempDir()); err != nil && !errors.Is(err, mapped.ErrHoles) {
		t.Fatal(err)
	}
	for _, op := range mapped.Ops() {
		if seen[op] == 0 {
			t.Errorf("%v passed no hook", op)
		}
		failing = op
		if err := all(t.TempDir()); !errors.Is(err, failure) {
			t.Errorf("%v should have failed: %v", op, err)
		}
	}
}

// Reads and writes can be short.
func TestHookMakesOperationsShort(t *testing.T) {
	needGrowing(t)
	path := t.TempDir()
	d, err := mapped.OpenDir(path, func(op mapped.Op, _ string, n int64) (int64, error) { return n / 2, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	g, err := d.Create("x", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close() //nolint:errcheck // nothing depends on it
	if n, err := g.WriteAt([]byte("telltale"), 0); n != 4 || err == nil {
		t.Errorf("wrote %d bytes: %v", n, err)
	}
	if n, err := g.ReadAt(make([]byte, 4), 0); n != 2 || err == nil {
		t.Errorf("read %d bytes: %v", n, err)
	}
	if _, err := g.Extend(0, 2*os.Getpagesize()); err == nil {
		t.Error("extended by half of it")
	}
}

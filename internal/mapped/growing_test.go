package mapped_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"telltale/internal/mapped"
)

var page = os.Getpagesize()

func needGrowing(t *testing.T) {
	t.Helper()
	if !mapped.GrowingSupported {
		t.Skip("this system's files are not mapped for writing")
	}
}

// create creates a file in a directory of its own.
func create(t *testing.T) (*mapped.Growing, string) {
	t.Helper()
	needGrowing(t)
	path := filepath.Join(t.TempDir(), "x")
	g, err := mapped.Create(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	cleanUp(t, g)
	return g, path
}

func openWritable(t *testing.T, path string) *mapped.Growing {
	t.Helper()
	needGrowing(t)
	g, err := mapped.OpenWritable(path)
	if err != nil {
		t.Fatal(err)
	}
	cleanUp(t, g)
	return g
}

func cleanUp(t *testing.T, g *mapped.Growing) {
	t.Cleanup(func() {
		g.Unmap()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
}

func extend(t *testing.T, g *mapped.Growing, offset int64, n int) []byte {
	t.Helper()
	extent, err := g.Extend(offset, n)
	if err != nil {
		t.Fatal(err)
	}
	if len(extent) != n {
		t.Fatalf("an extent of %d bytes has %d", n, len(extent))
	}
	return extent
}

// text returns n bytes of the file from offset on, as a reader gets them.
func text(t *testing.T, path string, offset int64, n int) string {
	t.Helper()
	p := make([]byte, n)
	if _, err := open(t, path).ReadAt(p, offset); err != nil {
		t.Fatal(err)
	}
	return string(p)
}

func TestExtentsAreSharedAndStay(t *testing.T) {
	g, path := create(t)
	first := extend(t, g, 0, page)
	copy(first, "first")
	second := extend(t, g, int64(page), 300*page)
	copy(second[299*page:], "second")
	copy(first[5:], " again")

	if s := text(t, path, 0, 11); s != "first again" {
		t.Errorf("the file begins with %q", s)
	}
	if s := text(t, path, int64(300*page), 6); s != "second" {
		t.Errorf("the last page begins with %q", s)
	}
	if info, err := g.Stat(); err != nil || info.Size != int64(301*page) || info.Identity != g.Identity() {
		t.Errorf("%+v, %v", info, err)
	}
	if err := g.Sync(); err != nil {
		t.Error(err)
	}

	other := openWritable(t, path)
	if other.Identity() != g.Identity() {
		t.Error("two openings of a file differ in identity")
	}
	theirs := extend(t, other, 0, page) // of bytes that exist, and must stay
	if string(theirs[:11]) != "first again" {
		t.Errorf("mapped again the file begins with %q", theirs[:11])
	}
	copy(theirs, "FIRST")
	if string(first[:11]) != "FIRST again" {
		t.Errorf("the first mapping begins with %q", first[:11])
	}

	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	copy(first, "after") // the mapping outlives the descriptor
	if string(theirs[:5]) != "after" {
		t.Errorf("stored after Close, read %q", theirs[:5])
	}
	if _, err := g.Extend(0, page); err == nil {
		t.Error("a closed file was extended")
	}
}

func TestExtendTakesWholePages(t *testing.T) {
	g, _ := create(t)
	for name, at := range map[string]struct {
		offset int64
		n      int
	}{
		"nothing":            {0, 0},
		"less than nothing":  {0, -page},
		"part of a page":     {0, page - 1},
		"from within a page": {8, page},
		"before the file":    {int64(-page), page},
		"past all numbers":   {math.MaxInt64 - int64(page) + 1, page},
	} {
		if extent, err := g.Extend(at.offset, at.n); err == nil || extent != nil {
			t.Errorf("%s: %d bytes, %v", name, len(extent), err)
		}
	}
	if info, err := g.Stat(); err != nil || info.Size != 0 {
		t.Errorf("the file has %d bytes, %v", info.Size, err)
	}
}

func TestCreateGivesThePermissionsAsked(t *testing.T) {
	needGrowing(t)
	for _, perm := range []fs.FileMode{0o600, 0o640, 0o666, 0o622} {
		path := filepath.Join(t.TempDir(), "x")
		g, err := mapped.Create(path, perm)
		if err != nil {
			t.Fatal(err)
		}
		cleanUp(t, g)
		if info, err := os.Stat(path); err != nil || info.Mode() != perm {
			t.Errorf("asked for %v: %v, %v", perm, info.Mode(), err)
		}
	}
}

func TestCreateAndOpenWritableRefuse(t *testing.T) {
	_, taken := create(t)
	dir := t.TempDir()
	link, dangling := filepath.Join(dir, "link"), filepath.Join(dir, "dangling")
	if err := errors.Join(os.Symlink(taken, link), os.Symlink(filepath.Join(dir, "none"), dangling)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{taken, link, dangling, dir} {
		if _, err := mapped.Create(path, 0o600); !errors.Is(err, fs.ErrExist) {
			t.Errorf("created %s: %v", path, err)
		}
	}
	for _, path := range []string{link, dangling, dir} {
		if _, err := mapped.OpenWritable(path); err == nil {
			t.Errorf("opened %s", path)
		}
	}
	if _, err := mapped.OpenWritable(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened what does not exist: %v", err)
	}
}

func TestSystemsWithoutGrowingSaySo(t *testing.T) {
	if mapped.GrowingSupported {
		t.Skip("this system has it")
	}
	path := write(t, "x", nil)
	_, created := mapped.Create(path+"2", 0o600)
	_, opened := mapped.OpenWritable(path)
	_, probed := probe(path)
	for _, err := range []error{created, opened, probed} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Error(err)
		}
	}
}

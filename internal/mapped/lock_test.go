package mapped_test

import (
	"path/filepath"
	"testing"

	"telltale/internal/mapped"
)

func probe(path string) (bool, error) {
	f, err := mapped.Open(path, nil)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return f.Locked()
}

func wantLocked(t *testing.T, path string, want bool) {
	t.Helper()
	if locked, err := probe(path); err != nil || locked != want {
		t.Errorf("locked: %v, %v", locked, err)
	}
}

func lock(t *testing.T, g *mapped.Growing, want bool) {
	t.Helper()
	if locked, err := g.Lock(); err != nil || locked != want {
		t.Errorf("got the lock: %v, %v", locked, err)
	}
}

func TestLockIsForOneOpening(t *testing.T) {
	mine, path := create(t)
	theirs := openWritable(t, path)
	reader := open(t, path)
	wantLocked(t, path, false)
	lock(t, mine, true)
	lock(t, mine, true)
	lock(t, theirs, false)
	for range 2 { // asking changes nothing
		wantLocked(t, path, true)
		if locked, err := theirs.Locked(); err != nil || !locked {
			t.Errorf("another opening: %v, %v", locked, err)
		}
		if locked, err := reader.Locked(); err != nil || !locked {
			t.Errorf("a reader: %v, %v", locked, err)
		}
		if locked, err := mine.Locked(); err != nil || locked {
			t.Errorf("the holder: %v, %v", locked, err)
		}
	}
	again := openWritable(t, path)
	if err := again.Close(); err != nil { // which would drop a lock of fcntl's older kind
		t.Error(err)
	}
	wantLocked(t, path, true)

	// A mapping alone holds no lock.
	extend(t, mine, 0, page)
	if err := mine.Close(); err != nil {
		t.Fatal(err)
	}
	wantLocked(t, path, false)
	lock(t, theirs, true)
	wantLocked(t, path, true)
}

func TestProbesSeeNoOther(t *testing.T) {
	_, path := create(t)
	a, b := open(t, path), open(t, path)
	for _, f := range []*mapped.File{a, b, a} {
		if locked, err := f.Locked(); err != nil || locked {
			t.Errorf("an unlocked file: %v, %v", locked, err)
		}
	}
	lock(t, openWritable(t, path), true)
}

func TestLockEndsWithItsProcess(t *testing.T) {
	needGrowing(t)
	for _, writer := range []string{"write", "parent"} {
		path := filepath.Join(t.TempDir(), "x")
		child := start(t, writer, path)
		wantLocked(t, path, true)
		mine := openWritable(t, path)
		lock(t, mine, false)
		kill(t, child) // the parent's own child, which has inherited nothing, lives on
		wantLocked(t, path, false)
		lock(t, mine, true)
		if s := text(t, path, 0, 6); s != "stored" {
			t.Errorf("%s left %q", writer, s)
		}
	}
}

func TestLocksWork(t *testing.T) {
	g, path := create(t)
	openIt := func() (*mapped.Growing, error) { return mapped.OpenWritable(path) }
	if works, err := mapped.LocksWork(openIt); err != nil || !works {
		t.Errorf("%v, %v", works, err)
	}
	lock(t, g, true) // nothing of it is left
	if works, err := mapped.LocksWork(openIt); err != nil || !works {
		t.Errorf("a locked file: %v, %v", works, err)
	}
	if _, err := mapped.LocksWork(func() (*mapped.Growing, error) { return mapped.OpenWritable(filepath.Dir(path)) }); err == nil {
		t.Error("a directory was locked")
	}
}

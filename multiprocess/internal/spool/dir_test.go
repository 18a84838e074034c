package spool_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/spool"
)

func open(t *testing.T, path string) *spool.Dir {
	t.Helper()
	if !mapped.GrowingSupported {
		t.Skip("NOT TESTED: this system has no files that grow in memory")
	}
	d, err := spool.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func create(t *testing.T, d *spool.Dir, n spool.Name) *mapped.Growing {
	t.Helper()
	access, err := d.Access(nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := d.Create(n, access)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

func reasonOf(err error) spool.Reason {
	var d *spool.Defect
	if errors.As(err, &d) {
		return d.Reason
	}
	return ""
}

func TestForeignFilesAreNotOpened(t *testing.T) {
	d := open(t, t.TempDir())
	n := spool.Parse("x")
	_, read := d.Read(n)
	_, write := d.Write(n)
	_, create := d.Create(n, spool.Access{Mode: 0o600})
	for _, err := range []error{read, write, create, d.Rename(n, spool.ArchiveName, mapped.Identity{})} {
		if reasonOf(err) != spool.ReasonName {
			t.Error(err)
		}
	}
}

func TestFilesWithSeveralNamesAreRead(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	create(t, d, spool.ArchiveName)
	if err := os.Link(filepath.Join(path, "archive.seg"), filepath.Join(path, "other")); err != nil {
		t.Fatal(err)
	}
	f, err := d.Read(spool.ArchiveName)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := d.Write(spool.ArchiveName); reasonOf(err) != spool.ReasonLinked {
		t.Error(err)
	}
}

// A file that has taken another's name is neither removed nor replaced.
func TestWhatWasReplacedStays(t *testing.T) {
	d := open(t, t.TempDir())
	first := create(t, d, spool.TemporaryName("archive", [16]byte{1}))
	if err := d.Show(first, spool.ArchiveName, mapped.Identity{}); err != nil {
		t.Fatal(err)
	}
	second := create(t, d, spool.TemporaryName("archive", [16]byte{2}))
	if err := d.Show(second, spool.ArchiveName, mapped.Identity{}); reasonOf(err) != spool.ReasonReplaced {
		t.Errorf("shown in place of what was not known: %v", err)
	}
	if err := d.Show(second, spool.ArchiveName, first.Identity()); err != nil {
		t.Error(err)
	}
	if err := d.Remove(spool.ArchiveName, first.Identity()); reasonOf(err) != spool.ReasonReplaced {
		t.Errorf("removed what took its name: %v", err)
	}
	if err := d.Rename(spool.ArchiveName, spool.FoldNotesName, first.Identity()); reasonOf(err) != spool.ReasonReplaced {
		t.Errorf("renamed what took its name: %v", err)
	}
	if err := d.Remove(spool.ArchiveName, second.Identity()); err != nil {
		t.Error(err)
	}
	third := create(t, d, spool.TemporaryName("archive", [16]byte{3}))
	if err := d.Remove(spool.TemporaryName("archive", [16]byte{3}), third.Identity()); err != nil {
		t.Fatal(err)
	}
	create(t, d, spool.TemporaryName("archive", [16]byte{3}))
	if err := d.Show(third, spool.ArchiveName, mapped.Identity{}); !errors.Is(err, mapped.ErrReplaced) {
		t.Errorf("shown what lost its name: %v", err)
	}
}

// Permissions follow the directory, whatever the umask says.
func TestAccessFollowsTheDirectory(t *testing.T) {
	for _, test := range []struct{ dir, file, lock fs.FileMode }{
		{0o700, 0o600, 0o600}, {0o755, 0o600, 0o600}, {0o770, 0o660, 0o660}, {0o775, 0o660, 0o660}, {0o777, 0o660, 0o666}, {0o707, 0o600, 0o606},
	} {
		path := t.TempDir()
		if err := os.Chmod(path, test.dir); err != nil {
			t.Fatal(err)
		}
		d := open(t, path)
		create(t, d, spool.ArchiveName)
		lock, err := d.LockFolds()
		if err != nil || lock == nil {
			t.Fatal(lock, err)
		}
		if again, err := d.LockFolds(); again != nil || err != nil {
			t.Errorf("locked twice: %v", err)
		}
		for n, want := range map[spool.Name]fs.FileMode{spool.ArchiveName: test.file, spool.FoldLockName: test.lock} {
			if info, err := d.Stat(n); err != nil || info.Perm != want {
				t.Errorf("in a directory of %v %s has %v, %v; want %v", test.dir, n, info.Perm, err, want)
			}
		}
		if err := lock.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestBudget(t *testing.T) {
	if n := open(t, t.TempDir()).Budget(); n < 1 || n > 256 {
		t.Errorf("%d files", n)
	}
}

//go:build unix

package multiprocess_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale/multiprocess"
)

func init() {
	children["lead"] = func(args []string) error {
		l, err := multiprocess.NewLeader(context.Background(), args[0])
		if err != nil {
			return err
		}
		t, err := l.Next()
		if err != nil {
			return err
		}
		fmt.Println(l.Identity(), t.UnixMilli())
		time.Sleep(time.Hour) // it is killed before
		return nil
	}
}

// leader returns the leader of a directory that nobody leads.
func leader(t *testing.T, dir string) *multiprocess.Leader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := multiprocess.NewLeader(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// mayNotLead checks that somebody leads a directory.
func mayNotLead(t *testing.T, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if release, err := multiprocess.Lead(ctx, dir); !errors.Is(err, context.DeadlineExceeded) || release != nil {
		t.Errorf("a second process leads: %v", err)
	}
}

// One process leads at a time, under the identity of its directory.
func TestLead(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	first := leader(t, dir)
	if !regexp.MustCompile("^[0-9a-f]{32}$").MatchString(first.Identity()) || !first.Last().IsZero() {
		t.Errorf("identity %q, last time %v", first.Identity(), first.Last())
	}
	if another := leader(t, other); another.Identity() == first.Identity() {
		t.Error("two directories have the same identity")
	}
	mayNotLead(t, dir)
	given, err := first.Next()
	if err != nil || first.Last() != given || time.Since(given).Abs() > time.Minute {
		t.Errorf("%v, %v", given, err)
	}
	first.Close()
	first.Close()
	if _, err := first.Next(); !errors.Is(err, fs.ErrClosed) || !errors.Is(first.Err(), fs.ErrClosed) {
		t.Errorf("a closed leader: %v, %v", err, first.Err())
	}
	form := regexp.MustCompile(`^telltale send 1\nidentity [0-9a-f]{32}\ndirectory [0-9]{20}\nnewest [0-9]{16}\n$`) // docs/segment-format.md
	if text, err := os.ReadFile(filepath.Join(dir, "send.lock")); err != nil || !form.Match(text) || !strings.Contains(string(text), first.Identity()) {
		t.Errorf("%q, %v", text, err)
	}
	second := leader(t, dir)
	if second.Identity() != first.Identity() || !second.Last().Equal(given) {
		t.Errorf("after %s at %v comes %s at %v", first.Identity(), given, second.Identity(), second.Last())
	}
	if next, err := second.Next(); err != nil || !next.After(given) {
		t.Errorf("%v after %v: %v", next, given, err)
	}
	second.Close()
	release, err := multiprocess.Lead(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	mayNotLead(t, dir)
	release()
	leader(t, dir)
}

// A process that is killed leads no longer, and the next one goes on from its time.
func TestKilledLeader(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		c := command("lead", dir)
		stdout, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		var identity string
		var at int64
		if _, err := fmt.Fscan(stdout, &identity, &at); err != nil {
			t.Fatal(err)
		}
		mayNotLead(t, dir)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // it was killed
		l := leader(t, dir)
		if next, err := l.Next(); err != nil || l.Identity() != identity || next.UnixMilli() <= at {
			t.Errorf("%s at %d after %s at %d: %v", l.Identity(), next.UnixMilli(), identity, at, err)
		}
		l.Close()
	}
}

// Many that want to lead do so one after the other, and times go forward from each to
// the next.
func TestLeadersInTurn(t *testing.T) {
	dir := t.TempDir()
	const many = 8
	times, ended := make(chan time.Time, many*3), make(chan error, many)
	for range many {
		go func() {
			l, err := multiprocess.NewLeader(t.Context(), dir)
			for range 3 {
				if err == nil {
					var at time.Time
					at, err = l.Next()
					times <- at
				}
			}
			if err == nil {
				l.Close()
			}
			ended <- err
		}()
	}
	for range many {
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	close(times)
	var last time.Time
	for at := range times {
		if !at.After(last) {
			t.Errorf("%v after %v", at, last)
		}
		last = at
	}
}

// lockOf is the file, with another text in the place of its last line's time.
func lockOf(t *testing.T, dir string) string {
	t.Helper()
	l := leader(t, dir)
	defer l.Close()
	text, err := os.ReadFile(filepath.Join(dir, "send.lock"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The machine's clock may have been set back since the last leader, and a time that
// receivers refuse is not followed.
func TestLeaderAfterClockWasSetBack(t *testing.T) {
	for name, test := range map[string]struct {
		ahead   time.Duration
		follows bool
	}{
		"no":          {-time.Hour, true},
		"a minute":    {time.Minute, true},
		"ten minutes": {9*time.Minute + 50*time.Second, true},
		"an hour":     {time.Hour, false},
		"an age":      {1e6 * time.Hour, false},
	} {
		dir := t.TempDir()
		text := lockOf(t, dir)
		at := time.Now().Add(test.ahead)
		text = strings.Replace(text, "newest 0000000000000000", fmt.Sprintf("newest %016d", at.UnixMilli()), 1)
		if err := os.WriteFile(filepath.Join(dir, "send.lock"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l := leader(t, dir)
		if next, err := l.Next(); err != nil || next.After(at.Truncate(time.Millisecond)) != test.follows {
			t.Errorf("%s: %v after %v, %v", name, next, at, err)
		}
	}
}

// A file that is damaged or forged, or something else in its place, is an error that
// names it, and stays as it is.
func TestDamagedSendLock(t *testing.T) {
	good := lockOf(t, t.TempDir())
	write := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	for name, plant := range map[string]func(path string) error{
		"truncated":     write(good[:40]),
		"longer":        write(good + "\n"),
		"zeros":         write(strings.Repeat("\x00", len(good))),
		"another title": write(strings.Replace(good, "telltale", "telltalf", 1)),
		"no identity":   write(regexp.MustCompile("identity .*").ReplaceAllString(good, "identity "+strings.Repeat("0", 32))),
		"no digits":     write(regexp.MustCompile("identity .*").ReplaceAllString(good, "identity "+strings.Repeat("x", 32))),
		"a negative":    write(regexp.MustCompile("newest .*").ReplaceAllString(good, "newest -000000000000001")),
		"spaces":        write(regexp.MustCompile("newest .*").ReplaceAllString(good, "newest                1")),
		"huge": func(path string) error {
			return errors.Join(os.WriteFile(path, []byte(good), 0o600), os.Truncate(path, 1<<40))
		},
		"a link to nothing": func(path string) error { return os.Symlink(elsewhere, path) },
		"a link to a file":  func(path string) error { return os.Symlink("/etc/passwd", path) },
		"a directory":       func(path string) error { return os.Mkdir(path, 0o700) },
		"a pipe":            func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a file of two names": func(path string) error {
			return errors.Join(os.WriteFile(path, []byte(good), 0o600), os.Link(path, path+"2"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "send.lock")
			if err := plant(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if l, err := multiprocess.NewLeader(ctx, dir); err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "send.lock") {
				t.Errorf("%v, %v", l, err)
			}
			after, err := os.Lstat(path)
			if err != nil || after.Size() != before.Size() || after.Mode() != before.Mode() || !after.ModTime().Equal(before.ModTime()) {
				t.Errorf("it was changed: %v, %v", after, err)
			}
			if _, err := os.Lstat(elsewhere); err == nil {
				t.Error("a link was followed")
			}
		})
	}
}

// A process that was killed before it wrote the identity leaves an empty file, which the
// next one fills.
func TestEmptySendLock(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "send.lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	first := leader(t, dir)
	first.Close()
	if second := leader(t, dir); second.Identity() != first.Identity() {
		t.Errorf("%s and %s", first.Identity(), second.Identity())
	}
}

// A file that is emptied while a process leads has all again by the next time.
func TestSendLockIsEmptied(t *testing.T) {
	dir := t.TempDir()
	first := leader(t, dir)
	if err := os.Truncate(filepath.Join(dir, "send.lock"), 0); err != nil {
		t.Fatal(err)
	}
	given, err := first.Next()
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	if second := leader(t, dir); second.Identity() != first.Identity() || !second.Last().Equal(given) {
		t.Errorf("after %s at %v comes %s at %v", first.Identity(), given, second.Identity(), second.Last())
	}
}

// A directory keeps its identity when it is moved, and a copy gets another one.
func TestIdentityOfCopies(t *testing.T) {
	parent := t.TempDir()
	dir, moved, copied := filepath.Join(parent, "a"), filepath.Join(parent, "b"), filepath.Join(parent, "c")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text := lockOf(t, dir)
	first := leader(t, dir)
	first.Close()
	if err := errors.Join(os.Rename(dir, moved), os.Mkdir(copied, 0o700), os.WriteFile(filepath.Join(copied, "send.lock"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	if l := leader(t, moved); l.Identity() != first.Identity() {
		t.Errorf("moved, %s is %s", first.Identity(), l.Identity())
	}
	copy := leader(t, copied)
	if copy.Identity() == first.Identity() {
		t.Error("a copy has the identity of its original")
	}
	copy.Close()
	if again := leader(t, copied); again.Identity() != copy.Identity() {
		t.Error("the identity of a copy does not stay")
	}
}

// Who finds its lock or its directory replaced or gone leads no longer.
func TestLostLead(t *testing.T) {
	for name, lose := range map[string]func(dir string) error{
		"lock deleted":       func(dir string) error { return os.Remove(filepath.Join(dir, "send.lock")) },
		"directory deleted":  os.RemoveAll,
		"directory moved":    func(dir string) error { return os.Rename(dir, dir+"2") },
		"directory replaced": func(dir string) error { return errors.Join(os.Rename(dir, dir+"2"), os.Mkdir(dir, 0o700)) },
		"lock replaced": func(dir string) error {
			path := filepath.Join(dir, "send.lock")
			return errors.Join(os.WriteFile(path+"2", nil, 0o600), os.Rename(path+"2", path))
		},
	} {
		dir := filepath.Join(t.TempDir(), "shared")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		l := leader(t, dir)
		if err := l.Err(); err != nil {
			t.Error(err)
		}
		if err := lose(dir); err != nil {
			t.Fatal(err)
		}
		_, err := l.Next()
		if err == nil || l.Err() == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v, %v", name, err, l.Err())
		}
	}
	if _, err := multiprocess.NewLeader(t.Context(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := multiprocess.NewLeader(ctx, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Who may not write to a directory is told so.
func TestLeaderWithoutPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may do all")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	if _, err := multiprocess.NewLeader(t.Context(), dir); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

//go:build unix

package multiprocess_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// counterIn returns a registry with the store, and a counter in it.
func counterIn(store *multiprocess.Store) (*telltale.Registry, *telltale.Counter) {
	reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
	return reg, telltale.Must(telltale.NewCounter("c", "Help.", telltale.In(reg)))
}

// nobody is a user that may do what everybody may.
const nobody = 65534

// beLowly is a child that may not write to a directory, nor read some of its
// files: it tries, and says what came of it.
func beLowly(args []string) error {
	if os.Geteuid() == 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
			return err
		}
	}
	dir := args[0]
	if _, err := multiprocess.Open(dir); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), dir) {
		return fmt.Errorf("Open in a directory that it may not write to: %w", err)
	}
	if _, err := multiprocess.Open(filepath.Join(dir, "sub")); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), dir) {
		return fmt.Errorf("Open in a directory that it may not make: %w", err)
	}
	var told []error
	c, err := multiprocess.NewCollector(dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
	if err != nil {
		return err
	}
	for range 3 {
		text, err := telltale.GenerateLatest(c)
		if err != nil {
			return err
		}
		if !bytes.HasSuffix(text, []byte("\nc_total 1.0\n")) {
			return fmt.Errorf("the page is %s", text)
		}
	}
	var file *multiprocess.FileError
	if len(told) != 1 || !errors.As(told[0], &file) || file.Reason != multiprocess.ReasonPermission || c.Stats().Skipped[multiprocess.ReasonPermission] != 1 {
		return fmt.Errorf("told %v, skipped %v", told, c.Stats().Skipped)
	}
	closed := filepath.Join(dir, "closed")
	if c, err = multiprocess.NewCollector(closed); err != nil {
		return err
	}
	if err := c.Collect(context.Background(), func(*model.Family) error { return nil }); !errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("a directory that it may not read: %w", err)
	}
	return nil
}

func TestPermissionDenied(t *testing.T) {
	dir := sharedDir(t)
	mine, shown := openStore(t, dir), openStore(t, dir, multiprocess.WithPermissions(0o644))
	for _, store := range []*multiprocess.Store{mine, shown} {
		_, c := counterIn(store)
		c.Inc()
	}
	closed := filepath.Join(dir, "closed")
	if err := errors.Join(os.Mkdir(closed, 0o700), os.Chmod(closed, 0), os.Chmod(mine.String(), 0), os.Chmod(dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	if out, err := command("lowly", dir).Output(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestDirectoryIsDeletedUnderAWriter(t *testing.T) {
	dir := filepath.Join(sharedDir(t), "d")
	var told atomic.Int64
	store, err := multiprocess.Open(dir, multiprocess.WithErrorHook(func(error) { told.Add(1) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	reg, c := counterIn(store)
	other, d := counterIn(openStore(t, dir))
	c.Inc()
	d.Inc()
	if got := pageLines(t, reg); got != "c_total 2.0\n" {
		t.Errorf("before: %s", got)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	c.Add(4)
	v := telltale.Must(telltale.NewCounterVec("v", "Help.", []string{"n"}, telltale.In(reg)))
	for i := range 2000 { // far more than the segment has room for as yet
		v.With(fmt.Sprint(i)).Inc()
	}
	for range 3 {
		got := pageLines(t, reg)
		if !strings.HasPrefix(got, "c_total 5.0\n") || strings.Count(got, "v_total{") != 2000 {
			t.Fatalf("after: %.200s", got)
		}
	}
	if told.Load() != 1 {
		t.Errorf("told %d times", told.Load())
	}
	v.Remove("0") // there are no dead writers to withdraw it from
	// Others come, and find a directory of their own.
	fresh, e := counterIn(openStore(t, dir))
	e.Add(10)
	for who, want := range map[*telltale.Registry]string{reg: "c_total 15.0\n", other: "c_total 11.0\n", fresh: "c_total 10.0\n"} {
		if got := pageLines(t, who); !strings.HasPrefix(got, want) {
			t.Errorf("with others: %.200s, want %s", got, want)
		}
	}
	if told.Load() != 1 {
		t.Errorf("told %d times", told.Load())
	}
}

// Two writers of one process have all in common that a header says of a process:
// so have those of a PID that was used again, and process 1 of two containers.
func TestWritersOfOnePID(t *testing.T) {
	dir := sharedDir(t)
	var told []error
	reader := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
	for i, dead := range []bool{true, false, false} {
		var store *multiprocess.Store
		if dead {
			w := begin(t, dir, segment.Header{PID: uint64(os.Getpid()), Start: 1, Host: "h", Ticks: 7})
			w.family(segment.Family{Name: "c", Type: model.Counter, Labels: []string{}}).add("", 1)
			w.family(segment.Family{Name: "g", Type: model.Gauge, Labels: []string{}}).value("", 1)
			w.die()
			continue
		}
		store = openStore(t, dir)
		reg, c := counterIn(store)
		c.Add(float64(i + 1))
		telltale.Must(telltale.NewGauge("g", "Help.", telltale.In(reg))).Set(float64(i + 1))
	}
	want := fmt.Sprintf("c_total 6.0\ng{pid=\"%d\"} 3.0\n", os.Getpid())
	for range 2 {
		if got := pageLines(t, reader); got != want {
			t.Errorf("the page is\n%swant\n%s", got, want)
		}
	}
	if stats := reader.Stats(); stats.Collisions != 2 || len(told) == 0 {
		t.Errorf("%d collisions, told %v", stats.Collisions, told)
	}
	if _, err := multiprocess.Fold(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if got := pageLines(t, reader); got != want {
		t.Errorf("folded, the page is\n%swant\n%s", got, want)
	}
}

// A clock that was put back makes a writer that was before newer than one that is
// now: nothing is lost or counted twice for it.
func TestClockGoesBackwards(t *testing.T) {
	dir := sharedDir(t)
	future := time.Now().Add(time.Hour)
	dead, alive := begin(t, dir, segment.Header{PID: 1, Start: future.UnixNano()}), begin(t, dir, segment.Header{PID: 2, Start: future.UnixNano()})
	for _, w := range []*writer{dead, alive} {
		w.family(segment.Family{Name: "c", Type: model.Counter, Labels: []string{}}).series(segment.Series{Start: future.UnixMicro()}, 10)
		w.family(segment.Family{Name: "last", Type: model.Gauge, Mode: 4, Labels: []string{}}).value("", 1, uint64(future.UnixNano()))
	}
	dead.die()
	reg, c := counterIn(openStore(t, dir))
	c.Inc()
	last := telltale.Must(telltale.NewGauge("last", "Help.", telltale.In(reg), telltale.WithGaugeMode(telltale.ModeMostRecent)))
	last.Set(2)
	reader := collector(t, dir)
	check := func(when, want string) {
		t.Helper()
		for who, c := range map[string]telltale.Collector{"a reader": reader, "the registry": reg, "a fresh reader": collector(t, dir)} {
			if got := pageLines(t, c); got != want {
				t.Errorf("%s, %s has\n%swant\n%s", when, who, got, want)
			}
		}
	}
	check("at first", "c_total 21.0\nlast 1.0\n")
	for range 2 {
		if _, err := multiprocess.Fold(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		check("folded", "c_total 21.0\nlast 1.0\n")
	}
	alive.die()
	c.Inc()
	if _, err := multiprocess.Fold(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	check("folded again", "c_total 22.0\nlast 1.0\n")
}

// TestTenThousandWriters reads, folds and reads what very many writers left.
func TestTenThousandWriters(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	writers := 10000
	living := min(writers, int(min(limit.Cur, 1<<20))/2) // at once, since each holds a descriptor
	dir := sharedDir(t)
	var all []*writer
	for i := range writers {
		w := begin(t, dir, segment.Header{PID: uint64(i + 1), Start: time.Now().UnixNano()})
		w.family(segment.Family{Name: "c", Type: model.Counter}).add(fmt.Sprintf(`a="%d"`, i%10), 1)
		all = append(all, w)
		if i >= living {
			all[i-living].die()
		}
	}
	reader := collector(t, dir, multiprocess.WithErrorHook(func(err error) { t.Error(err) }))
	want := ""
	for i := range 10 {
		want += fmt.Sprintf("c_total{a=\"%d\"} %d.0\n", i, writers/10)
	}
	check := func(when string) {
		t.Helper()
		begun := time.Now()
		if got := pageLines(t, reader); got != want {
			t.Errorf("%s: %s", when, got)
		}
		t.Logf("%s: %v", when, time.Since(begun))
	}
	check("first")
	check("later")
	for _, w := range all[writers-living:] {
		w.die()
	}
	check("dead")
	report, err := multiprocess.Fold(t.Context(), dir)
	if err != nil || len(report.Absorbed) != writers {
		t.Errorf("%d folded, %v", len(report.Absorbed), err)
	}
	t.Logf("folded in %v", report.Duration)
	check("folded")
	check("later")
	if stats := reader.Stats(); stats.Files != 1 || stats.MappedFiles > 1 {
		t.Errorf("%+v", stats)
	}
}

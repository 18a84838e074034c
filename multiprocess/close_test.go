package multiprocess_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// A closed collector returns an error, and so do its views. What it has read before
// is emitted to the end.
func TestCloseCollector(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{})
	count(w, `a="1"`, 1)
	w.family(segment.Family{Name: "d", Type: model.Counter}).add("", 2)
	c, err := multiprocess.NewCollector(dir)
	if err != nil {
		t.Fatal(err)
	}
	view := c.Restricted("d")
	collect(t, c) // the next one maps the file
	var emitted []string
	if err := c.Collect(t.Context(), func(f *model.Family) error {
		if len(emitted) == 0 { // in the middle of a collection
			if err := errors.Join(c.Close(), c.Close()); err != nil {
				t.Error(err)
			}
		}
		for s := range f.Samples() {
			emitted = append(emitted, s.Name)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if got := strings.Join(emitted, " "); got != "c_total d_total" {
		t.Errorf("while it was closed it emitted %q", got)
	}
	for what, closed := range map[string]model.Collector{"collector": c, "view": view, "view of the view": view.(model.Restrictor).Restricted("d")} {
		err := closed.Collect(context.Background(), func(*model.Family) error { t.Errorf("the closed %s emits", what); return nil })
		if !errors.Is(err, fs.ErrClosed) || !strings.Contains(err.Error(), dir) {
			t.Errorf("the closed %s returns %v", what, err)
		}
	}
	if s := c.Stats(); s.MappedFiles != 1 || s.Files != 1 {
		t.Errorf("how it found the directory the last time: %+v", s)
	}
}

// An error hook may close what the fold belongs to that failed: it is not told by those
// for whom that waits.
func TestHookCloses(t *testing.T) {
	dir := sharedDir(t)
	for i := range 64 { // so many are folded when a store is opened
		crew(t, dir, i, segment.Header{}).die()
	}
	if err := os.WriteFile(filepath.Join(dir, "archive.seg"), []byte("no archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, closed := make(chan *multiprocess.Store, 1), make(chan error, 1)
	store, err := multiprocess.Open(dir, multiprocess.WithErrorHook(func(err error) {

		if !strings.Contains(err.Error(), "cannot be folded") {
			return
		}
		s := <-opened
		closed <- errors.Join(s.Merged().(*multiprocess.Collector).Close(), s.Close())
	}))
	if err != nil {
		t.Fatal(err)
	}
	opened <- store
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the hook waits for itself")
	}
}

// The hook of a registry may close the store, whatever it is told of and on whichever
// goroutine: of the store's own, of a collector's, or of one that closes it already.
func TestHookOfARegistryCloses(t *testing.T) {
	broken := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return errors.New("broken") })
	for _, c := range []struct {
		name  string
		cause func(t *testing.T, r *telltale.Registry, misuse func())
		when  string // "close": at the last publication, else at those before
	}{
		{"a collector fails", func(t *testing.T, r *telltale.Registry, _ func()) { register(t, r, broken) }, ""},
		{"a collector fails when the store is closed", func(t *testing.T, r *telltale.Registry, _ func()) { register(t, r, broken) }, "close"},
		{"a collector misuses an instrument", func(t *testing.T, r *telltale.Registry, misuse func()) {
			register(t, r, telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { misuse(); return nil }))
		}, ""},
		{"a collector misuses an instrument when the store is closed", func(t *testing.T, r *telltale.Registry, misuse func()) {
			register(t, r, telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { misuse(); return nil }))
		}, "close"},
		{"a function misuses an instrument", func(t *testing.T, r *telltale.Registry, misuse func()) { function(t, r, misuse) }, ""},
		{"a function misuses an instrument when the store is closed", func(t *testing.T, r *telltale.Registry, misuse func()) { function(t, r, misuse) }, "close"},
		{"a program misuses an instrument", func(_ *testing.T, _ *telltale.Registry, misuse func()) { misuse() }, ""},
		{"a program makes too many series", func(t *testing.T, r *telltale.Registry, _ func()) {
			v, err := telltale.NewCounterVec("v", "Help.", []string{"l"}, telltale.In(r), telltale.WithSeriesLimit(1))
			if err != nil {
				t.Fatal(err)
			}
			v.With("a").Inc()
			v.With("b").Inc()
		}, ""},
		{"a program replaces series by too many", func(t *testing.T, r *telltale.Registry, _ func()) {
			v, err := telltale.NewCounterVec("v", "Help.", []string{"l"}, telltale.In(r), telltale.WithSeriesLimit(1))
			if err != nil {
				t.Fatal(err)
			}
			v.Replace(func(next *telltale.CounterVec) {
				next.With("a").Inc()
				next.With("b\xff").Inc()
				next.With("c").Inc()
			})
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // they wait for each other
			interval := 20 * time.Millisecond
			if c.when == "close" {
				interval = time.Hour
			}
			s, err := multiprocess.Open(sharedDir(t), multiprocess.WithPublishInterval(interval))
			if err != nil {
				t.Fatal(err)
			}
			closed := make(chan error, 100)
			var calls atomic.Int32
			r := telltale.NewRegistry(telltale.WithStore(s), telltale.WithErrorHook(func(error) {
				if calls.Add(1) < 50 {
					closed <- s.Close()
				}
			}))
			counter, err := telltale.NewCounter("c", "Help.", telltale.In(r))
			if err != nil {
				t.Fatal(err)
			}
			c.cause(t, r, func() { counter.Add(-1) })
			if c.when == "close" {
				go func() { closed <- s.Close() }()
			}
			for range 1 + len(c.when)/len("close") { // the hook, and who closed it before
				select {
				case err := <-closed:
					if err != nil {
						t.Error(err)
					}
				case <-time.After(time.Minute):
					t.Fatal("the hook waits for itself")
				}
			}
		})
	}
}

func register(t *testing.T, r *telltale.Registry, c telltale.Collector) {
	t.Helper()
	if err := r.Register(c); err != nil {
		t.Error(err)
	}
}

// function registers a gauge whose value comes from a function that misuses an instrument.
func function(t *testing.T, r *telltale.Registry, misuse func()) {
	t.Helper()
	g, err := telltale.NewGauge("g", "Help.", telltale.In(r))
	if err != nil {
		t.Fatal(err)
	}
	g.SetFunc(func() float64 { misuse(); return 1 })
}

package multiprocess_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	case <-time.After(3 * time.Second):
		t.Fatal("the hook waits for itself")
	}
}

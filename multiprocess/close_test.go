package multiprocess_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

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

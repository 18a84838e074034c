package multiprocess_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

func TestOwnSegments(t *testing.T) {
	dir := t.TempDir()
	mine := begin(t, dir, segment.Header{Start: 2, PID: 2, Epoch: "e"})
	count(mine, "", 1)
	other := begin(t, dir, segment.Header{Start: 1, PID: 1, Epoch: "e"})
	count(other, "", 2)
	heap, err := segment.NewWriter(pages{}, firstExtent, segment.Header{Kind: segment.KindWriter, ID: [16]byte{1}, Start: 2, PID: 2, Epoch: "e"})
	if err != nil {
		t.Fatal(err)
	}
	spilled := &writer{Writer: heap, tb: t}
	own := map[string]segment.Space{mine.name: mine.Writer}
	var told []error
	c := multiprocess.NewCollectorWith(dir, func() map[string]segment.Space { return own },
		multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
	for range 2 {
		sameSamples(t, "with a file", collect(t, c), []string{"c_total{} 3.0"})
	}
	own[""] = heap
	count(spilled, `a="heap"`, 8)
	for range 2 {
		sameSamples(t, "with one on the heap", collect(t, c), []string{"c_total{} 3.0", `c_total{a="heap"} 8.0`})
	}
	if s := c.Stats(); s.Live != 3 || s.MappedFiles != 1 {
		t.Errorf("stats %+v", s)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		sameSamples(t, "deleted", collect(t, c), []string{"c_total{} 1.0", `c_total{a="heap"} 8.0`})
	}
	if s := c.Stats(); len(told) != 1 || !errors.Is(told[0], os.ErrNotExist) || !errors.Is(s.Lost, os.ErrNotExist) || s.Live != 2 {
		t.Errorf("told of %v, stats %+v", told, s)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	count(begin(t, dir, segment.Header{Start: 1, PID: 1, Epoch: "e"}), "", 4)
	sameSamples(t, "made anew", collect(t, c), []string{"c_total{} 5.0", `c_total{a="heap"} 8.0`})
	if s := c.Stats(); s.Lost != nil {
		t.Errorf("stats %+v", s)
	}
}

func TestNamesOfOneFileCountOnce(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{})
	count(w, "", 1)
	path := put(t, dir, "counter_1.db", entry{counter(""), 2, 0})
	put(t, dir, "counter_2~0123456789abcdef.db", entry{counter(""), 4, 0})
	put(t, dir, "gauge_all_2~0123456789abcdef.db", entry{gauge(""), 4, 0})
	if err := errors.Join(os.Link(filepath.Join(dir, w.name), filepath.Join(dir, "writer-2.seg")),
		os.Link(path, filepath.Join(dir, "counter_1~0123456789abcdef.db"))); err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "Collect", collect(t, collector(t, dir)), []string{"c_total{} 7.0", `g{pid="2"} 4.0`})
}

// A registry that has a store refuses collectors of its directory, which would show
// everything twice, by whatever path and in whatever view.
func TestCollectorsOfTheStoresDirectory(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	store, err := multiprocess.Open(dir, multiprocess.WithoutFolding())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // nothing is folded
	for _, c := range []struct {
		dir     string
		refused bool
	}{{dir, true}, {link, true}, {other, false}} {
		for what, col := range map[string]telltale.Collector{
			"a collector": collector(t, c.dir), "a view": collector(t, c.dir).Restricted("x"),
		} {
			err := telltale.NewRegistry(telltale.WithStore(store)).Register(col)
			if refused := err != nil && strings.Contains(err.Error(), "in which the registry has its store"); refused != c.refused || !refused && err != nil {
				t.Errorf("%s of %s beside a store in %s: %v", what, c.dir, dir, err)
			}
		}
	}
}

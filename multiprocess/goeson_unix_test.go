//go:build unix

package multiprocess_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/internal/cell"
	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// goingOn is a writer that publishes more whenever its file is mapped, so that there is more
// than is mapped of it.
type goingOn struct {
	*writer
	other rows
	n     int
	then  func()                  // what it does besides
	fails func(op mapped.Op) bool // which operations on the file fail
}

func beginGoingOn(t *testing.T, dir string) *goingOn {
	now := spool.Now()
	w := begin(t, dir, segment.Header{Start: now.Wall, Born: now.Monotonic, Boot: now.Boot})
	w.Alive(now.Monotonic)
	return &goingOn{writer: w, other: w.family(segment.Family{Name: "other", Type: model.Counter}), then: func() {}, fails: func(mapped.Op) bool { return false }}
}

func (g *goingOn) hook(op mapped.Op, name string, n int64) (int64, error) {
	if name != g.name {
		return n, nil
	}
	if g.fails(op) {
		return 0, unix.EMFILE
	}
	if op == mapped.OpMap {
		for range 1000 {
			g.n++
			g.other.add(fmt.Sprintf("a=%q", fmt.Sprint(g.n)))
		}
		g.then()
	}
	return n, nil
}

// A fold does not take a series to have ended that a writer has which publishes more
// meanwhile.
func TestFoldBesideAWriterThatGoesOn(t *testing.T) {
	dir := sharedDir(t)
	family := segment.Family{Name: "c", Type: model.Counter, Layout: segment.LayoutCounter, Expiry: time.Second}
	const hour = int64(time.Hour)
	now := spool.Now()
	dead := begin(t, dir, segment.Header{Start: now.Wall - 2*hour, Born: now.Monotonic - 2*hour, Boot: now.Boot})
	dead.family(family).series(segment.Series{Labels: `a="x"`, Life: segment.Life{Begun: now.Wall - 2*hour}}, 5)
	dead.Alive(now.Monotonic - hour)
	dead.die()
	g := beginGoingOn(t, dir)
	g.family(family).series(segment.Series{Labels: `a="x"`, Life: segment.Life{Begun: now.Wall - 2*hour}}, 7)
	page := func() []string {
		return slices.DeleteFunc(samples(collect(t, collector(t, dir))), func(line string) bool { return strings.HasPrefix(line, "other") })
	}
	want := []string{`c_total{a="x"} 12.0`}
	if got := page(); !slices.Equal(got, want) {
		t.Fatalf("before the fold: %q", got)
	}
	mustFold(t, dir, multiprocess.WithFiles(g.hook))
	if got := page(); g.n == 0 || !slices.Equal(got, want) {
		t.Errorf("after %d more series: %q, want %q", g.n, got, want)
	}
}

// What is in lanes that a writer has published behind what is mapped is in the total, or
// there is no page: not one on which the total has fallen.
func TestLanesBehindWhatIsMapped(t *testing.T) {
	for _, fails := range []bool{false, true} {
		dir := t.TempDir()
		g := beginGoingOn(t, dir)
		counters := g.family(segment.Family{Name: "c", Type: model.Counter})
		first := counters.add(`a="x"`, 5)
		c := collector(t, dir, multiprocess.WithoutFolding(), multiprocess.WithFiles(g.hook))
		total := func() (values []float64, err error) {
			err = c.Collect(t.Context(), func(f *model.Family) error {
				for s := range f.Samples() {
					if f.Name == "c" && s.Name == "c_total" {
						values = append(values, s.Value)
					}
				}
				return nil
			})
			return values, err
		}
		if got, err := total(); err != nil || !slices.Equal(got, []float64{5}) { // it is read
			t.Fatal(got, err)
		}
		opened := 0
		g.fails = func(op mapped.Op) bool {
			if op == mapped.OpOpen && g.n > 0 {
				opened++
			}
			return op == mapped.OpOpen && g.n > 0 && fails
		}
		spread := false
		g.then = func() {
			if spread {
				return
			}
			spread = true
			lanes, err := counters.Lanes(first, 2)
			if err != nil {
				t.Fatal(err)
			}
			lanes.Mine().Add(100)
		}
		got, err := total() // it is mapped
		switch {
		case opened == 0:
			t.Error("all was mapped")
		case fails && (err == nil || !strings.Contains(err.Error(), g.name)):
			t.Errorf("the total is %v, %v", got, err)
		case !fails && (err != nil || !slices.Equal(got, []float64{105})):
			t.Errorf("the total is %v, %v", got, err)
		}
	}
}

// Where the file cannot be opened in which a writer says what it has removed, behind what is
// mapped, the page stays as it was until it can.
func TestRemovalsThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	leaves(t, dir, "", "c", "removed", "stays")
	g := beginGoingOn(t, dir)
	counters := g.family(counterOf("c"))
	first := counters.add(`n="removed"`, 5)
	read := pageReader(t, dir, multiprocess.WithFiles(g.hook))
	page := func() string {
		return strings.Join(slices.DeleteFunc(strings.SplitAfter(read(), "\n"), func(line string) bool { return strings.HasPrefix(line, "other") }), "")
	}
	for range 3 { // it is read, and mapped
		_ = page()
	}
	for range 10 { // more than is mapped
		if _, err := g.hook(mapped.OpMap, g.name, 0); err != nil {
			t.Fatal(err)
		}
	}
	if had, err := counters.Bury(first, spool.Monotonic()); !had || err != nil {
		t.Fatal(had, err)
	}
	opened := 0
	g.fails = func(op mapped.Op) bool { opened++; return op == mapped.OpOpen }
	if got, want := page(), "c_total{n=\"removed\"} 1.0\nc_total{n=\"stays\"} 1.0\n"; got != want || opened == 0 {
		t.Errorf("without descriptors, asked for %d operations, it reads\n%swant\n%s", opened, got, want)
	}
	g.fails = func(mapped.Op) bool { return false }
	if got, want := page(), "c_total{n=\"stays\"} 1.0\n"; got != want {
		t.Errorf("then it reads\n%swant\n%s", got, want)
	}
}

// The same where a removed series has such long labels that of its record one half is mapped
// and the other is not.
func TestRemovalsThatCannotBeReadWhole(t *testing.T) {
	dir := t.TempDir()
	g := beginGoingOn(t, dir)
	g.family(counterOf("c")).add(`n="stays"`, 5)
	long, n := g.family(counterOf("long")), 0
	add := func() *cell.Word {
		n++
		return long.add(fmt.Sprintf("n=%q", fmt.Sprintf("%05000d", n)), 1)
	}
	remove := func(first *cell.Word) {
		if had, err := long.Bury(first, spool.Monotonic()); !had || err != nil {
			t.Fatal(had, err)
		}
	}
	remove(add())
	hook := func(op mapped.Op, _ string, n int64) (int64, error) {
		if g.fails(op) {
			return 0, unix.EMFILE
		}
		return n, nil
	}
	var read func() string
	check := func(when string) {
		t.Helper()
		if page := read(); !strings.HasPrefix(page, "c_total{n=\"stays\"} 5.0\n") {
			t.Errorf("%s it reads\n%.1000s", when, page)
		}
	}
	for whole := true; whole; { // until a record crosses the end of what is mapped
		if n > 1000 {
			t.Fatal("all records end before the end of what is mapped")
		}
		read = pageReader(t, dir, multiprocess.WithFiles(hook))
		for range 3 { // it is read, and mapped
			check("at first")
		}
		end := uint64(spool.MappingFor(int(g.Used())))
		for whole && g.Used() <= end {
			check("with all that is mapped")
			add()
			whole = g.Size() <= end || g.Used() > end
		}
	}
	check("with all that is mapped")
	for range 30 { // all of them are on the list
		remove(add())
	}
	opened := 0
	g.fails = func(op mapped.Op) bool { opened++; return op == mapped.OpOpen }
	if check("without descriptors"); opened == 0 {
		t.Error("all was mapped")
	}
	g.fails = func(mapped.Op) bool { return false }
	check("then")
}

// A writer that goes on is inspected as it is.
func TestInspectAWriterThatGoesOn(t *testing.T) {
	dir := t.TempDir()
	g := beginGoingOn(t, dir)
	reports, err := multiprocess.InspectWith(dir, g.hook)
	if err != nil || len(reports) != 1 || reports[0].Error != "" || reports[0].Series != g.n || g.n == 0 {
		t.Errorf("%+v, %v", reports, err)
	}
}

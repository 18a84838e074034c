//go:build unix

package multiprocess_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale"
	"telltale/internal/mapped"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// leaves puts the segment of a dead writer there, which had counted in the family.
func leaves(t *testing.T, dir, epoch, family string, series ...string) {
	t.Helper()
	now := spool.Now()
	w := begin(t, dir, segment.Header{Start: now.Wall, Born: now.Monotonic, Boot: now.Boot, Epoch: epoch})
	w.Alive(now.Monotonic)
	rows := w.family(counterOf(family))
	for _, label := range series {
		rows.add(`n="`+label+`"`, 1)
	}
	w.die()
}

func counterOf(name string) segment.Family {
	return segment.Family{Name: name, Labels: []string{"n"}, Type: 1, Layout: segment.LayoutCounter}
}

// Removals reach what dead writers of the epoch left, and archives, and nothing else, before
// folds and behind them.
func TestRemovalsReachTheDead(t *testing.T) {
	for _, folded := range []string{"", "before", "after", "before and after"} {
		t.Run(folded, func(t *testing.T) {
			dir := sharedDir(t)
			leaves(t, dir, "", "c", "removed", "stays")
			leaves(t, dir, "", "cleared", "one", "two")
			leaves(t, dir, "", "other", "removed")
			if strings.Contains(folded, "before") {
				mustFold(t, dir)
			}
			alive := begin(t, dir, segment.Header{Boot: spool.BootID()})
			alive.family(counterOf("c")).add(`n="removed"`, 10)
			reader := pageReader(t, dir)
			_ = reader() // it knows all files
			store := openStore(t, dir, multiprocess.WithoutFolding())
			reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
			c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(reg)))
			cleared := telltale.Must(telltale.NewCounterVec("cleared", "", []string{"n"}, telltale.In(reg)))
			c.With("removed").Inc()
			c.Remove("removed")
			cleared.Clear()
			leaves(t, dir, "", "c", "removed") // which began later
			c.With("stays").Inc()
			if strings.Contains(folded, "after") {
				mustFold(t, dir)
			}
			want := "c_total{n=\"removed\"} 11.0\nc_total{n=\"stays\"} 2.0\nother_total{n=\"removed\"} 1.0\n"
			for name, page := range map[string]string{"who reads on": reader(), "who begins": pageReader(t, dir)(), "the process": pageLines(t, reg)} {
				if page != want {
					t.Errorf("%s reads\n%swant\n%s", name, page, want)
				}
			}
		})
	}
}

// A process without an epoch removes nothing of those that have one.
func TestRemovalsStayInTheirEpoch(t *testing.T) {
	dir := sharedDir(t)
	leaves(t, dir, "blue", "c", "x")
	mustFold(t, dir)
	leaves(t, dir, "blue", "c", "x")
	store := openStore(t, dir, multiprocess.WithoutFolding())
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(telltale.NewRegistry(telltale.WithStore(store)))))
	c.With("x").Inc()
	c.Remove("x")
	c.Clear()
	for range 2 {
		if page := pageReader(t, dir)(); page != "c_total{n=\"x\"} 2.0\n" {
			t.Error(page)
		}
		mustFold(t, dir)
	}
}

// Where the disk is full what was removed is said later, and of then.
func TestRemovalsOnAFullDisk(t *testing.T) {
	dir := sharedDir(t)
	leaves(t, dir, "", "c", "x", "y")
	var full atomic.Bool
	var told atomic.Int64
	hook := func(op mapped.Op, name string, n int64) (int64, error) {
		if op == mapped.OpExtend && full.Load() {
			return 0, unix.ENOSPC
		}
		return n, nil
	}
	store := openStore(t, dir, multiprocess.WithoutFolding(), multiprocess.WithFiles(hook), multiprocess.WithErrorHook(func(err error) {
		if strings.Contains(err.Error(), "until the segment has room") {
			told.Add(1)
		}
	}))
	reg := telltale.NewRegistry(telltale.WithStore(store))
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(reg)))
	c.With("x").Add(0)
	full.Store(true)
	end := time.Now().Add(time.Minute)
	for i := 0; told.Load() == 0; i++ { // until there is no room for a tombstone, which is told by and by
		if i >= 1000 {
			time.Sleep(time.Millisecond)
		}
		name := strings.Repeat("long ", 200) + strconv.Itoa(i)
		c.With(name).Inc()
		c.Remove(name)
		if time.Now().After(end) {
			t.Fatal("nothing is told")
		}
	}
	c.Remove("x")
	if page := pageReader(t, dir)(); !strings.Contains(page, "x") {
		t.Errorf("without room: %s", page)
	}
	leaves(t, dir, "", "c", "x") // which began later
	multiprocess.Rest(store)
	full.Store(false)
	for end = time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // the store tries again in a second
		multiprocess.Rest(store)
		if page := pageReader(t, dir)(); page == "c_total{n=\"x\"} 1.0\nc_total{n=\"y\"} 1.0\n" {
			return
		}
	}
	t.Errorf("with room again: %s", pageReader(t, dir)())
}

// Endless removals of ever other series take no more room than the series do, once folds
// have carried them out, and tombstones of processes that are gone end.
func TestEndlessRemovals(t *testing.T) {
	dir := sharedDir(t)
	leaves(t, dir, "", "c", "x")
	mustFold(t, dir)
	store := openStore(t, dir, multiprocess.WithoutFolding())
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(telltale.NewRegistry(telltale.WithStore(store)))))
	const rounds, each = 10, 1000
	tombs := func() int {
		b, err := os.ReadFile(store.String())
		if err != nil {
			t.Fatal(err)
		}
		image := segment.Image(mapped.Aligned(len(b)))
		copy(image, b)
		stones, _, err := segment.Tombstones(image)
		if err != nil {
			t.Fatal(err)
		}
		return len(stones)
	}
	for round := range rounds {
		for i := range each {
			name := fmt.Sprint(round, " ", i)
			c.With(name).Inc()
			c.Remove(name)
		}
		mustFold(t, dir)
		multiprocess.Rest(store)
	}
	// The store looks after them when there are twice as many as were left last, at a tick
	// of its own in the middle of a round, perhaps.
	if n := tombs(); n > 4*each {
		t.Errorf("%d tombstones have room after %d rounds of %d", n, rounds, each)
	}
	notes := func() *segment.Notes {
		b, err := os.ReadFile(filepath.Join(dir, "archive.seg"))
		if err != nil {
			t.Fatal(err)
		}
		image := segment.Image(mapped.Aligned(len(b)))
		copy(image, b)
		notes, err := segment.NotesOf(image)
		if err != nil {
			t.Fatal(err)
		}
		return notes
	}
	if n := notes(); len(n.Applied) != 1 || len(n.Carried) != 0 {
		t.Errorf("the archive has %d applied and %d carried", len(n.Applied), len(n.Carried))
	}
}

func mustFold(t *testing.T, dir string, opts ...multiprocess.FoldOption) {
	t.Helper()
	if _, err := multiprocess.Fold(t.Context(), dir, opts...); err != nil {
		t.Fatal(err)
	}
}

// pageReader returns what reads a page with a collector that goes on.
func pageReader(t *testing.T, dir string, opts ...multiprocess.Option) func() string {
	t.Helper()
	c, err := multiprocess.NewCollector(dir, append(opts, multiprocess.WithoutFolding())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	reg := telltale.NewRegistry()
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	return func() string { return pageLines(t, reg) }
}

// A writer that removes other series of its own while its file is mapped is believed all
// the same, by folds and by readers: what it says of them lies behind what is mapped.
func TestRemovalsWhileMoreIsRemoved(t *testing.T) {
	for _, who := range []string{"a fold", "a reader"} {
		t.Run(who, func(t *testing.T) {
			dir := sharedDir(t)
			leaves(t, dir, "", "c", "removed", "stays")
			store := openStore(t, dir, multiprocess.WithoutFolding())
			reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
			c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(reg)))
			other := telltale.Must(telltale.NewCounterVec("other", "", []string{"n"}, telltale.In(reg)))
			c.With("removed").Inc()
			n, goesOn := 0, false
			hook := multiprocess.WithFiles(func(op mapped.Op, name string, size int64) (int64, error) {
				if goesOn && op == mapped.OpMap && name == filepath.Base(store.String()) {
					for range 1000 {
						n++
						label := strings.Repeat("long ", 50) + strconv.Itoa(n)
						other.With(label).Inc()
						other.Remove(label)
					}
				}
				return size, nil
			})
			reader := pageReader(t, dir, hook)
			c.Remove("removed")
			for range 2 { // the second time it is mapped
				goesOn = true
				if who == "a fold" {
					mustFold(t, dir, hook)
					goesOn = false
				}
				page := reader()
				if want := "c_total{n=\"stays\"} 1.0\n"; page != want {
					t.Errorf("%s reads\n%swant\n%s", who, page, want)
				}
			}
			if n == 0 {
				t.Error("no file was mapped")
			}
		})
	}
}

// What was removed of a file that cannot be folded stays removed, however much its removers
// had removed: those of which an archive cannot carry that are left alone.
func TestRemovalsThatAnArchiveCannotCarry(t *testing.T) {
	const each, removers = multiprocess.MaxCarried - 100, 2
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	dir := sharedDir(t)
	leaves(t, dir, "", "c", "0 0", "1 0", "stays")
	if err := os.Link(filepath.Join(dir, ls(t, dir, "writer-*")[0]), filepath.Join(dir, "kept")); err != nil { // so that it is left alone
		t.Fatal(err)
	}
	for n := range removers {
		now := spool.Now()
		w := begin(t, dir, segment.Header{Start: now.Wall, Born: now.Monotonic, Boot: now.Boot})
		w.Alive(now.Monotonic)
		w.family(counterOf("d")).add(`n="x"`, 1)
		for i := range each {
			if err := w.Bury(segment.Tombstone{Time: spool.Monotonic(), Type: 1, Name: "c", Labels: []string{fmt.Sprintf(`n="%d %d"`, n, i)}}); err != nil {
				t.Fatal(err)
			}
		}
		w.die()
	}
	want := fmt.Sprintf("c_total{n=\"stays\"} 1.0\nd_total{n=\"x\"} %d.0\n", removers)
	reader := pageReader(t, dir)
	for range 2 {
		if page := reader(); page != want {
			t.Errorf("it reads\n%swant\n%s", page, want)
		}
		report := fold(t, dir)
		unfit := 0
		for _, l := range report.Left {
			if l.Reason == multiprocess.ReasonUnfit {
				unfit++
			}
		}
		if unfit != removers-1 {
			t.Errorf("%d are left: %q", unfit, left(report))
		}
	}
	if err := os.Remove(filepath.Join(dir, "kept")); err != nil {
		t.Fatal(err)
	}
	fold(t, dir)
	if page, files := reader(), ls(t, dir, "writer-*"); page != want || len(files) != 0 {
		t.Errorf("once all is folded it reads\n%swant\n%s, left %q", page, want, files)
	}
}

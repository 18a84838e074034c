package multiprocess_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale"
	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// level gives a writer a gauge that each live process has for itself.
func level(w *writer, v float64) {
	w.family(segment.Family{Name: "g", Type: model.Gauge, Mode: 5}).value("", v)
}

// A process without an epoch hides nothing of those that have one, and a fold keeps
// what it leaves without counting it.
func TestStrangerWithoutAnEpoch(t *testing.T) {
	dir := t.TempDir()
	named := segment.Header{Epoch: "v1", Start: 1, EpochFirst: segment.Moment{Wall: 1}}
	for range 2 {
		w := begin(t, dir, named)
		count(w, "", 1000)
		w.die()
		fold(t, dir)
	}
	var told []error
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
	want := []string{"c_total{} 2000.0"}
	stranger := begin(t, dir, segment.Header{Start: 9})
	count(stranger, "", 1)
	check := func(when string) {
		t.Helper()
		sameSamples(t, when, collect(t, c), want)
		sameSamples(t, when+", anew", collect(t, collector(t, dir)), want)
	}
	check("beside a stranger")
	if len(told) != 1 || !strings.Contains(told[0].Error(), "no epoch") || !strings.Contains(told[0].Error(), `"v1"`) {
		t.Errorf("told %q", told)
	}
	fold(t, dir)
	check("folded beside a stranger")
	stranger.die()
	check("after it died")
	for range 2 {
		if r := fold(t, dir); len(r.Dropped) > 0 || r.Epoch != "v1" {
			t.Errorf("a fold: %+v", r)
		}
		check("after it was folded")
	}
	live := begin(t, dir, segment.Header{Epoch: "v2", Start: 10, EpochFirst: segment.Moment{Wall: 10}})
	count(live, "", 5)
	want = []string{"c_total{} 5.0"}
	check("in the next epoch")
	w := begin(t, dir, segment.Header{Epoch: "v2", Start: 11, EpochFirst: segment.Moment{Wall: 10}})
	count(w, "", 6)
	w.die()
	if r := fold(t, dir); len(r.Dropped) != 1 || r.Dropped[0] != "archive.seg" {
		t.Errorf("the fold of the next epoch: %+v", r)
	}
	want = []string{"c_total{} 11.0"}
	check("folded in the next epoch")
	if kept := unnamedFamilies(t, filepath.Join(dir, "archive.seg")); kept != 1 {
		t.Errorf("the archive keeps %d families of nobody, want 1", kept)
	}
}

// unnamedFamilies returns how many families a segment keeps that are of no epoch.
func unnamedFamilies(t *testing.T, path string) (n int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	image := mapped.Aligned(len(data))
	copy(image, data)
	var table segment.Table
	if _, err := table.Next(segment.Image(image), nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, f := range table.Families() {
		if f.NoEpoch {
			n++
		}
	}
	return n
}

// The totals of a service that names its epoch for the first time begin anew, and a
// fold loses nothing of what was there before.
func TestEpochAfterNone(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{Start: 1})
	count(w, "", 7)
	w.die()
	fold(t, dir)
	w = begin(t, dir, segment.Header{Start: 2, Epoch: "v1"})
	count(w, "", 1)
	w.die()
	for range 2 {
		fold(t, dir)
		sameSamples(t, "folded", collect(t, collector(t, dir)), []string{"c_total{} 1.0"})
	}
	if kept := unnamedFamilies(t, filepath.Join(dir, "archive.seg")); kept != 1 {
		t.Errorf("the archive keeps %d families of nobody, want 1", kept)
	}
}

// A deploy that is taken back: one reset for the new epoch, none when processes of
// the old one begin, and nothing of a later epoch is deleted for an earlier one but
// by a fold that is told so.
func TestEpochThatIsTakenBack(t *testing.T) {
	dir := sharedDir(t)
	c := collector(t, dir)
	shows := func(when string, want float64) {
		t.Helper()
		sameSamples(t, when, collect(t, c), []string{fmt.Sprintf("c_total{} %.1f", want)})
	}
	header := func(epoch string, start, first int64) segment.Header {
		return segment.Header{Epoch: epoch, Start: start, EpochFirst: segment.Moment{Wall: first}}
	}
	one := begin(t, dir, header("v1", 1, 1))
	count(one, "", 1)
	shows("v1", 1)
	two := begin(t, dir, header("v2", 2, 2))
	count(two, "", 2)
	shows("v2 beside v1", 2)
	again := begin(t, dir, header("v1", 3, 1))
	count(again, "", 4)
	shows("v1 begins again", 2)
	two.die()
	shows("v2 has ended", 5)
	again.die()
	if r := fold(t, dir); len(r.Dropped) > 0 {
		t.Errorf("a fold for v1 drops %q", r.Dropped)
	}
	shows("folded", 5)
	one.die()
	shows("all have ended: the latest", 2)
	if r := fold(t, dir, multiprocess.WithEpoch("v1")); len(r.Dropped) != 1 {
		t.Errorf("a fold that is told the epoch drops %q", r.Dropped)
	}
	shows("v2 was dropped", 5)
}

// Stores inherit when their epoch first appeared.
func TestStoresInheritTheEpoch(t *testing.T) {
	dir := sharedDir(t)
	first := func(store *multiprocess.Store) segment.Header {
		t.Helper()
		d, err := spool.Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		s, err := d.Look(spool.Parse(filepath.Base(store.String())))
		if err != nil {
			t.Fatal(err)
		}
		return *s.Header
	}
	a := first(openStore(t, dir, multiprocess.WithEpoch("v1")))
	b := first(openStore(t, dir, multiprocess.WithEpoch("v2")))
	again := first(openStore(t, dir, multiprocess.WithEpoch("v1")))
	if a.EpochFirst == (segment.Moment{}) || a.EpochFirst != again.EpochFirst || a.EpochFirst == b.EpochFirst {
		t.Errorf("v1 first appeared at %+v, then at %+v; v2 at %+v", a.EpochFirst, again.EpochFirst, b.EpochFirst)
	}
	if a.Born >= again.Born && a.Born != 0 {
		t.Errorf("born at %d, then at %d", a.Born, again.Born)
	}
}

// Two services do not share a directory by mistake.
func TestService(t *testing.T) {
	dir := sharedDir(t)
	store, err := multiprocess.Open(dir, multiprocess.WithService("shop"), multiprocess.WithoutFolding())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // nothing is folded
	reg := telltale.NewRegistry(telltale.WithStore(store))
	telltale.Must(telltale.NewCounter("c", "", telltale.In(reg))).Inc()
	same := openStore(t, dir, multiprocess.WithService("shop"))
	nameless := openStore(t, dir)
	for what, err := range map[string]error{
		"opening it": func() error {
			store, err := multiprocess.Open(dir, multiprocess.WithService("bank"))
			if err == nil {
				_ = store.Close()
			}
			return err
		}(),
		"collecting it": collector(t, dir, multiprocess.WithService("bank")).Collect(context.Background(), func(*model.Family) error { return nil }),
		"folding it": func() error {
			_, err := multiprocess.Fold(context.Background(), dir, multiprocess.WithService("bank"))
			return err
		}(),
	} {
		if err == nil || !strings.Contains(err.Error(), `"shop"`) || !strings.Contains(err.Error(), `"bank"`) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s for another service: %v", what, err)
		}
	}
	for what, c := range map[string]telltale.Collector{
		"the store's registry": reg, "the service": collector(t, dir, multiprocess.WithService("shop")), "anybody": collector(t, dir),
	} {
		if got := pageLines(t, c); got != "c_total 1.0\n" {
			t.Errorf("%s: %q", what, got)
		}
	}
	_, _ = same, nameless
	if _, err := multiprocess.Open(t.TempDir(), multiprocess.WithService(strings.Repeat("x", 64))); err == nil || !strings.Contains(err.Error(), "63") {
		t.Errorf("a name that is too long: %v", err)
	}
}

// What a dead writer left says whose directory it is before it is folded, too.
func TestServiceOfADeadWriter(t *testing.T) {
	dir := sharedDir(t)
	w := begin(t, dir, segment.Header{Start: 1, Service: "shop"})
	count(w, "", 1)
	w.die()
	_, opening := multiprocess.Open(dir, multiprocess.WithService("bank"))
	_, folding := multiprocess.Fold(context.Background(), dir, multiprocess.WithService("bank"))
	collecting := collector(t, dir, multiprocess.WithService("bank")).Collect(context.Background(), func(*model.Family) error { return nil })
	for what, err := range map[string]error{"opening it": opening, "folding it": folding, "collecting it": collecting} {
		if err == nil || !strings.Contains(err.Error(), `"shop"`) || !strings.Contains(err.Error(), "dead writer") {
			t.Errorf("%s for another service: %v", what, err)
		}
	}
	openStore(t, dir, multiprocess.WithService("shop"), multiprocess.WithoutFolding())
	stranger := begin(t, dir, segment.Header{Start: 2, Service: "bank"}) // as an older program left it
	count(stranger, "", 2)
	stranger.die()
	fold(t, dir)
	if got := pageLines(t, collector(t, dir, multiprocess.WithService("shop"))); got != "c_total 3.0\n" {
		t.Errorf("the service that lives: %q", got)
	}
}

// Of two services whose stores are opened at the same instant one at most gets its own.
func TestServicesThatOpenAtOnce(t *testing.T) {
	dir := sharedDir(t)
	var inner error
	opened := false
	hook := func(op mapped.Op, _ string, n int64) (int64, error) {
		if op == mapped.OpRename && !opened { // nobody sees the first one yet
			opened = true
			var store *multiprocess.Store
			if store, inner = multiprocess.Open(dir, multiprocess.WithService("bank"), multiprocess.WithoutFolding()); inner == nil {
				t.Cleanup(func() { _ = store.Close() })
			}
		}
		return n, nil
	}
	_, outer := multiprocess.Open(dir, multiprocess.WithService("shop"), multiprocess.WithFiles(hook), multiprocess.WithoutFolding())
	if inner != nil || outer == nil || !strings.Contains(outer.Error(), `of the service "bank"`) {
		t.Errorf("the one within: %v, the one around it: %v", inner, outer)
	}
	if left := ls(t, dir, "*"); len(left) != 1 {
		t.Errorf("the directory has %v", left)
	}

	for round := range 20 {
		dir := sharedDir(t)
		errs := make([]error, 8)
		var opening sync.WaitGroup
		for i := range errs {
			opening.Go(func() {
				var store *multiprocess.Store
				if store, errs[i] = multiprocess.Open(dir, multiprocess.WithService([]string{"shop", "bank"}[i%2]), multiprocess.WithoutFolding()); errs[i] == nil {
					t.Cleanup(func() { _ = store.Close() })
				}
			})
		}
		opening.Wait()
		got := make([]bool, 2)
		for i, err := range errs {
			got[i%2] = got[i%2] || err == nil
			if err != nil && !strings.Contains(err.Error(), "directory of its own") {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if got[0] && got[1] {
			t.Errorf("round %d: both have it: %v", round, errs)
		}
	}
}

// An archive says whose directory it is.
func TestServiceOfAnArchive(t *testing.T) {
	dir := sharedDir(t)
	w := begin(t, dir, segment.Header{Start: 1, Service: "shop"})
	count(w, "", 1)
	w.die()
	fold(t, dir)
	if store, err := multiprocess.Open(dir, multiprocess.WithService("bank")); err == nil || !strings.Contains(err.Error(), "archive") {
		t.Errorf("opened beside the archive of another service: %v, %v", store, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 { // the archive and the lock
		t.Errorf("the directory has %v, %v", left, err)
	}
}

// Processes that share a pid or a name are all seen while they live. Of one place the
// newest counts, and the living before the dead.
func TestWritersThatShareALabel(t *testing.T) {
	dir := t.TempDir()
	c := collector(t, dir)
	first := begin(t, dir, segment.Header{PID: 1, Host: "a", Namespace: 4, Start: 1})
	level(first, 1)
	count(first, "", 1)
	sameSamples(t, "one", collect(t, c), []string{"c_total{} 1.0", `g{pid="1"} 1.0`})
	second := begin(t, dir, segment.Header{PID: 1, Host: "b", Namespace: 5, Start: 2})
	level(second, 2)
	count(second, "", 2)
	sameSamples(t, "two hosts", collect(t, c), []string{"c_total{} 3.0", `g{pid="1@a"} 1.0`, `g{pid="1@b"} 2.0`})
	third := begin(t, dir, segment.Header{PID: 1, Host: "b", Namespace: 6, Start: 3})
	level(third, 3)
	count(third, "", 4)
	sameSamples(t, "three namespaces", collect(t, c), []string{"c_total{} 7.0", `g{pid="1@4"} 1.0`, `g{pid="1@5"} 2.0`, `g{pid="1@6"} 3.0`})
	first.die()
	third.die()
	sameSamples(t, "the others have ended", collect(t, c), []string{"c_total{} 7.0", `g{pid="1"} 2.0`})
}

// A writer that died while the clock was ahead does not hide the one that follows it.
func TestTheLivingHideTheDead(t *testing.T) {
	dir := t.TempDir()
	everybody := func(w *writer, v float64) {
		w.family(segment.Family{Name: "g", Type: model.Gauge, Layout: segment.LayoutValue}).value("", v)
	}
	old := begin(t, dir, segment.Header{Writer: "w0", Boot: spool.BootID(), Born: spool.Monotonic(), Start: time.Now().Add(time.Hour).UnixNano()})
	everybody(old, 111)
	c := collector(t, dir)
	sameSamples(t, "before", collect(t, c), []string{`g{pid="w0"} 111.0`})
	old.die()
	fresh := begin(t, dir, segment.Header{Writer: "w0", Boot: spool.BootID(), Born: spool.Monotonic(), Start: time.Now().UnixNano()})
	everybody(fresh, 2)
	for _, when := range []string{"before a fold", "after a fold"} {
		sameSamples(t, when, collect(t, c), []string{`g{pid="w0"} 2.0`})
		sameSamples(t, when+", anew", collect(t, collector(t, dir)), []string{`g{pid="w0"} 2.0`})
		fold(t, dir)
	}
	fresh.die()
	if spool.BootID() == [16]byte{} {
		return // the wall clock is all there is
	}
	for _, when := range []string{"both have ended", "and were folded"} {
		sameSamples(t, when, collect(t, c), []string{`g{pid="w0"} 2.0`})
		fold(t, dir)
	}
}

// For a while nobody is asked whether a writer lives, unless files came or went. That
// a fold has found it dead is seen at once, and that it died is for ever.
func TestLivenessIsRemembered(t *testing.T) {
	dir := sharedDir(t)
	asked := 0
	c := collector(t, dir, multiprocess.WithAge(time.Hour), multiprocess.WithoutFolding(), multiprocess.WithFiles(func(op mapped.Op, _ string, n int64) (int64, error) {
		if op == mapped.OpLocked {
			asked++
		}
		return n, nil
	}))
	check := func(when string, want ...string) {
		t.Helper()
		sameSamples(t, when, collect(t, c), want)
	}
	one, two := begin(t, dir, segment.Header{PID: 1}), begin(t, dir, segment.Header{PID: 2})
	level(one, 1)
	level(two, 2)
	both := []string{`g{pid="1"} 1.0`, `g{pid="2"} 2.0`}
	check("first", both...)
	before := asked
	if before == 0 {
		t.Error("nobody was asked at first")
	}
	level(two, 3) // another family of the name, which is not shown
	for range 3 {
		check("again", both...)
	}
	if asked != before {
		t.Errorf("writers were asked %d times more within the hour", asked-before)
	}
	one.die()
	check("one has died", both...)
	three := begin(t, dir, segment.Header{PID: 3})
	level(three, 3)
	both = []string{`g{pid="2"} 2.0`, `g{pid="3"} 3.0`}
	check("another one has come", both...)
	g, err := mapped.OpenWritable(filepath.Join(dir, one.name))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close() //nolint:errcheck // nothing was written
	if locked, err := g.Lock(); err != nil || !locked {
		t.Fatal(locked, err)
	}
	check("somebody locks the dead one's file", both...)
	markDead(t, filepath.Join(dir, two.name))
	check("a fold has marked one", both[1])
}

// markDead marks a segment as a fold does that finds its writer dead.
func markDead(t *testing.T, path string) {
	t.Helper()
	g, err := mapped.OpenWritable(path)
	if err == nil {
		err = errors.Join(spool.Mark(g), g.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A gauge that was set while the clock was ahead is not shown for ever.
func TestFutureTimesCountAsNow(t *testing.T) {
	dir := t.TempDir()
	set := func(v float64, when time.Time) *writer {
		w := begin(t, dir, segment.Header{})
		w.family(segment.Family{Name: "g", Type: model.Gauge, Mode: 4}).value("", v, uint64(when.UnixNano()))
		return w
	}
	set(666, time.Now().AddDate(1, 0, 0)).die()
	c := collector(t, dir)
	sameSamples(t, "ahead", collect(t, c), []string{"g{} 666.0"})
	fold(t, dir)
	sameSamples(t, "folded", collect(t, c), []string{"g{} 666.0"})
	set(1, time.Now())
	sameSamples(t, "set later", collect(t, c), []string{"g{} 1.0"})
}

// The archive of an epoch that is over goes with the next fold, whether or not there is
// anything else to take up. What was left without an epoch stays.
func TestArchiveOfAnEpochThatIsOver(t *testing.T) {
	dir := t.TempDir()
	header := func(epoch string, at int64) segment.Header {
		return segment.Header{Epoch: epoch, Start: at, EpochFirst: segment.Moment{Wall: at}}
	}
	w := begin(t, dir, header("v1", 1))
	count(w, "", 5)
	w.die()
	if r := fold(t, dir); r.Generation != 1 || len(r.Absorbed) != 1 {
		t.Fatalf("the fold of v1: %+v", r)
	}
	live := begin(t, dir, header("v2", 10))
	count(live, "", 2)
	if r := fold(t, dir, multiprocess.WithDryRun()); len(r.Dropped) != 1 || r.Generation != 1 {
		t.Errorf("a dry run: %+v", r)
	}
	if r := fold(t, dir); len(r.Dropped) != 1 || r.Dropped[0] != "archive.seg" || r.Epoch != "v2" || r.Generation != 2 {
		t.Errorf("the fold after v2 began: %+v", r)
	}
	if r := fold(t, dir); len(r.Dropped) != 0 || r.Generation != 2 {
		t.Errorf("another fold: %+v", r)
	}
	if got := pageLines(t, telltale.Must(multiprocess.NewCollector(dir))); got != "c_total 2.0\n" {
		t.Errorf("the page has %q", got)
	}
}

package multiprocess_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/internal/cell"
	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// fold folds a directory and returns what was done.
func fold(tb testing.TB, dir string, opts ...multiprocess.FoldOption) *multiprocess.FoldReport {
	tb.Helper()
	report, err := multiprocess.Fold(tb.Context(), dir, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return report
}

// left returns why files were left alone, as text.
func left(r *multiprocess.FoldReport) (lines []string) {
	for _, l := range r.Left {
		lines = append(lines, fmt.Sprintf("%s %s: %s", l.Name, l.Reason, l.Why))
	}
	return lines
}

// ls returns the names in a directory that match.
func ls(tb testing.TB, dir, pattern string) (names []string) {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		tb.Fatal(err)
	}
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

// crew writes what the i-th process of a service has: every type, every mode.
func crew(tb testing.TB, dir string, i int, h segment.Header) *writer {
	tb.Helper()
	n := uint64(i)
	h.Start, h.PID = int64(i), n
	w := begin(tb, dir, h)
	c := w.family(segment.Family{Name: "c", Type: model.Counter, Labels: []string{"z", "b"}})
	labels := `z="1",b="2"`
	if i%2 == 0 {
		labels = `b="2",z="1"`
	}
	first := c.series(segment.Series{Labels: labels, Created: int64(5e6 + i)}, n)
	cell.StoreFloat(cell.At(first, 1), 0.5)
	lanes, err := c.Lanes(first, 2)
	if err != nil {
		tb.Fatal(err)
	}
	lanes.Mine().Add(10)
	lanes.AddFloat(1, 0.25)
	if err := c.SetExemplar(first, 0, &model.Exemplar{Labels: model.LabelsFromText(fmt.Sprintf(`id="%d"`, i)), Value: 1, Timestamp: model.Unix(int64(i), 0)}); err != nil {
		tb.Fatal(err)
	}
	gone := c.add(`z="gone",b="x"`, 100)
	c.Remove(gone)
	for _, f := range []segment.Family{
		{Name: "h", Type: model.Histogram, Bounds: []float64{1, 2, math.Inf(1)}},
		{Name: "wide", Type: model.Histogram, Bounds: [][]float64{{1, math.Inf(1)}, {1, 3, math.Inf(1)}}[i%2]},
	} {
		h := w.family(f)
		first := h.add(`a="1"`, math.Float64bits(1.5), 1, n)
		if lanes, err = h.Lanes(first, 3); err != nil {
			tb.Fatal(err)
		}
		lanes.AddFloat(0, 2)
		cell.At(lanes.Mine(), 1).Add(7)
	}
	fl := w.family(segment.Family{Name: "f", Type: model.Histogram, Layout: segment.LayoutFloats, Bounds: []float64{1, math.Inf(1)}})
	fl.add(``, math.Float64bits(1), math.Float64bits(0.5), math.Float64bits(2))
	w.family(segment.Family{Name: "s", Type: model.Summary}).add(``, math.Float64bits(2.5), n)
	for mode, name := range modeNames {
		g := w.family(segment.Family{Name: "g_" + name, Type: model.Gauge, Mode: uint8(mode)})
		v := float64(i)
		if i == 2 {
			v = math.NaN()
		}
		if strings.HasSuffix(name, "sum") {
			v = 1
		}
		if strings.HasSuffix(name, "mostrecent") {
			g.value(`a="1"`, v, n)
			g.value(`a="never"`, v, 0)
		} else {
			g.value(`a="1"`, v)
		}
	}
	info := w.family(segment.Family{Name: "i", Type: model.Info})
	if err := info.SetInfo(info.add(``), `v="1"`); err != nil {
		tb.Fatal(err)
	}
	w.family(segment.Family{Name: "e", Type: model.StateSet, States: []string{"on", "off"}}).add(``, 1, n)
	w.family(segment.Family{Name: "u", Type: model.Unknown}).value("", v(i))
	return w
}

func v(i int) float64 { return float64(i) }

// exemplars returns the exemplars of families, as text.
func exemplars(families []*model.Family) (found []string) {
	for _, f := range families {
		for s := range f.Samples() {
			if s.Exemplar != nil {
				found = append(found, s.Name+" "+s.Exemplar.Labels.Text())
			}
		}
	}
	return found
}

// A page is the same whoever of the dead has been folded, at every step of it,
// for a reader that begins then and for one that ran all along.
func TestFoldChangesNoPage(t *testing.T) {
	dir := t.TempDir()
	running := collector(t, dir)
	var live []*writer
	for i := 1; i <= 6; i++ {
		live = append(live, crew(t, dir, i, segment.Header{}))
	}
	for _, w := range live[:4] {
		w.die()
	}
	families := collect(t, running)
	want, wantExemplars := samples(families), exemplars(families)
	steps := 0
	see := func(step string) {
		steps++
		for name, c := range map[string]*multiprocess.Collector{"a reader that ran": running, "a new reader": collector(t, dir)} {
			families := collect(t, c)
			sameSamples(t, fmt.Sprintf("%s, at step %q", name, step), families, want)
			if got := exemplars(families); !slices.Equal(got, wantExemplars) {
				t.Errorf("%s, at step %q: exemplars %q, want %q", name, step, got, wantExemplars)
			}
		}
	}
	report := fold(t, dir, multiprocess.WithStep(see))
	see("the end")
	if len(report.Absorbed) != 4 || report.Generation != 1 || len(report.Left) != 2 || report.Freed == 0 {
		t.Errorf("report %+v", report)
	}
	if files := ls(t, dir, "writer-*"); len(files) != 2 {
		t.Errorf("left %q", files)
	}

	live[4].die()
	want = samples(collect(t, collector(t, dir)))
	report = fold(t, dir, multiprocess.WithStep(see))
	see("the second end")
	if len(report.Absorbed) != 1 || report.Generation != 2 {
		t.Errorf("second report %+v", report)
	}
	if report = fold(t, dir); len(report.Absorbed) != 0 || report.Generation != 2 {
		t.Errorf("with nothing to do: %+v", report)
	}
	if steps < 20 {
		t.Errorf("only %d steps", steps)
	}
	if strays := ls(t, dir, ".telltale-*"); len(strays) != 0 {
		t.Errorf("left %q", strays)
	}
}

func TestFoldDryRun(t *testing.T) {
	dir := t.TempDir()
	crew(t, dir, 1, segment.Header{}).die()
	crew(t, dir, 2, segment.Header{})
	before := ls(t, dir, "*")
	report := fold(t, dir, multiprocess.WithDryRun())
	if len(report.Absorbed) != 1 || len(report.Left) != 1 || report.Freed == 0 || report.Generation != 0 {
		t.Errorf("report %+v", report)
	}
	if after := ls(t, dir, "*"); !slices.Equal(before, after) {
		t.Errorf("changed %q to %q", before, after)
	}
}

func TestFoldOfEpochs(t *testing.T) {
	sum := func(t *testing.T, dir string, opts ...multiprocess.Option) string {
		t.Helper()
		return strings.Join(samples(collect(t, collector(t, dir, opts...))), " ")
	}
	put := func(t *testing.T, dir string, start int64, epoch string) *writer {
		t.Helper()
		w := begin(t, dir, segment.Header{Start: start, Epoch: epoch})
		w.family(segment.Family{Name: "c", Type: model.Counter}).add("", 1)
		return w
	}
	t.Run("the newest live writer's", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, 1, "old").die()
		old := put(t, dir, 2, "old")
		fold(t, dir)
		put(t, dir, 3, "new")
		put(t, dir, 4, "new").die()
		old.die()
		report := fold(t, dir)
		if report.Epoch != "new" || len(report.Absorbed) != 1 || len(report.Dropped) != 2 {
			t.Errorf("report %+v", report)
		}
		if got := sum(t, dir); got != "c_total{} 2.0" {
			t.Error(got)
		}
	})
	t.Run("the newest dead writer's", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, 1, "old").die()
		fold(t, dir)
		put(t, dir, 2, "new").die()
		if got := sum(t, dir); got != "c_total{} 1.0" {
			t.Error(got)
		}
		if report := fold(t, dir); report.Epoch != "new" || report.Generation != 2 {
			t.Errorf("report %+v", report)
		}
		if got := sum(t, dir); got != "c_total{} 1.0" {
			t.Error(got)
		}
	})
	t.Run("that which was asked for", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, 1, "old").die()
		put(t, dir, 2, "new").die()
		if report := fold(t, dir, multiprocess.WithEpoch("old")); report.Epoch != "old" || len(report.Dropped) != 1 {
			t.Errorf("report %+v", report)
		}
		if got := sum(t, dir, multiprocess.WithEpoch("old")); got != "c_total{} 1.0" {
			t.Error(got)
		}
	})
	t.Run("not sure", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, 1, "old").die()
		put(t, dir, 2, "new").die()
		unread := put(t, dir, 3, "old")
		unread.Bytes(0, segment.HeaderSize)[30] ^= 1
		report := fold(t, dir)
		if len(report.Absorbed) != 1 || len(report.Dropped) != 0 || len(report.Left) != 2 {
			t.Errorf("report %+v", report)
		}
		put(t, dir, 4, "newer").die()
		if _, err := multiprocess.Fold(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "archive.seg is of epoch") {
			t.Error(err)
		}
	})
}

func TestFoldOfGaugesOfEachProcess(t *testing.T) {
	dir := t.TempDir()
	put := func(h segment.Header, value float64) {
		w := begin(t, dir, h)
		w.family(segment.Family{Name: "g", Type: model.Gauge}).value("", value)
		w.die()
	}
	put(segment.Header{Start: 2, Writer: "web"}, 2)
	put(segment.Header{Start: 1, Writer: "web"}, 1)
	put(segment.Header{Start: 1, PID: 7}, 7)
	fold(t, dir)
	put(segment.Header{Start: 3, PID: 8}, 8)
	fold(t, dir)
	page := func(opts ...multiprocess.Option) []*model.Family { return collect(t, collector(t, dir, opts...)) }
	sameSamples(t, "at first", page(), []string{`g{pid="7"} 7.0`, `g{pid="8"} 8.0`, `g{pid="web"} 2.0`})
	put(segment.Header{Start: 4, PID: 9}, 9)
	fold(t, dir, multiprocess.WithExpiry(0)) // what was folded before has expired
	sameSamples(t, "later", page(), []string{`g{pid="9"} 9.0`})
}

func TestFoldLeavesWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	crew(t, dir, 1, segment.Header{}).die()
	damaged := crew(t, dir, 2, segment.Header{})
	damaged.Bytes(0, segment.HeaderSize+48)[segment.HeaderSize+40] ^= 1
	damaged.die()
	for name, text := range map[string]string{writerName(1): "", writerName(2): "short", writerName(3): strings.Repeat("no segment", 100), "writer-4.seg": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, writerName(4)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(writerName(1), filepath.Join(dir, writerName(5))); err != nil {
		t.Fatal(err)
	}
	report := fold(t, dir)
	if len(report.Absorbed) != 1 || len(report.Left) != 7 {
		t.Errorf("absorbed %q, left %q", report.Absorbed, left(report))
	}
	for _, l := range report.Left {
		if l.Reason == multiprocess.ReasonAlive || l.Why == "" {
			t.Errorf("left %+v", l)
		}
	}
	if files := ls(t, dir, "writer-*"); len(files) != 7 {
		t.Errorf("left %q", files)
	}
}

// An archive that cannot be read holds what nobody else has.
func TestFoldKeepsADamagedArchive(t *testing.T) {
	dir := t.TempDir()
	crew(t, dir, 1, segment.Header{}).die()
	fold(t, dir)
	crew(t, dir, 2, segment.Header{}).die()
	path := filepath.Join(dir, "archive.seg")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := samples(collect(t, collector(t, dir)))
	for _, bad := range [][]byte{nil, good[:100], good[:len(good)-4096], append([]byte("x"), good...)} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := multiprocess.Fold(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "archive.seg cannot be read") {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	fold(t, dir)
	sameSamples(t, "mended", collect(t, collector(t, dir)), want)
}

// Whoever folds, one does it, and no reader sees anything of it.
func TestManyFoldAtOnce(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	var folders, readers sync.WaitGroup
	for range 3 {
		folders.Go(func() {
			for ctx.Err() == nil {
				if _, err := multiprocess.Fold(t.Context(), dir); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	keep := begin(t, dir, segment.Header{})
	keep.family(segment.Family{Name: "c", Type: model.Counter}).add("", 1)
	for range 2 {
		readers.Go(func() {
			c, last := collector(t, dir), 0.0
			for ctx.Err() == nil {
				families := collect(t, c)
				for _, f := range families {
					for s := range f.Samples() {
						if s.Value < last {
							t.Errorf("a total fell from %v to %v", last, s.Value)
							return
						}
						last = s.Value
					}
				}
			}
		})
	}
	for i := range 100 {
		w := begin(t, dir, segment.Header{Start: int64(i)})
		w.family(segment.Family{Name: "c", Type: model.Counter}).add("", 1)
		w.die()
	}
	stop()
	folders.Wait()
	readers.Wait()
	fold(t, dir)
	sameSamples(t, "at the end", collect(t, collector(t, dir)), []string{"c_total{} 101.0"})
	if files := ls(t, dir, "writer-*"); len(files) != 1 {
		t.Errorf("left %q", files)
	}
}

func TestFoldWhileAnotherFolds(t *testing.T) {
	dir := t.TempDir()
	crew(t, dir, 1, segment.Header{}).die()
	busy := 0
	fold(t, dir, multiprocess.WithStep(func(string) {
		if report, err := multiprocess.Fold(t.Context(), dir); err == nil && report.Busy && len(report.Absorbed) == 0 {
			busy++
		}
	}))
	if busy < 5 {
		t.Errorf("busy at %d steps", busy)
	}
}

// Who deletes the lock of a fold that is under way lets another one begin. The
// first finds out before it does harm.
func TestFoldWhoseLockIsDeleted(t *testing.T) {
	dir := t.TempDir()
	crew(t, dir, 1, segment.Header{}).die()
	crew(t, dir, 2, segment.Header{}).die()
	want := samples(collect(t, collector(t, dir)))
	_, err := multiprocess.Fold(t.Context(), dir, multiprocess.WithStep(func(step string) {
		if step == "filled" {
			if err := os.Remove(filepath.Join(dir, "fold.lock")); err != nil {
				t.Error(err)
			}
			if report := fold(t, dir); len(report.Absorbed) != 0 {
				t.Errorf("absorbed %q, which another fold holds", report.Absorbed)
			}
		}
	}))
	if err == nil || !strings.Contains(err.Error(), "fold.lock") {
		t.Error(err)
	}
	sameSamples(t, "afterwards", collect(t, collector(t, dir)), want)
	fold(t, dir)
	sameSamples(t, "folded", collect(t, collector(t, dir)), want)
}

// A folder that was killed leaves temporary files behind.
func TestFoldSweeps(t *testing.T) {
	dir := t.TempDir()
	const hex = "-0123456789abcdef0123456789abcdef"
	old, fresh, kept := ".telltale-archive"+hex, ".telltale-notes"+hex, ".telltale-writer"+hex
	for _, name := range []string{old, fresh, kept, ".telltale-other", ".other"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{old, kept, ".telltale-other", ".other"} {
		age(t, filepath.Join(dir, name))
	}
	held, err := mapped.OpenWritable(filepath.Join(dir, kept))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close() //nolint:errcheck // of no interest here
	if locked, err := held.Lock(); err != nil || !locked {
		t.Fatal(locked, err)
	}
	if report := fold(t, dir); !slices.Equal(report.Swept, []string{old}) {
		t.Errorf("swept %q", report.Swept)
	}
}

// The archive may be read by those who might read all that is in it: what fewer may
// read is left.
func TestFoldKeepsPermissions(t *testing.T) {
	dir := t.TempDir()
	for i, perm := range []os.FileMode{0o644, 0o664, 0o640} {
		w := crew(t, dir, i+1, segment.Header{})
		if err := os.Chmod(filepath.Join(dir, w.name), perm); err != nil {
			t.Fatal(err)
		}
		w.die()
		report := fold(t, dir)
		info, err := os.Stat(filepath.Join(dir, "archive.seg"))
		if err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if wide := perm&0o004 != 0; wide != (len(report.Absorbed) == 1) || !wide && (len(report.Left) != 1 || report.Left[0].Reason != multiprocess.ReasonPermission) {
			t.Errorf("%v: absorbed %q, left %q", perm, report.Absorbed, left(report))
		}
	}
}

func TestFoldStops(t *testing.T) {
	dir := t.TempDir()
	crew(t, dir, 1, segment.Header{}).die()
	want := samples(collect(t, collector(t, dir)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := multiprocess.Fold(ctx, dir); err == nil {
		t.Error("no error")
	}
	sameSamples(t, "stopped", collect(t, collector(t, dir)), want)
}

// Ten thousand dead writers of the same series take memory for one, and few
// descriptors.
func TestFoldOfManyWriters(t *testing.T) {
	dir, writers := sharedDir(t), 10_000
	if testing.Short() {
		writers = 1500
	}
	for i := range writers {
		w := begin(t, dir, segment.Header{Start: int64(i)})
		c := w.family(segment.Family{Name: "c", Type: model.Counter})
		for n := range 10 {
			c.add(fmt.Sprintf(`a="%d"`, n), 1)
		}
		w.die()
		w.file.Unmap()
	}
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	had := descriptors() // other tests may have left theirs
	most, open := uint64(0), 0
	report := fold(t, dir, multiprocess.WithStep(func(step string) {
		if step != "filled" {
			return
		}
		runtime.GC()
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
		open = max(open, descriptors()-had)
	}))
	if len(report.Absorbed) != writers || len(ls(t, dir, "writer-*")) != 0 {
		t.Errorf("absorbed %d", len(report.Absorbed))
	}
	if limit := uint64(1 << 20 * 16); most > limit {
		t.Errorf("%d bytes of heap, want at most %d", most, limit)
	}
	if open > 300 {
		t.Errorf("%d descriptors more", open)
	}
	families := collect(t, collector(t, dir))
	if got := samples(families); len(got) != 10 || got[0] != fmt.Sprintf(`c_total{a="0"} %d.0`, writers) {
		t.Errorf("%q", got)
	}
	t.Logf("%d generations in %v, %d bytes of heap, %d descriptors", report.Generation, report.Duration, most, open)
}

// descriptors returns how many descriptors this process has; 0 where that cannot be seen.
func descriptors() int {
	fds, _ := os.ReadDir("/proc/self/fd")
	return len(fds)
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	now := time.Unix(1e9, 0)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func(d time.Duration) { mu.Lock(); now = now.Add(d); mu.Unlock() }
	reports := make(chan *multiprocess.FoldReport, 10)
	f := multiprocess.NewFolder(dir, clock, func(r *multiprocess.FoldReport, err error) {
		if err != nil {
			t.Error(err)
		}
		reports <- r
	})
	crew(t, dir, 1, segment.Header{}).die()
	f.Begun(63)
	f.Saw(1)
	pass(time.Minute)
	f.Saw(0)
	select {
	case r := <-reports:
		t.Errorf("folded before its time: %+v", r)
	default:
	}
	f.Saw(1)
	if r := <-reports; len(r.Absorbed) != 1 {
		t.Errorf("%+v", r)
	}
	crew(t, dir, 2, segment.Header{}).die()
	f.Saw(1)
	pass(-time.Hour)
	f.Saw(1)
	pass(time.Minute)
	f.Saw(1)
	if r := <-reports; len(r.Absorbed) != 1 {
		t.Errorf("%+v", r)
	}
	f.Begun(64)
	<-reports
	f.Close()
	f.Begun(64)
	pass(time.Hour)
	f.Saw(64)
	f.Close()
	select {
	case r := <-reports:
		t.Errorf("folded after its end: %+v", r)
	default:
	}
}

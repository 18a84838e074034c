package multiprocess_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// openStore opens a store in a directory of the test's, on a tmpfs where there
// is one.
func openStore(t testing.TB, dir string, opts ...multiprocess.StoreOption) *multiprocess.Store {
	t.Helper()
	fails := multiprocess.WithErrorHook(func(err error) { t.Error(err) })
	s, err := multiprocess.Open(dir, append([]multiprocess.StoreOption{fails}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// sharedDir returns a directory for segments, in memory if there is such a place
// with room: containers often have 64 MB of it.
func sharedDir(t testing.TB) string {
	t.Helper()
	parent := "" // not the test's own, which other users cannot enter
	if roomy("/dev/shm") {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "telltale-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// page returns what a collector has, in text.
func page(t testing.TB, c telltale.Collector) string {
	t.Helper()
	text, err := telltale.GenerateLatest(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pageLines returns the lines of a page that are no comments.
func pageLines(t testing.TB, c telltale.Collector) string {
	t.Helper()
	var found []string
	for line := range strings.Lines(page(t, c)) {
		if !strings.HasPrefix(line, "#") {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

// everything makes one of each instrument and uses it.
type everything struct {
	counter *telltale.CounterVec
	bytes   *telltale.Counter
	gauge   *telltale.Gauge
	recent  *telltale.GaugeVec
	latency *telltale.Histogram
	size    *telltale.Summary
	build   *telltale.Info
	state   *telltale.Enum
}

func newEverything(t testing.TB, reg *telltale.Registry) *everything {
	t.Helper()
	in := telltale.In(reg)
	return &everything{
		counter: telltale.Must(telltale.NewCounterVec("requests", "Requests.", []string{"code"}, in)),
		bytes:   telltale.Must(telltale.NewCounter("bytes", "Bytes.", in)),
		gauge:   telltale.Must(telltale.NewGauge("in_flight", "In flight.", in, telltale.WithGaugeMode(telltale.ModeSum))),
		recent:  telltale.Must(telltale.NewGaugeVec("config_time", "Config.", []string{"file"}, in, telltale.WithGaugeMode(telltale.ModeMostRecent))),
		latency: telltale.Must(telltale.NewHistogram("latency_seconds", "Latency.", in, telltale.WithBuckets(0.1, 1))),
		size:    telltale.Must(telltale.NewSummary("size_bytes", "Size.", in)),
		build:   telltale.Must(telltale.NewInfo("build", "Build.", in)),
		state:   telltale.Must(telltale.NewEnum("state", "State.", []string{"starting", "running"}, in)),
	}
}

func (e *everything) use(t testing.TB) {
	t.Helper()
	e.counter.With("200").Inc()
	e.counter.With("500").Add(0.5)
	e.bytes.Add(3)
	e.bytes.Add(0.25)
	e.gauge.Set(2)
	e.gauge.Add(-0.5)
	e.recent.With("a").Set(7)
	e.latency.Observe(0.05)
	e.latency.Observe(5)
	e.size.Observe(100)
	if err := errors.Join(
		e.build.Set(map[string]string{"version": "1"}),
		e.state.Set("running"),
		e.counter.With("200").AddWithExemplar(1, map[string]string{"trace": "x"}),
		e.latency.ObserveWithExemplar(0.5, map[string]string{"trace": "y"}),
	); err != nil {
		t.Fatal(err)
	}
}

// check holds what the handles say against what use did.
func (e *everything) check(t testing.TB) {
	t.Helper()
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"counter", e.counter.With("200").Value(), 2},
		{"fraction", e.counter.With("500").Value(), 0.5},
		{"counter without labels", e.bytes.Value(), 3.25},
		{"gauge", e.gauge.Value(), 1.5},
		{"most recent", e.recent.With("a").Value(), 7},
		{"histogram", float64(e.latency.Count()), 3},
		{"its sum", e.latency.Sum(), 5.55},
		{"summary", float64(e.size.Count()), 1},
		{"its sum", e.size.Sum(), 100},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if e.state.Value() != "running" || e.build.Value()["version"] != "1" {
		t.Errorf("state %q, info %v", e.state.Value(), e.build.Value())
	}
}

const wantEverything = `build_info{version="1"} 1.0
bytes_total 3.25
config_time{file="a"} 7.0
in_flight 1.5
latency_seconds_bucket{le="0.1"} 1.0
latency_seconds_bucket{le="1.0"} 2.0
latency_seconds_bucket{le="+Inf"} 3.0
latency_seconds_count 3.0
latency_seconds_sum 5.55
requests_total{code="200"} 2.0
requests_total{code="500"} 0.5
size_bytes_count 1.0
size_bytes_sum 100.0
state{state="starting"} 0.0
state{state="running"} 1.0
`

func TestInstrumentsCountInAStore(t *testing.T) {
	dir := sharedDir(t)
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)), telltale.WithStrict())
	e := newEverything(t, reg)
	e.use(t)
	e.check(t)
	if got := pageLines(t, reg); got != wantEverything {
		t.Errorf("the page is\n%swant\n%s", got, wantEverything)
	}
	other, err := multiprocess.NewCollector(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := pageLines(t, other); got != wantEverything {
		t.Errorf("others see\n%swant\n%s", got, wantEverything)
	}
}

func TestUseStoreMovesInstruments(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStrict())
	e := newEverything(t, reg)
	if err := reg.UseStore(openStore(t, sharedDir(t))); err != nil {
		t.Fatal(err)
	}
	e.use(t)
	e.check(t)
	if got := pageLines(t, reg); got != wantEverything {
		t.Errorf("the page is\n%swant\n%s", got, wantEverything)
	}
}

func TestUseStoreNamesWhatWasUpdated(t *testing.T) {
	reg := telltale.NewRegistry()
	e := newEverything(t, reg)
	e.use(t)
	store := openStore(t, sharedDir(t))
	err := reg.UseStore(store)
	if err == nil {
		t.Fatal("instruments that had counted were moved")
	}
	for _, name := range []string{"requests", "bytes", "in_flight", "config_time", "latency_seconds", "size_bytes", "build", "state"} {
		if !strings.Contains(err.Error(), `"`+name+`"`) {
			t.Errorf("%q is not named: %v", name, err)
		}
	}
	e.check(t)
	fresh := telltale.NewRegistry(telltale.WithStore(store))
	if fresh.UseStore(store) == nil {
		t.Error("a second store was taken")
	}
	if fresh.UseStore(nil) == nil {
		t.Error("nil was taken for a store")
	}
}

func TestRemovedSeriesLeaveTheStore(t *testing.T) {
	dir := sharedDir(t)
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)), telltale.WithStrict())
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"a", "b"}, telltale.In(reg)))
	kept, gone := v.With("1", "x"), v.With("2", "x")
	kept.Inc()
	gone.Inc()
	v.Remove("2", "x")
	gone.Inc()
	if got := pageLines(t, reg); got != "c_total{a=\"1\",b=\"x\"} 1.0\n" {
		t.Errorf("after Remove: %s", got)
	}
	if gone.Value() != 2 {
		t.Errorf("the removed handle has %v", gone.Value())
	}
	v.With("2", "x").Inc()
	if got := pageLines(t, reg); !strings.Contains(got, `c_total{a="2",b="x"} 1.0`) {
		t.Errorf("a series made again: %s", got)
	}
	if n := v.RemoveMatching(map[string]string{"b": "x"}); n != 2 {
		t.Errorf("%d removed", n)
	}
	v.With("3", "y").Inc()
	v.Clear()
	if got := pageLines(t, reg); got != "" {
		t.Errorf("after Clear: %s", got)
	}
	if err := reg.Unregister(v); err != nil {
		t.Fatal(err)
	}
	v.With("4", "z").Inc()
	if got := pageLines(t, reg); got != "" {
		t.Errorf("after Unregister: %s", got)
	}
}

func TestCustomCollectorsArePublished(t *testing.T) {
	dir := sharedDir(t)
	store := openStore(t, dir, multiprocess.WithWriterName("web"))
	reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict(), telltale.WithTargetInfo(map[string]string{"env": "test"}))
	value := 4.0
	if _, err := telltale.NewGaugeFunc("temperature", "", nil, telltale.SingleValue(func() float64 { return value }), telltale.In(reg)); err != nil {
		t.Fatal(err)
	}
	if _, err := telltale.NewCounterFunc("ticks", "", []string{"cpu"}, func(_ context.Context, observe telltale.Observe) error {
		return errors.Join(observe(1, "0"), observe(2.5, "1"))
	}, telltale.In(reg)); err != nil {
		t.Fatal(err)
	}
	callback := telltale.Must(telltale.NewGauge("queue", "", telltale.In(reg), telltale.WithGaugeMode(telltale.ModeSum)))
	callback.SetFunc(func() float64 { return value + 1 })
	elsewhere := telltale.Must(telltale.NewHistogram("h", "", telltale.Unregistered(), telltale.WithBuckets(1)))
	elsewhere.Observe(0.5)
	if err := reg.Register(elsewhere); err != nil {
		t.Fatal(err)
	}
	want := `target_info{env="test"} 1.0
h_bucket{le="1.0"} 1.0
h_bucket{le="+Inf"} 1.0
h_count 1.0
h_sum 0.5
queue 5.0
temperature{pid="web"} 4.0
ticks_total{cpu="0"} 1.0
ticks_total{cpu="1"} 2.5
`
	if got := pageLines(t, reg); got != want {
		t.Errorf("the page is\n%swant\n%s", got, want)
	}
	value = 6
	if err := store.Close(); err != nil { // which publishes
		t.Fatal(err)
	}
	other, err := multiprocess.NewCollector(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := pageLines(t, other)
	if !strings.Contains(got, "temperature{pid=\"web\"} 6.0\n") || !strings.Contains(got, "queue 7.0\n") {
		t.Errorf("others see\n%s", got)
	}
}

func TestCollectorOfTheSameDirectoryIsRefused(t *testing.T) {
	dir := sharedDir(t)
	store := openStore(t, dir)
	c, err := multiprocess.NewCollector(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := telltale.NewRegistry(telltale.WithStore(store)).Register(c); err == nil {
		t.Error("the directory would be on the page twice")
	}
	reg := telltale.NewRegistry()
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	if reg.UseStore(store) == nil {
		t.Error("the directory would be on the page twice")
	}
}

func TestSegmentsArePrivate(t *testing.T) {
	dir := filepath.Join(sharedDir(t), "made", "by", "Open")
	store := openStore(t, dir)
	info, err := os.Stat(store.String())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("permissions %v", info.Mode())
	}
	if size := info.Size(); size > 16<<10 && size > int64(os.Getpagesize()) {
		t.Errorf("%d bytes at first", size)
	}
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".") {
			t.Errorf("%s was left behind", path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestManyGoroutinesInAStore(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, sharedDir(t))), telltale.WithStrict())
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(reg)))
	h := telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg)))
	const goroutines, rounds = 8, 2000
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			for i := range rounds {
				v.With(string(rune('a' + i%20))).Add(0.5)
				h.Observe(float64(i%10) / 10)
				if g == 0 && i%500 == 0 {
					_ = reg.Collect(context.Background(), func(*model.Family) error { return nil })
				}
			}
		})
	}
	group.Wait()
	total := 0.0
	for c := 'a'; c < 'a'+20; c++ {
		got, _ := reg.SampleValue("c_total", map[string]string{"n": string(c)})
		total += got
	}
	if want := 0.5 * goroutines * rounds; total != want {
		t.Errorf("%v counted, want %v", total, want)
	}
	if got, _ := reg.SampleValue("h_count", nil); got != goroutines*rounds {
		t.Errorf("%v observed, want %v", got, goroutines*rounds)
	}
}

// aliveOf returns when a store has said last that its process lives.
func aliveOf(t *testing.T, store *multiprocess.Store) int64 {
	t.Helper()
	b, err := os.ReadFile(store.String())
	if err != nil {
		t.Fatal(err)
	}
	return segment.SignsOf(segment.Image(b)).Alive
}

// A store says that it lives when it begins and before each new series, so that no
// removal from before covers what it counts.
func TestStoresSayThatTheyLive(t *testing.T) {
	if spool.Monotonic() == 0 {
		t.Skip("NOT TESTED: the system has no clock that nobody can set")
	}
	before := spool.Monotonic()
	store := openStore(t, sharedDir(t))
	reg := telltale.NewRegistry(telltale.WithStore(store))
	if at := aliveOf(t, store); at <= before {
		t.Errorf("at the beginning it was alive at %d, opened after %d", at, before)
	}
	before = spool.Monotonic()
	telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	if at := aliveOf(t, store); at <= before {
		t.Errorf("it was alive at %d, with a series from after %d", at, before)
	}
}

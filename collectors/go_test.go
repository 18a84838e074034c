package collectors_test

import (
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale"
	"telltale/collectors"
	"telltale/model"
	"telltale/telltaletest"
)

// The names and types of the default set. All are client_golang's but for the
// type of go_info, and without its gauge go_memstats_alloc_bytes.
const goldenGo = `
go info
go_gc_duration_seconds summary in seconds
go_gc_gogc_percent gauge in percent
go_gc_gomemlimit_bytes gauge in bytes
go_goroutines gauge
go_memstats_alloc_bytes counter in bytes
go_memstats_buck_hash_sys_bytes gauge in bytes
go_memstats_frees counter
go_memstats_gc_sys_bytes gauge in bytes
go_memstats_heap_alloc_bytes gauge in bytes
go_memstats_heap_idle_bytes gauge in bytes
go_memstats_heap_inuse_bytes gauge in bytes
go_memstats_heap_objects gauge
go_memstats_heap_released_bytes gauge in bytes
go_memstats_heap_sys_bytes gauge in bytes
go_memstats_last_gc_time_seconds gauge in seconds
go_memstats_mallocs counter
go_memstats_mcache_inuse_bytes gauge in bytes
go_memstats_mcache_sys_bytes gauge in bytes
go_memstats_mspan_inuse_bytes gauge in bytes
go_memstats_mspan_sys_bytes gauge in bytes
go_memstats_next_gc_bytes gauge in bytes
go_memstats_other_sys_bytes gauge in bytes
go_memstats_stack_inuse_bytes gauge in bytes
go_memstats_stack_sys_bytes gauge in bytes
go_memstats_sys_bytes gauge in bytes
go_sched_gomaxprocs_threads gauge in threads
go_threads gauge`

func TestGoDefaultSet(t *testing.T) {
	all, err := families(t, collectors.NewGo())
	if err != nil {
		t.Fatal(err)
	}
	sameLines(t, namesAndTypes(all), goldenGo)
	if !slices.IsSortedFunc(all, func(a, b *model.Family) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("families are not in the order of their names")
	}
}

var sink []byte

func TestGoValuesMove(t *testing.T) {
	c := collectors.NewGo()
	before := values(t, c)
	stop := make(chan struct{})
	var waiting sync.WaitGroup
	defer waiting.Wait() // another test counts, too
	for range 50 {
		waiting.Go(func() { <-stop })
	}
	for range 100 {
		sink = make([]byte, 1<<16)
	}
	runtime.GC()
	after := values(t, c)
	if got, want := after["go_goroutines"], float64(runtime.NumGoroutine()); got < want-2 || got > want+2 {
		t.Errorf("%v goroutines, the runtime says %v", got, want)
	}
	close(stop)

	if grown := after["go_goroutines"] - before["go_goroutines"]; grown < 45 || grown > 55 {
		t.Errorf("50 more goroutines are %v", grown)
	}
	if grown := after["go_memstats_alloc_bytes_total"] - before["go_memstats_alloc_bytes_total"]; grown < 100<<16 {
		t.Errorf("6.5 MB more allocated are %v", grown)
	}
	if after["go_memstats_mallocs_total"] < before["go_memstats_mallocs_total"]+100 {
		t.Error("allocations were not counted")
	}
	if after["go_gc_duration_seconds_count"] <= before["go_gc_duration_seconds_count"] {
		t.Error("the garbage collection was not counted")
	}
	if after["go_gc_duration_seconds_sum"] <= 0 || after[`go_gc_duration_seconds{quantile="1.0"}`] <= 0 {
		t.Error("the garbage collection took no time")
	}
	if age := float64(time.Now().Unix()) - after["go_memstats_last_gc_time_seconds"]; age < -2 || age > 60 {
		t.Errorf("the last garbage collection was %v s ago", age)
	}
	if got := after["go_sched_gomaxprocs_threads"]; got != float64(runtime.GOMAXPROCS(0)) {
		t.Errorf("GOMAXPROCS is %v", got)
	}
	if after["go_threads"] < 1 {
		t.Errorf("%v threads", after["go_threads"])
	}
	if _, there := after[`go_info{version="`+runtime.Version()+`"}`]; !there {
		t.Error("no go_info of this version")
	}
}

// The sums agree with those of runtime.MemStats, which stops the world to be
// right.
func TestGoAgreesWithMemStats(t *testing.T) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	found := values(t, collectors.NewGo())
	for name, want := range map[string]uint64{
		"go_memstats_sys_bytes":           m.Sys,
		"go_memstats_heap_sys_bytes":      m.HeapSys,
		"go_memstats_heap_alloc_bytes":    m.HeapAlloc,
		"go_memstats_heap_inuse_bytes":    m.HeapInuse,
		"go_memstats_heap_idle_bytes":     m.HeapIdle,
		"go_memstats_stack_inuse_bytes":   m.StackInuse,
		"go_memstats_mspan_sys_bytes":     m.MSpanSys,
		"go_memstats_mcache_sys_bytes":    m.MCacheSys,
		"go_memstats_gc_sys_bytes":        m.GCSys,
		"go_memstats_next_gc_bytes":       m.NextGC,
		"go_memstats_alloc_bytes_total":   m.TotalAlloc,
		"go_memstats_mallocs_total":       m.Mallocs,
		"go_memstats_frees_total":         m.Frees,
		"go_memstats_heap_objects":        m.HeapObjects,
		"go_memstats_buck_hash_sys_bytes": m.BuckHashSys,
	} {
		if got := found[name]; got < 0.5*float64(want) || got > 2*float64(want)+1 {
			t.Errorf("%s is %v, MemStats has %d", name, got, want)
		}
	}
}

func TestGoRules(t *testing.T) {
	allow := func(s string) collectors.Rule { return collectors.Allow(regexp.MustCompile(s)) }
	deny := func(s string) collectors.Rule { return collectors.Deny(regexp.MustCompile(s)) }
	for _, c := range []struct {
		name          string
		rules         []collectors.Rule
		there, absent []string
	}{
		{"default", nil, []string{"go_gc_gogc_percent"}, []string{"go_gc_heap_allocs_bytes_total", "go_sched_latencies_seconds_count"}},
		{
			"allow", []collectors.Rule{allow("^/gc/heap/"), allow("^/cgo/"), allow("^/cpu/classes/")},
			[]string{"go_gc_heap_allocs_bytes_total", "go_gc_heap_allocs_objects_total", "go_gc_heap_live_bytes",
				"go_cgo_go_to_c_calls_calls_total", "go_cpu_classes_gc_total_cpu_seconds_total",
				"go_gc_heap_allocs_by_size_bytes_count", "go_gc_gomemlimit_bytes"},
			[]string{"go_sched_latencies_seconds_count"},
		},
		{"the last match decides", []collectors.Rule{allow("^/sched/"), deny("latencies"), allow("nothing")},
			[]string{"go_sched_goroutines_goroutines"}, []string{"go_sched_latencies_seconds_count"}},
		{"deny the default", []collectors.Rule{deny(".")},
			[]string{"go_goroutines", "go_memstats_sys_bytes"}, []string{"go_gc_gogc_percent", "go_sched_gomaxprocs_threads"}},
		{"no expression", []collectors.Rule{collectors.Allow(nil), collectors.Deny(nil), {}},
			[]string{"go_gc_gogc_percent"}, []string{"go_gc_heap_live_bytes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := values(t, collectors.NewGo(collectors.WithRules(c.rules...)))
			for _, name := range c.there {
				if _, there := found[name]; !there {
					t.Errorf("%s is missing", name)
				}
			}
			for _, name := range c.absent {
				if _, there := found[name]; there {
					t.Errorf("%s is there", name)
				}
			}
		})
	}
}

func TestGoWithoutMemStats(t *testing.T) {
	found := values(t, collectors.NewGo(collectors.WithoutMemStats(), everything))
	for name := range found {
		if strings.HasPrefix(name, "go_memstats_") && name != "go_memstats_last_gc_time_seconds" {
			t.Errorf("%s is there", name)
		}
	}
	if found["go_gc_heap_allocs_bytes_total"] <= 0 || found["go_goroutines"] <= 0 {
		t.Error("the rest is missing")
	}
}

// The gauge takes the place of the counter, with its value, and is a sound page.
func TestGoAllocBytes(t *testing.T) {
	reg := telltale.NewRegistry()
	c := collectors.NewGo(collectors.WithAllocBytes())
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	found := values(t, reg)
	if got := found["go_memstats_alloc_bytes"]; got <= 0 || got != found["go_memstats_heap_alloc_bytes"] {
		t.Errorf("go_memstats_alloc_bytes is %v, the heap %v", got, found["go_memstats_heap_alloc_bytes"])
	}
	if _, ok := found["go_memstats_alloc_bytes_total"]; ok {
		t.Error("the counter is there too")
	}
	if err := telltaletest.TestCollector(c); err != nil {
		t.Error(err)
	}
}

func TestGoHistograms(t *testing.T) {
	runtime.GC()
	all, err := families(t, collectors.NewGo(everything))
	if err != nil {
		t.Fatal(err)
	}
	histograms := 0
	for _, f := range all {
		if f.Type != model.Histogram {
			continue
		}
		histograms++
		var scratch model.Point
		err := f.Visit(&scratch, func(p *model.Point) error {
			h := p.Histogram
			upper := h.Bounds.Upper()
			if n := len(upper); n < 5 || n > 41 || len(h.Cumulative) != n {
				t.Errorf("%s has %d buckets", f.Name, n)
			}
			if last := len(upper) - 1; upper[last] <= 1e300 || h.Cumulative[last] != h.Count {
				t.Errorf("%s counts %v, its last bucket le=%v %v", f.Name, h.Count, upper[last], h.Cumulative[last])
			}
			if !slices.IsSorted(h.Cumulative) {
				t.Errorf("%s falls: %v", f.Name, h.Cumulative)
			}
			if h.Count > 0 && h.Sum <= 0 {
				t.Errorf("%s has %v observations and the sum %v", f.Name, h.Count, h.Sum)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if histograms < 5 {
		t.Errorf("only %d histograms", histograms)
	}
	found := values(t, collectors.NewGo(everything).Restricted(
		"go_gc_heap_allocs_by_size_bytes", "go_gc_heap_allocs_bytes", "go_gc_heap_allocs_objects"))
	if sum, total := found["go_gc_heap_allocs_by_size_bytes_sum"], found["go_gc_heap_allocs_bytes_total"]; sum != total || sum <= 0 {
		t.Errorf("sum of allocations %v, %v in one reading", sum, total)
	}
	if count, total := found["go_gc_heap_allocs_by_size_bytes_count"], found["go_gc_heap_allocs_objects_total"]; count != total {
		t.Errorf("count of allocations %v, %v in one reading", count, total)
	}
}

func TestGoRestrictedToSamples(t *testing.T) {
	view := collectors.NewGo().Restricted("go_goroutines", "go_gc_duration_seconds_count", "go_memstats_mallocs_total", "go_info")
	found := values(t, view)
	for _, name := range []string{"go_goroutines", "go_gc_duration_seconds_count", "go_memstats_mallocs_total", `go_info{version="` + runtime.Version() + `"}`} {
		if _, there := found[name]; !there {
			t.Errorf("%s is missing", name)
		}
		delete(found, name)
	}
	if len(found) > 0 {
		t.Errorf("not asked for: %v", found)
	}
	whole := values(t, collectors.NewGo().Restricted("go_gc_duration_seconds"))
	if len(whole) != 7 {
		t.Errorf("the family's name gave %v", whole)
	}
}

func TestGoRestrictedReadsLess(t *testing.T) {
	whole := collectors.NewGo(everything)
	reads := func(names ...string) []string { return collectors.Reads(whole.Restricted(names...)) }
	for _, c := range []struct{ got, want []string }{
		{reads("go_sched_goroutines_goroutines"), []string{"/sched/goroutines:goroutines"}},
		{reads("go_memstats_frees_total"), []string{"/gc/heap/frees:objects", "/gc/heap/tiny/allocs:objects"}},
		{reads("go_goroutines", "go_threads", "go_info"), nil},
		{reads("go_gc_duration_seconds_sum"), []string{"debug.GCStats"}},
		{reads(), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("reads %q, needs %q", c.got, c.want)
		}
	}
}

package collectors

import (
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync/atomic"

	"telltale/model"
)

// curated returns the families that do not depend on rules. If a version of Go
// lacks one of a family's inputs, the family is left out, since a sum without it
// would be wrong.
func curated() []goMetric {
	all := append(fixedMetrics(), memStats()...)
	known := make(map[string]bool)
	for _, d := range metrics.All() {
		known[d.Name] = true
	}
	return slices.DeleteFunc(all, func(m goMetric) bool {
		return slices.ContainsFunc(m.inputs, func(name string) bool { return !known[name] })
	})
}

func fixedMetrics() []goMetric {
	version := model.LabelPairs([]string{"version"}, []string{runtime.Version()})
	return []goMetric{{
		header: &model.Family{Name: "go", Type: model.Info,
			Help: "Information about the Go environment."},
		fill: func(_ *goState, _ []int, p *model.Point) { p.Info, p.Value = version, 1 },
	}, {
		header: &model.Family{Name: "go_gc_duration_seconds", Type: model.Summary, Unit: "seconds",
			Help: "Wall-time pauses (stop-the-world) in garbage collection cycles; the quantiles are of the last 256 at most."},
		pauses: true,
		fill:   fillPauses,
	}, {
		header: &model.Family{Name: "go_goroutines", Type: model.Gauge,
			Help: "Number of goroutines that currently exist."},
		// Since Go 1.26 /sched/goroutines:goroutines counts the runtime's own too.
		fill: func(_ *goState, _ []int, p *model.Point) { p.Value = float64(runtime.NumGoroutine()) },
	}, {
		header: &model.Family{Name: "go_memstats_last_gc_time_seconds", Type: model.Gauge, Unit: "seconds",
			Help: "Time of the last garbage collection in seconds since 1970, 0 before the first."},
		pauses: true,
		fill: func(s *goState, _ []int, p *model.Point) {
			p.Value = float64(s.gc.LastGC.UnixNano()) / 1e9
		},
	}, {
		header: &model.Family{Name: "go_threads", Type: model.Gauge,
			Help: "Number of OS threads created."},
		fill: func(_ *goState, _ []int, p *model.Point) {
			n, _ := runtime.ThreadCreateProfile(nil) // counts without copying stacks
			p.Value = float64(n)
		},
	}}
}

// memStatsPrefix begins the names of families that client_golang named after
// fields of runtime.MemStats.
const memStatsPrefix = "go_memstats_"

func isMemStats(family string) bool {
	return strings.HasPrefix(family, memStatsPrefix) && family != "go_memstats_last_gc_time_seconds"
}

// allocBytes is the name of two families of client_golang, of which one can be shown.
const allocBytes = memStatsPrefix + "alloc_bytes"

// heapBytes returns a gauge of the bytes of objects on the heap.
func heapBytes(name string) goMetric {
	return sumMetric(model.Family{Name: name, Type: model.Gauge, Unit: "bytes", Help: "Number of heap bytes allocated and currently in use."},
		[]string{"/memory/classes/heap/objects:bytes"})
}

// memStats returns the fields of runtime.MemStats as sums of runtime/metrics.
// The gauge alloc_bytes is not among them: see the package comment.
func memStats() []goMetric {
	const (
		objects  = "/memory/classes/heap/objects:bytes"
		unused   = "/memory/classes/heap/unused:bytes"
		free     = "/memory/classes/heap/free:bytes"
		released = "/memory/classes/heap/released:bytes"
		stacks   = "/memory/classes/heap/stacks:bytes"
		mspan    = "/memory/classes/metadata/mspan/inuse:bytes"
		mcache   = "/memory/classes/metadata/mcache/inuse:bytes"
		tiny     = "/gc/heap/tiny/allocs:objects"
	)
	counter := func(name, unit, help string, inputs ...string) goMetric {
		return sumMetric(model.Family{Name: memStatsPrefix + name, Type: model.Counter, Unit: unit, Help: help}, inputs)
	}
	bytes := func(name, help string, inputs ...string) goMetric {
		return sumMetric(model.Family{Name: memStatsPrefix + name, Type: model.Gauge, Unit: "bytes", Help: help}, inputs)
	}
	return []goMetric{
		counter("alloc_bytes", "bytes", "Total number of bytes allocated in heap until now, even if released already.", "/gc/heap/allocs:bytes"),
		counter("mallocs", "", "Total number of heap objects allocated, both live and freed.", "/gc/heap/allocs:objects", tiny),
		counter("frees", "", "Total number of heap objects freed.", "/gc/heap/frees:objects", tiny),
		bytes("sys_bytes", "Number of bytes obtained from system.", "/memory/classes/total:bytes"),
		heapBytes(memStatsPrefix + "heap_alloc_bytes"),
		bytes("heap_sys_bytes", "Number of heap bytes obtained from system.", objects, unused, released, free),
		bytes("heap_idle_bytes", "Number of heap bytes waiting to be used.", released, free),
		bytes("heap_inuse_bytes", "Number of heap bytes that are in use.", objects, unused),
		bytes("heap_released_bytes", "Number of heap bytes released to OS.", released),
		sumMetric(model.Family{Name: memStatsPrefix + "heap_objects", Type: model.Gauge,
			Help: "Number of currently allocated objects."}, []string{"/gc/heap/objects:objects"}),
		bytes("stack_inuse_bytes", "Number of bytes obtained from system for stacks of goroutines.", stacks),
		bytes("stack_sys_bytes", "Number of bytes obtained from system for all stacks.", stacks, "/memory/classes/os-stacks:bytes"),
		bytes("mspan_inuse_bytes", "Number of bytes in use by mspan structures.", mspan),
		bytes("mspan_sys_bytes", "Number of bytes obtained from system for mspan structures.", mspan, "/memory/classes/metadata/mspan/free:bytes"),
		bytes("mcache_inuse_bytes", "Number of bytes in use by mcache structures.", mcache),
		bytes("mcache_sys_bytes", "Number of bytes obtained from system for mcache structures.", mcache, "/memory/classes/metadata/mcache/free:bytes"),
		bytes("buck_hash_sys_bytes", "Number of bytes used by the profiling bucket hash table.", "/memory/classes/profiling/buckets:bytes"),
		bytes("gc_sys_bytes", "Number of bytes used for garbage collection system metadata.", "/memory/classes/metadata/other:bytes"),
		bytes("other_sys_bytes", "Number of bytes used for other system allocations.", "/memory/classes/other:bytes"),
		bytes("next_gc_bytes", "Number of heap bytes when next garbage collection will take place.", "/gc/heap/goal:bytes"),
	}
}

// sumMetric returns a family whose value is the sum of its inputs.
func sumMetric(header model.Family, inputs []string) goMetric {
	header.Help += " Sourced from " + strings.Join(inputs, " + ") + "."
	m := goMetric{header: &header, inputs: inputs, fill: fillSum}
	if header.Type == model.Counter {
		m.fill = new(peak).fill
	}
	return m
}

func fillSum(s *goState, inputs []int, p *model.Point) {
	p.Value = 0
	for _, i := range inputs {
		switch v := s.samples[i].Value; v.Kind() {
		case metrics.KindUint64:
			p.Value += float64(v.Uint64())
		case metrics.KindFloat64:
			p.Value += v.Float64()
		}
	}
}

// peak keeps a counter from decreasing. The runtime estimates some of its totals
// (/cpu/classes/) and may lower them a little, which a server would read as a
// restart from zero.
type peak struct{ bits atomic.Uint64 }

func (k *peak) fill(s *goState, inputs []int, p *model.Point) {
	fillSum(s, inputs, p)
	for {
		old := k.bits.Load()
		if highest := math.Float64frombits(old); p.Value <= highest {
			p.Value = highest
			return
		}
		if k.bits.CompareAndSwap(old, math.Float64bits(p.Value)) {
			return
		}
	}
}

// pauseQuantiles are the quantiles of garbage collection pauses: as many,
// evenly spaced, as debug.ReadGCStats is asked for.
var pauseQuantiles = [...]float64{0, 0.25, 0.5, 0.75, 1}

func fillPauses(s *goState, _ []int, p *model.Point) {
	if p.Summary == nil {
		p.Summary = &model.SummaryValue{Quantiles: make([]model.Quantile, len(pauseQuantiles))}
	}
	p.Summary.Count = float64(s.gc.NumGC)
	p.Summary.Sum = s.gc.PauseTotal.Seconds()
	for i, q := range pauseQuantiles {
		p.Summary.Quantiles[i] = model.Quantile{Q: q, V: s.gc.PauseQuantiles[i].Seconds()}
	}
}

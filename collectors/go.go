package collectors

import (
	"context"
	"regexp"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"time"

	"telltale"
	"telltale/internal/gather"
	"telltale/model"
)

// Go is a collector of the Go runtime of this process: goroutines and threads,
// memory, garbage collection, scheduler. [NewGo] makes it. It is safe for
// concurrent use.
type Go struct {
	metrics []goMetric
	samples []string  // the runtime/metrics to read, each once
	places  [][]int   // indexes of each metric's inputs in samples
	pauses  bool      // whether to read debug.GCStats
	states  sync.Pool // of *goState
}

// goMetric is a family and the function that fills its point.
type goMetric struct {
	header *model.Family
	inputs []string // runtime/metrics that fill reads
	pauses bool     // whether fill reads debug.GCStats
	fill   func(s *goState, inputs []int, p *model.Point)
}

// goState holds the values that one collect reads and emits.
type goState struct {
	samples []metrics.Sample
	gc      debug.GCStats
	cells   []*cell
}

var (
	_ telltale.Describer  = (*Go)(nil)
	_ telltale.Restrictor = (*Go)(nil)
)

// GoOption is an option of [NewGo].
type GoOption interface{ applyGo(*goSettings) }

type goSettings struct {
	curated []goMetric
	rules   []Rule
}

type goOption func(*goSettings)

func (o goOption) applyGo(s *goSettings) { o(s) }

// WithRules selects further metrics of package runtime/metrics by their names,
// in addition to the curated set. [NewGo] documents the names and types that
// they get. The last rule that matches a name decides; names that no rule
// matches are left out, except /gc/gogc:percent, /gc/gomemlimit:bytes and
// /sched/gomaxprocs:threads. The rules of repeated options add up. The set of
// metrics depends on the version of Go.
func WithRules(rules ...Rule) GoOption {
	return goOption(func(s *goSettings) { s.rules = append(s.rules, rules...) })
}

// Rule allows or denies some of the runtime's metrics. [Allow] and [Deny] make
// them. The zero Rule matches nothing.
type Rule struct {
	allow bool
	names *regexp.Regexp
}

// Allow returns a rule that exposes the runtime/metrics whose names match, for
// example ^/sched/ for the scheduler, ^/cpu/classes/ for the use of processor
// time, or . for everything. A nil expression matches nothing.
func Allow(names *regexp.Regexp) Rule { return Rule{allow: true, names: names} }

// Deny returns a rule that leaves out the runtime/metrics whose names match. A
// nil expression matches nothing.
func Deny(names *regexp.Regexp) Rule { return Rule{names: names} }

// WithoutMemStats leaves out the go_memstats_ families made from /gc/heap/ and
// /memory/classes/, for programs that expose these metrics under their own names
// by [WithRules]. go_memstats_last_gc_time_seconds stays.
func WithoutMemStats() GoOption {
	return goOption(func(s *goSettings) {
		s.curated = slices.DeleteFunc(s.curated, func(m goMetric) bool { return isMemStats(m.header.Name) })
	})
}

// WithAllocBytes exposes the gauge go_memstats_alloc_bytes, for dashboards that query
// it, in place of the counter go_memstats_alloc_bytes_total: the two would be one
// family with two types (package comment: "Names"). The gauge has the value of
// go_memstats_heap_alloc_bytes.
func WithAllocBytes() GoOption {
	return goOption(func(s *goSettings) {
		for i, m := range s.curated {
			if m.header.Name == allocBytes {
				s.curated[i] = heapBytes(allocBytes)
			}
		}
	})
}

// NewGo returns a collector of the Go runtime. By default it exposes a fixed set
// of about thirty series with client_golang's names (package comment:
// "Names"): go_goroutines, go_threads, go_info, go_gc_duration_seconds, the
// go_memstats_ families, go_gc_gogc_percent, go_gc_gomemlimit_bytes and
// go_sched_gomaxprocs_threads.
//
// [WithRules] adds more of package runtime/metrics, under the names of
// client_golang: "/gc/heap/allocs:bytes" is the counter
// go_gc_heap_allocs_bytes_total, "/gc/heap/live:bytes" the gauge
// go_gc_heap_live_bytes, "/sched/latencies:seconds" the histogram
// go_sched_latencies_seconds. Of the runtime's hundreds of buckets, histograms
// keep a few: powers of two for bytes, powers of ten up to a second for seconds,
// with the bounds of client_golang. Their sums are exact if the runtime has them
// (allocations and frees by size), else estimated from the middles of the
// runtime's buckets.
//
// Values come from [metrics.Read], [debug.ReadGCStats], [runtime.NumGoroutine]
// and [runtime.ThreadCreateProfile]. None of them stops the world.
func NewGo(opts ...GoOption) *Go {
	s := goSettings{curated: curated()}
	for _, o := range opts {
		o.applyGo(&s)
	}
	all := append(s.curated, derived(s.rules, s.curated)...)
	slices.SortFunc(all, func(a, b goMetric) int { return strings.Compare(a.header.Name, b.header.Name) })
	return planGo(all)
}

// planGo determines what has to be read for the metrics.
func planGo(wanted []goMetric) *Go {
	g := &Go{metrics: wanted}
	for _, m := range wanted {
		places := make([]int, len(m.inputs))
		for i, name := range m.inputs {
			places[i] = slices.Index(g.samples, name)
			if places[i] < 0 {
				places[i] = len(g.samples)
				g.samples = append(g.samples, name)
			}
		}
		g.places = append(g.places, places)
		g.pauses = g.pauses || m.pauses
	}
	g.states.New = func() any { return g.newState() }
	return g
}

func (g *Go) newState() *goState {
	s := &goState{}
	for _, name := range g.samples {
		s.samples = append(s.samples, metrics.Sample{Name: name})
	}
	for _, m := range g.metrics {
		s.cells = append(s.cells, newCell(m.header))
	}
	s.gc.PauseQuantiles = make([]time.Duration, len(pauseQuantiles))
	return s
}

// Collect reads the runtime once and emits the families one by one. It returns
// only errors of ctx and of emit.
func (g *Go) Collect(ctx context.Context, emit func(*model.Family) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := g.states.Get().(*goState)
	defer g.states.Put(s)
	if len(s.samples) > 0 {
		metrics.Read(s.samples)
	}
	if g.pauses {
		debug.ReadGCStats(&s.gc)
	}
	for i, m := range g.metrics {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.fill(s, g.places[i], &s.cells[i].point)
		if err := emit(s.cells[i].family); err != nil {
			return err
		}
	}
	return nil
}

// Describe returns the families without samples. It reads nothing.
func (g *Go) Describe() []*model.Family {
	described := make([]*model.Family, len(g.metrics))
	for i, m := range g.metrics {
		described[i] = m.header
	}
	return described
}

// Restricted returns a collector of the named samples and families that reads
// only their inputs.
func (g *Go) Restricted(names ...string) telltale.Collector {
	wanted := gather.NamesOf(names).Has
	var left []goMetric
	for _, m := range g.metrics {
		if header, some := m.header.Restrict(wanted); some {
			m.header = header
			left = append(left, m)
		}
	}
	return planGo(left)
}

package collectors

import (
	"math"
	"runtime/metrics"
	"strings"

	"telltale/model"
)

// derived returns families for the runtime/metrics that the rules allow, in the
// order of their names in that package, without those that claim a sample name
// of the families already taken.
func derived(rules []Rule, taken []goMetric) []goMetric {
	claimed := make(map[string]bool)
	for _, m := range taken {
		claim(claimed, m.header)
	}
	var allowed []goMetric
	for _, d := range metrics.All() {
		if !decide(rules, d.Name) {
			continue
		}
		header, ok := derive(d)
		if !ok || !claim(claimed, header) {
			continue // another version of Go may have metrics of a new kind, or ones that clash here
		}
		if d.Kind == metrics.KindFloat64Histogram {
			allowed = append(allowed, histogramMetric(header, d.Name))
		} else {
			allowed = append(allowed, sumMetric(*header, []string{d.Name}))
		}
	}
	return allowed
}

// decide reports whether a metric of the runtime is exposed under its own name.
func decide(rules []Rule, name string) bool {
	allowed := false
	switch name {
	case "/gc/gogc:percent", "/gc/gomemlimit:bytes", "/sched/gomaxprocs:threads":
		allowed = true
	}
	for _, r := range rules {
		if r.names != nil && r.names.MatchString(name) {
			allowed = r.allow
		}
	}
	return allowed
}

// claim claims the names of a family and of its samples, unless one is taken.
func claim(claimed map[string]bool, f *model.Family) bool {
	names := []string{f.BaseName()}
	f.Type.Parts().Each(func(part model.Parts) { names = append(names, f.NameOf(part)) })
	for _, name := range names {
		if claimed[name] {
			return false
		}
	}
	for _, name := range names {
		claimed[name] = true
	}
	return true
}

// derive returns the family of a metric of the runtime, named and typed as in
// client_golang, or false if it cannot be named or typed.
func derive(d metrics.Description) (*model.Family, bool) {
	path, unit, _ := strings.Cut(d.Name, ":")
	f := &model.Family{
		Help: d.Description,
		Unit: strings.NewReplacer("-", "_", "*", "_", "/", "_per_").Replace(unit),
		Type: model.Gauge,
	}
	f.Name = "go" + strings.NewReplacer("-", "_", "/", "_").Replace(path) + "_" + f.Unit
	switch d.Kind {
	case metrics.KindUint64, metrics.KindFloat64:
		if d.Cumulative {
			f.Type = model.Counter
		}
	case metrics.KindFloat64Histogram:
		f.Type = model.GaugeHistogram
		if d.Cumulative {
			f.Type = model.Histogram
		}
	default:
		return nil, false
	}
	return f, model.LegacyName(f.Name) && f.Check() == nil
}

// rebucketed converts a histogram of the runtime, which has up to hundreds of
// buckets, to one with few.
type rebucketed struct {
	bounds *model.Bounds
	ends   []int     // number of the runtime's buckets below each bound
	middle []float64 // of each of the runtime's buckets, for the sum; nil if that is exact
}

// exactSum names the metric of the runtime that is the sum of a histogram, if
// there is one.
func exactSum(histogram string) string {
	switch histogram {
	case "/gc/heap/allocs-by-size:bytes":
		return "/gc/heap/allocs:bytes"
	case "/gc/heap/frees-by-size:bytes":
		return "/gc/heap/frees:bytes"
	}
	return ""
}

// histogramMetric returns the family for a histogram of the runtime. Its
// buckets never change in a process.
func histogramMetric(header *model.Family, name string) goMetric {
	header.Help += " Sourced from " + name + "."
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	edges := sample[0].Value.Float64Histogram().Buckets

	r := &rebucketed{}
	m := goMetric{header: header, inputs: []string{name}, fill: r.fill}
	if sum := exactSum(name); sum != "" {
		m.inputs = append(m.inputs, sum)
		m.header.Help += " The sum is " + sum + "."
	} else {
		r.middle = middles(edges)
		m.header.Help += " The sum is an estimate."
	}
	upper := []float64{}
	for _, i := range thin(edges, header.Unit) {
		// The runtime's upper bounds do not belong to their buckets, ours do.
		upper = append(upper, math.Nextafter(edges[i], edges[i-1]))
		r.ends = append(r.ends, i)
	}
	upper = append(upper, math.Inf(1))
	r.ends = append(r.ends, len(edges)-1)
	r.bounds, _ = model.NewBounds(upper) // the runtime's edges are strictly increasing
	return m
}

// maxBuckets bounds the buckets of a histogram, +Inf apart.
const maxBuckets = 40

// thin returns the indexes of the runtime's edges that become bounds: edges
// about a factor apart, up to a second for seconds.
func thin(edges []float64, unit string) []int {
	factor, top := 2.0, math.MaxFloat64
	if unit == "seconds" {
		factor, top = 10, 1
	}
	for ; ; factor *= 2 {
		kept := spaced(edges, factor, top)
		if len(kept) <= maxBuckets {
			return kept
		}
	}
}

// spaced returns the inner edges up to top that are at least a factor apart.
func spaced(edges []float64, factor, top float64) []int {
	first := 0
	if math.IsInf(edges[0], -1) {
		first = 1
	}
	var kept []int
	last := edges[first]
	for i := first + 1; i < len(edges)-1 && edges[i] <= top; i++ {
		if edges[i] >= last*factor {
			kept = append(kept, i)
			last = edges[i]
		}
	}
	return kept
}

// middles returns the middle of each bucket, or its finite end.
func middles(edges []float64) []float64 {
	middle := make([]float64, len(edges)-1)
	for i := range middle {
		lower, upper := edges[i], edges[i+1]
		switch {
		case math.IsInf(lower, -1):
			middle[i] = upper
		case math.IsInf(upper, 1):
			middle[i] = lower
		default:
			middle[i] = (lower + upper) / 2
		}
	}
	return middle
}

func (r *rebucketed) fill(s *goState, inputs []int, p *model.Point) {
	h := p.Histogram
	if h == nil {
		h = &model.HistogramValue{Bounds: r.bounds, Cumulative: make([]float64, r.bounds.Len())}
		p.Histogram = h
	}
	h.Count, h.Sum = 0, 0
	bucket := 0
	for i, n := range s.samples[inputs[0]].Value.Float64Histogram().Counts {
		h.Count += float64(n)
		if r.middle != nil {
			h.Sum += r.middle[i] * float64(n)
		}
		if i+1 == r.ends[bucket] {
			h.Cumulative[bucket] = h.Count
			bucket++
		}
	}
	if r.middle == nil {
		var sum model.Point
		fillSum(s, inputs[1:], &sum)
		h.Sum = sum.Value
	}
}

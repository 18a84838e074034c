//go:build unix

package metamorphic

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"telltale/model"
)

// sample is a line of a page, but for its value.
type sample struct{ name, label, le, pid string }

func (s sample) String() string {
	return fmt.Sprintf("%s{n=%q le=%q pid=%q}", s.name, s.label, s.le, s.pid)
}

func compareSamples(a, b sample) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.label, b.label), cmp.Compare(a.le, b.le), cmp.Compare(a.pid, b.pid))
}

// page is what a reader has shown.
type page struct {
	values map[sample]float64
	bounds map[string][]float64 // of each histogram, but for +Inf; of native ones of each series, with its labels behind the name
	help   map[string]string
	types  map[string]model.Type
}

// read asks a collector.
func read(c model.Collector) (*page, error) {
	var families []*model.Family
	err := c.Collect(context.Background(), func(f *model.Family) error {
		families = append(families, f.Clone())
		return f.Check()
	})
	if err != nil {
		return nil, err
	}
	return pageOf(families)
}

func pageOf(families []*model.Family) (*page, error) {
	p := &page{values: make(map[sample]float64), bounds: make(map[string][]float64), help: make(map[string]string), types: make(map[string]model.Type)}
	for _, f := range families {
		if _, twice := p.help[f.Name]; twice {
			return nil, fmt.Errorf("%s is there twice", f.Name)
		}
		p.help[f.Name], p.types[f.Name] = f.Help, f.Type
		for s := range f.Samples() {
			if strings.HasSuffix(s.Name, "_created") || f.Type == model.Histogram && s.Name == f.Name { // that of native buckets

				continue
			}
			key := sample{name: s.Name, label: labelsOf(f, s.Labels)}
			key.le, _ = s.Labels.Get("le")
			key.pid, _ = s.Labels.Get("pid")
			if _, twice := p.values[key]; twice {
				return nil, fmt.Errorf("%v is there twice", key)
			}
			p.values[key] = s.Value
			if key.le != "" && key.le != "+Inf" {
				p.bounds[f.Name] = append(p.bounds[f.Name], number(key.le))
			}
		}
		if err := p.addNative(f); err != nil {
			return nil, err
		}
	}
	for name, bounds := range p.bounds {
		slices.Sort(bounds)
		p.bounds[name] = slices.Compact(bounds)
	}
	return p, nil
}

// labelsOf returns what tells a series of a family from others.
func labelsOf(f *model.Family, labels model.Labels) string {
	label, _ := labels.Get("n")
	if k, in := labels.Get("k"); in {
		label = "k=" + k
	}
	if v, in := labels.Get("v"); in {
		label += " v=" + v
	}
	if state, in := labels.Get(f.Name); in {
		label += " " + state
	}
	return label
}

// addNative adds what a histogram has natively: its count, its sum and, for each bucket,
// how many observations are at most its upper bound, as samples of the name _native.
func (p *page) addNative(f *model.Family) error {
	return f.Visit(new(model.Point), func(point *model.Point) error {
		if point.Histogram == nil || point.Histogram.Native == nil {
			return nil
		}
		n, below, label := point.Histogram.Native, 0.0, labelsOf(f, point.Labels)
		p.values[sample{name: f.Name + "_count", label: label}] = n.Count
		p.values[sample{name: f.Name + "_sum", label: label}] = n.Sum
		add := func(bound, count float64) {
			below += count
			p.values[sample{name: f.Name + "_native", label: label, le: model.FormatValue(bound)}] = below
			p.bounds[f.Name+" "+label] = append(p.bounds[f.Name+" "+label], bound)
		}
		if n.ZeroCount > 0 {
			add(n.ZeroThreshold, n.ZeroCount)
		}
		index, at := int32(0), 0
		for _, span := range n.PositiveSpans {
			index += span.Offset
			for range span.Length {
				add(math.Exp2(math.Ldexp(float64(index), int(-n.Schema))), n.Positive[at])
				index, at = index+1, at+1
			}
		}
		if len(n.Negative) > 0 || n.Count != below {
			return fmt.Errorf("%s has %v native observations in buckets that hold %v", f.Name, n.Count, below)
		}
		return nil
	})
}

// differs returns the first sample in which two pages differ.
func (p *page) differs(other *page) string {
	all := maps.Clone(p.values)
	maps.Copy(all, other.values)
	for _, key := range slices.SortedFunc(maps.Keys(all), compareSamples) {
		a, in := p.values[key]
		b, inOther := other.values[key]
		if in != inOther || math.Float64bits(a) != math.Float64bits(b) {
			return fmt.Sprintf("%v is %v (%v) and %v (%v)", key, a, in, b, inOther)
		}
	}
	for _, name := range sorted(p.help) {
		if p.help[name] != other.help[name] {
			return fmt.Sprintf("the help of %s is %q and %q", name, p.help[name], other.help[name])
		}
	}
	return ""
}

// misses returns the first sample that is not as expected.
func (p *page) misses(expected map[sample]expectation, behind bool) string {
	for _, key := range slices.SortedFunc(maps.Keys(expected), compareSamples) {
		e := expected[key]
		v, in := p.values[key]
		if !in && !e.optional {
			return fmt.Sprintf("%v is missing, it has to be %v", key, e)
		}
		if in && (v < e.least || v > e.most || math.IsNaN(v)) {
			return fmt.Sprintf("%v is %v, it has to be %v", key, v, e)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(p.values), compareSamples) {
		if _, known := expected[key]; !known && (!behind || !isOfTheLiving(key.name)) {
			return fmt.Sprintf("%v is %v, it has to be gone", key, p.values[key])
		}
	}
	return ""
}

func (e expectation) String() string {
	if e.least == e.most {
		return fmt.Sprint(e.least)
	}
	return fmt.Sprintf("%v to %v", e.least, e.most)
}

// falls returns the first total that is less than on an earlier page, or gone.
func (p *page) falls(earlier *page, may func(family string) bool) string {
	for _, key := range slices.SortedFunc(maps.Keys(earlier.values), compareSamples) {
		family, part, _ := strings.Cut(key.name, "_")
		if part == "" || may(family) || isContested(family) || isOfTheLiving(family) {
			continue
		}
		now, in := p.values[key]
		bound := key.le == "" || part == "native" && in || key.le == "+Inf" || slices.Contains(p.bounds[family], number(key.le))
		if bound && (!in || now < earlier.values[key]) {
			return fmt.Sprintf("%v falls from %v to %v (%v)", key, earlier.values[key], now, in)
		}
	}
	return ""
}

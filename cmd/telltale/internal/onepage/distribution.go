package onepage

import (
	"math"
	"slices"

	"telltale/model"
)

// distribution is what a target has in a histogram, or in a summary without its
// quantiles.
type distribution struct {
	upper  []float64 // the bounds of buckets but +Inf
	counts []float64 // by bucket, each for itself; the last is +Inf's
	sum    float64
}

// distributionOf returns the content of a point, and false if it has no valid one.
func distributionOf(p *model.Point) (d distribution, ok bool) {
	var count float64
	switch {
	case p.Summary != nil:
		count, d.sum = p.Summary.Count, p.Summary.Sum
	case p.Histogram != nil && p.Histogram.Bounds != nil && len(p.Histogram.Cumulative) == p.Histogram.Bounds.Len():
		count, d.sum = p.Histogram.Count, p.Histogram.Sum
		for i, upper := range p.Histogram.Bounds.Upper() {
			cumulative := p.Histogram.Cumulative[i]
			if math.IsInf(upper, 1) {
				count = cumulative
				break
			}
			d.upper, d.counts = append(d.upper, upper), append(d.counts, cumulative)
		}
	case p.Histogram != nil:
		count, d.sum = p.Histogram.Count, p.Histogram.Sum
		if n := p.Histogram.Native; n != nil {
			count, d.sum = n.Count, n.Sum
		}
	default:
		return d, false
	}
	d.counts = append(d.counts, count)
	for i := len(d.counts) - 1; i > 0; i-- {
		d.counts[i] -= d.counts[i-1]
	}
	return d, !slices.ContainsFunc(d.counts, func(n float64) bool { return !(n >= 0) || math.IsInf(n, 1) })
}

// count returns the number of observations.
func (d *distribution) count() float64 {
	var all total
	for _, n := range d.counts {
		all.add(n)
	}
	return all.hi
}

// fell reports whether a histogram began anew after it had that content.
func (d *distribution) fell(had *distribution) bool {
	if !slices.Equal(d.upper, had.upper) {
		return true
	}
	for i, n := range d.counts {
		if n < had.counts[i] {
			return true
		}
	}
	return false
}

// layout is what targets with the same bounds have counted.
type layout struct {
	upper     []float64
	counts    []total           // by bucket, as in distribution
	exemplars []*model.Exemplar // by bucket; nil if there are none
}

// maxLayouts is the largest number of different bounds that a series shows. A target
// with others counts at the bounds that are there.
const maxLayouts = 8

// distributions is the total of a histogram or summary.
type distributions struct {
	layouts []*layout
	sum     total
	hasSum  bool
	bounds  *model.Bounds // of the layouts; nil if they have changed
	native  *nativeTotal  // nil if no target has native buckets
}

// layoutOf returns the layout for bounds, nil if there are too many.
func (t *distributions) layoutOf(upper []float64) *layout {
	for _, l := range t.layouts {
		if slices.Equal(l.upper, upper) {
			return l
		}
	}
	if len(t.layouts) == maxLayouts {
		return nil
	}
	l := &layout{upper: upper, counts: make([]total, len(upper)+1)}
	t.layouts, t.bounds = append(t.layouts, l), nil
	return l
}

// add adds what a target has more than before.
func (t *distributions) add(had, has *distribution) {
	t.sum.advance(had.sum, has.sum)
	l := t.layoutOf(has.upper)
	for i, n := range has.counts {
		before := 0.0
		if had.counts != nil {
			before = had.counts[i]
		}
		if l != nil {
			l.counts[i].rise(before, n)
			continue
		}
		// Of the first layout's buckets this is the first that ends at or above its own.
		upper := math.Inf(1)
		if i < len(has.upper) {
			upper = has.upper[i]
		}
		first := t.layouts[0]
		at, _ := slices.BinarySearch(first.upper, upper)
		first.counts[at].rise(before, n)
	}
}

// exemplify keeps the newest exemplars of buckets.
func (t *distributions) exemplify(h *model.HistogramValue, upper []float64) {
	if h == nil || len(h.Exemplars) == 0 {
		return
	}
	l := t.layoutOf(upper)
	if l == nil {
		return
	}
	if l.exemplars == nil {
		l.exemplars = make([]*model.Exemplar, len(l.counts))
	}
	for i, e := range h.Exemplars[:min(len(h.Exemplars), len(l.exemplars))] {
		l.exemplars[i] = newer(l.exemplars[i], e)
	}
}

// newer returns a copy of the exemplar that is new unless the one that is there has a
// later time.
func newer(had, e *model.Exemplar) *model.Exemplar {
	if e == nil || had != nil && had.Timestamp.Compare(e.Timestamp) >= 0 {
		return had
	}
	return &model.Exemplar{Labels: e.Labels.Clone(), Value: e.Value, Timestamp: e.Timestamp}
}

// count returns the number of observations.
func (t *distributions) count() float64 {
	var all total
	for _, l := range t.layouts {
		for _, n := range l.counts {
			all.add(n.hi)
		}
	}
	return all.hi
}

// histogram returns the total as a histogram with the bounds of all layouts.
func (t *distributions) histogram() (*model.HistogramValue, error) {
	if t.bounds == nil {
		var all []float64
		for _, l := range t.layouts {
			all = append(all, l.upper...)
		}
		slices.Sort(all)
		bounds, err := model.NewBounds(append(slices.Compact(all), math.Inf(1)))
		if err != nil {
			return nil, err
		}
		t.bounds = bounds
	}
	upper := t.bounds.Upper()
	h := &model.HistogramValue{Bounds: t.bounds, Cumulative: make([]float64, len(upper)), Sum: t.sum.hi}
	for _, l := range t.layouts {
		var below total
		next := 0
		for i, bound := range upper {
			for next < len(l.counts) && (next == len(l.upper) || l.upper[next] <= bound) && (next < len(l.upper) || i == len(upper)-1) {
				if e := l.exemplarOf(next); e != nil && (next == len(l.upper) || l.upper[next] == bound) {
					if h.Exemplars == nil {
						h.Exemplars = make([]*model.Exemplar, len(upper))
					}
					h.Exemplars[i] = newer(h.Exemplars[i], e)
				}
				below.add(l.counts[next].hi)
				next++
			}
			h.Cumulative[i] += below.hi
		}
	}
	h.Count = h.Cumulative[len(upper)-1]
	return h, nil
}

func (l *layout) exemplarOf(bucket int) *model.Exemplar {
	if l.exemplars == nil {
		return nil
	}
	return l.exemplars[bucket]
}

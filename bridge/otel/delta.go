package otelbridge

import (
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale/internal/unfit"
)

// deltas adds up what a reader with delta temporality says at each collection, so
// that the page has totals. A series that is silent for a while stays.
type deltas struct {
	most    int // series
	series  int
	metrics map[metricKey]total
	order   []*heldScope
}

// metricKey tells one metric from others.
type metricKey struct {
	scope      instrumentation.Scope
	name, unit string
	kind       string
}

// heldScope is a scope with its totals.
type heldScope struct {
	scope  instrumentation.Scope
	totals []heldTotal
}

type heldTotal struct {
	header metricdata.Metrics // without data
	total  total
}

// total is what a metric has added up to.
type total interface {
	// add adds the points of a delta of the same type, taking room for new series,
	// and returns how many points there was no room for.
	add(data metricdata.Aggregation, room *int) (left int, err error)
	data() metricdata.Aggregation
}

func newDeltas(most int) deltas {
	return deltas{most: most, metrics: make(map[metricKey]total)}
}

// absorb adds the metrics with delta temporality to the totals and takes them out of
// the scopes.
func (d *deltas) absorb(scopes []metricdata.ScopeMetrics, wrong *unfit.List) {
	for i := range scopes {
		s := &scopes[i]
		left := s.Metrics[:0:0]
		for j := range s.Metrics {
			m := &s.Metrics[j]
			fresh := newTotal(m.Data)
			if fresh == nil {
				left = append(left, *m)
				continue
			}
			if err := d.add(&s.Scope, m, fresh); err != nil {
				wrong.LeaveOut(m.Name, err)
			}
		}
		s.Metrics = left
	}
}

func (d *deltas) add(scope *instrumentation.Scope, m *metricdata.Metrics, fresh total) error {
	key := metricKey{*scope, m.Name, m.Unit, fmt.Sprintf("%T", fresh)}
	t := d.metrics[key]
	if t == nil {
		if d.series >= d.most {
			return fmt.Errorf("there are %d series of delta temporality, which is the limit (WithMaxSeries)", d.series)
		}
		t = fresh
		d.metrics[key] = t
		d.hold(scope, m, t)
	}
	room := d.most - d.series
	left, err := t.add(m.Data, &room)
	d.series = d.most - room
	if left > 0 && err == nil {
		err = fmt.Errorf("%d of its series of delta temporality are beyond the limit of %d (WithMaxSeries)", left, d.most)
	}
	return err
}

func (d *deltas) hold(scope *instrumentation.Scope, m *metricdata.Metrics, t total) {
	at := slices.IndexFunc(d.order, func(h *heldScope) bool { return h.scope == *scope })
	if at < 0 {
		at = len(d.order)
		d.order = append(d.order, &heldScope{scope: *scope})
	}
	d.order[at].totals = append(d.order[at].totals, heldTotal{metricdata.Metrics{Name: m.Name, Description: m.Description, Unit: m.Unit}, t})
}

// scopes returns the totals, in the order in which they were first seen. They are
// valid until the next call of absorb.
func (d *deltas) scopes() []*metricdata.ScopeMetrics {
	var all []*metricdata.ScopeMetrics
	for _, held := range d.order {
		s := &metricdata.ScopeMetrics{Scope: held.scope}
		for _, t := range held.totals {
			m := t.header
			m.Data = t.total.data()
			s.Metrics = append(s.Metrics, m)
		}
		all = append(all, s)
	}
	return all
}

// newTotal returns an empty total for data with delta temporality, nil for others.
func newTotal(data metricdata.Aggregation) total {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		return newTotalOf(d.Temporality, sums[int64](d.IsMonotonic))
	case metricdata.Sum[float64]:
		return newTotalOf(d.Temporality, sums[float64](d.IsMonotonic))
	case metricdata.Histogram[int64]:
		return newTotalOf(d.Temporality, boundedHistograms[int64]())
	case metricdata.Histogram[float64]:
		return newTotalOf(d.Temporality, boundedHistograms[float64]())
	case metricdata.ExponentialHistogram[int64]:
		return newTotalOf(d.Temporality, exponentialHistograms[int64]())
	case metricdata.ExponentialHistogram[float64]:
		return newTotalOf(d.Temporality, exponentialHistograms[float64]())
	}
	return nil
}

// totalOf is the total of data of type D, which have points of type P.
type totalOf[D metricdata.Aggregation, P any] struct {
	how    adding[D, P]
	points []P
	index  map[attribute.Distinct]int // of points, by attributes
}

// adding is how data of one type are added up.
type adding[D metricdata.Aggregation, P any] struct {
	points     func(D) []P
	attributes func(*P) *attribute.Set
	clone      func(P) P               // a point that may be kept: the SDK uses slices again
	merge      func(to, from *P) error // adds from to a total
	cumulative func([]P) D
}

func newTotalOf[D metricdata.Aggregation, P any](t metricdata.Temporality, how adding[D, P]) total {
	if t != metricdata.DeltaTemporality {
		return nil
	}
	return &totalOf[D, P]{how: how, index: make(map[attribute.Distinct]int)}
}

func (t *totalOf[D, P]) data() metricdata.Aggregation { return t.how.cumulative(t.points) }

func (t *totalOf[D, P]) add(data metricdata.Aggregation, room *int) (left int, err error) {
	points := t.how.points(data.(D))
	for i := range points {
		key := t.how.attributes(&points[i]).Equivalent()
		at, ok := t.index[key]
		switch {
		case ok:
			if e := t.how.merge(&t.points[at], &points[i]); e != nil {
				err = e
			}
		case *room <= 0:
			left++
		default:
			*room--
			t.index[key] = len(t.points)
			t.points = append(t.points, t.how.clone(points[i]))
		}
	}
	return left, err
}

func sums[N int64 | float64](monotonic bool) adding[metricdata.Sum[N], metricdata.DataPoint[N]] {
	type point = metricdata.DataPoint[N]
	return adding[metricdata.Sum[N], point]{
		points:     func(d metricdata.Sum[N]) []point { return d.DataPoints },
		attributes: func(p *point) *attribute.Set { return &p.Attributes },
		clone:      func(p point) point { p.Exemplars = slices.Clone(p.Exemplars); return p },
		merge: func(to, from *point) error {
			to.Value += from.Value
			to.Time = from.Time
			to.Exemplars = newer(to.Exemplars, from.Exemplars)
			return nil
		},
		cumulative: func(all []point) metricdata.Sum[N] {
			return metricdata.Sum[N]{DataPoints: all, Temporality: metricdata.CumulativeTemporality, IsMonotonic: monotonic}
		},
	}
}

// newer returns the exemplars of a delta, or those before if it has none.
func newer[N int64 | float64](before, now []metricdata.Exemplar[N]) []metricdata.Exemplar[N] {
	if len(now) == 0 {
		return before
	}
	return append(before[:0], now...)
}

func boundedHistograms[N int64 | float64]() adding[metricdata.Histogram[N], metricdata.HistogramDataPoint[N]] {
	type point = metricdata.HistogramDataPoint[N]
	return adding[metricdata.Histogram[N], point]{
		points:     func(d metricdata.Histogram[N]) []point { return d.DataPoints },
		attributes: func(p *point) *attribute.Set { return &p.Attributes },
		clone:      cloneHistogram[N],
		merge:      mergeHistogram[N],
		cumulative: func(all []point) metricdata.Histogram[N] {
			return metricdata.Histogram[N]{DataPoints: all, Temporality: metricdata.CumulativeTemporality}
		},
	}
}

func cloneHistogram[N int64 | float64](p metricdata.HistogramDataPoint[N]) metricdata.HistogramDataPoint[N] {
	p.Bounds, p.BucketCounts, p.Exemplars = slices.Clone(p.Bounds), slices.Clone(p.BucketCounts), slices.Clone(p.Exemplars)
	return p
}

// mergeHistogram adds from to a total. A total of other bounds begins again, with
// another start time.
func mergeHistogram[N int64 | float64](to, from *metricdata.HistogramDataPoint[N]) error {
	if err := (histograms[N]{*from}).check(0); err != nil {
		return err
	}
	if !slices.Equal(to.Bounds, from.Bounds) || len(to.BucketCounts) != len(from.BucketCounts) {
		*to = cloneHistogram(*from)
		return nil
	}
	to.Count += from.Count
	to.Sum += from.Sum
	for i, c := range from.BucketCounts {
		to.BucketCounts[i] += c
	}
	to.Time = from.Time
	to.Exemplars = newer(to.Exemplars, from.Exemplars)
	return nil
}

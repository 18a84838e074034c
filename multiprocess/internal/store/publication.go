package store

import (
	"context"
	"math"
	"slices"
	"sync"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess/internal/segment"
)

// publication is what one registry's custom collectors emitted last, as other
// processes see it.
type publication struct {
	store   *Store
	refresh func(context.Context)

	mu       sync.Mutex
	families map[string]*published // by name
}

// published is the rows of one family, by series.
type published struct {
	series map[publishedKey]publishedRow
	round  int
}

// publishedKey is a series of a family. Rows of one family differ in layout where
// its series have different buckets or states.
type publishedKey struct {
	rows         *rows
	labels, info model.Labels
}

type publishedRow struct {
	row   *cell.Word
	round int // the last in which it was emitted
}

// Publication implements [cell.Store].
func (s *Store) Publication(refresh func(context.Context)) cell.Publication {
	p := &publication{store: s, refresh: refresh, families: make(map[string]*published)}
	s.mu.Lock()
	s.publications = append(s.publications[:len(s.publications):len(s.publications)], p)
	s.mu.Unlock()
	return p
}

// Publish implements [cell.Publication]. Gauges and values of unknown type merge by
// the mode. Quantiles are left out, since they do not add up, and native buckets,
// since a collector may emit any of them, and of any number: of their histograms the
// classic buckets, the count and the sum are shown.
func (p *publication) Publish(f *model.Family, mode uint8) {
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := p.families[f.Name]
	if shown == nil {
		shown = &published{series: make(map[publishedKey]publishedRow)}
		p.families[f.Name] = shown
	}
	shown.round++
	var scratch model.Point
	var rows *rows
	_ = f.Visit(&scratch, func(point *model.Point) error {
		if rows == nil || !rows.fits(point) {
			rows = p.rowsFor(f, mode, point)
		}
		key := publishedKey{rows: rows, labels: point.Labels}
		if f.Type == model.Info {
			key.info = point.Info
		}
		found, known := shown.series[key]
		if !known {
			key.labels, key.info = key.labels.Clone(), key.info.Clone()
			found.row = rows.Add(key.labels, point.Created.Time())
		}
		rows.set(found.row, point)
		if point.Created.IsSet() {
			rows.Touch(found.row, point.Created.Time())
		}
		found.round = shown.round
		shown.series[key] = found
		return nil
	})
	shown.withdraw(func(r publishedRow) bool { return r.round != shown.round })
}

// fits reports whether a point has the buckets or states that the rows have.
func (r *rows) fits(point *model.Point) bool {
	switch r.family.Layout {
	case segment.LayoutFloats:
		return slices.Equal(r.family.Bounds, boundsOf(point))
	case segment.LayoutState:
		return slices.EqualFunc(r.family.States, point.States, func(name string, s model.State) bool { return name == s.Name })
	}
	return true
}

var onlyInfinity = []float64{math.Inf(1)}

// boundsOf returns the bounds of a histogram, which has one bucket for all at
// least.
func boundsOf(point *model.Point) []float64 {
	if point.Histogram.Bounds.Len() == 0 {
		return onlyInfinity
	}
	return point.Histogram.Bounds.Upper()
}

// rowsFor returns the rows of a family whose points are like the given one.
func (p *publication) rowsFor(f *model.Family, mode uint8, point *model.Point) *rows {
	family := segment.Family{Name: f.Name, Help: f.Help, Unit: f.Unit, Type: f.Type, Published: true}
	if f.Type == model.Gauge || f.Type == model.Unknown {
		family.Mode = mode
	}
	if f.Type == model.Counter && f.Merge != model.MergeSum { // as counters do anyway
		family.Merge = f.Merge
	}
	family.Layout = rowLayout(f.Type, family.Mode)
	switch f.Type {
	case model.Histogram, model.GaugeHistogram:
		family.Layout, family.Bounds = segment.LayoutFloats, boundsOf(point)
	case model.StateSet:
		for _, s := range point.States {
			family.States = append(family.States, s.Name)
		}
	}
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	return p.store.rows(family)
}

// Retain implements [cell.Publication].
func (p *publication) Retain(keep func(name string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, shown := range p.families {
		if !keep(name) {
			shown.withdraw(func(publishedRow) bool { return true })
			delete(p.families, name)
		}
	}
}

// withdraw takes out the series that are over.
func (f *published) withdraw(over func(publishedRow) bool) {
	for key, found := range f.series {
		if over(found) {
			key.rows.Remove(found.row)
			delete(f.series, key)
		}
	}
}

// Package board keeps what a live table of metrics shows: the series of several
// targets with their last values, rates and recent history. It reads nothing and
// draws nothing. A board is not safe for concurrent use.
package board

import (
	"math"
	"strings"
	"time"

	"telltale/model"
)

// DefaultLimit is the number of series that a board keeps unless told otherwise.
const DefaultLimit = 50_000

// History is how many recent values of a series are kept.
const History = 60

// keepGone is for how many readings a series is shown that the target has no more.
const keepGone = 5

// Board holds the series of targets.
type Board struct {
	limit   int
	targets []*Target
	rows    map[key]*Row
}

// key identifies a row.
type key struct {
	target       int
	name, labels string
}

// Target is where series come from.
type Target struct {
	Name     string
	Families int
	Series   int           // of the last reading, those beyond the limit included
	Left     int           // series that are not shown, because of the limit
	Readings int           // that succeeded
	Last     time.Time     // when it was last read
	Took     time.Duration // to read it
	Note     string        // what was wrong with the last reading, though it succeeded
	Err      error         // of the last reading
	Since    time.Time     // when Err began
}

// Row is a series. A histogram or summary is one row.
type Row struct {
	Target    int // index of its target
	Name      string
	Labels    string // as in text: a="x",b="y"
	Type      model.Type
	Unit      string
	Help      string
	Value     float64   // of histograms and summaries the number of observations
	Rate      float64   // a second, of what only grows; NaN if it is not known
	Text      string    // of infos and state sets, instead of a value
	Trend     []float64 // rates of what only grows, else values; NaN where the target was away
	Sum       float64   // of histograms and summaries
	Mean      float64   // of the observations since the reading before; NaN without any
	Buckets   []Bucket  // of a histogram, in increasing order
	Recent    bool      // the buckets hold what came since the reading before, else all
	Quantiles []model.Quantile
	Gone      int // readings since the target had it last

	at         time.Time
	order      int
	cumulative []Bucket // counts of all time, by bucket
}

// Bucket is a bucket of a histogram, with the observations in it alone.
type Bucket struct {
	Upper float64
	Count float64
}

// New returns a board for targets, which keeps at most limit series.
func New(limit int, targets ...string) *Board {
	b := &Board{limit: limit, rows: make(map[key]*Row)}
	for _, name := range targets {
		b.targets = append(b.targets, &Target{Name: name})
	}
	return b
}

// Targets returns the targets; they change with the board.
func (b *Board) Targets() []*Target { return b.targets }

// Update takes a reading of a target. The board keeps parts of the families.
func (b *Board) Update(target int, at time.Time, families []*model.Family) {
	t := b.targets[target]
	t.Err, t.Since, t.Last = nil, time.Time{}, at
	t.Readings++
	t.Families, t.Series, t.Left = len(families), 0, 0
	for _, r := range b.rows {
		if r.Target == target {
			r.Gone++
		}
	}
	for _, f := range families {
		var scratch model.Point
		_ = f.Visit(&scratch, func(p *model.Point) error { // the function returns no error
			if r := b.row(target, f, f.SampleName(), p.Labels.Text()); r != nil {
				r.take(at, f.Type, p)
			}
			return nil
		})
		for _, s := range f.Loose() {
			if r := b.row(target, f, s.Name, s.Labels.Text()); r != nil {
				r.number(at, s.Value, false)
			}
		}
	}
	for k, r := range b.rows {
		if r.Target == target && r.Gone > keepGone {
			delete(b.rows, k)
		} else if r.Target == target && r.Gone > 0 {
			r.push(math.NaN())
		}
	}
}

// Fail takes a reading of a target that failed. Its series stay, with a gap.
func (b *Board) Fail(target int, at time.Time, err error) {
	t := b.targets[target]
	if t.Err == nil {
		t.Since = at
	}
	t.Err, t.Note = err, ""
	for _, r := range b.rows {
		if r.Target == target {
			r.push(math.NaN())
		}
	}
}

// row returns the row of a series, or nil if there is no room for it.
func (b *Board) row(target int, f *model.Family, name, labels string) *Row {
	t := b.targets[target]
	t.Series++
	k := key{target, name, labels}
	r := b.rows[k]
	if r == nil {
		if len(b.rows) >= b.limit {
			t.Left++
			return nil
		}
		k.name, k.labels = strings.Clone(name), strings.Clone(labels) // the page may be large
		r = &Row{Target: target, Name: k.name, Labels: k.labels, Rate: math.NaN(), Mean: math.NaN()}
		b.rows[k] = r
	}
	r.Type, r.Unit, r.Help, r.Gone, r.order = f.Type, f.Unit, f.Help, 0, t.Series
	return r
}

// take sets a row to what a point has.
func (r *Row) take(at time.Time, kind model.Type, p *model.Point) {
	r.Text, r.Buckets, r.Quantiles = "", nil, nil
	switch {
	case p.Histogram != nil:
		h := p.Histogram
		count, sum := h.Count, h.Sum
		if h.Native != nil && h.Bounds == nil {
			count, sum = h.Native.Count, h.Native.Sum
		}
		r.average(count, sum)
		r.bars(bucketsOf(h))
		r.number(at, count, kind == model.Histogram)
	case p.Summary != nil:
		r.average(p.Summary.Count, p.Summary.Sum)
		r.Quantiles = append(r.Quantiles, p.Summary.Quantiles...)
		r.number(at, p.Summary.Count, true)
	case kind == model.StateSet:
		r.Text = "none"
		for i, s := range p.States {
			if s.On {
				r.Text = strings.Clone(s.Name)
				r.number(at, float64(i), false)
			}
		}
	case kind == model.Info:
		r.Text = strings.Clone(p.Info.Text())
		r.number(at, 1, false)
	default:
		r.number(at, p.Value, kind == model.Counter)
	}
}

// average sets the mean of the observations since the reading before.
func (r *Row) average(count, sum float64) {
	r.Mean = math.NaN()
	if more := count - r.Value; len(r.Trend) > 0 && more > 0 {
		r.Mean = (sum - r.Sum) / more
	}
	r.Sum = sum
}

// number sets the value and what follows from it. A value of what only grows that is
// lower than the one before is counted from zero, as in Prometheus.
func (r *Row) number(at time.Time, v float64, grows bool) {
	before, elapsed, first := r.Value, at.Sub(r.at).Seconds(), r.at.IsZero()
	r.Value, r.at = v, at
	switch {
	case !grows:
		r.Rate = math.NaN()
		r.push(v)
	case first || elapsed <= 0:
		r.push(math.NaN())
	default:
		more := v - before
		if more < 0 {
			more = v
		}
		r.Rate = more / elapsed
		r.push(r.Rate)
	}
}

func (r *Row) push(v float64) {
	if len(r.Trend) == History {
		copy(r.Trend, r.Trend[1:])
		r.Trend = r.Trend[:History-1]
	}
	r.Trend = append(r.Trend, v)
}

// bars sets the buckets: what came since the reading before if something did.
func (r *Row) bars(all []Bucket) {
	before := make(map[float64]float64, len(r.cumulative))
	for _, b := range r.cumulative {
		before[b.Upper] = b.Count
	}
	recent, some := make([]Bucket, 0, len(all)), false
	for _, b := range all {
		more := b.Count - before[b.Upper]
		if more < 0 {
			recent = nil // a reset
			break
		}
		some = some || more > 0
		recent = append(recent, Bucket{b.Upper, more})
	}
	r.Recent = len(before) > 0 && recent != nil && some
	r.cumulative, r.Buckets = all, all
	if r.Recent {
		r.Buckets = recent
	}
}

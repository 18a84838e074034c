package multiprocess

import (
	"slices"
	"strings"

	"telltale/model"
)

// view is a family as it is emitted: its series, sorted by labels and then by
// the pid that merging adds, with the slots of their values. It never changes.
type view struct {
	header *model.Family
	typ    model.Type
	timed  bool // a series without a time has no value
	legacy bool // all label names are legacy names
	points []point
	loose  []looseSample
}

// point is a series of one value, or of several, which lie behind more.
type point struct {
	labels string
	slot   uint32
	more   *compound
}

// compound is a summary or a histogram.
type compound struct {
	sum, count uint32
	bounds     *model.Bounds
	buckets    []uint32
}

// looseSample is a sample that fits no part of its family's type.
type looseSample struct {
	name   string
	labels model.Labels
	slot   uint32
}

func (v *view) len() int { return len(v.points) + len(v.loose) }

// newView makes the view of a family from the slots that are marked.
func (c *catalog) newView(f *family) *view {
	// Not NewFamily: whatever is in the file stays as it is, and the registry
	// checks what it is given.
	v := &view{
		header: &model.Family{Name: f.name, Help: f.help, Unit: f.unit, Type: f.typ},
		typ:    f.typ, legacy: !f.quoted,
		timed: f.typ == model.Gauge && f.mode.operation() == opLatest,
	}
	order := make([]*series, len(f.series))
	n := 0
	for i := range f.series {
		order[i] = &f.series[i]
		n += max(1, len(order[i].processes))
	}
	byLabels := func(a, b *series) int { return strings.Compare(a.labels, b.labels) }
	if !slices.IsSortedFunc(order, byLabels) {
		slices.SortFunc(order, byLabels)
	}
	v.points = make([]point, 0, n)
	var last *model.Bounds
	for _, s := range order {
		p := point{labels: s.labels, slot: s.value}
		if p.slot != 0 && !c.marked[p.slot] {
			p.slot = 0
		}
		if s.more != nil {
			p.more = c.compound(s.more, &last)
		}
		if p.slot != 0 || p.more != nil {
			v.points = append(v.points, p)
		}
		v.points = c.appendProcesses(v.points, s)
	}
	for s, slot := range f.loose {
		if c.marked[slot] {
			s.slot = slot
			v.loose = append(v.loose, s)
		}
	}
	slices.SortFunc(v.loose, func(a, b looseSample) int {
		return strings.Compare(a.name+"\xff"+a.labels.Text(), b.name+"\xff"+b.labels.Text())
	})
	return v
}

// appendProcesses appends the series of processes, sorted by pid, the last of
// those of one process. Those without a file are forgotten: their slots will not
// be used again.
func (c *catalog) appendProcesses(points []point, s *series) []point {
	s.processes = slices.DeleteFunc(s.processes, func(p process) bool { return !c.marked[p.slot] })
	byLabels := func(a, b process) int { return strings.Compare(a.labels, b.labels) }
	if !slices.IsSortedFunc(s.processes, byLabels) {
		slices.SortStableFunc(s.processes, byLabels)
	}
	for i, p := range s.processes {
		if i+1 == len(s.processes) || s.processes[i+1].labels != p.labels {
			points = append(points, point{labels: p.labels, slot: p.slot})
		}
	}
	return points
}

// compound returns the marked slots, or nil if there are none. Bounds equal to
// the last ones are shared.
func (c *catalog) compound(p *parts, last **model.Bounds) *compound {
	made := &compound{}
	some := false
	keep := func(slot uint32) uint32 {
		if slot == 0 || !c.marked[slot] {
			return 0
		}
		some = true
		return slot
	}
	made.sum, made.count = keep(p.sum), keep(p.count)
	var upper []float64
	for _, b := range p.buckets {
		if slot := keep(b.slot); slot != 0 {
			upper, made.buckets = append(upper, b.upper), append(made.buckets, slot)
		}
	}
	if len(upper) > 0 {
		if !slices.Equal((*last).Upper(), upper) {
			*last, _ = model.NewBounds(upper) // sorted, different and numbers: the catalog saw to it
		}
		made.bounds = *last
	}
	if !some {
		return nil
	}
	return made
}

// family returns the family with its values. The totals must stay as they are
// while it is used.
func (v *view) family(t *totals, buckets bucketing) *model.Family {
	f := v.header.WithPoints(&values{v, t, buckets})
	for _, s := range v.loose {
		f.AddSample(s.name, s.labels.Map(), t.values[s.slot])
	}
	return f
}

// bucketing is how a histogram's buckets are shown.
type bucketing bool

const (
	cumulative bucketing = true  // at or below the bound, with a count
	raw        bucketing = false // between the bounds, as the files have them
)

// values is the points of a family at one moment.
type values struct {
	view    *view
	totals  *totals
	buckets bucketing
}

// LegacyLabels reports whether all label names are legacy names.
func (s *values) LegacyLabels() bool { return s.view.legacy }

// VisitPoints implements [model.Source].
func (s *values) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	v, t := s.view, s.totals
	var histogram model.HistogramValue
	var summary model.SummaryValue
	*scratch = model.Point{}
	whole := v.typ.Parts() &^ model.PartCreated
	for i := range v.points {
		p := &v.points[i]
		if v.timed && t.times[p.slot] == 0 {
			continue
		}
		scratch.Labels = model.LabelsFromText(p.labels)
		switch {
		case p.more == nil:
			scratch.Has, scratch.Value = whole, t.values[p.slot]
		case v.typ == model.Summary:
			summary = model.SummaryValue{Count: t.values[p.more.count], Sum: t.values[p.more.sum]}
			scratch.Has, scratch.Summary = p.more.has(), &summary
		default:
			s.fill(&histogram, p.more)
			scratch.Has, scratch.Histogram = p.more.has(), &histogram
			if p.more.bounds != nil && s.buckets == cumulative {
				scratch.Has |= model.PartCount
			}
		}
		if err := visit(scratch); err != nil {
			return err
		}
	}
	return nil
}

func (c *compound) has() (has model.Parts) {
	if c.sum != 0 {
		has |= model.PartSum
	}
	if c.count != 0 {
		has |= model.PartCount
	}
	if c.bounds != nil {
		has |= model.PartBucket
	}
	return has
}

// fill reads a histogram.
func (s *values) fill(h *model.HistogramValue, c *compound) {
	t := s.totals.values
	h.Bounds, h.Sum, h.Count, h.Cumulative = c.bounds, t[c.sum], t[c.count], h.Cumulative[:0]
	below := 0.0
	for _, slot := range c.buckets {
		if s.buckets == cumulative {
			below += t[slot]
			h.Cumulative = append(h.Cumulative, below)
		} else {
			h.Cumulative = append(h.Cumulative, t[slot])
		}
	}
	if s.buckets == cumulative && c.bounds != nil {
		h.Count = below
	}
}

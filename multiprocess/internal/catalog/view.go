package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"telltale/model"
)

// View is a family as it is emitted: its series, sorted by labels and then by
// the pid that merging adds, with the slots of their values. It never changes.
type View struct {
	header *model.Family
	typ    model.Type
	timed  bool // a series without a time has no value
	legacy bool // all label names are legacy names
	states []string
	points []point
	loose  []looseSample

	collided  int       // series left out for those of the same pid
	collision *Conflict // the last such
}

// point is a series of one value, or of several, which lie behind more.
type point struct {
	labels  string
	slot    uint32 // or that of the sum
	certain bool   // else it is there if a row was
	again   bool   // instead of the one before, if that is not there
	more    *compound
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

func (v *View) len() int { return len(v.points) + len(v.loose) }

// newView makes the view of a family from the slots that are marked.
func (c *Catalog) newView(f *family) *View {
	// Not NewFamily: whatever is in the file stays as it is, and the registry
	// checks what it is given.
	v := &View{
		header: &model.Family{Name: f.name, Help: f.help, Unit: f.unit, Type: f.typ},
		typ:    f.typ, states: f.States,
		legacy: !f.Quoted && f.typ != model.Info, // whose values may be labels of any name
		timed:  f.Operation() == OpLatest,
	}
	if f.literal {
		v.header = v.header.Literal()
	}
	order := make([]*series, len(f.Series))
	n := 0
	for i := range f.Series {
		order[i] = &f.Series[i]
		n += max(1, len(order[i].processes))
	}
	byLabels := func(a, b *series) int { return strings.Compare(a.Labels, b.Labels) }
	if !slices.IsSortedFunc(order, byLabels) {
		slices.SortFunc(order, byLabels)
	}
	v.points = make([]point, 0, n)
	var last *model.Bounds
	for _, s := range order {
		p := point{labels: s.Labels, slot: s.value, certain: c.marked[s.value] == certain}
		if s.more != nil {
			p.slot = s.more.sum
			p.more, p.certain = c.compound(s.more, &last)
		}
		if c.marked[p.slot] != absent || p.more != nil {
			v.points = append(v.points, p)
		}
		c.appendProcesses(v, s)
	}
	for s, slot := range f.loose {
		if c.marked[slot] != absent {
			s.slot = slot
			v.loose = append(v.loose, s)
		}
	}
	slices.SortFunc(v.loose, func(a, b looseSample) int {
		return strings.Compare(a.name+"\xff"+a.labels.Text(), b.name+"\xff"+b.labels.Text())
	})
	return v
}

// appendProcesses appends the series of processes, sorted by pid, of those of one pid
// that of the writer that lives, and among those, or if none does, of the one that
// started last. Of one writer all are, in one row of which at most the series is, if it
// was removed and made again. Those without a file are forgotten: their slots will not
// be used again.
func (c *Catalog) appendProcesses(v *View, s *series) {
	s.processes = slices.DeleteFunc(s.processes, func(p process) bool { return c.marked[p.slot] == absent })
	byLabels := func(a, b process) int {
		return cmp.Or(strings.Compare(a.labels, b.labels), compareWriters(a.writer, b.writer))
	}
	if !slices.IsSortedFunc(s.processes, byLabels) {
		slices.SortStableFunc(s.processes, byLabels)
	}
	for rest := s.processes; len(rest) > 0; {
		p, n := rest[0], 1
		for n < len(rest) && rest[n].sameRow(&p) && rest[n].labels == p.labels {
			n++
		}
		rows := rest[:n]
		rest = rest[n:]
		if len(rest) > 0 && rest[0].labels == p.labels {
			if p.writer != nil {
				v.collided++
			}
			switch {
			case !p.writer.live(): // to follow one that died is what names of writers are for
			case rest[0].writer.File == p.writer.File:
				v.collide(p.writer.File, rest[0].writer.File, fmt.Errorf("a writer has several series that become {%.200s}; one of them counts", p.labels))
			default:
				v.collide(p.writer.File, rest[0].writer.File, fmt.Errorf("several writers have {%.200s}; the one that started last counts", p.labels))
			}
			continue
		}
		for i, row := range rows {
			v.points = append(v.points, point{labels: row.labels, slot: row.slot, certain: c.marked[row.slot] == certain, again: i > 0})
		}
	}
}

// collide notes that the series of one file is left out for that of another.
func (v *View) collide(left, counts Source, err error) {
	v.collision = &Conflict{Family: v.header.Name, About: "pid", Err: err, Lost: true}
	if counts != nil {
		v.collision.Files = []string{counts.Origin(), left.Origin()}
	}
}

// compound returns the marked slots, or nil if there are none, and whether one of
// them is certain. Bounds equal to the last ones are shared.
func (c *Catalog) compound(p *parts, last **model.Bounds) (made *compound, sure bool) {
	made = &compound{}
	some := false
	keep := func(slot uint32) uint32 {
		if slot == 0 || c.marked[slot] == absent {
			return 0
		}
		some, sure = true, sure || c.marked[slot] == certain
		return slot
	}
	made.sum, made.count = keep(p.sum), keep(p.count)
	var upper []float64
	p.sort()
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
		return nil, false
	}
	return made, sure
}

// Family returns the family with its values. The totals must stay as they are
// while it is used.
func (v *View) Family(t *Totals, buckets Bucketing) *model.Family {
	f := v.header.WithPoints(&values{v, t, buckets})
	for _, s := range v.loose {
		f.AddSample(s.name, s.labels.Map(), t.Values[s.slot])
	}
	return f
}

// Bucketing is how a histogram's buckets are shown.
type Bucketing bool

// The ways to show buckets.
const (
	Cumulative Bucketing = true  // at or below the bound, with a count
	raw        Bucketing = false // between the bounds, as the files have them
)

// values is the points of a family at one moment.
type values struct {
	view    *View
	totals  *Totals
	buckets Bucketing
}

// LegacyLabels reports whether all label names are legacy names.
func (s *values) LegacyLabels() bool { return s.view.legacy }

// VisitPoints implements [model.Source].
func (s *values) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	v, t := s.view, s.totals
	var room *compoundValue // most families need none
	*scratch = model.Point{}
	parts := v.typ.Parts()
	created := parts&model.PartCreated != 0
	shown := false // the last point, or one instead of it
	for i := range v.points {
		p := &v.points[i]
		if shown = shown && p.again; shown {
			continue
		}
		if !p.certain && t.Births[p.slot] == 0 || v.timed && t.Times[p.slot] == 0 {
			continue
		}
		shown = true
		scratch.Labels, scratch.Has = model.LabelsFromText(p.labels), parts&^model.PartCreated
		if created {
			scratch.Created = t.created(p.slot)
		}
		switch {
		case v.typ == model.Info:
			if err := t.visitInfos(p.slot, scratch, visit); err != nil {
				return err
			}
			continue
		case v.typ == model.StateSet:
			scratch.States = scratch.States[:0]
			for n, state := range v.states {
				scratch.States = append(scratch.States, model.State{Name: state, On: n == int(t.Values[p.slot])})
			}
		case p.more == nil:
			scratch.Value = t.Values[p.slot]
			if scratch.Exemplar = nil; len(t.exemplars) > 0 {
				scratch.Exemplar = t.exemplars[p.slot]
			}
		default:
			if room == nil {
				room = new(compoundValue)
			}
			s.fill(scratch, room, p.more)
		}
		if err := visit(scratch); err != nil {
			return err
		}
	}
	return nil
}

func (c *compound) has(typ model.Type) (has model.Parts) {
	count, sum := model.PartCount, model.PartSum
	if typ == model.GaugeHistogram {
		count, sum = model.PartGCount, model.PartGSum
	}
	if c.sum != 0 {
		has |= sum
	}
	if c.count != 0 {
		has |= count
	}
	if c.bounds != nil {
		has |= model.PartBucket
	}
	return has
}

// countPart returns what the count of a histogram's type is called.
func countPart(typ model.Type) model.Parts {
	if typ == model.GaugeHistogram {
		return model.PartGCount
	}
	return model.PartCount
}

// compoundValue is room for the value of a point.
type compoundValue struct {
	histogram model.HistogramValue
	native    model.NativeHistogram
	summary   model.SummaryValue
}

// fill reads a summary or a histogram into a point.
func (s *values) fill(to *model.Point, room *compoundValue, c *compound) {
	t := s.totals
	to.Has = c.has(s.view.typ)
	if s.view.typ == model.Summary {
		room.summary = model.SummaryValue{Count: t.Values[c.count], Sum: t.Values[c.sum]}
		to.Summary = &room.summary
		return
	}
	h := &room.histogram
	to.Histogram = h
	h.Bounds, h.Sum, h.Count = c.bounds, t.Values[c.sum], t.Values[c.count]
	h.Cumulative, h.Exemplars, h.Native = h.Cumulative[:0], h.Exemplars[:0], nil
	if n := t.natives[c.sum]; n != nil {
		h.Native = &room.native
		n.Sum.Native(h.Native)
		h.Native.Sum = h.Sum
		h.Native.Exemplars = n.Exemplars.AppendTo(h.Native.Exemplars[:0])
		if c.bounds.Len() == 1 { // native buckets alone, as their instrument has them
			h.Bounds, h.Count = nil, h.Native.Count
			to.Has = to.Has&^model.PartBucket | countPart(s.view.typ)
			return
		}
	}
	below := 0.0
	for i, slot := range c.buckets {
		if s.buckets == Cumulative {
			below += t.Values[slot]
			h.Cumulative = append(h.Cumulative, below)
		} else {
			h.Cumulative = append(h.Cumulative, t.Values[slot])
		}
		if e := t.exemplars[slot]; e != nil {
			h.Exemplars = append(append(h.Exemplars, make([]*model.Exemplar, i-len(h.Exemplars))...), e)
		}
	}
	if s.buckets == Cumulative && c.bounds != nil {
		h.Count = below
		to.Has |= countPart(s.view.typ)
	}
}

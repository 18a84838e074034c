package onepage

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"telltale/internal/exponential"
	"telltale/model"
)

// Mode is how the values of a gauge in several targets are shown.
type Mode string

// The modes.
const (
	Each    Mode = "each" // apart, by the label of the target
	Sum     Mode = "sum"
	Largest Mode = "max"
	Least   Mode = "min"
)

// Sums adds up the pages of targets from one scrape to the next. It is not safe for
// concurrent use.
type Sums struct {
	limits   Limits
	mode     func(name string) Mode // of a gauge
	families map[string]*totals
	series   int
	targets  map[string]*memory
	scrapes  uint64
	natives  natives // of the point that is added
}

// Limits bound what sums keep.
type Limits struct {
	Series        int // of all totals
	TargetSeries  int // totals that came with one target
	Targets       int // targets that are away and are remembered
	NativeBuckets int // of a histogram, beyond which it becomes coarser; 0 for 160
}

// NewSums returns empty sums. Mode returns how the values of a gauge of that name are
// shown; nil means [Each].
func NewSums(limits Limits, mode func(name string) Mode) *Sums {
	if mode == nil {
		mode = func(string) Mode { return Each }
	}
	return &Sums{
		limits: limits, mode: mode, families: make(map[string]*totals), targets: make(map[string]*memory),
		natives: natives{limit: exponential.Options{MaxBuckets: limits.NativeBuckets}},
	}
}

// totals are the series of a family that are added up.
type totals struct {
	family *model.Family // without points
	series map[string]*series
	order  []*series
}

// series is one total.
type series struct {
	labels   model.Labels
	created  model.Timestamp // the earliest that is known
	value    total           // of a counter
	exemplar *model.Exemplar
	content  *distributions // of a histogram or a summary
}

// memory is what a target had at its last scrape.
type memory struct {
	at      time.Time // of that scrape
	before  time.Time // of the one before
	made    int       // series that it had first of all
	seen    uint64    // its number
	started float64   // when the process started, in seconds since 1970; 0 if unknown
	last    map[*series]*last
}

type last struct {
	scrape  uint64
	created model.Timestamp
	value   float64
	content distribution

	native    *exponential.Snapshot // the last that there was; nil if there was none
	exemplars model.Timestamp       // of the latest in native buckets
}

// startedMargin is by how much two times of one start may differ: clocks are set, and
// Linux tells when a process started by the second.
const startedMargin = 2 * time.Second

// restarted reports whether a start is another one than that of the scrape before, at
// seen: both are seconds since 1970.
func restarted(was, is float64, seen time.Time) bool {
	return was != 0 && is-was > startedMargin.Seconds() && is > float64(seen.Add(-startedMargin).UnixMilli())/1e3
}

// Update adds what pages have more than at the scrape before, which began at that time,
// and returns the families of the common page, sorted by name. A page of the same
// target may occur once. Pages of this process come first. Update calls tell with an
// error for whatever is left out.
func (s *Sums) Update(pages []Page, at time.Time, tell func(error)) []*model.Family {
	s.scrapes++
	h := newHeadings()
	h.enterAll(pages, tell)
	summed := make(map[*heading]*totals)
	for _, head := range h.all {
		if !head.own && isSummed(head.family.Type) {
			summed[head] = s.totalsOf(head.family)
		}
	}
	for i := range pages {
		if page := &pages[i]; !page.Own {
			s.remember(page, at)
		}
	}
	var all []*model.Family
	for _, head := range h.all {
		if t := summed[head]; t != nil {
			for _, part := range head.parts {
				s.addAll(t, part, tell)
			}
			continue
		}
		all = append(all, s.gathered(head))
	}
	for _, key := range slices.Sorted(maps.Keys(s.families)) {
		t := s.families[key]
		if _, err := h.enter(t.family); err != nil {
			continue // a page has another type under that name now
		}
		if head := h.byName[claims(t.family)[0]]; head.own {
			continue
		}
		f, err := t.shown()
		if err != nil {
			tell(fmt.Errorf("the total of %.200q: %w", t.family.Name, err))
			continue
		}
		all = append(all, f)
	}
	s.forget()
	return sorted(all)
}

func isSummed(t model.Type) bool {
	return t == model.Counter || t == model.Histogram || t == model.Summary
}

// totalsOf returns the totals of a family.
func (s *Sums) totalsOf(f *model.Family) *totals {
	key := f.Type.String() + " " + f.SampleName()
	t := s.families[key]
	if t == nil {
		t = &totals{family: f.Clone(), series: make(map[string]*series)}
		s.families[key] = t
	}
	if f.Help != "" {
		t.family.Help = strings.Clone(f.Help)
	}
	if f.Unit != "" {
		t.family.Unit = strings.Clone(f.Unit)
	}
	return t
}

// started returns when the process of a page started, 0 if it does not say.
func (p *Page) started() (at float64) {
	for _, f := range p.Families {
		if f.Type != model.Gauge || f.Name != "process_start_time_seconds" {
			continue
		}
		eachPoint(f, func(p *model.Point) {
			if p.Labels.IsEmpty() && p.Value > 0 && !math.IsInf(p.Value, 1) {
				at = p.Value
			}
		})
	}
	return at
}

// remember notes that a target was scraped. If its process is another one than before,
// all its series began anew.
func (s *Sums) remember(page *Page, at time.Time) {
	m := s.targets[page.Target]
	if m == nil {
		m = &memory{last: make(map[*series]*last)}
		s.targets[strings.Clone(page.Target)] = m
	}
	started := page.started()
	if restarted(m.started, started, m.at) {
		clear(m.last)
	}
	m.started, m.seen = started, s.scrapes
	m.before, m.at = m.at, at
}

// forget forgets the targets that have been away for the longest time, if there are too
// many of them.
func (s *Sums) forget() {
	for {
		var oldest string
		seen, away := s.scrapes, 0
		for target, m := range s.targets {
			if m.seen != s.scrapes {
				away++
			}
			if m.seen < seen {
				oldest, seen = target, m.seen
			}
		}
		if away <= s.limits.Targets {
			return
		}
		delete(s.targets, oldest)
	}
}

// addAll adds the series that a target has of a family.
func (s *Sums) addAll(t *totals, part part, tell func(error)) {
	m := s.targets[part.page.Target]
	wrong := func(why string) {
		tell(&LeftOutError{part.page.name(), part.family.Name, why})
	}
	if len(part.family.Loose()) > 0 {
		wrong("samples that do not fit its type are left out")
	}
	eachPoint(part.family, func(p *model.Point) {
		to := s.seriesOf(t, m, withLabels(p.Labels, part.page.Labels))
		if to == nil {
			wrong("there is no room for a new series, which is left out; --max-target-series and --max-series raise the limits")
			return
		}
		l := m.last[to]
		switch {
		case l == nil:
			l = new(last)
			m.last[to] = l
		case l.scrape == s.scrapes:
			wrong("a series is there twice, and the second is left out")
			return
		}
		l.scrape = s.scrapes
		anew := p.Created.IsSet() && l.created.IsSet() && restarted(l.created.Seconds(), p.Created.Seconds(), m.before)
		if l.created = p.Created; !to.created.IsSet() || p.Created.IsSet() && p.Created.Compare(to.created) < 0 {
			to.created = p.Created
		}
		if t.family.Type == model.Counter {
			if !(p.Value >= 0) || math.IsInf(p.Value, 1) || p.Has&model.PartTotal == 0 {
				wrong(fmt.Sprintf("a counter is %v, which is left out", p.Value))
				return
			}
			if anew || p.Value < l.value {
				l.value = 0
			}
			to.value.rise(l.value, p.Value)
			l.value = p.Value
			to.exemplar = newer(to.exemplar, p.Exemplar)
			return
		}
		has, ok := distributionOf(p)
		if !ok {
			wrong("buckets that are not counts, or that fall, are left out")
			return
		}
		if err := s.natives.read(p, has.count()); err != nil {
			wrong(fmt.Sprintf("its native buckets are left out: %v", err))
		}
		if !s.natives.rise(l.native) || l.content.counts != nil && (anew || has.fell(&l.content)) {
			l.content, l.native = distribution{}, nil
			s.natives.rise(nil)
		}
		if to.content == nil {
			to.content = new(distributions)
		}
		to.content.add(&l.content, &has)
		to.content.addNative(&s.natives)
		to.content.hasSum = to.content.hasSum || p.Has&model.PartSum != 0
		to.content.exemplify(p.Histogram, has.upper)
		l.exemplars = to.content.exemplifyNative(p.Histogram, l.exemplars)
		l.content, l.native = has, s.natives.keep(l.native)
	})
}

// seriesOf returns the total of the labels, nil if there is no room for a new one.
func (s *Sums) seriesOf(t *totals, m *memory, labels model.Labels) *series {
	sorted := labels.Sorted()
	if found := t.series[sorted.Text()]; found != nil {
		return found
	}
	if s.series >= s.limits.Series || m.made >= s.limits.TargetSeries {
		return nil
	}
	s.series++
	m.made++
	found := &series{labels: labels.Clone()}
	t.series[sorted.Clone().Text()] = found
	t.order = append(t.order, found)
	return found
}

// shown returns the family with its totals.
func (t *totals) shown() (*model.Family, error) {
	f := t.family.Header()
	for _, s := range t.order {
		p := model.Point{Labels: s.labels, Created: s.created}
		switch {
		case t.family.Type == model.Counter:
			p.Has, p.Value, p.Exemplar = model.PartTotal, s.value.hi, s.exemplar
		case s.content == nil: // never had a valid value
			continue
		case t.family.Type == model.Summary:
			p.Has, p.Summary = model.PartCount, &model.SummaryValue{Count: s.content.count(), Sum: s.content.sum.hi}
		default:
			h, err := s.content.histogram()
			if err != nil {
				return nil, err
			}
			p.Has, p.Histogram = model.PartBucket|model.PartCount, h
			if s.content.showNative(h) {
				p.Has = model.PartCount
			}
		}
		if s.content != nil && s.content.hasSum {
			p.Has |= model.PartSum
		}
		f.Append(p)
	}
	return f, nil
}

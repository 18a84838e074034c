package spool

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
)

// Kin holds, for series of families with an expiry, the lives of their rows in all files. It
// is not safe for concurrent use.
type Kin struct {
	clock    Clock
	families map[kinFamily]*kinSeries
	foreign  map[model.Type]bool // files that do not say when they were updated have families of the type
}

type kinFamily struct {
	name string
	typ  model.Type
}

// kinSeries is the lives of a family's series, by their labels, which are sorted.
type kinSeries struct {
	wanted map[string]bool // nil: all
	lives  map[string][]segment.Life
}

// NewKin returns a Kin without series, for the time of the clock.
func NewKin(clock Clock) *Kin {
	return &Kin{clock: clock, families: make(map[kinFamily]*kinSeries), foreign: make(map[model.Type]bool)}
}

// Empty reports whether series of no family are asked for.
func (k *Kin) Empty() bool { return len(k.families) == 0 }

// Want asks for all series of a family.
func (k *Kin) Want(f *segment.Family) { k.family(f) }

func (k *Kin) family(f *segment.Family) *kinSeries {
	key := kinFamily{f.Name, f.Type}
	s := k.families[key]
	if s == nil {
		s = &kinSeries{lives: make(map[string][]segment.Life)}
		k.families[key] = s
	}
	return s
}

// WantSeries asks for one series of a family.
func (k *Kin) WantSeries(f *segment.Family, labels string) {
	s := k.family(f)
	if s.wanted == nil {
		s.wanted = make(map[string]bool)
	}
	s.wanted[catalog.SortedLabels(labels)] = true
}

// Add adds the life of a row of a series, whose labels are sorted.
func (k *Kin) Add(f *segment.Family, labels string, l segment.Life) {
	if s := k.families[kinFamily{f.Name, f.Type}]; s != nil && (s.wanted == nil || s.wanted[labels]) {
		s.lives[labels] = append(s.lives[labels], l)
	}
}

// AddForeign takes note of a file of Python's client, by its name: what it has goes on.
func (k *Kin) AddForeign(name Name) {
	for _, t := range []model.Type{model.Counter, model.Gauge, model.Histogram, model.Summary} {
		if strings.HasPrefix(name.String(), t.String()+"_") {
			k.foreign[t] = true
		}
	}
}

// Families asks for all series of the families of a segment whose series end.
func (k *Kin) Families(s segment.Space) error {
	var t segment.Table
	if _, err := t.Next(s, nil, nil); err != nil {
		return err
	}
	for _, f := range t.Families() {
		if f.Expiry > 0 && f.Words() > 0 && !ownSeries(f.Family) {
			k.Want(f.Family)
		}
	}
	return nil
}

// ownSeries reports whether each process has series of its own of a family.
func ownSeries(f *segment.Family) bool {
	return f.Type == model.Gauge && catalog.Modes[f.Mode].PerProcess()
}

// Read adds the lives of the rows of a segment, whose writer lives or has said last at a
// time of its boot's clock that it does.
func (k *Kin) Read(s segment.Space, live bool, alive int64) error {
	var t segment.Table
	labels := &labelled{of: k, sorted: make([]string, 1)}
	if _, err := t.Next(s, labels, nil); err != nil {
		return err
	}
	lives := k.clock.LivesIn(t.Header(), live, alive)
	for _, f := range t.Families() {
		if k.families[kinFamily{f.Name, f.Type}] == nil || f.Words() == 0 || ownSeries(f.Family) || !live && !catalog.Outlives(f.Type, f.Mode, f.Merge) && t.Header().Kind == segment.KindWriter {
			continue
		}
		for _, rows := range f.Stretches(nil) {
			if err := rows.Locate(s); err != nil {
				return err
			}
			for i := range rows.Tenants {
				place, row := rows.Tenants[i].Series, rows.Row(i, f.Words())
				if _, in := rows.In(i, row); in && place != 0 {
					k.Add(f.Family, labels.sorted[place], lives.Of(f.Family, f.LifeOf(row)))
				}
			}
		}
	}
	return nil
}

// labelled is the labels of the series of a segment that are asked for; of others the place
// is 0, and nothing is kept.
type labelled struct {
	of     *Kin
	sorted []string
	places map[string]uint32
}

// Family implements [segment.Ledger].
func (*labelled) Family(*segment.FamilyTable, any) any { return nil }

// Find implements [segment.Ledger].
func (l *labelled) Find(_ *segment.FamilyTable, labels string, _ uint32) (uint32, bool) {
	place, ok := l.places[labels]
	return place, ok
}

// Add implements [segment.Ledger].
func (l *labelled) Add(f *segment.FamilyTable, labels string) uint32 {
	s := l.of.families[kinFamily{f.Name, f.Type}]
	if s == nil || s.wanted != nil && !s.wanted[catalog.SortedLabels(labels)] {
		return 0
	}
	if l.places == nil {
		l.places = make(map[string]uint32)
	}
	place := uint32(len(l.sorted))
	labels = strings.Clone(labels)
	l.places[labels], l.sorted = place, append(l.sorted, catalog.SortedLabels(labels))
	return place
}

// Since returns from when rows of a wanted series count, whose labels are sorted: what
// earlier rows counted belongs to a life of the series that is over. It returns
// [segment.Never] if all lives are over, also for writers that might still prolong one.
func (k *Kin) Since(f *segment.Family, labels string) int64 {
	s := k.families[kinFamily{f.Name, f.Type}]
	if s == nil || k.foreign[f.Type] {
		return math.MinInt64
	}
	lives := s.lives[labels]
	if len(lives) == 0 {
		return math.MinInt64
	}
	slices.SortFunc(lives, func(a, b segment.Life) int { return cmp.Compare(b.Until, a.Until) })
	if lives[0].Until < k.clock.Wall-int64(Grace(f.Expiry)) {
		return segment.Never
	}
	since := lives[0].Begun
	for _, l := range lives {
		if l.Until < since {
			break
		}
		since = min(since, l.Begun)
	}
	return since
}

// GoesOn returns until when a wanted series goes on, whose labels are sorted and one of
// whose rows has the given life, and whether the series has ended in all processes.
// Python's files, which do not say when they were updated, may have it too: then
// readers decide whether it goes on.
func (k *Kin) GoesOn(f *segment.Family, labels string, of segment.Life) (until int64, ended bool) {
	s := k.families[kinFamily{f.Name, f.Type}]
	if s == nil {
		return segment.Never, false
	}
	lives := s.lives[labels]
	slices.SortFunc(lives, func(a, b segment.Life) int { return cmp.Compare(a.Begun, b.Begun) })
	until = of.Until
	for _, l := range lives {
		if l.Begun > until {
			break
		}
		until = max(until, l.Until)
	}
	return until, until < k.clock.Wall-int64(Grace(f.Expiry)) && !k.foreign[f.Type]
}

// Grace returns for how long a series with an expiry after d goes on beyond it: a
// writer that is about to update the series does so, and notes it, within that time.
func Grace(d time.Duration) time.Duration { return min(max(d/8, time.Second), 8*time.Second) }

// Within calls do with the contents of a segment, its beginning, and whether its writer
// lives. They are valid until do returns.
func (d *Dir) Within(name Name, do func(s segment.Space, b *Beginning, live bool) error) error {
	file, err := d.Read(name)
	if err != nil {
		return err
	}
	defer file.Close()
	locked, err := file.Locked()
	if err != nil {
		return err
	}
	b, err := Begin(file)
	if err == nil {
		err = Fits(name, &b.Header)
	}
	if err != nil {
		return err
	}
	return b.Read(file, d.MaxRead, func(c *Contents) error { return do(c, &b, locked && !b.Signs.Dead) })
}

package estate

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"telltale/internal/cell"
	"telltale/internal/exact"
	"telltale/internal/exponential"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Remains is what dead writers leave behind, added up: an archive before it is
// written. It takes memory for what is different, not for each writer.
type Remains struct {
	families []*remainingFamily
	index    map[string]*remainingFamily // by what they say of themselves
}

// remainingFamily is a family as an archive has it.
type remainingFamily struct {
	segment.Family
	series []*Remnant
	index  map[remnantKey]*Remnant

	summed int        // values of each series that are added up
	sums   exact.Sums // some for each series, in their order
	pieces []float64  // room
}

type remnantKey struct{ labels, process string }

// Remnant is a series that a writer left.
type Remnant struct {
	Labels         string
	Process        string // where each process has a series of its own
	Start, created int64  // as in segment.Series
	Begun          int64  // when the first writer began with it, in nanoseconds since 1970; 0 if unknown
	Changed        int64  // when it was last updated, or later; 0 if unknown
	Until          int64  // until when it goes on by what each writer said of its family
	Words          []uint64
	Terms          []Term                // what else belongs to sums that words are part of
	slot           uint32                // of what is added up, where its sums begin
	native         *exponential.Snapshot // behind the words, nil without native buckets
	exemplars      []*model.Exemplar
}

// Estate is what one file leaves. It is read whole before any of it is added to
// others, so that a file that turns out to be damaged adds nothing.
type Estate struct {
	Families []segment.Family
	Series   []Remnant
	Of       []int // the family of each
	TakenUp  []spool.Name
	Applied  map[[16]byte]int64  // of an archive, see segment.Notes
	Carried  []segment.Tombstone // likewise
}

// NewRemains returns empty remains.
func NewRemains() *Remains { return &Remains{index: make(map[string]*remainingFamily)} }

// Add adds what a file leaves.
func (r *Remains) Add(e *Estate) {
	families := make([]*remainingFamily, len(e.Families))
	for i := range e.Families {
		families[i] = r.family(&e.Families[i])
	}
	for i := range e.Series {
		families[e.Of[i]].add(&e.Series[i])
	}
}

func (r *Remains) family(f *segment.Family) *remainingFamily {
	key := IdentityOf(f)
	found, ok := r.index[key]
	if !ok {
		found = &remainingFamily{Family: *f, index: make(map[remnantKey]*Remnant), summed: summed(f)}
		r.index[key] = found
		r.families = append(r.families, found)
	}
	if !slices.Equal(found.Labels, f.Labels) {
		found.Labels = nil
	}
	// Of help texts the newest stays, and of one of them when it first appeared.
	if later := isLater(f.First, found.First); later != (f.Help == found.Help) {
		found.Help, found.First = f.Help, f.First
	}
	found.Expiry = max(found.Expiry, f.Expiry) // each series ends as those said that left it
	return found
}

// isLater reports whether one moment of this boot, or of an earlier one, comes after
// another one.
func isLater(a, b segment.Moment) bool {
	if a.Boot > 0 && b.Boot > 0 {
		return a.Boot > b.Boot
	}
	return a.Wall > b.Wall
}

// IdentityOf returns text that is equal for families that are one. What their help says
// makes no difference.
func IdentityOf(f *segment.Family) string {
	key := []byte{byte(f.Type), byte(f.Layout), f.Mode, byte(f.Merge)}
	if f.NoEpoch {
		key[0] |= 0x80
	}
	key = binary.AppendUvarint(binary.AppendUvarint(key, uint64(f.NativeBuckets)), uint64(f.NativeExemplars))
	for _, text := range append([]string{f.Name, f.Unit}, f.States...) {
		key = binary.AppendUvarint(key, uint64(len(text)))
		key = append(key, text...)
	}
	for _, upper := range f.Bounds {
		key = binary.BigEndian.AppendUint64(key, math.Float64bits(upper+0))
	}
	return string(key)
}

// add adds a series to its equal. What it is given is not kept.
func (f *remainingFamily) add(s *Remnant) {
	key := remnantKey{s.Labels, s.Process}
	into, ok := f.index[key]
	if !ok {
		key.labels = catalog.SortedLabels(s.Labels)
		into, ok = f.index[key]
		if !ok {
			into = &Remnant{
				Labels: strings.Clone(key.labels), Process: strings.Clone(s.Process), Start: s.Start, created: s.created,
				Begun: s.Begun, Changed: s.Changed, Until: s.Until, Words: slices.Clone(s.Words), native: s.native, exemplars: s.exemplars, slot: uint32(f.sums.Len()),
			}
			f.sums.Grow(f.summed)
			f.sum(into.slot, s)
			f.series = append(f.series, into)
			f.index[remnantKey{into.Labels, into.Process}] = into
		}
		if key.labels != s.Labels {
			f.index[remnantKey{strings.Clone(s.Labels), into.Process}] = into
		}
		if !ok {
			return
		}
	}
	if s.created > 0 && (into.created <= 0 || s.created < into.created) {
		into.created = s.created
	}
	into.Begun, into.Changed, into.Until = min(into.Begun, s.Begun), max(into.Changed, s.Changed), max(into.Until, s.Until)
	f.merge(into, s)
	for i, e := range s.exemplars {
		switch {
		case e == nil:
		case into.exemplars == nil:
			into.exemplars = s.exemplars
		case into.exemplars[i] == nil || e.Timestamp.Compare(into.exemplars[i].Timestamp) > 0:
			into.exemplars[i] = e
		}
	}
}

// merge merges the values of two series.
func (f *remainingFamily) merge(into, from *Remnant) {
	f.sum(into.slot, from)
	switch f.Layout {
	case segment.LayoutNative:
		into.native.Merge(from.native)
		into.native.Limit(f.Native())
	case segment.LayoutValue, segment.LayoutTimed:
		f.mergeGauge(into, from)
	case segment.LayoutCounter:
		if f.IsOfMachine() && counted(from) > counted(into) {
			copy(into.Words, from.Words)
		}
	}
}

// counted returns the value of a counter.
func counted(s *Remnant) float64 { return float64(s.Words[0]) + math.Float64frombits(s.Words[1]) }

func (f *remainingFamily) mergeGauge(into, from *Remnant) {
	a, b := math.Float64frombits(into.Words[0]), math.Float64frombits(from.Words[0])
	take := false
	switch catalog.Modes[f.Mode].Operation() {
	case catalog.OpMin:
		take = b < a || a != a
	case catalog.OpMax:
		take = b > a || a != a
	case catalog.OpLatest:
		take = from.Words[1] > into.Words[1]
	case catalog.OpSet:
		take = from.Start > into.Start
	}
	if take {
		into.Start = from.Start
		copy(into.Words, from.Words)
	}
}

// lasting returns a family as an archive has it, and whether its series outlive their
// writers.
func lasting(f *segment.Family) (kept segment.Family, lasts bool) {
	kept = *f
	kept.Number, kept.Published = 0, false
	switch f.Type {
	case model.Counter, model.Summary, model.Histogram:
		kept.Mode = 0
	case model.Gauge:
		kept.Layout = segment.LayoutValue
		if op := catalog.Modes[f.Mode].Operation(); op == catalog.OpLatest || op == catalog.OpSet {
			kept.Layout = segment.LayoutTimed
		}
	}
	return kept, catalog.Outlives(f.Type, f.Mode, f.Merge)
}

// CheckFamily returns an error if no page may have the family: then readers would
// refuse an archive with it.
func CheckFamily(f *segment.Family) error {
	header := model.Family{Name: f.Name, Unit: f.Unit, Type: f.Type}
	if err := header.Check(); err != nil {
		return spool.Defectf(spool.ReasonUnfit, "an archive cannot hold the family %.80q: %v", f.Name, err)
	}
	return nil
}

// MaxDefinitions is the largest number of families without series in an archive. It
// keeps them to know when their definitions first appeared, since the newest definition
// is shown. Beyond that number it forgets those that appeared first. One that is
// declared again then counts as new.
const MaxDefinitions = 1 << 12

// written returns the families that an archive has.
func (r *Remains) written() (families []*remainingFamily) {
	var former []*remainingFamily
	for _, f := range r.families {
		if len(f.series) > 0 {
			families = append(families, f)
		} else {
			former = append(former, f)
		}
	}
	if n := len(former); n > MaxDefinitions {
		slices.SortStableFunc(former, func(a, b *remainingFamily) int {
			switch {
			case isLater(a.First, b.First):
				return -1
			case isLater(b.First, a.First):
				return 1
			}
			return 0
		})
		former = former[:MaxDefinitions]
	}
	return append(families, former...)
}

// Write lays out an archive.
func (r *Remains) Write(w *segment.Writer) error {
	for _, f := range r.written() {
		rows, err := w.Rows(f.Family)
		if err != nil {
			return err
		}
		var rests []segment.Rest
		for row, s := range f.series {
			rests = f.settle(s, uint32(row), rests)
			first, err := rows.Add(segment.Series{
				Labels: s.Labels, Created: s.created, Process: s.Process, Start: s.Start,
				Changed: s.Changed, Life: f.lifeOf(s),
			})
			if err != nil {
				return err
			}
			for i, word := range s.Words {
				cell.At(first, i).Store(word)
			}
			if f.Layout == segment.LayoutValue {
				cell.PutLevel(first, math.Float64frombits(s.Words[0])) // files of Python's may have any NaN
			}
			if s.native != nil {
				if err := writeNative(&f.Family, first, s.native); err != nil {
					return err
				}
			}
			for i, e := range s.exemplars {
				if e == nil {
					continue
				}
				if err := rows.SetExemplar(first, i, e); err != nil {
					return err
				}
			}
		}
		if err := rows.Rests(rests); err != nil {
			return err
		}
	}
	return nil
}

// writeNative writes the native buckets of a row, whose first value is given.
func writeNative(f *segment.Family, first *cell.Word, s *exponential.Snapshot) error {
	options := f.Native()
	options.Schema, options.ZeroThreshold = s.Schema, s.ZeroThreshold
	var h exponential.Histogram
	if err := h.InitIn(f.NativeWordsAt(first), nil, options); err != nil {
		return err
	}
	h.Merge(s)
	return nil
}

// Check compares what was written with what there is to write.
func (r *Remains) Check(u segment.Usage) error {
	families, series := r.written(), 0
	for _, f := range families {
		series += len(f.series)
	}
	if u.Families != len(families) || u.Series != series {
		return fmt.Errorf("the archive has %d families with %d series, and should have %d with %d", u.Families, u.Series, len(families), series)
	}
	return nil
}

// reader reads what a segment leaves.
type reader struct {
	left   Estate
	space  segment.Space
	header *segment.Header
	labels []string // of series, as they are numbered
	clock  spool.Clock
	shift  int64 // of times
	lives  spool.Lives
	expiry time.Duration
}

// Read reads what the writer of a segment leaves, or what an archive has, as the clocks
// show that time now. Series of single processes that were found dead by the writers'
// folder are left for the given time.
func Read(s segment.Space, clock spool.Clock, expiry time.Duration) (*Estate, *segment.Header, error) {
	rationed := new(segment.Rationed)
	rationed.Begin(s)
	r := reader{space: rationed, clock: clock, expiry: expiry}
	var table segment.Table
	table.Changes()
	if _, err := table.Next(s, &r, nil); err != nil {
		return nil, nil, err
	}
	r.header = table.Header()
	r.shift, r.lives = clock.Shift(r.header), clock.LivesIn(r.header, false, segment.SignsOf(s).Alive)
	if r.header.Kind == segment.KindWriter {
		if _, _, err := segment.Tombstones(s); err != nil { // then no reader takes it
			return nil, nil, err
		}
	}
	absorbed, err := spool.Absorbed(&table.Notes().Taken)
	if err != nil {
		return nil, nil, err
	}
	r.left.TakenUp, r.left.Applied, r.left.Carried = absorbed, table.Notes().Applied, table.Notes().Carried
	for _, f := range table.Families() {
		family, lasts := lasting(f.Family)
		if f.Words() == 0 {
			continue
		}
		r.left.Families = append(r.left.Families, family)
		if !lasts {
			continue
		}
		if err := r.take(f, &family); err != nil {
			return nil, nil, err
		}
	}
	if err := rationed.Err(); err != nil {
		return nil, nil, err
	}
	return &r.left, r.header, nil
}

// Family implements [segment.Ledger].
func (*reader) Family(*segment.FamilyTable, any) any { return nil }

// Find implements [segment.Ledger].
func (*reader) Find(*segment.FamilyTable, string, uint32) (uint32, bool) { return 0, false }

// Add implements [segment.Ledger].
func (r *reader) Add(_ *segment.FamilyTable, labels string) uint32 {
	r.labels = append(r.labels, strings.Clone(labels))
	return uint32(len(r.labels) - 1)
}

// take reads the series of a family.
func (r *reader) take(f *segment.FamilyTable, kept *segment.Family) error {
	words, rests := f.Words(), f.Rests()
	for _, rows := range f.Stretches(nil) {
		if err := rows.Locate(r.space); err != nil {
			return err
		}
		for i := range rows.Tenants {
			row := rows.Row(i, words)
			created, in := rows.In(i, row)
			if !in {
				continue
			}
			if created == segment.UnknownCreated {
				created = 0
			}
			number := int(rows.From) + i
			left := Remnant{Labels: r.labels[rows.Tenants[i].Series], created: created}
			if !r.values(f.Family, kept, row, &left) {
				continue
			}
			r.age(&left, f, row, number)
			for ; len(rests) > 0 && int(rests[0].Row) <= number; rests = rests[1:] {
				if int(rests[0].Row) == number {
					left.lack(&rests[0])
				}
			}
			if kept.Layout == segment.LayoutNative {
				left.native = new(exponential.Snapshot)
				lanes := func() ([]cell.Word, int) { return f.NativeLanes(r.space, row) }
				if err := exponential.Read(kept.NativeWordsAt(f.Layout.Values(row)), lanes, left.native); err != nil {
					return spool.Defectf(spool.ReasonCorrupt, "its row at offset %d: %v", rows.Offset+uint64(i*words*8), err)
				}
			}
			if r.outlives(&left, f, kept, number) {
				r.left.Series, r.left.Of = append(r.left.Series, left), append(r.left.Of, len(r.left.Families)-1)
			}
		}
	}
	return nil
}

// age settles since when there is a series, and when it was last updated.
func (r *reader) age(left *Remnant, f *segment.FamilyTable, row *cell.Word, number int) {
	life := r.lives.Of(f.Family, f.LifeOf(row))
	left.Begun, left.Until = life.Begun, life.Until
	switch {
	case f.Expiry > 0 && life.Until != segment.Never:
		left.Changed = life.Until - int64(f.Expiry)
	case r.header.Kind == segment.KindWriter:
		left.Changed = r.lives.Died()
	case number < len(f.Owners) && f.Owners[number].Changed != 0:
		left.Changed = f.Owners[number].Changed + r.shift
	}
}

// outlives settles whose a series is that each process has for itself, and reports
// whether it is to be kept.
func (r *reader) outlives(left *Remnant, f *segment.FamilyTable, kept *segment.Family, row int) bool {
	perProcess := kept.Type == model.Gauge && catalog.Modes[kept.Mode].PerProcess()
	switch {
	case perProcess && r.header.Kind == segment.KindArchive:
		if row < len(f.Owners) {
			left.Process, left.Start = f.Owners[row].Process, f.Owners[row].Start
		}
		left.Start = r.clock.SetAt(left.Start, r.shift)
		found := r.clock.SetAt(int64(left.Words[1]), r.shift)
		left.Words[1] = uint64(found)
		return time.Duration(r.clock.Wall-found) < r.expiry && !ends(kept, left, r.clock.Wall)
	case perProcess:
		left.Process, left.Start = r.header.Process(), r.clock.BornAt(r.header)
		left.Words[1] = uint64(r.clock.Wall)
	case kept.Layout == segment.LayoutTimed:
		left.Words[1] = uint64(r.clock.SetAt(int64(left.Words[1]), r.shift))
		return left.Words[1] != 0 // or it was never set
	}
	return true
}

// values reads a row, with its lanes, in the layout of the archive, and reports
// whether it can be read.
func (r *reader) values(f, kept *segment.Family, row *cell.Word, left *Remnant) bool {
	first, n := f.Layout.Values(row), kept.Values()
	if f.Layout == segment.LayoutNative {
		n = f.Classic()
	}
	left.Words = make([]uint64, n)
	if f.Type == model.Gauge {
		if f.Layout == segment.LayoutValue {
			return r.level(f, row, left, summed(kept) > 0)
		}
		left.Words[0] = first.Load()
		if bits, closed := f.Closed(row, left.Words[0]); closed {
			left.Words[0] = bits
		}
		if n > 1 {
			left.Words[1] = cell.At(first, 1).Load()
		}
		return true
	}
	for i := range left.Words {
		left.Words[i] = cell.At(first, i).Load()
	}
	var spread segment.Spread
	if f.Layout != segment.LayoutNative { // whose lanes are for [exponential.Read]
		spread, _ = f.SpreadOf(r.space, row)
	}
	for lane := range spread.Lanes() {
		for i := range left.Words {
			if word := spread.Word(lane, i); word != 0 {
				left.Terms = append(left.Terms, Term{Value: i, Whole: !f.Layout.Float(i), Bits: word})
			}
		}
	}
	for i := range f.Exemplars() {
		if e := f.Exemplar(r.space, row, i); e != nil {
			if left.exemplars == nil {
				left.exemplars = make([]*model.Exemplar, f.Exemplars())
			}
			left.exemplars[i] = e
		}
	}
	return true
}

// level reads the value of a gauge that bears no time, as one word or, if values of its
// family are added up, as terms.
func (r *reader) level(f *segment.Family, row *cell.Word, left *Remnant, summed bool) bool {
	parts, ok := f.Level(r.space, row, nil)
	switch {
	case !ok:
	case len(parts) == 1: // whose bits stay as they are
		left.Words[0] = math.Float64bits(parts[0])
	case summed:
		left.Words[0] = 0
		for _, v := range parts {
			left.Terms = append(left.Terms, Term{Bits: math.Float64bits(v)})
		}
	default:
		left.Words[0] = math.Float64bits(exact.Sum(parts))
	}
	return ok
}

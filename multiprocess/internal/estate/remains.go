package estate

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"telltale/internal/cell"
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
}

type remnantKey struct{ labels, process string }

// Remnant is a series that a writer left.
type Remnant struct {
	Labels         string
	Process        string // where each process has a series of its own
	Start, created int64  // as in segment.Series
	Words          []uint64
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
}

// NewRemains returns the remains of nobody.
func NewRemains() *Remains { return &Remains{index: make(map[string]*remainingFamily)} }

// Add adds what a file leaves.
func (r *Remains) Add(e *Estate) {
	families := make([]*remainingFamily, len(e.Families))
	for i := range e.Series {
		n := e.Of[i]
		if families[n] == nil {
			families[n] = r.family(&e.Families[n])
		}
		families[n].add(&e.Series[i])
	}
}

func (r *Remains) family(f *segment.Family) *remainingFamily {
	key := IdentityOf(f)
	found, ok := r.index[key]
	if !ok {
		found = &remainingFamily{Family: *f, index: make(map[remnantKey]*Remnant)}
		r.index[key] = found
		r.families = append(r.families, found)
	}
	if !slices.Equal(found.Labels, f.Labels) {
		found.Labels = nil
	}
	return found
}

// IdentityOf returns text that is equal for families that are one.
func IdentityOf(f *segment.Family) string {
	key := []byte{byte(f.Type), byte(f.Layout), f.Mode}
	key = binary.AppendUvarint(binary.AppendUvarint(key, uint64(f.NativeBuckets)), uint64(f.NativeExemplars))
	for _, text := range append([]string{f.Name, f.Unit, f.Help}, f.States...) {
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
				Words: slices.Clone(s.Words), native: s.native, exemplars: s.exemplars,
			}
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
	to, with := into.Words, from.Words
	switch f.Layout {
	case segment.LayoutCounter:
		AddFloat(&to[1], with[1])
		sum, carry := bits.Add64(to[0], with[0], 0)
		if to[0] = sum; carry > 0 {
			AddFloat(&to[1], math.Float64bits(1<<64))
		}
	case segment.LayoutHistogram, segment.LayoutSummary:
		AddFloat(&to[0], with[0])
		for i := 1; i < len(to); i++ {
			to[i] += with[i]
		}
	case segment.LayoutFloats:
		for i := range to {
			AddFloat(&to[i], with[i])
		}
	case segment.LayoutNative:
		for i := range to {
			to[i] += with[i]
		}
		into.native.Merge(from.native)
		into.native.Limit(f.Native())
	case segment.LayoutValue, segment.LayoutTimed:
		f.mergeGauge(into, from)
	}
}

func (f *remainingFamily) mergeGauge(into, from *Remnant) {
	a, b := math.Float64frombits(into.Words[0]), math.Float64frombits(from.Words[0])
	take := false
	switch catalog.Modes[f.Mode].Operation() {
	case catalog.OpAdd:
		AddFloat(&into.Words[0], from.Words[0])
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

// AddFloat adds the bits of a float64 to others.
func AddFloat(to *uint64, v uint64) {
	*to = math.Float64bits(math.Float64frombits(*to) + math.Float64frombits(v))
}

// lasting returns a family as an archive has it. What is said of live writers
// only does not outlive them.
func lasting(f *segment.Family) (kept segment.Family, lasts bool) {
	kept = *f
	kept.Number, kept.Published, kept.States = 0, false, nil
	switch f.Type {
	case model.Counter, model.Summary, model.Histogram:
		kept.Mode = 0
		return kept, true
	case model.Gauge:
		mode := catalog.Modes[f.Mode]
		kept.Layout = segment.LayoutValue
		if op := mode.Operation(); op == catalog.OpLatest || op == catalog.OpSet {
			kept.Layout = segment.LayoutTimed
		}
		return kept, !mode.Live()
	}
	return kept, false
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

// Write lays out an archive. Families without series are left out.
func (r *Remains) Write(w *segment.Writer) error {
	for _, f := range r.families {
		if len(f.series) == 0 {
			continue
		}
		rows, err := w.Rows(f.Family)
		if err != nil {
			return err
		}
		for _, s := range f.series {
			first, err := rows.Add(segment.Series{Labels: s.Labels, Created: s.created, Process: s.Process, Start: s.Start})
			if err != nil {
				return err
			}
			for i, word := range s.Words {
				cell.At(first, i).Store(word)
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
	}
	return nil
}

// writeNative writes the native buckets of a row, whose first value is given.
func writeNative(f *segment.Family, first *cell.Word, s *exponential.Snapshot) error {
	options := f.Native()
	options.Schema, options.ZeroThreshold = s.Schema, s.ZeroThreshold
	var h exponential.Histogram
	if err := h.InitIn(f.NativeWordsAt(first), options); err != nil {
		return err
	}
	h.Merge(s)
	return nil
}

// Check compares what was written with what there is to write.
func (r *Remains) Check(u segment.Usage) error {
	families, series := 0, 0
	for _, f := range r.families {
		if len(f.series) > 0 {
			families++
			series += len(f.series)
		}
	}
	if u.Families != families || u.Series != series {
		return fmt.Errorf("the archive has %d families with %d series, and should have %d with %d", u.Families, u.Series, families, series)
	}
	return nil
}

// estateReader reads what a segment leaves.
type estateReader struct {
	left   Estate
	space  segment.Space
	tables []*rowTable // by family number
}

// rowTable is the rows of a family and whose they are.
type rowTable struct {
	family *segment.Family
	blocks []segment.Block
	series []rowSeries
}

type rowSeries struct {
	segment.Series
	generation uint8
}

// Read reads what the writer of a segment leaves, or what an archive has.
// Series of single processes that were found dead by the writers' folder are
// left for the given time.
func Read(s segment.Space, now time.Time, expiry time.Duration) (*Estate, *segment.Header, error) {
	rationed := segment.Ration(s)
	r := estateReader{space: rationed}
	var walk segment.Reader
	if err := walk.Next(s, &r); err != nil {
		return nil, nil, err
	}
	h := walk.Header()
	absorbed, err := spool.Absorbed(&walk.Notes().Taken)
	if err != nil {
		return nil, nil, err
	}
	r.left.TakenUp = absorbed
	for _, t := range r.tables {
		if t == nil {
			continue
		}
		family, lasts := lasting(t.family)
		if !lasts {
			continue
		}
		r.left.Families = append(r.left.Families, family)
		if err := r.take(t, &family, h, now, expiry); err != nil {
			return nil, nil, err
		}
	}
	if err := rationed.Err(); err != nil {
		return nil, nil, err
	}
	return &r.left, h, nil
}

// Family implements [segment.Contents].
func (r *estateReader) Family(f *segment.Family) error {
	for int(f.Number) >= len(r.tables) {
		r.tables = append(r.tables, nil)
	}
	r.tables[f.Number] = &rowTable{family: f}
	return nil
}

// Block implements [segment.Contents].
func (r *estateReader) Block(f *segment.Family, offset uint64, rows uint32) error {
	t := r.tables[f.Number]
	t.blocks = append(t.blocks, segment.Block{Offset: offset, Rows: rows})
	return nil
}

// Series implements [segment.Contents].
func (r *estateReader) Series(f *segment.Family, row uint32, generation uint8, s segment.Series) error {
	t := r.tables[f.Number]
	s.Labels, s.Process = strings.Clone(s.Labels), strings.Clone(s.Process)
	fresh := rowSeries{s, generation}
	if uint64(row) == uint64(len(t.series)) { // rows are given out in their order
		t.series = append(t.series, fresh)
	} else {
		t.series[row] = fresh
	}
	return nil
}

// take reads the series of a family.
func (r *estateReader) take(t *rowTable, kept *segment.Family, h *segment.Header, now time.Time, expiry time.Duration) error {
	size := uint64(t.family.Words()) * 8
	perProcess := kept.Type == model.Gauge && catalog.Modes[kept.Mode].PerProcess()
	from := uint32(0)
	for _, b := range t.blocks {
		for i := range b.Rows {
			if uint64(from)+uint64(i) >= uint64(len(t.series)) {
				break
			}
			bytes := r.space.Bytes(b.Offset+uint64(i)*size, size)
			if bytes == nil {
				return spool.Defectf(spool.ReasonTruncated, "its row at offset %d is not there", b.Offset+uint64(i)*size)
			}
			row := segment.WordAt(bytes, 0)
			s := &t.series[from+i]
			generation, created, live := segment.State(row)
			if !live || generation != s.generation {
				continue
			}
			left := Remnant{Labels: s.Labels, created: created}
			left.Words, left.exemplars = r.values(t.family, kept, row)
			if kept.Layout == segment.LayoutNative {
				left.native = new(exponential.Snapshot)
				if err := exponential.Read(kept.NativeWordsAt(t.family.Layout.Values(row)), left.native); err != nil {
					return spool.Defectf(spool.ReasonCorrupt, "its row at offset %d: %v", b.Offset+uint64(i)*size, err)
				}
			}
			switch {
			case perProcess && h.Kind == segment.KindArchive:
				left.Process, left.Start = s.Process, s.Start
				if found := time.Unix(0, int64(left.Words[1])); now.Sub(found) >= expiry {
					continue
				}
			case perProcess:
				left.Process, left.Start = h.Process(), h.Start
				left.Words[1] = uint64(now.UnixNano())
			case kept.Layout == segment.LayoutTimed && left.Words[1] == 0:
				continue // it was never set
			}
			r.left.Series, r.left.Of = append(r.left.Series, left), append(r.left.Of, len(r.left.Families)-1)
		}
		from += b.Rows
	}
	return nil
}

// values reads a row, with its lanes, in the layout of the archive.
func (r *estateReader) values(f, kept *segment.Family, row *cell.Word) (words []uint64, exemplars []*model.Exemplar) {
	first, n := f.Layout.Values(row), kept.Values()
	if f.Layout == segment.LayoutNative {
		n = f.Classic()
	}
	words = make([]uint64, n)
	if f.Type == model.Gauge {
		words[0] = first.Load()
		if f.Layout == segment.LayoutTimed && n > 1 {
			words[1] = cell.At(first, 1).Load()
		}
		return words, nil
	}
	for i := range words {
		words[i] = cell.At(first, i).Load()
	}
	if spread, ok := f.SpreadOf(r.space, row); ok {
		for i := range words {
			if f.Layout.Float(i) {
				AddFloat(&words[i], math.Float64bits(spread.SumFloat(i)))
			} else {
				words[i] += spread.Sum(i)
			}
		}
	}
	for i := range f.Exemplars() {
		if e := f.Exemplar(r.space, row, i); e != nil {
			if exemplars == nil {
				exemplars = make([]*model.Exemplar, f.Exemplars())
			}
			exemplars[i] = e
		}
	}
	return words, exemplars
}

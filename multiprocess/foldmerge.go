package multiprocess

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/model"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// remains is what dead writers leave behind, added up: an archive before it is
// written. It takes memory for what is different, not for each writer.
type remains struct {
	families []*remainingFamily
	index    map[string]*remainingFamily // by what they say of themselves
}

// remainingFamily is a family as an archive has it.
type remainingFamily struct {
	segment.Family
	series []*remnant
	index  map[remnantKey]*remnant
}

type remnantKey struct{ labels, process string }

// remnant is a series that a writer left.
type remnant struct {
	labels         string
	process        string // where each process has a series of its own
	start, created int64  // as in segment.Series
	words          []uint64
	native         *exponential.Snapshot // behind the words, nil without native buckets
	exemplars      []*model.Exemplar
}

// estate is what one file leaves. It is read whole before any of it is added to
// others, so that a file that turns out to be damaged adds nothing.
type estate struct {
	families []segment.Family
	series   []remnant
	of       []int // the family of each
	absorbed []string
}

func newRemains() *remains { return &remains{index: make(map[string]*remainingFamily)} }

// add adds what a file leaves.
func (r *remains) add(e *estate) {
	families := make([]*remainingFamily, len(e.families))
	for i := range e.series {
		n := e.of[i]
		if families[n] == nil {
			families[n] = r.family(&e.families[n])
		}
		families[n].add(&e.series[i])
	}
}

func (r *remains) family(f *segment.Family) *remainingFamily {
	key := identityOf(f)
	found, ok := r.index[key]
	if !ok {
		found = &remainingFamily{Family: *f, index: make(map[remnantKey]*remnant)}
		r.index[key] = found
		r.families = append(r.families, found)
	}
	if !slices.Equal(found.Labels, f.Labels) {
		found.Labels = nil
	}
	return found
}

// identityOf returns text that is equal for families that are one.
func identityOf(f *segment.Family) string {
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
func (f *remainingFamily) add(s *remnant) {
	key := remnantKey{s.labels, s.process}
	into, ok := f.index[key]
	if !ok {
		key.labels = sortedLabels(s.labels)
		into, ok = f.index[key]
		if !ok {
			into = &remnant{
				labels: strings.Clone(key.labels), process: strings.Clone(s.process), start: s.start, created: s.created,
				words: slices.Clone(s.words), native: s.native, exemplars: s.exemplars,
			}
			f.series = append(f.series, into)
			f.index[remnantKey{into.labels, into.process}] = into
		}
		if key.labels != s.labels {
			f.index[remnantKey{strings.Clone(s.labels), into.process}] = into
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
func (f *remainingFamily) merge(into, from *remnant) {
	to, with := into.words, from.words
	switch f.Layout {
	case segment.LayoutCounter:
		addFloat(&to[1], with[1])
		sum, carry := bits.Add64(to[0], with[0], 0)
		if to[0] = sum; carry > 0 {
			addFloat(&to[1], math.Float64bits(1<<64))
		}
	case segment.LayoutHistogram, segment.LayoutSummary:
		addFloat(&to[0], with[0])
		for i := 1; i < len(to); i++ {
			to[i] += with[i]
		}
	case segment.LayoutFloats:
		for i := range to {
			addFloat(&to[i], with[i])
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

func (f *remainingFamily) mergeGauge(into, from *remnant) {
	a, b := math.Float64frombits(into.words[0]), math.Float64frombits(from.words[0])
	take := false
	switch gaugeModes[f.Mode].operation() {
	case opAdd:
		addFloat(&into.words[0], from.words[0])
	case opMin:
		take = b < a || a != a
	case opMax:
		take = b > a || a != a
	case opLatest:
		take = from.words[1] > into.words[1]
	case opSet:
		take = from.start > into.start
	}
	if take {
		into.start = from.start
		copy(into.words, from.words)
	}
}

func addFloat(to *uint64, v uint64) {
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
		mode := gaugeModes[f.Mode]
		kept.Layout = segment.LayoutValue
		if op := mode.operation(); op == opLatest || op == opSet {
			kept.Layout = segment.LayoutTimed
		}
		return kept, !mode.live()
	}
	return kept, false
}

// checkFamily returns an error if no page may have the family: then readers would
// refuse an archive with it.
func checkFamily(f *segment.Family) error {
	header := model.Family{Name: f.Name, Unit: f.Unit, Type: f.Type}
	if err := header.Check(); err != nil {
		return defectf(ReasonUnfit, "an archive cannot hold the family %.80q: %v", f.Name, err)
	}
	return nil
}

// write lays out an archive. Families without series are left out.
func (r *remains) write(w *segment.Writer) error {
	for _, f := range r.families {
		if len(f.series) == 0 {
			continue
		}
		rows, err := w.Rows(f.Family)
		if err != nil {
			return err
		}
		for _, s := range f.series {
			first, err := rows.Add(segment.Series{Labels: s.labels, Created: s.created, Process: s.process, Start: s.start})
			if err != nil {
				return err
			}
			for i, word := range s.words {
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

// check compares what was written with what there is to write.
func (r *remains) check(u segment.Usage) error {
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
	estate
	space  segment.Space
	tables []*rowTable // by family number
}

// rowTable is the rows of a family and whose they are.
type rowTable struct {
	family *segment.Family
	blocks []rowBlock
	series []rowSeries
}

type rowSeries struct {
	segment.Series
	generation uint8
}

// readEstate reads what the writer of a segment leaves, or what an archive has.
// Series of single processes that were found dead by the writers' folder are
// left for the given time.
func readEstate(s segment.Space, now time.Time, expiry time.Duration) (*estate, *segment.Header, error) {
	rationed := segment.Ration(s)
	r := estateReader{space: rationed}
	var walk segment.Reader
	if err := walk.Next(s, &r); err != nil {
		return nil, nil, err
	}
	h := walk.Header()
	for _, t := range r.tables {
		if t == nil {
			continue
		}
		family, lasts := lasting(t.family)
		if !lasts {
			continue
		}
		r.families = append(r.families, family)
		if err := r.take(t, &family, h, now, expiry); err != nil {
			return nil, nil, err
		}
	}
	if err := rationed.Err(); err != nil {
		return nil, nil, err
	}
	return &r.estate, h, nil
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
	t.blocks = append(t.blocks, rowBlock{offset, rows})
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

// Absorbed implements [segment.Contents].
func (r *estateReader) Absorbed(name string) error {
	if err := spool.CheckAbsorbed(name); err != nil {
		return err
	}
	r.absorbed = append(r.absorbed, name)
	return nil
}

// take reads the series of a family.
func (r *estateReader) take(t *rowTable, kept *segment.Family, h *segment.Header, now time.Time, expiry time.Duration) error {
	size := uint64(t.family.Words()) * 8
	perProcess := kept.Type == model.Gauge && gaugeModes[kept.Mode].perProcess()
	from := uint32(0)
	for _, b := range t.blocks {
		for i := range b.rows {
			if uint64(from)+uint64(i) >= uint64(len(t.series)) {
				break
			}
			bytes := r.space.Bytes(b.offset+uint64(i)*size, size)
			if bytes == nil {
				return defectf(ReasonTruncated, "its row at offset %d is not there", b.offset+uint64(i)*size)
			}
			row := segment.WordAt(bytes, 0)
			s := &t.series[from+i]
			generation, created, live := segment.State(row)
			if !live || generation != s.generation {
				continue
			}
			left := remnant{labels: s.Labels, created: created}
			left.words, left.exemplars = r.values(t.family, kept, row)
			if kept.Layout == segment.LayoutNative {
				left.native = new(exponential.Snapshot)
				if err := exponential.Read(kept.NativeWordsAt(t.family.Layout.Values(row)), left.native); err != nil {
					return defectf(ReasonCorrupt, "its row at offset %d: %v", b.offset+uint64(i)*size, err)
				}
			}
			switch {
			case perProcess && h.Kind == segment.KindArchive:
				left.process, left.start = s.Process, s.Start
				if found := time.Unix(0, int64(left.words[1])); now.Sub(found) >= expiry {
					continue
				}
			case perProcess:
				left.process, left.start = processLabel(h), h.Start
				left.words[1] = uint64(now.UnixNano())
			case kept.Layout == segment.LayoutTimed && left.words[1] == 0:
				continue // it was never set
			}
			r.series, r.of = append(r.series, left), append(r.of, len(r.families)-1)
		}
		from += b.rows
	}
	return nil
}

// processLabel returns the label by which the series of a writer differ from
// those of others.
func processLabel(h *segment.Header) string {
	if h.Writer != "" {
		return h.Writer
	}
	return processID(h)
}

func processID(h *segment.Header) string { return strconv.FormatUint(h.PID, 10) }

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
				addFloat(&words[i], math.Float64bits(spread.SumFloat(i)))
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

package rules

// What was decided about the series of a family, remembered from walk to walk.

import (
	"encoding/binary"
	"slices"
	"sync/atomic"
	"unsafe"

	"telltale/internal/hash"
	"telltale/model"
)

// outcome is what becomes of a series.
type outcome struct {
	gone       bool // nothing is left
	changed    bool // it is not as it was
	relabelled bool
	labels     string      // its labels then
	parts      model.Parts // its samples
	keep       []bool      // those of the part whose samples a label tells apart; nil for all
	from       *model.Bounds
	bounds     *model.Bounds // of the buckets that are left of those between the bounds from
	err        error         // it cannot be shown
}

// The first outcomes of every table, which series share that need no other.
const (
	asItIs int32 = iota
	dropped
	ownOutcomes
)

var sharedOutcomes = [ownOutcomes]outcome{dropped: {gone: true}}

// entry is one series of a walk.
type entry struct {
	in     uint64 // hash of the series
	out    uint64 // hash of its labels after the rules, in any order
	which  int32  // its outcome
	repeat bool   // another series before it has become the same
}

// table is a walk that is over. It does not change.
type table struct {
	entries  []entry
	outcomes []outcome
	edition  *model.Edition // of the series during the whole walk; nil if it is not known
	changed  []int32        // the entries whose series were not shown as they are
}

// memory holds the last walk.
type memory struct {
	last  atomic.Pointer[table]
	total *atomic.Int64 // series that all memories of the program remember; nil for one that is used once
}

func (m *memory) keep(t *table) {
	if m.total != nil {
		m.total.Add(int64(len(t.entries)) - m.size())
	}
	m.last.Store(t)
}

// size returns how many series are remembered.
func (m *memory) size() int64 {
	if t := m.last.Load(); t != nil {
		return int64(len(t.entries))
	}
	return 0
}

// mostRemembered is how many series of a family are remembered; those beyond are
// decided anew in each walk.
const mostRemembered = 1 << 21

// lookahead is how many series that have gone since the last walk are passed over at
// once.
const lookahead = 16

var noTable = &table{outcomes: sharedOutcomes[:]}

// walker decides about the series of one walk, in order. As long as they are those
// of the last walk, it repeats what was decided then.
type walker struct {
	branch  *branch
	source  *model.Family  // before the rules
	family  *model.Family  // with the name that the branch gives it
	edition *model.Edition // of the source when the walk began
	old     *table
	at      int  // in the old table
	changes int  // in its changed
	same    bool // the series are those of the old table as long as the edition is the same

	fresh   *table // of this walk, once it differs
	seen    map[uint64]uint64
	eval    evaluation
	names   []string // room
	checked []string // names of labels that were checked last
	unfit   error    // what is wrong with them
	passing outcome  // of a series that is not remembered
	repeats uint64
	faults  []error // the first ones of series that cannot be shown
}

func (b *branch) walker(source, shown *model.Family) *walker {
	w := &walker{branch: b, source: source, family: shown, edition: source.Edition(), old: b.memory.last.Load()}
	if w.old == nil {
		w.old = noTable
	}
	w.same = w.edition != nil && w.edition == w.old.edition
	return w
}

// known returns how many of the next n series are known to be those of the old table,
// without a look at them.
func (w *walker) known(n int) int {
	if !w.same || w.fresh != nil {
		return 0
	}
	if w.same = w.source.Edition() == w.edition; !w.same {
		return 0
	}
	return min(n, len(w.old.entries)-w.at)
}

// next returns the outcome of a series that is the next one of the old table, nil if it
// is to be left out.
func (w *walker) next() *outcome {
	e := &w.old.entries[w.at]
	w.at++
	return w.told(&w.old.outcomes[e.which], e.repeat)
}

// series is what decisions depend on.
type series struct {
	labels, info model.Labels
	histogram    *model.HistogramValue
	summary      *model.SummaryValue
	states       []model.State
}

// digestKeys are of this process, so that nobody can choose labels that collide.
var digestKeys = func() (keys [16][2]uint64) {
	for i := range keys {
		keys[i] = [2]uint64{hash.String(hash.Keys[0]+uint64(i), "low"), hash.String(hash.Keys[1]+uint64(i), "high")}
	}
	return keys
}()

// digest returns a hash of the text of labels. Each 16 bytes have keys of their own and
// are folded by themselves, so that the processor folds several at once.
func digest(text string) uint64 {
	if len(text) < 16 || len(text) > 16*len(digestKeys) {
		return hash.String(hash.Keys[0], text)
	}
	b := unsafe.Slice(unsafe.StringData(text), len(text))
	last := (*[16]byte)(b[len(b)-16:]) // which may overlap what is before
	h := uint64(len(b))*hash.Keys[1] + hash.Fold(binary.LittleEndian.Uint64(last[:8])^hash.Keys[0], binary.LittleEndian.Uint64(last[8:])^hash.Keys[1])
	for i := 0; len(b) > 16; i++ {
		piece, keys := (*[16]byte)(b), &digestKeys[i%len(digestKeys)]
		h += hash.Fold(binary.LittleEndian.Uint64(piece[:8])^keys[0], binary.LittleEndian.Uint64(piece[8:])^keys[1])
		b = b[16:]
	}
	return h
}

// digestOf returns a hash of what decides about a series.
func digestOf(labels, info string) uint64 {
	h := digest(labels)
	if info != "" {
		h = hash.String(h^hash.Keys[1], info)
	}
	return h
}

// scalar returns the outcome of a series that is one number, nil if it is to be left
// out.
func (w *walker) scalar(labels model.Labels) *outcome {
	in := digest(labels.Text())
	if w.fresh == nil && w.at < len(w.old.entries) && w.old.entries[w.at].in == in {
		return w.next()
	}
	return w.differ(in, &series{labels: labels})
}

// point returns the outcome of any series, nil if it is to be left out.
func (w *walker) point(p *model.Point) *outcome {
	if w.known(1) > 0 {
		return w.next()
	}
	in := digestOf(p.Labels.Text(), p.Info.Text())
	s := series{labels: p.Labels, info: p.Info}
	if w.branch.apart {
		s.histogram, s.summary, s.states = p.Histogram, p.Summary, p.States
		in = s.hashApart(in)
	}
	if w.fresh == nil && w.at < len(w.old.entries) {
		if e := &w.old.entries[w.at]; e.in == in && s.fits(&w.old.outcomes[e.which]) {
			return w.next()
		}
	}
	return w.differ(in, &s)
}

// hashApart mixes into a hash what tells the samples of a series apart, but for the
// bounds of buckets, see fits.
func (s *series) hashApart(h uint64) uint64 {
	if s.summary != nil {
		for _, q := range s.summary.Quantiles {
			h = hash.Fold(h^hash.Keys[1], bitsOf(q.Q)^hash.Keys[0])
		}
	}
	for _, state := range s.states {
		h = hash.String(h, state.Name)
	}
	return h
}

// bounds returns the bounds on which decisions depend.
func (s *series) bounds() *model.Bounds {
	if s.histogram == nil {
		return nil
	}
	return s.histogram.Bounds
}

// fits reports whether an outcome was decided for the same bounds.
func (s *series) fits(o *outcome) bool { return o.from == s.bounds() || o.from.Equal(s.bounds()) }

// told returns an outcome and notes what is left out.
func (w *walker) told(o *outcome, repeat bool) *outcome {
	switch {
	case o.gone:
		return nil
	case o.err != nil:
		if len(w.faults) < mostTold {
			w.faults = append(w.faults, o.err)
		}
		return nil
	case repeat:
		w.repeats++
		return nil
	}
	return o
}

// mostTold is the largest number of errors that one walk of a family keeps, of series
// that cannot be shown.
const mostTold = 10

// differ decides about a series that is not the one of the last walk.
func (w *walker) differ(in uint64, s *series) *outcome {
	if w.fresh == nil {
		w.begin()
	}
	e := entry{in: in}
	var o outcome
	if was := w.find(in, s); was != nil {
		e.out, e.which, o = was.out, min(was.which, ownOutcomes), w.old.outcomes[was.which]
	} else {
		o, e.out, e.which = w.decide(s)
	}
	if w.branch.relabels && !o.gone && o.err == nil {
		if first, again := w.seen[e.out]; again {
			e.repeat = first != in
		} else {
			w.seen[e.out] = in
		}
	}
	if len(w.fresh.entries) >= mostRemembered {
		w.passing = o
		return w.told(&w.passing, e.repeat)
	}
	if e.which == ownOutcomes {
		e.which = int32(len(w.fresh.outcomes))
		w.fresh.outcomes = append(w.fresh.outcomes, o)
	}
	w.fresh.entries = append(w.fresh.entries, e)
	return w.told(&w.fresh.outcomes[e.which], e.repeat)
}

// begin copies what the walk has in common with the last one.
func (w *walker) begin() {
	w.fresh = w.old.until(w.at)
	if w.branch.relabels {
		w.seen = make(map[uint64]uint64, len(w.old.entries))
		for i := range w.fresh.entries {
			e := &w.fresh.entries[i]
			if o := &w.fresh.outcomes[e.which]; !o.gone && o.err == nil && !e.repeat {
				w.seen[e.out] = e.in
			}
		}
	}
}

// until returns a copy of the first n entries.
func (t *table) until(n int) *table {
	c := &table{entries: make([]entry, n, max(n, len(t.entries))), outcomes: slices.Clone(sharedOutcomes[:])}
	copy(c.entries, t.entries)
	for i := range c.entries {
		if e := &c.entries[i]; e.which >= ownOutcomes {
			c.outcomes = append(c.outcomes, t.outcomes[e.which])
			e.which = int32(len(c.outcomes) - 1)
		}
	}
	return c
}

// find returns the entry of a series that has moved because others before it have
// gone.
func (w *walker) find(in uint64, s *series) *entry {
	for i := w.at; i < min(w.at+lookahead, len(w.old.entries)); i++ {
		if e := &w.old.entries[i]; e.in == in && s.fits(&w.old.outcomes[e.which]) {
			w.at = i + 1
			return e
		}
	}
	return nil
}

// end remembers a walk that has met all series.
func (w *walker) end() {
	if w.edition != nil && w.source.Edition() != w.edition {
		w.edition = nil
	}
	t := w.fresh
	switch {
	case t != nil:
	case w.at < len(w.old.entries)/2:
		t = w.old.until(w.at)
	case w.edition != w.old.edition && w.at > 0:
		t = &table{entries: w.old.entries[:w.at], outcomes: w.old.outcomes}
	default:
		return
	}
	t.edition = w.edition
	for i := range t.entries {
		if e := &t.entries[i]; e.which != asItIs || e.repeat {
			t.changed = append(t.changed, int32(i))
		}
	}
	w.branch.memory.keep(t)
}

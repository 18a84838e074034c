package catalog

import (
	"slices"
	"strings"

	"telltale/internal/exact"
	"telltale/internal/exponential"
	"telltale/internal/reserved"
	"telltale/model"
)

// Totals are the merged values by slot.
type Totals struct {
	Now    int64      // when values are read, in nanoseconds since 1970
	Sums   exact.Sums // of slots whose values are added up
	Values []float64  // of the others, and of all once all files are read
	Times  []int64    // of the latest, in nanoseconds since 1970; empty where there are none

	// What segments say of their series, empty where there are none.
	Births    Births
	since     []int64                    // from when the rows of a series count; empty where none end
	exemplars map[uint32]*model.Exemplar // the newest
	infos     map[uint32][]model.Labels  // sorted, once all files are read
	natives   map[uint32]*NativeTotal    // by the first slot
	Work      exponential.Snapshot
}

// NativeTotal is the native buckets of a series.
type NativeTotal struct {
	Sum       exponential.Snapshot
	Exemplars exponential.Exemplars
}

// NativeOf returns the native buckets of a series, nil if its family shows none.
func (t *Totals) NativeOf(slot uint32, f *family) *NativeTotal {
	if f.Native.Buckets == 0 {
		return nil
	}
	n := t.natives[slot]
	if n == nil {
		if t.natives == nil {
			t.natives = make(map[uint32]*NativeTotal)
		}
		n = new(NativeTotal)
		n.Sum.Reset()
		t.natives[slot] = n
	}
	return n
}

// Births are by slot whether rows had the series, and when it was created: 0 if no row
// had it, 1 if none knew when it was created, else a number that is the greater the
// earlier that was, as [Births.Born] makes it.
type Births []uint64

// Start prepares the totals for the values of all files, which are read now, in
// nanoseconds since 1970.
func (t *Totals) Start(c *Catalog, now int64) {
	t.Now = now
	t.Values = slices.Grow(t.Values[:0], c.Slots())[:c.Slots()]
	c.slots.begin(t.Values)
	t.Sums.Reset(len(t.Values))
	t.Times, t.Births, t.since = t.Times[:0], t.Births[:0], t.since[:0]
	if c.timed {
		t.Times = zeros(t.Times, len(t.Values))
	}
	if c.Rows {
		t.Births = zeros(t.Births, len(t.Values))
	}
	t.exemplars, t.infos, t.natives = nil, nil, nil
}

func zeros[S ~[]E, E int64 | uint64](s S, n int) S {
	s = slices.Grow(s, n)[:n]
	clear(s)
	return s
}

// Put merges one value of a gauge that bears no time.
func (t *Totals) Put(op Operation, slot uint32, v float64) {
	if op == OpAdd {
		t.Sums.Add(slot, v)
	} else if p := &t.Values[slot]; op.Prefers(v, *p) {
		*p = v
	}
}

// Prefers reports whether a value takes the place of the one that a series has had so
// far, NaN if there was none.
func (op Operation) Prefers(v, had float64) bool {
	switch op {
	case OpSet:
		return true
	case OpMin:
		return v < had || had != had
	case OpMax:
		return v > had || had != had
	}
	return false
}

// PutTimed merges a value that was set at a time, if at all. One that is still to come
// counts as now: the clock of its writer was ahead.
func (t *Totals) PutTimed(slot uint32, v float64, when int64) {
	if when = min(when, t.Now); when > t.Times[slot] {
		t.Times[slot], t.Values[slot] = when, v
	}
}

// Born notes that a row has a series, created so many microseconds after 1970, below 2^56:
// 1 if that is unknown.
func (b Births) Born(slot uint32, created int64) {
	if earlier := uint64(1-created)<<1 | 1; earlier > b[slot] {
		b[slot] = earlier
	}
}

// Seen notes that a row has a series, of a type that does not show when it was created.
func (b Births) Seen(slot uint32) { b.Born(slot, 1) }

// created returns when a series was created, as far as is known.
func (t *Totals) created(slot uint32) model.Timestamp {
	if slot >= uint32(len(t.Births)) || t.Births[slot] <= 1 {
		return model.Timestamp{}
	}
	created := 1 - int64(t.Births[slot])>>1
	return model.Unix(created/1e6, created%1e6*1e3)
}

// Exemplify keeps the newest exemplar of a slot.
func (t *Totals) Exemplify(slot uint32, e *model.Exemplar) {
	switch had := t.exemplars[slot]; {
	case e == nil || had != nil && had.Timestamp.Compare(e.Timestamp) >= 0:
		return
	case t.exemplars == nil:
		t.exemplars = make(map[uint32]*model.Exemplar)
	}
	t.exemplars[slot] = e
}

// Inform adds the labels of an info, unless one of them stands there twice or is reserved.
func (t *Totals) Inform(slot uint32, labels model.Labels) {
	if reserved.Check("", model.Info, labels) != nil {
		return
	}
	if t.infos == nil {
		t.infos = make(map[uint32][]model.Labels)
	}
	t.infos[slot] = append(t.infos[slot], labels.Sorted())
}

// Finish is called once all files are read: it rounds the sums, and sorts the labels
// of infos, of each one.
func (t *Totals) Finish() {
	t.Sums.Store(t.Values)
	for slot, all := range t.infos {
		slices.SortFunc(all, func(a, b model.Labels) int { return strings.Compare(a.Text(), b.Text()) })
		t.infos[slot] = slices.CompactFunc(all, func(a, b model.Labels) bool { return a.Text() == b.Text() })
	}
}

// visitInfos visits the points of an info's series, but for those whose labels beside it
// have a name that the series has too.
func (t *Totals) visitInfos(slot uint32, scratch *model.Point, visit func(*model.Point) error) error {
	for _, labels := range t.infos[slot] {
		if reserved.Check("", model.Info, scratch.Labels, labels) != nil {
			continue
		}
		scratch.Info, scratch.Value = labels, 1
		if err := visit(scratch); err != nil {
			return err
		}
	}
	return nil
}

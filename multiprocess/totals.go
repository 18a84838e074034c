package multiprocess

import (
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"

	"telltale/internal/exponential"
	"telltale/model"
)

// totals are the merged values by slot.
type totals struct {
	values []float64
	times  []int64 // of the latest, in nanoseconds since 1970; empty where there are none

	// What segments say of their series, empty where there are none. A birth is
	// 0 if no row had the series, unknownBirth if none knew when it was created,
	// else the earliest that is known, in microseconds since 1970.
	births    []int64
	exemplars map[uint32]*model.Exemplar // the newest
	infos     map[uint32][]model.Labels  // sorted, once all files are read
	natives   map[uint32]*nativeTotal    // by the first slot
	work      exponential.Snapshot
}

// nativeTotal is the native buckets of a series.
type nativeTotal struct {
	sum       exponential.Snapshot
	exemplars exponential.Exemplars
}

// nativeOf returns the native buckets of a series, nil if its family shows none.
func (t *totals) nativeOf(slot uint32, f *family) *nativeTotal {
	if f.native.buckets == 0 {
		return nil
	}
	n := t.natives[slot]
	if n == nil {
		if t.natives == nil {
			t.natives = make(map[uint32]*nativeTotal)
		}
		n = new(nativeTotal)
		n.sum.Reset()
		t.natives[slot] = n
	}
	return n
}

const unknownBirth = 1

// start prepares the totals for the values of all files.
func (t *totals) start(c *catalog) {
	t.values = append(t.values[:0], c.initial...)
	t.times, t.births = t.times[:0], t.births[:0]
	if c.timed {
		t.times = zeros(t.times, len(t.values))
	}
	if c.rows {
		t.births = zeros(t.births, len(t.values))
	}
	t.exemplars, t.infos, t.natives = nil, nil, nil
}

func zeros(s []int64, n int) []int64 {
	s = slices.Grow(s, n)[:n]
	clear(s)
	return s
}

// merge merges values into their slots. A value lies in data at its offset, in
// the machine's byte order, and its time, in timed files, behind it. Offsets
// increase and are divisible by 8. Values are loaded atomically: their writers
// do not stop.
func (t *totals) merge(data []byte, offsets []uint32, timed bool, slots []uint32, runs []run) error {
	n, width := len(offsets), valueSize
	if timed {
		width = valueAndTimeSize
	}
	if n == 0 {
		return nil
	}
	if int64(offsets[n-1])+int64(width) > int64(len(data)) {
		return defectf(ReasonTruncated, "it became shorter")
	}
	base := unsafe.Pointer(unsafe.SliceData(data))
	values := t.values
	for _, r := range runs {
		if r.from >= n {
			break
		}
		at, to := offsets[r.from:min(r.to, n)], slots[r.from:min(r.to, n)]
		switch r.op {
		case opAdd:
			for i, offset := range at {
				values[to[i]] += load(base, offset)
			}
		case opSet:
			for i, offset := range at {
				values[to[i]] = load(base, offset)
			}
		case opMin:
			for i, offset := range at {
				if v, p := load(base, offset), &values[to[i]]; v < *p || *p != *p {
					*p = v
				}
			}
		case opMax:
			for i, offset := range at {
				if v, p := load(base, offset), &values[to[i]]; v > *p || *p != *p {
					*p = v
				}
			}
		case opLatest:
			if !timed {
				continue // never set, as far as anybody knows
			}
			for i, offset := range at {
				if when := nanoseconds(load(base, offset+valueSize)); when > t.times[to[i]] {
					t.times[to[i]], values[to[i]] = when, load(base, offset)
				}
			}
		}
	}
	return nil
}

// load reads the value at an offset divisible by 8 from memory that begins at a
// page or at the start of an allocation of words.
func load(base unsafe.Pointer, offset uint32) float64 {
	return math.Float64frombits(atomic.LoadUint64((*uint64)(unsafe.Add(base, offset))))
}

// nanoseconds converts Unix seconds, 0 for those that are none: different times
// that a clock has set stay different.
func nanoseconds(seconds float64) int64 {
	switch {
	case !(seconds > 0):
		return 0
	case seconds >= math.MaxInt64/1e9:
		return math.MaxInt64
	}
	whole := math.Floor(seconds)
	return max(1, int64(whole)*1e9+int64((seconds-whole)*1e9))
}

// put merges one value of a gauge that bears no time.
func (t *totals) put(op operation, slot uint32, v float64) {
	switch p := &t.values[slot]; op {
	case opAdd:
		*p += v
	case opSet:
		*p = v
	case opMin:
		if v < *p || *p != *p {
			*p = v
		}
	case opMax:
		if v > *p || *p != *p {
			*p = v
		}
	}
}

// putTimed merges a value that was set at a time, if at all.
func (t *totals) putTimed(slot uint32, v float64, when int64) {
	if when > t.times[slot] {
		t.times[slot], t.values[slot] = when, v
	}
}

// born notes that a row has a series, created at that time if it is not 0.
func (t *totals) born(slot uint32, created int64) {
	switch b := &t.births[slot]; {
	case *b <= unknownBirth:
		*b = max(unknownBirth, created)
	case created > unknownBirth && created < *b:
		*b = created
	}
}

// created returns when a series was created, as far as is known.
func (t *totals) created(slot uint32) model.Timestamp {
	if slot >= uint32(len(t.births)) || t.births[slot] <= unknownBirth {
		return model.Timestamp{}
	}
	return model.Unix(t.births[slot]/1e6, t.births[slot]%1e6*1e3)
}

// exemplify keeps the newest exemplar of a slot.
func (t *totals) exemplify(slot uint32, e *model.Exemplar) {
	switch had := t.exemplars[slot]; {
	case e == nil || had != nil && had.Timestamp.Compare(e.Timestamp) >= 0:
		return
	case t.exemplars == nil:
		t.exemplars = make(map[uint32]*model.Exemplar)
	}
	t.exemplars[slot] = e
}

// inform adds the labels of an info.
func (t *totals) inform(slot uint32, labels model.Labels) {
	if t.infos == nil {
		t.infos = make(map[uint32][]model.Labels)
	}
	t.infos[slot] = append(t.infos[slot], labels)
}

// finish is called once all files are read: it sorts the labels of infos, of each
// one.
func (t *totals) finish() {
	for slot, all := range t.infos {
		slices.SortFunc(all, func(a, b model.Labels) int { return strings.Compare(a.Text(), b.Text()) })
		t.infos[slot] = slices.CompactFunc(all, func(a, b model.Labels) bool { return a.Text() == b.Text() })
	}
}

// visitInfos visits the points of an info's series.
func (t *totals) visitInfos(slot uint32, scratch *model.Point, visit func(*model.Point) error) error {
	for _, labels := range t.infos[slot] {
		scratch.Info, scratch.Value = labels, 1
		if err := visit(scratch); err != nil {
			return err
		}
	}
	return nil
}

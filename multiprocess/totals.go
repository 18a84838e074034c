package multiprocess

import (
	"math"
	"slices"
	"sync/atomic"
	"unsafe"
)

// totals are the merged values by slot.
type totals struct {
	values []float64
	times  []float64 // of mostrecent gauges; empty where there are none
}

// start prepares the totals for the values of all files.
func (t *totals) start(c *catalog) {
	t.values = append(t.values[:0], c.initial...)
	t.times = t.times[:0]
	if c.timed {
		t.times = slices.Grow(t.times, len(t.values))[:len(t.values)]
		clear(t.times)
	}
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
				if when := load(base, offset+valueSize); when > t.times[to[i]] {
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

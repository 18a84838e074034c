package python

import (
	"math"
	"unsafe"

	"telltale/internal/cell"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/spool"
)

// mergeValues merges values into their slots. A value lies in data at its offset, in
// the machine's byte order, and its time, in timed files, behind it. Offsets
// increase and are divisible by 8. Values are loaded atomically: their writers
// do not stop.
func mergeValues(t *catalog.Totals, data []byte, offsets []uint32, timed bool, slots []uint32, runs []catalog.Run) error {
	n, width := len(offsets), valueSize
	if timed {
		width = valueAndTimeSize
	}
	if n == 0 {
		return nil
	}
	if int64(offsets[n-1])+int64(width) > int64(len(data)) {
		return spool.Defectf(spool.ReasonTruncated, "it became shorter")
	}
	base := unsafe.Pointer(unsafe.SliceData(data))
	values := t.Values
	for _, r := range runs {
		if r.From >= n {
			break
		}
		at, to := offsets[r.From:min(r.To, n)], slots[r.From:min(r.To, n)]
		switch r.Op {
		case catalog.OpAdd:
			for i, offset := range at {
				t.Sums.Add(to[i], load(base, offset))
			}
		case catalog.OpSet:
			for i, offset := range at {
				values[to[i]] = load(base, offset)
			}
		case catalog.OpMin:
			for i, offset := range at {
				if v, p := load(base, offset), &values[to[i]]; v < *p || *p != *p {
					*p = v
				}
			}
		case catalog.OpMax:
			for i, offset := range at {
				if v, p := load(base, offset), &values[to[i]]; v > *p || *p != *p {
					*p = v
				}
			}
		case catalog.OpLatest:
			if !timed {
				continue // never set, as far as anybody knows
			}
			for i, offset := range at {
				if when := nanoseconds(load(base, offset+valueSize)); when > t.Times[to[i]] {
					t.Times[to[i]], values[to[i]] = when, load(base, offset)
				}
			}
		}
	}
	return nil
}

// load reads the value at an offset divisible by 8 from memory that begins at a
// page or at the start of an allocation of words.
func load(base unsafe.Pointer, offset uint32) float64 {
	return cell.LoadFloat((*cell.Word)(unsafe.Add(base, offset)))
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

// bytesOf returns words as bytes, which are aligned as atomic loads need it.
func bytesOf(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))
}

package segsource

import (
	"math"

	"telltale/internal/cell"
	"telltale/internal/exact"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
)

// run merges rows that lie one behind the other from the first on, each into its slot, up
// to one that it leaves to merge, and returns how many it has merged. Runs are for rows
// that are their first series' and have their values in their own words alone, as most
// are, in the layouts of which there are most. Loops over short rows make no calls, so
// that all that they need stays in registers: with the calls of rare cases in them they
// took a third longer.
type run func(r *familyRows, first *cell.Word, slots []uint32, t *catalog.Totals) (n int)

// runOf returns the run for a stretch of the rows; nil if merge reads each of them.
func (r *familyRows) runOf(s *segment.Stretch) run {
	if !s.AllFirst() || r.Expiry > 0 { // each row has a life, which is asked first
		return nil
	}
	switch r.Layout {
	case segment.LayoutCounter:
		if r.op == catalog.OpAdd {
			return runCounters
		}
	case segment.LayoutValue:
		switch r.op {
		case catalog.OpAdd:
			return runAdded
		case catalog.OpSet:
			return runSet
		case catalog.OpMin, catalog.OpMax:
			return runChosen
		}
	case segment.LayoutSummary:
		return runSummaries
	case segment.LayoutHistogram:
		return runHistograms
	}
	return nil
}

const (
	valueWords   = 2 // state, value
	counterWords = 4 // state, links, whole numbers, fractions
	summaryWords = 4 // state, links, sum, count
)

func runCounters(_ *familyRows, first *cell.Word, slots []uint32, t *catalog.Totals) (n int) {
	wholes := t.Sums.Wholes()
	births := t.Births[:len(wholes)]
	for i, slot := range slots {
		row := cell.At(first, i*counterWords)
		created, in := segment.InFirst(row)
		if !in || slot == 0 {
			continue
		}
		whole := cell.At(row, 2).Load()
		sum := wholes[slot] + whole
		if sum < whole {
			return i
		}
		if fraction := cell.At(row, 3).Load(); fraction|links(row) != 0 { // mostly neither is there
			if links(row) != 0 || !t.Sums.Pairs().TryAdd(slot, math.Float64frombits(fraction)) {
				return i
			}
		}
		wholes[slot] = sum
		births.Born(slot, created)
	}
	return len(slots)
}

func runAdded(_ *familyRows, first *cell.Word, slots []uint32, t *catalog.Totals) (n int) {
	pairs := t.Sums.Pairs()
	births := t.Births[:len(pairs)]
	for i, slot := range slots {
		row := cell.At(first, i*valueWords)
		if _, in := segment.InFirst(row); !in || slot == 0 {
			continue
		}
		if v, ok := cell.LoadLevel(cell.At(row, 1)); !ok || !pairs.TryAdd(slot, v) {
			return i
		}
		births.Seen(slot)
	}
	return len(slots)
}

func runSet(_ *familyRows, first *cell.Word, slots []uint32, t *catalog.Totals) (n int) {
	values, births := t.Values, t.Births[:len(t.Values)]
	for i, slot := range slots {
		row := cell.At(first, i*valueWords)
		if _, in := segment.InFirst(row); !in || slot == 0 {
			continue
		}
		v, ok := cell.LoadLevel(cell.At(row, 1))
		if !ok {
			return i
		}
		values[slot] = v
		births.Seen(slot)
	}
	return len(slots)
}

func runChosen(r *familyRows, first *cell.Word, slots []uint32, t *catalog.Totals) (n int) {
	op, values, births := r.op, t.Values, t.Births[:len(t.Values)]
	for i, slot := range slots {
		row := cell.At(first, i*valueWords)
		if _, in := segment.InFirst(row); !in || slot == 0 {
			continue
		}
		v, ok := cell.LoadLevel(cell.At(row, 1))
		if !ok {
			return i
		}
		if op.Prefers(v, values[slot]) {
			values[slot] = v
		}
		births.Seen(slot)
	}
	return len(slots)
}

func runSummaries(_ *familyRows, first *cell.Word, slots []uint32, t *catalog.Totals) (n int) {
	wholes := t.Sums.Wholes()
	pairs, births := t.Sums.Pairs()[:len(wholes)], t.Births[:len(wholes)]
	for i, slot := range slots {
		row := cell.At(first, i*summaryWords)
		created, in := segment.InFirst(row)
		if !in || slot == 0 {
			continue
		}
		v, count := cell.LoadFloat(cell.At(row, 2)), cell.At(row, 3).Load()
		sum := wholes[slot+1] + count
		if sum < count || links(row) != 0 || !pairs.TryAdd(slot, v) {
			return i
		}
		wholes[slot+1] = sum
		births.Born(slot, created)
	}
	return len(slots)
}

func runHistograms(r *familyRows, first *cell.Word, slots []uint32, t *catalog.Totals) (n int) {
	words, wholes, births := r.words, t.Sums.Wholes(), t.Births
	for i, slot := range slots {
		row := cell.At(first, i*words)
		created, in := segment.InFirst(row)
		if !in || slot == 0 {
			continue
		}
		if links(row) != 0 {
			return i
		}
		t.Sums.Add(slot, cell.LoadFloat(cell.At(row, 2)))
		for bucket := 0; ; bucket++ {
			if bucket = runBuckets(cell.At(row, 3), wholes, slot, r.buckets, bucket); bucket == len(r.buckets) {
				break
			}
			t.Sums.AddWhole(slot+r.buckets[bucket], cell.At(row, 3+bucket).Load())
		}
		births.Born(slot, created)
	}
	return len(slots)
}

// runBuckets adds counts of buckets from the i-th one on, up to one that takes
// [exact.Sums.AddWhole], and returns which that is, or how many there are.
func runBuckets(first *cell.Word, wholes exact.Wholes, slot uint32, buckets []uint32, i int) (next int) {
	for ; i < len(buckets); i++ {
		if !wholes.TryAdd(slot+buckets[i], cell.At(first, i).Load()) {
			break
		}
	}
	return i
}

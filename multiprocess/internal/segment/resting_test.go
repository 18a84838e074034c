package segment

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"telltale/internal/cell"
)

// Rows come out in the order in which they were put in, however many there are.
func TestQueue(t *testing.T) {
	var q queue
	in, out := uint32(0), uint32(0)
	for range 50 {
		for range rand.IntN(3 * pieceRows) {
			q.push(resting{number: in})
			in++
		}
		for range rand.IntN(4 * pieceRows) {
			if q.len() != int(in-out) {
				t.Fatalf("%d rows, want %d", q.len(), in-out)
			}
			if q.len() == 0 {
				break
			}
			if last := q.at(q.len() - 1).number; last != in-1 {
				t.Fatalf("the last is %d, want %d", last, in-1)
			}
			if first := q.at(0).number; first != out {
				t.Fatalf("the first is %d, want %d", first, out)
			}
			q.pop()
			out++
		}
		if most := q.len()/pieceRows + 2; len(q.pieces) > most {
			t.Fatalf("%d rows in %d pieces, at most %d", q.len(), len(q.pieces), most)
		}
	}
}

// A row is found in whichever block it lies, and is that of one family.
func TestRowsOfManyBlocks(t *testing.T) {
	w := newWriter(t, Header{})
	type series struct {
		family, other *Rows
		first         *cell.Word
		labels        string
	}
	x, y := of(t, w, "x"), of(t, w, "y")
	var all []series
	for i := range 3000 {
		labels := fmt.Sprintf(`a="%d"`, i)
		all = append(all, series{x, y, mustAdd(t, x, Series{Labels: labels}), labels},
			series{y, x, mustAdd(t, y, Series{Labels: labels}), labels})
	}
	for round := range 3 {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		gone := all[:len(all)/2]
		for i, s := range gone {
			if had, err := s.other.Bury(s.first, int64(i+1)); had || err != nil || s.other.Has(s.first) || !s.family.Has(s.first) {
				t.Fatalf("round %d: %s of %s is one of %s, %v", round, s.labels, s.family.Family().Name, s.other.Family().Name, err)
			}
			if had, err := s.family.Bury(s.first, int64(i+1)); !had || err != nil {
				t.Fatal(had, err)
			}
			if i%1000 == 0 {
				stones := buried(t, w)
				newest := slices.MaxFunc(stones, func(a, b Tombstone) int { return int(a.Time - b.Time) })
				if newest.Name != s.family.Family().Name || newest.Labels[0] != s.labels {
					t.Fatalf("round %d: %s%v was removed, not %s of %s", round, newest.Name, newest.Labels, s.labels, s.family.Family().Name)
				}
			}
		}
		for i, s := range all {
			if _, _, live := State(s.family.row(s.first)); live != (i >= len(gone)) {
				t.Fatalf("round %d: %s of %s is there: %v", round, s.labels, s.family.Family().Name, live)
			}
		}
		blocks := len(x.blocks) + len(y.blocks)
		for range quarantine {
			w.Tick()
		}
		for i := range gone {
			gone[i].first = mustAdd(t, gone[i].family, Series{Labels: gone[i].labels})
		}
		if now := len(x.blocks) + len(y.blocks); now != blocks {
			t.Fatalf("round %d: %d blocks have become %d, though as many rows had rested as there are new series", round, blocks, now)
		}
	}
}

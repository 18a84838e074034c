package segment

import (
	"math/rand/v2"
	"testing"
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

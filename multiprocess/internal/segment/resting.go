package segment

import "telltale/internal/cell"

// resting is a row that was a removed series'.
type resting struct {
	row    *cell.Word
	number uint32
	until  uint64
}

// queue is rows at rest, in the order in which that ends, in pieces: as many rest as series
// were removed within seconds, and none is moved when there are more. The zero queue is
// empty.
type queue struct {
	pieces []*[pieceRows]resting
	from   int // of the first piece
	n      int
}

// pieceRows is how many rows a piece has.
const pieceRows = 32

func (q *queue) len() int { return q.n }

// at returns the i-th row.
func (q *queue) at(i int) *resting {
	i += q.from
	return &q.pieces[i/pieceRows][i%pieceRows]
}

// push puts a row behind all others.
func (q *queue) push(r resting) {
	if q.from+q.n == len(q.pieces)*pieceRows {
		q.pieces = append(q.pieces, new([pieceRows]resting))
	}
	q.n++
	*q.at(q.n - 1) = r
}

// pop takes the first row out.
func (q *queue) pop() {
	q.from++
	q.n--
	if q.from == pieceRows {
		q.from = 0
		q.pieces = append(q.pieces[:0], q.pieces[1:]...)
	}
}

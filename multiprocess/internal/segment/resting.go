package segment

// resting is a row of a removed series, which is not used yet. It has no pointer, so
// that the garbage collector passes over the many that there are.
type resting struct {
	number uint32
	until  uint32 // the tick from which on it may be another's; 2^32 ticks are 136 years
}

// queue holds the rows at rest, in the order in which their rest ends. It consists of
// pieces, so that it grows without moving rows: all rows of series that were removed
// within some seconds rest at once. The zero queue is empty.
type queue struct {
	pieces []*[pieceRows]resting
	from   uint // the place of the first row in the first piece
	n      uint
}

// pieceRows is how many rows a piece has.
const pieceRows = 64

func (q *queue) len() int { return int(q.n) }

// at returns the i-th row.
func (q *queue) at(i int) *resting { return q.place(q.from + uint(i)) }

func (q *queue) place(i uint) *resting { return &q.pieces[i/pieceRows][i%pieceRows] }

// push puts a row behind all others.
func (q *queue) push(r resting) {
	end := q.from + q.n
	if end == uint(len(q.pieces))*pieceRows {
		q.pieces = append(q.pieces, new([pieceRows]resting))
	}
	*q.place(end) = r
	q.n++
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

package segment

// Rationed is a Space for reading rows once, each time that Begin was called. What a row
// refers to, lanes and texts, is its own, so that reading all rows reads no more of them
// than the segment has. In a forged segment many rows may refer to the same one: then
// nothing is left, and Err says so. It is not safe for concurrent use.
type Rationed struct {
	Space
	spent uint64
	over  bool
}

// Begin begins one reading of rows in the Space.
func (r *Rationed) Begin(s Space) { *r = Rationed{Space: s} }

// Err returns an error if rows refer to more than the segment has.
func (r *Rationed) Err() error {
	if r.over {
		return corrupt(HeaderSize, "many rows refer to the same lanes or texts")
	}
	return nil
}

// rationSlack is for small segments. Rows may be given other lanes and texts while they
// are read, so the ration is twice what the segment has.
const rationSlack = 1 << 20

// spend reports whether n bytes that a row refers to may be read.
func spend(s Space, n uint64) bool {
	r, ok := s.(*Rationed)
	if !ok {
		return true
	}
	most := 2*Published(r.Space) + rationSlack // which grows meanwhile
	if n > most || r.spent > most-n {
		r.over = true
		return false
	}
	r.spent += n
	return true
}

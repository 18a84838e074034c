package segment

// Rationed is a Space in which each row is read once after a call of Begin. Each row has
// lanes and texts of its own, so that reading all rows takes no more bytes of them than the
// segment has. In a forged segment many rows may refer to the same lanes or text: once the
// ration is spent, lanes and texts of further rows are not read, and Err returns an error.
// It is not safe for concurrent use.
type Rationed struct {
	Space
	spent uint64
	over  bool
}

// Begin begins one reading of rows in the Space.
func (r *Rationed) Begin(s Space) { *r = Rationed{Space: s} }

// There implements [Holed].
func (r *Rationed) There(offset, n uint64) bool { return there(r.Space, offset, n) }

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

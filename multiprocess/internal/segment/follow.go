package segment

// follow gives the next row of a family to a series, as its record says, if the plan has
// an equal record of that row, and reports whether it has.
func (t *Table) follow(b, fixed []byte, p *Plan) bool {
	if p == nil || len(fixed) < 8 {
		return false
	}
	f, row := t.next(fixed)
	if f == nil {
		return false
	}
	e := f.plan.entries[row]
	if string(p.bytes[e.from:e.to]) != string(b) {
		return false
	}
	t.give(f, row, f.plan.tenants[row])
	t.planned = e.to
	return true
}

// next returns the family and the row of a series' record of which the first fields are
// given, if the row is the next one of its family, and one of the plan.
func (t *Table) next(fixed []byte) (f *FamilyTable, row uint32) {
	f, row = t.known(order.Uint32(fixed)), order.Uint32(fixed[4:])
	if f == nil || f.plan == nil || uint64(row) != uint64(len(f.Tenants)) || row >= f.rows || uint64(row) >= uint64(len(f.plan.entries)) {
		return nil, 0
	}
	return f, row
}

// followOn takes note of records as follow does, as long as those in the bytes from t.at on
// lie one behind the other as in the plan. They are compared together, which takes much
// less time than to compare each.
func (t *Table) followOn(b []byte, p *Plan) {
	at := t.planned
	for end := at + common(b, p.bytes[at:]); end-at >= recordHeaderSize+8; {
		record := p.bytes[at:]
		size := order.Uint32(record)
		f, row := t.next(record[recordHeaderSize:])
		if size > end-at || f == nil || f.plan.entries[row].from != at {
			return
		}
		t.give(f, row, f.plan.tenants[row])
		t.at += uint64(size)
		at += size
	}
}

// contiguous returns the bytes of a segment between two offsets if they lie one behind the
// other in memory, else none.
func contiguous(s Space, from, to uint64) []byte {
	switch m := s.(type) {
	case Image:
		return m.Bytes(from, to-from)
	case *Image:
		return m.Bytes(from, to-from)
	}
	return nil
}

// common returns how many bytes at the beginning of a and b are equal, rounded down to
// whole pieces of those that are compared.
func common(a, b []byte) (n uint32) {
	const largest, smallest = 1 << 10, 1 << 6
	for piece := largest; piece >= smallest; {
		if rest := min(len(a), len(b)) - int(n); rest < piece || string(a[n:][:piece]) != string(b[n:][:piece]) {
			piece /= 2
			continue
		}
		n += uint32(piece)
	}
	return n
}

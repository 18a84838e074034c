package segment

import "slices"

// Plan is the records of families and series that tables have read, with the families and
// tenants that they led to. Segments of equal processes mostly have equal records in the
// same order: a record that is equal byte for byte to one that was found good is good, and
// means the same. Tables that share a plan share a ledger too. The zero Plan is empty. It
// is not safe for concurrent use.
type Plan struct {
	records  []familyRecorded // by number: the last that was found good
	families map[any]*planned // by what the ledger calls them
	bytes    []byte           // of whole records, in the order in which they were learned
	live     int              // how many of them an entry has
}

// familyRecorded is the payload of a family's record, and what it says.
type familyRecorded struct {
	payload []byte
	family  Family
	key     any // what the ledger calls it; nil if that is not known
}

const (
	// familiesKept is how many families a plan remembers at most.
	familiesKept = 1000
	// payloadKept is how many bytes the payload of one of them has at most.
	payloadKept = 4 << 10
	// firstFrom and firstTo are where in a payload the family's First lies, by which
	// equal families of different processes may differ.
	firstFrom, firstTo = 16, 32
)

// recorded returns what the plan has of a family's record that is equal to the one with the
// given payload but for the family's First, nil if it has none. The caller has checked the
// checksum of the given record.
func (p *Plan) recorded(payload []byte) *familyRecorded {
	if p == nil || len(payload) < firstTo {
		return nil
	}
	number := order.Uint32(payload)
	if uint64(number) >= uint64(len(p.records)) {
		return nil
	}
	known := &p.records[number]
	if len(known.payload) != len(payload) || string(known.payload[:firstFrom]) != string(payload[:firstFrom]) ||
		string(known.payload[firstTo:]) != string(payload[firstTo:]) {
		return nil
	}
	return known
}

// familyOf returns the family that the given payload describes, which is equal to r's but
// for when the family first appeared.
func (r *familyRecorded) familyOf(payload []byte) Family {
	f := r.family
	f.First = Moment{int64(order.Uint64(payload[firstFrom:])), int64(order.Uint64(payload[firstFrom+8:]))}
	return f
}

// numbered returns how many families segments mostly have, as far as the plan knows.
func (p *Plan) numbered() int {
	if p == nil {
		return 0
	}
	return len(p.records)
}

// remember keeps what a good family's record says, and returns it; nil if it is not kept.
func (p *Plan) remember(payload []byte, f *Family) *familyRecorded {
	if p == nil || len(payload) < firstTo || len(payload) > payloadKept || f.Number >= familiesKept || f.Words() == 0 {
		return nil
	}
	for uint64(len(p.records)) <= uint64(f.Number) {
		p.records = append(p.records, familyRecorded{})
	}
	known := &p.records[f.Number]
	*known = familyRecorded{append(known.payload[:0], payload...), *f, nil}
	return known
}

// planned is the series records of a family, and the tenants that they give its rows to.
type planned struct {
	entries []entry
	tenants []Tenant // tables may have the first of them, which stay as they are then
	lent    int      // how many of them some table has
	edition uint64   // another one once a row that was lent has another tenant, never 0
}

// entry is a record in a plan.
type entry struct{ from, to uint32 } // its bytes, none if to is 0

// has reports whether the plan gives a row to that tenant.
func (f *planned) has(row uint32, t Tenant) bool {
	return uint64(row) < uint64(len(f.tenants)) && f.tenants[row] == t
}

// lend returns the first n tenants, which neither the plan nor the caller changes from then
// on. The slice has no room behind them: appending to it makes a copy.
func (f *planned) lend(n uint32) []Tenant {
	f.lent = max(f.lent, int(n))
	return f.tenants[:n:n]
}

// set gives a row to another tenant, or the next one to its first.
func (f *planned) set(row uint32, t Tenant) {
	switch {
	case uint64(row) == uint64(len(f.tenants)):
		f.tenants = append(f.tenants, t)
		return
	case f.tenants[row] != t && int64(row) < int64(f.lent):
		f.tenants, f.lent = slices.Clone(f.tenants), 0
		f.edition++
	}
	f.tenants[row] = t
}

// forget forgets all records.
func (f *planned) forget() {
	f.entries, f.tenants, f.lent = f.entries[:0], nil, 0
	f.edition++
}

// expect makes room for the records in n bytes of a segment, if the plan has none yet:
// mostly the first segment has what all have.
func (p *Plan) expect(n uint64) {
	if n = min(n, spareBytes); p != nil && len(p.bytes) == 0 && uint64(cap(p.bytes)) < n {
		p.bytes = make([]byte, 0, n)
	}
}

// spareBytes is by how much the bytes of a plan may exceed twice those of its entries: they
// include the bytes of entries that were replaced.
const spareBytes = 1 << 20

// maxPlan is how many bytes a plan has at most.
const maxPlan = 64 << 20

// of returns the records of a family, and their edition.
func (p *Plan) of(key any) (f *planned, edition uint64) {
	if p == nil || key == nil {
		return nil, 0
	}
	f = p.families[key]
	if f == nil {
		if p.families == nil {
			p.families = make(map[any]*planned)
		}
		f = &planned{edition: 1}
		p.families[key] = f
	}
	return f, f.edition
}

// learn keeps a good record and what it gives the row to, in place of the one that
// the plan has of the row.
func (p *Plan) learn(f *planned, row uint32, record []byte, t Tenant) {
	if f == nil || uint64(row) > uint64(len(f.entries)) {
		return
	}
	if len(p.bytes)+len(record) > min(maxPlan, 2*p.live+len(record)+spareBytes) {
		p.bytes, p.live = p.bytes[:0], 0
		for _, f := range p.families {
			f.forget()
		}
		if row > 0 || len(record) > maxPlan {
			return
		}
	}
	if uint64(row) == uint64(len(f.entries)) {
		f.entries = append(f.entries, entry{})
	}
	e := &f.entries[row]
	p.live += len(record) - int(e.to-e.from)
	f.set(row, t)
	if int(e.to-e.from) == len(record) {
		copy(p.bytes[e.from:], record)
		return
	}
	e.from = uint32(len(p.bytes))
	p.bytes = append(p.bytes, record...)
	e.to = uint32(len(p.bytes))
}

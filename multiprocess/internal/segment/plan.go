package segment

// Plan is the records by which segments gave out their rows, and what they came to.
// Segments of equal processes mostly have the same ones: a record that is equal byte
// for byte to one that was found good is good, and means the same. Tables that share
// a plan share a ledger too. The zero Plan is empty. It is not safe for concurrent
// use.
type Plan struct {
	records  []familyRecorded // by number: the last that was found good
	families map[any]*planned // by what the ledger calls them
	bytes    []byte           // of records, their headers and payloads
	live     int              // how many of them an entry has
}

// familyRecorded is the payload of a family's record, and what it says.
type familyRecorded struct {
	payload []byte
	family  Family
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

// decoded returns the family of a record whose checksum is right, if its payload is
// equal to that of one that was found good.
func (p *Plan) decoded(payload []byte) (f Family, ok bool) {
	if p == nil || len(payload) < firstTo {
		return f, false
	}
	number := order.Uint32(payload)
	if uint64(number) >= uint64(len(p.records)) {
		return f, false
	}
	known := &p.records[number]
	if len(known.payload) != len(payload) || string(known.payload[:firstFrom]) != string(payload[:firstFrom]) ||
		string(known.payload[firstTo:]) != string(payload[firstTo:]) {
		return f, false
	}
	f = known.family
	f.First = Moment{int64(order.Uint64(payload[firstFrom:])), int64(order.Uint64(payload[firstFrom+8:]))}
	return f, true
}

// numbered returns how many families segments mostly have, as far as the plan knows.
func (p *Plan) numbered() int {
	if p == nil {
		return 0
	}
	return len(p.records)
}

// remember keeps what a good family's record says.
func (p *Plan) remember(payload []byte, f *Family) {
	if p == nil || len(payload) < firstTo || len(payload) > payloadKept || f.Number >= familiesKept || f.Words() == 0 {
		return
	}
	for uint64(len(p.records)) <= uint64(f.Number) {
		p.records = append(p.records, familyRecorded{})
	}
	known := &p.records[f.Number]
	known.payload, known.family = append(known.payload[:0], payload...), *f
}

// planned is the records of a family, by row.
type planned struct{ entries []entry }

// entry is a record in a plan.
type entry struct {
	from, to uint32 // its bytes, none if to is 0
	tenant   Tenant
}

// spareBytes is how many bytes a plan may have that no entry has any more, beside as
// many as the entries have.
const spareBytes = 1 << 20

// maxPlan is how many bytes a plan has at most.
const maxPlan = 64 << 20

// of returns the records of a family.
func (p *Plan) of(key any) *planned {
	if p == nil || key == nil {
		return nil
	}
	f := p.families[key]
	if f == nil {
		if p.families == nil {
			p.families = make(map[any]*planned)
		}
		f = new(planned)
		p.families[key] = f
	}
	return f
}

// tenant returns what a record gives the row to, if it is in the plan.
func (p *Plan) tenant(f *planned, row uint32, record []byte) (t Tenant, ok bool) {
	if f == nil || uint64(row) >= uint64(len(f.entries)) {
		return t, false
	}
	e := &f.entries[row]
	return e.tenant, string(p.bytes[e.from:e.to]) == string(record)
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
			f.entries = f.entries[:0]
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
	e.tenant = t
	if int(e.to-e.from) == len(record) {
		copy(p.bytes[e.from:], record)
		return
	}
	e.from = uint32(len(p.bytes))
	p.bytes = append(p.bytes, record...)
	e.to = uint32(len(p.bytes))
}

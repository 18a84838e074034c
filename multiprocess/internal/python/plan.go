package python

import (
	"slices"

	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/spool"
)

// kind is what the files of one type and mode share. Keys are told apart
// by their bytes, so that the JSON of each is read once.
type kind struct {
	fileKind
	keys  []internedKey
	ids   map[string]uint32 // from a key's bytes
	plans []*plan           // some, the last used first
	text  catalog.Arena     // of keys and labels
	last  *catalog.Claim    // which the next key mostly has too
	// Reused while a key is read.
	labels   []label
	rendered []byte
}

type internedKey struct {
	raw        string
	definition catalog.Definition
	follower   uint32 // the key that came after this one last time
	epoch      int    // of slot
	slot       uint32 // or, where each process has its own, the place of their series
}

// plan is a sequence of entries with which files begin. Files whose keys came in
// the same order share one, each with as much of it as it has. It grows at its
// end and never changes otherwise.
type plan struct {
	width   int
	offsets []uint32 // of the values
	keys    []uint32
	claims  []*catalog.Claim        // of the definitions, in order of first use
	firsts  []int                   // the entry of each claim's first use
	used    map[*catalog.Claim]bool // the claims, where they are many; else nil
	shared  catalog.Binding
	pass    int // the catalog's pass in which entries were marked
	marked  int // how many
}

// plansKept bounds the search for a plan to share.
const plansKept = 8

// intern returns the number of a key, which usually follows the one before as it
// did last time.
func (k *kind) intern(raw []byte, before uint32, c *catalog.Catalog) (uint32, error) {
	if before < uint32(len(k.keys)) {
		if id := k.keys[before].follower; k.keys[id].raw == string(raw) {
			return id, nil
		}
	}
	id, ok := k.ids[string(raw)]
	if !ok {
		copied := k.text.Keep(raw) // before it is looked at: its writer might not have finished
		key, err := parseKey(copied, k.labels[:0])
		if err != nil {
			return 0, err
		}
		k.labels = key.labels
		d, err := k.define(&key, c)
		if err != nil {
			return 0, err
		}
		id = uint32(len(k.keys))
		k.keys = append(k.keys, internedKey{raw: copied, definition: d, follower: id})
		k.ids[copied] = id
	}
	if before < uint32(len(k.keys)) {
		k.keys[before].follower = id
	}
	return id, nil
}

// follow goes through the entries from pos to used, the first of which is entry
// n of plan p, and returns the plan that the file has now, and its number of
// entries.
func (k *kind) follow(p *plan, n int, data []byte, pos, used int, c *catalog.Catalog) (*plan, int, error) {
	before := ^uint32(0)
	if n > 0 {
		before = p.keys[n-1]
	}
	if len(k.keys) == 0 {
		k.expect((used - pos) / typicalEntry)
	}
	for pos < used {
		end, value, err := next(data, pos, used)
		if err != nil {
			return nil, 0, err
		}
		raw := data[pos+lengthSize : end]
		if pos = value + p.width; pos > used {
			return nil, 0, spool.Defectf(spool.ReasonCorrupt, "the last entry ends at %d, beyond %d bytes used", pos, used)
		}
		if n < len(p.keys) {
			if id := p.keys[n]; k.keys[id].raw == string(raw) {
				before = id
				n++
				continue
			}
		}
		id, err := k.intern(raw, before, c)
		if err != nil {
			return nil, 0, err
		}
		if n < len(p.keys) {
			p = k.branch(p, n, id)
		}
		if n == len(p.keys) {
			p.append(uint32(value), id, k.keys[id].definition.Claim)
		}
		before = id
		n++
	}
	return p, n, nil
}

const (
	// typicalEntry is about how many bytes an entry has.
	typicalEntry = 160
	// expectedKeys bounds for how many keys room is made at once.
	expectedKeys = 1 << 16
)

// expect makes room for about n keys.
func (k *kind) expect(n int) {
	n = min(n, expectedKeys)
	k.ids = make(map[string]uint32, n)
	k.keys = make([]internedKey, 0, n)
}

// match returns how many entries of the plan data has, if it is entries of the
// plan up to used.
func (k *kind) match(p *plan, data []byte, used int) (n int, ok bool) {
	pos := headerSize
	for n < len(p.keys) && pos < used {
		end, value, ok := entryAt(data, pos, used)
		if !ok || k.keys[p.keys[n]].raw != string(data[pos+lengthSize:end]) {
			return 0, false
		}
		pos = value + p.width
		n++
	}
	return n, pos == used
}

// plan returns the plan used last, or an empty one.
func (k *kind) plan(width int) *plan {
	for _, p := range k.plans {
		if p.width == width {
			return p
		}
	}
	return k.remember(&plan{width: width})
}

// branch returns a plan that begins with n entries of p and goes on with key id,
// or ends there.
func (k *kind) branch(p *plan, n int, id uint32) *plan {
	for _, q := range k.plans {
		if q.width == p.width && len(q.keys) > n && q.keys[n] == id && slices.Equal(q.keys[:n], p.keys[:n]) {
			return k.remember(q)
		}
	}
	claims := 0
	for claims < len(p.firsts) && p.firsts[claims] < n {
		claims++
	}
	return k.remember(&plan{
		width:   p.width,
		offsets: slices.Clone(p.offsets[:n]),
		keys:    slices.Clone(p.keys[:n]),
		claims:  slices.Clone(p.claims[:claims]),
		firsts:  slices.Clone(p.firsts[:claims]),
	})
}

// remember puts a plan first.
func (k *kind) remember(p *plan) *plan {
	if i := slices.Index(k.plans, p); i >= 0 {
		k.plans = slices.Delete(k.plans, i, i+1)
	}
	if len(k.plans) == plansKept {
		k.plans = k.plans[:plansKept-1]
	}
	k.plans = slices.Insert(k.plans, 0, p)
	return p
}

func (p *plan) append(offset, id uint32, c *catalog.Claim) {
	if n := len(p.claims); n == 0 || p.claims[n-1] != c && !p.uses(c) {
		p.claims, p.firsts = append(p.claims, c), append(p.firsts, len(p.keys))
		if p.used != nil {
			p.used[c] = true
		}
	}
	p.offsets, p.keys = append(p.offsets, offset), append(p.keys, id)
}

// uses reports whether a claim is among the plan's.
func (p *plan) uses(c *catalog.Claim) bool {
	if len(p.claims) < fewClaims {
		return slices.Contains(p.claims, c)
	}
	if p.used == nil {
		p.used = make(map[*catalog.Claim]bool, 2*len(p.claims))
		for _, c := range p.claims {
			p.used[c] = true
		}
	}
	return p.used[c]
}

// fewClaims are looked through one by one.
const fewClaims = 32

// claimsOf returns the claims of the first n entries.
func (p *plan) claimsOf(n int) []*catalog.Claim {
	i := len(p.firsts)
	for i > 0 && p.firsts[i-1] >= n {
		i--
	}
	return p.claims[:i]
}

// bind appends the slots of entries up to n to b. The pid is set where some
// gauges have a series in each process.
func (k *kind) bind(b *catalog.Binding, p *plan, n int, pid string, c *catalog.Catalog) {
	if b.Epoch != c.Epoch {
		*b = catalog.Binding{Epoch: c.Epoch, Slots: b.Slots[:0], Runs: b.Runs[:0]}
	}
	for i := len(b.Slots); i < n; i++ {
		key := &k.keys[p.keys[i]]
		d := &key.definition
		op := c.Operation(d)
		switch {
		case op == catalog.OpSkip:
			b.Append(op, 0)
			continue
		case op == catalog.OpSet && d.Part != 0:
			if key.epoch != c.Epoch {
				key.epoch, key.slot = c.Epoch, c.Processes(d)
			}
			b.Append(op, c.ProcessSlot(d, key.slot, pid))
			continue
		case key.epoch != c.Epoch:
			key.epoch, key.slot = c.Epoch, c.Slot(d)
		}
		b.Append(op, key.slot)
	}
}

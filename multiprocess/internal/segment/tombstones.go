package segment

import (
	"errors"
	"math"
	"strings"

	"telltale/model"
)

// Tombstone says that series were removed: not only the writer's own, but also what
// writers that were dead by then had left.
type Tombstone struct {
	Time   int64 // when, by the clock of the boot of its writer
	Type   model.Type
	Name   string
	Labels []string // canonical texts of the series, see model.Labels; none: all of the family's
	From   Origin   // in archives: whose it was
}

// Origin says whose tombstone an archive carries.
type Origin struct {
	ID, Boot [16]byte // as in the header of the writer's segment
	Start    int64
	Epoch    string
}

// OriginOf returns whose the tombstones of a segment with the header are.
func OriginOf(h *Header) Origin { return Origin{h.ID, h.Boot, h.Start, h.Epoch} }

// MaxTombstones is how many tombstones a segment has at most that may still cover
// something.
const MaxTombstones = 1 << 18

// ErrTombstones is an error of [Writer.Bury] where there are [MaxTombstones]: what
// dead writers left has to be folded.
var ErrTombstones = errors.New("segment: too many series were removed since dead writers were folded")

// carry says in an archive what the writer of a segment that it has taken up had removed.
func (w *Writer) carry(t *Tombstone) error {
	var p payload
	p = append(append(p, t.From.ID[:]...), t.From.Boot[:]...)
	p.u64(uint64(t.From.Start))
	p.text(t.From.Epoch)
	p.u64(uint64(t.Time))
	p.removal(t)
	return w.say(carriedRecord, p)
}

// removal appends what a tombstone says, but for its time.
func (p *payload) removal(t *Tombstone) {
	p.removed(t.Type, t.Name, len(t.Labels))
	for _, labels := range t.Labels {
		p.text(labels)
	}
}

// removed appends what a tombstone of n series of a family begins with.
func (p *payload) removed(t model.Type, name string, n int) {
	*p = append(*p, byte(t), 0, 0, 0)
	p.text(name)
	p.u32(uint32(n))
}

// removal reads what a tombstone at the offset says, but for its time.
func (f *fields) removal(at uint64) (t Tombstone, err error) {
	t.Type = model.Type(f.u8())
	f.take(3)
	t.Name = f.text()
	for n := f.u32(); n > 0 && !f.short; n-- {
		if labels := f.view(); !f.short {
			if !model.ValidLabelsText(labels) {
				return t, corrupt(at, "%.80q are no labels", labels)
			}
			t.Labels = append(t.Labels, strings.Clone(labels))
		}
	}
	switch {
	case f.short:
		return t, corrupt(at, "a tombstone that ends too soon")
	case !model.ValidName(t.Name) || t.Type > model.StateSet:
		return t, corrupt(at, "a tombstone of %.80q of type %d", t.Name, t.Type)
	}
	return t, nil
}

func (t *Table) carried(in *fields) error {
	from := Origin{ID: in.id(), Boot: in.id(), Start: int64(in.u64()), Epoch: in.text()}
	time := int64(in.u64())
	stone, err := in.removal(t.at)
	if err != nil {
		return err
	}
	stone.Time, stone.From = time, from
	t.notes.Carried = append(t.notes.Carried, stone)
	return nil
}

// Tombstones returns what the writer of a segment says that it removed, up to the time of
// the newest removal, and that time: what is on its list of removed series, then the
// tombstones on the way from the newest record of them to the first; each lies before the
// one that names it, so that the way ends. What is being written is left out. Of a writer
// that has removed nothing there are none, wherever its header says that they lie. Of a
// writer that lives the Space has to give what is there when it is asked for, not a copy:
// what was on the list may be tombstones then.
func Tombstones(s Space) (stones []Tombstone, until int64, err error) {
	head := s.Bytes(0, HeaderSize)
	if head == nil {
		return nil, 0, corrupt(0, "a segment has a header of %d bytes", HeaderSize)
	}
	until = int64(atomicWord(head, offBuried)) // before what it is the time of
	if until == 0 {
		return nil, 0, nil
	}
	err = eachLately(s, until, func(t *Tombstone, labels string) error {
		stones = append(stones, Tombstone{Time: t.Time, Type: t.Type, Name: t.Name, Labels: []string{strings.Clone(sortedLabels(labels))}})
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	if head = s.Bytes(0, HeaderSize); head == nil {
		return nil, 0, corrupt(0, "a segment has a header of %d bytes", HeaderSize)
	}
	at := atomicWord(head, offHead) // after the list
	end := Published(s)             // after what it has to cover
	if end > maxSize {
		return nil, 0, corrupt(offUsed, "%d bytes are in use", end)
	}
	var room []byte
	for n := 0; at != 0; n++ {
		if at < HeaderSize || at >= end || n == 2*MaxTombstones {
			return nil, 0, corrupt(at, "a tombstone after %d others, named at %d", n, end)
		}
		before, text, previous, err := stoneAt(s, at, end, until, room)
		if err != nil {
			return nil, 0, err
		}
		if text != nil {
			room = text
			in := fields{rest: text}
			stone, err := in.removal(at)
			if err != nil {
				return nil, 0, err
			}
			if stone.Time = timeOf(int64(before[0]), int64(before[1]), until); stone.Time != 0 {
				stones = append(stones, stone)
			}
		}
		at, end = previous, at
	}
	return stones, until, nil
}

// stoneAt reads the tombstone whose record lies at an offset into room, with its two times;
// nil if there is none. One that is later than the given time may have been stored while they
// were read, after another one in the place of the first: then both are read again, until
// the first is as it was, so that they are of one moment.
func stoneAt(s Space, at, end uint64, until int64, room []byte) (before [3]uint64, text []byte, previous uint64, err error) {
	slot, capacity, previous, err := graveAt(s, at, end)
	if err != nil {
		return before, nil, 0, err
	}
	for range 100 {
		had, again := before, text != nil
		switch before, text, err = loadAt(s, slot, capacity, room); {
		case text == nil || err != nil:
			return before, nil, previous, err
		case again && had[0] == before[0]:
			return had, text, previous, nil
		case int64(max(before[0], before[1])) <= until:
			return before, text, previous, nil
		}
		room = text
	}
	return before, text, previous, nil
}

// loadAt reads the slot at an offset, of which the space may return copies, as textSlot.load
// does; nil if there is no text. No copy has both versions that are compared: in one of a
// slot that was written meanwhile, text and time may be those of two tombstones.
func loadAt(s Space, slot, capacity uint64, room []byte) (before [3]uint64, text []byte, err error) {
	missing := &Corrupt{slot, "a tombstone that is not there", true}
	for range 3 {
		head := s.Bytes(slot, 8*slotText)
		if head == nil {
			return before, nil, missing
		}
		version := atomicWord(head, 8*slotVersion)
		n := atomicWord(head, 8*slotLength) & math.MaxUint32
		if n > capacity {
			continue
		}
		if !there(s, slot+8*slotText, n) {
			return before, nil, corrupt(slot, "a tombstone of %d bytes, not all of which are there", n)
		}
		all := s.Bytes(slot, 8*slotText+align(n, 8))
		if all == nil {
			return before, nil, missing
		}
		before, text, ok := textSlot{WordAt(all, 0), int(align(n, 8))}.load(room)
		if head = s.Bytes(slot, 8); head == nil {
			return before, nil, missing
		}
		if ok && atomicWord(head, 8*slotVersion) == version && version%2 == 0 {
			return before, text, nil
		}
	}
	return before, nil, nil
}

// timeOf returns which of the two times of a tombstone counts for a reader of removals
// until the given time, 0 if neither does yet. The header has covered the earlier one
// before the later one is stored.
func timeOf(a, b, until int64) int64 {
	if later := max(a, b); later <= until {
		return later
	}
	return min(a, b)
}

// graveAt returns where the slot of a tombstone lies, whose record ends before the given
// offset, for how many bytes of text it has room, and where the tombstone before it lies.
func graveAt(s Space, at, end uint64) (slot, capacity, previous uint64, err error) {
	size, fixed, kind, err := sizesAt(s, at, end)
	switch {
	case err != nil:
		return 0, 0, 0, err
	case kind != tombstoneRecord:
		return 0, 0, 0, corrupt(at, "a record of type %d where there is a tombstone", kind)
	case fixed > maxBehind:
		return 0, 0, 0, corrupt(at, "a tombstone with a payload of %d bytes", fixed)
	}
	in, err := payloadAt(s, at, fixed)
	if err != nil {
		return 0, 0, 0, err
	}
	previous, capacity = in.u64(), uint64(in.u32())
	start := tombstoneRecord.mutable(at, fixed)
	if in.short || capacity%8 != 0 || start > size || slotText+capacity/8 > (size-start)/8 {
		return 0, 0, 0, corrupt(at, "a tombstone with room for %d bytes", capacity)
	}
	return at + start, capacity, previous, nil
}

package segment

import (
	"errors"
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
	*p = append(*p, byte(t.Type), 0, 0, 0)
	p.text(t.Name)
	p.u32(uint32(len(t.Labels)))
	for _, labels := range t.Labels {
		p.text(labels)
	}
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
	for range 100 {
		had, again := before, text != nil
		slot, named, err := graveAt(s, at, end)
		if err != nil {
			return before, nil, 0, err
		}
		previous = named
		var ok bool
		switch before, text, ok = slot.load(room); {
		case !ok:
			return before, nil, previous, nil
		case again && had[0] == before[0]:
			return had, text, previous, nil
		case int64(max(before[0], before[1])) <= until:
			return before, text, previous, nil
		}
		room = text
	}
	return before, text, previous, nil
}

// timeOf returns which of its two times a tombstone has for who sees those until a time, 0
// if it has none yet. The earlier one has been seen by all once the later one is there.
func timeOf(a, b, until int64) int64 {
	if later := max(a, b); later <= until {
		return later
	}
	return min(a, b)
}

// graveAt returns the room of a tombstone, whose record ends before the given offset,
// and where the one before it lies.
func graveAt(s Space, at, end uint64) (slot textSlot, previous uint64, err error) {
	b, fixed, kind, err := recordAt(s, at, end)
	if err != nil {
		return slot, 0, err
	}
	if kind != tombstoneRecord {
		return slot, 0, corrupt(at, "a record of type %d where there is a tombstone", kind)
	}
	if len(fixed) > maxBehind || order.Uint32(b[8:]) != checksum(b, uint32(len(fixed))) {
		return slot, 0, corrupt(at, "the checksum of a tombstone is wrong")
	}
	in := fields{rest: fixed}
	previous = in.u64()
	capacity := uint64(in.u32())
	start := tombstoneRecord.mutable(at, uint64(len(fixed)))
	if in.short || capacity%8 != 0 || start > uint64(len(b)) || slotText+capacity/8 > (uint64(len(b))-start)/8 {
		return slot, 0, corrupt(at, "a tombstone with room for %d bytes", capacity)
	}
	return textSlot{WordAt(b, start), int(capacity)}, previous, nil
}

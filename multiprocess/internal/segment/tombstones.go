package segment

import (
	"errors"
	"math/bits"
	"strings"
	"unsafe"

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

// graveyard is where a writer's tombstones lie.
type graveyard struct {
	full  map[string]grave   // those that may cover something, by what they say but for the time
	spent map[int][]textSlot // room for others, by capacity
	room  []byte
}

// grave is a tombstone.
type grave struct {
	slot textSlot
	time int64
}

// leastGrave is how many bytes a tombstone has room for at least.
const leastGrave = 64

// Bury says that series were removed. Others see it once it returns, with a time that
// is later than that of those before it. An equal one takes the place of the earlier
// one, which covers nothing that this one does not.
func (w *Writer) Bury(t Tombstone) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	buried := WordAt(w.header, offBuried)
	t.Time = max(t.Time, int64(buried.Load())+1)
	text := payload(w.graves.room[:0])
	text.tombstone(&t)
	w.graves.room = text
	slot, err := w.grave(unsafe.String(unsafe.SliceData(text), len(text)))
	if err != nil {
		return err
	}
	w.graves.put(slot, t.Time, text[8:])
	buried.Store(uint64(t.Time))
	return nil
}

// grave writes a tombstone where there is room for its text: in the place of one that is
// spent, which nobody misses if the process ends meanwhile, or behind all records. The
// caller holds the lock.
func (w *Writer) grave(text string) (slot textSlot, err error) {
	capacity := max(leastGrave, 1<<bits.Len(uint(len(text)-1)))
	if spent := w.graves.spent[capacity]; len(spent) > 0 {
		slot = spent[len(spent)-1]
		w.graves.spent[capacity] = spent[:len(spent)-1]
		slot.write(0, model.Timestamp{}, text)
		return slot, nil
	}
	if len(w.graves.full) >= MaxTombstones {
		return slot, ErrTombstones
	}
	head := WordAt(w.header, offHead)
	var p payload
	p.u64(head.Load())
	p.u32(uint32(capacity))
	rec, err := w.lay(tombstoneRecord, p, uint64(slotText+capacity/8))
	if err != nil {
		return slot, err
	}
	slot = textSlot{WordAt(rec.bytes, rec.mutable), capacity}
	slot.write(0, model.Timestamp{}, text)
	w.publish()
	head.Store(rec.offset)
	return slot, nil
}

// put takes note of a tombstone that was written.
func (g *graveyard) put(slot textSlot, time int64, says []byte) {
	if g.full == nil {
		g.full, g.spent = make(map[string]grave), make(map[int][]textSlot)
	}
	if old, ok := g.full[string(says)]; ok {
		g.spend(old)
	}
	g.full[string(says)] = grave{slot, time}
}

func (g *graveyard) spend(old grave) {
	g.spent[old.slot.capacity] = append(g.spent[old.slot.capacity], old.slot)
}

// Spend says that tombstones up to a time cover nothing any more: their room is for
// others. It returns how many may still cover something.
func (w *Writer) Spend(until int64) (left int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for says, grave := range w.graves.full {
		if grave.time <= until {
			w.graves.spend(grave)
			delete(w.graves.full, says)
		}
	}
	return len(w.graves.full)
}

// Tombs returns how many tombstones may still cover something.
func (w *Writer) Tombs() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.graves.full)
}

// carry says in an archive what the writer of a segment that it has taken up had removed.
func (w *Writer) carry(t *Tombstone) error {
	var p payload
	p = append(append(p, t.From.ID[:]...), t.From.Boot[:]...)
	p.u64(uint64(t.From.Start))
	p.text(t.From.Epoch)
	p.tombstone(t)
	return w.say(carriedRecord, p)
}

func (p *payload) tombstone(t *Tombstone) {
	p.u64(uint64(t.Time))
	*p = append(*p, byte(t.Type), 0, 0, 0)
	p.text(t.Name)
	p.u32(uint32(len(t.Labels)))
	for _, labels := range t.Labels {
		p.text(labels)
	}
}

// tombstone reads what a tombstone says, at the offset.
func (f *fields) tombstone(at uint64) (t Tombstone, err error) {
	t.Time, t.Type = int64(f.u64()), model.Type(f.u8())
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
	stone, err := in.tombstone(t.at)
	if err != nil {
		return err
	}
	stone.From = from
	t.notes.Carried = append(t.notes.Carried, stone)
	return nil
}

// Tombstones returns what the writer of a segment says that it removed, up to the time
// of its newest tombstone, and that time. They are those that lie on the way from the
// newest record of them to the first; each lies before the one that names it, so that
// the way ends. What is being written is left out. Of a writer that has removed nothing
// there are none, wherever its header says that they lie.
func Tombstones(s Space) (stones []Tombstone, until int64, err error) {
	head := s.Bytes(0, HeaderSize)
	if head == nil {
		return nil, 0, corrupt(0, "a segment has a header of %d bytes", HeaderSize)
	}
	until = int64(atomicWord(head, offBuried)) // before what it is the time of
	if until == 0 {
		return nil, 0, nil
	}
	at := atomicWord(head, offHead)
	end := Published(s) // after what it has to cover
	if end > maxSize {
		return nil, 0, corrupt(offUsed, "%d bytes are in use", end)
	}
	var room []byte
	for n := 0; at != 0; n++ {
		if at < HeaderSize || at >= end || n == 2*MaxTombstones {
			return nil, 0, corrupt(at, "a tombstone after %d others, named at %d", n, end)
		}
		slot, previous, err := graveAt(s, at, end)
		if err != nil {
			return nil, 0, err
		}
		if _, _, text, ok := slot.read(room); ok {
			room = text
			in := fields{rest: text}
			stone, err := in.tombstone(at)
			if err != nil {
				return nil, 0, err
			}
			if stone.Time <= until {
				stones = append(stones, stone)
			}
		}
		at, end = previous, at
	}
	return stones, until, nil
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

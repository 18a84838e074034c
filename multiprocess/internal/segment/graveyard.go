package segment

import (
	"math/bits"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/hash"
)

// graveyard is where a writer's tombstones lie.
type graveyard struct {
	full  [graveParts]graves // those that may cover something
	n     int                // how many they are
	spent [33][]textSlot     // slots of spent tombstones, by the logarithm of the capacity
	room  []byte

	lately lately
}

// graveParts is in how many parts tombstones are found: so that little is moved at a time
// when there are more.
const graveParts = 64

// graves is tombstones by the hashes of what they say: each in the first free place from
// the one that its hash names.
type graves struct {
	places []grave // a power of two; a place without a slot is free
	n      int
}

// grave is a tombstone. There are many, and mostly one is looked up that no processor cache
// has any more: so it is small.
type grave struct {
	first *cell.Word // of its slot
	hash  uint32     // with keys of this process, since clients may choose what is removed
	room  uint8      // the logarithm of the slot's capacity
}

// slot returns where the tombstone lies.
func (g *grave) slot() textSlot { return textSlot{g.first, 1 << g.room} }

// time returns when what a tombstone says was removed last.
func (g *grave) time() int64 {
	return max(int64(cell.At(g.first, graveTime).Load()), int64(cell.At(g.first, graveThen).Load()))
}

// Where the times of a tombstone lie in its slot. One is newer: the other one is what it was
// before, or 0.
const (
	graveTime = slotValue
	graveThen = slotSeconds
)

// leastGrave is how many bytes a tombstone has room for at least.
const leastGrave = 64

// Bury says that series were removed. Others see it once it returns, with a time that
// is later than that of those before it. Where the same was removed before, that tombstone
// gets the time: it covers nothing that the later one does not.
func (w *Writer) Bury(t Tombstone) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bury(&t, func() {})
}

// bury is Bury for callers who hold the lock. It calls change just before others see that
// the series were removed.
func (w *Writer) bury(t *Tombstone, change func()) error {
	if err := w.settle(); err != nil { // so that those on its list are earlier
		return err
	}
	buried := WordAt(w.header, offBuried)
	time := max(t.Time, int64(buried.Load())+1)
	text := payload(w.graves.room[:0])
	text.removal(t)
	w.graves.room = text
	if err := w.dig(text, time); err != nil {
		return err
	}
	change()
	buried.Store(uint64(time))
	return nil
}

// dig writes a tombstone with the given bytes as its text, and a time. If there is one with
// that text already, it gives the time to that one. The caller holds the lock.
func (w *Writer) dig(bytes payload, time int64) error {
	text := unsafe.String(unsafe.SliceData(bytes), len(bytes))
	h := hashOf(text)
	if old := w.graves.part(h).find(text, h); old != nil {
		old.renew(time)
	} else {
		slot, err := w.grave(text, time)
		if err != nil {
			return err
		}
		w.graves.part(h).put(grave{slot.first, h, uint8(bits.Len(uint(slot.capacity - 1)))})
		w.graves.n++
	}
	return nil
}

func hashOf(text string) uint32 { return uint32(hash.String(hash.Keys[0], text)) }

// grave writes a tombstone where there is room for its text: in the place of one that is
// spent, which nobody misses if the process ends meanwhile, or behind all records. The
// caller holds the lock.
func (w *Writer) grave(text string, time int64) (slot textSlot, err error) {
	before, sum := [3]uint64{uint64(time)}, sumOf(text)
	capacity := max(leastGrave, 1<<bits.Len(uint(len(text)-1)))
	if spent := w.graves.roomFor(capacity); len(*spent) > 0 {
		slot = (*spent)[len(*spent)-1]
		*spent = (*spent)[:len(*spent)-1]
		slot.store(before, text, sum)
		return slot, nil
	}
	if w.graves.n >= MaxTombstones {
		return slot, ErrTombstones
	}
	head := WordAt(w.header, offHead)
	p := payload(make([]byte, 0, 16))
	p.u64(head.Load())
	p.u32(uint32(capacity))
	rec, err := w.lay(tombstoneRecord, p, uint64(slotText+capacity/8))
	if err != nil {
		return slot, err
	}
	slot = textSlot{WordAt(rec.bytes, rec.mutable), capacity}
	slot.fill(before, text, sum)
	w.publish()
	head.Store(rec.offset)
	return slot, nil
}

// renew gives a tombstone a later time, in the place of the earlier of its two times. A
// reader that sees it before the header covers it still sees the other time.
func (g *grave) renew(time int64) {
	earlier, later := cell.At(g.first, graveTime), cell.At(g.first, graveThen)
	switch a, b := earlier.Load(), later.Load(); {
	case max(a, b) >= uint64(time):
		return
	case a > b:
		earlier = later
	}
	storeEarly(earlier, uint64(time))
}

// part returns the part of the tombstones whose hashes are like h.
func (g *graveyard) part(h uint32) *graves { return &g.full[h%graveParts] }

// find returns the tombstone that says the same, whose hash is given, nil if there is none.
func (g *graves) find(text string, h uint32) *grave {
	for i := h / graveParts; len(g.places) > 0; i++ {
		old := &g.places[i&uint32(len(g.places)-1)]
		if old.first == nil {
			break
		}
		if old.hash == h && old.slot().has(text) {
			return old
		}
	}
	return nil
}

// put takes note of a tombstone that was written, where there was none that says the same.
func (g *graves) put(fresh grave) {
	if 4*(g.n+1) > 3*len(g.places) {
		before := g.places
		g.places = make([]grave, max(8, 2*len(before)))
		for _, old := range before {
			if old.first != nil {
				g.place(old)
			}
		}
	}
	g.n++
	g.place(fresh)
}

// place puts a tombstone into a place, of which one is free.
func (g *graves) place(fresh grave) {
	for i := fresh.hash / graveParts; ; i++ {
		if at := &g.places[i&uint32(len(g.places)-1)]; at.first == nil {
			*at = fresh
			return
		}
	}
}

// roomFor returns the slots of spent tombstones of a capacity, for new ones.
func (g *graveyard) roomFor(capacity int) *[]textSlot { return &g.spent[bits.Len(uint(capacity-1))] }

// Spend says that tombstones up to a time cover nothing any more: their room is for
// others. It returns how many may still cover something.
func (w *Writer) Spend(until int64) (left int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.graves.full {
		before := w.graves.full[i].places
		w.graves.full[i] = graves{}
		for _, old := range before {
			switch {
			case old.first == nil:
			case old.time() <= until:
				w.graves.spent[old.room] = append(w.graves.spent[old.room], old.slot())
				w.graves.n--
			default:
				w.graves.full[i].put(old)
			}
		}
	}
	return w.graves.n
}

// Tombs returns how many tombstones may still cover something, those counted that are still
// to be written.
func (w *Writer) Tombs() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.graves.n + w.graves.lately.n
}

package telltale

import (
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/model"
)

// series is what every kind of instrument knows of one label set. It lies in a
// slab beside its cells; its text lies in the family's arena.
type series struct {
	start   *byte        // of the labels' text, rendered once
	length  uint32       // of the text
	hash    uint32       // see digest
	widths  uint64       // see digest; 0 also where something in the text is escaped
	created atomic.Int64 // see moment; removed when the series is gone
}

func (s *series) text() string { return unsafe.String(s.start, s.length) }

const removed = math.MinInt64

// moment packs a time into one word so that reading it back costs a shift:
// seconds above, 30 bits of nanoseconds below.
func moment(t time.Time) int64 { return t.Unix()<<30 | int64(t.Nanosecond()) }

func unpack(moment int64) model.Timestamp {
	return model.Unix(moment>>30, moment&(1<<30-1))
}

const (
	chunkBits = 9
	chunkCap  = 1 << chunkBits // series in a full chunk
	noSeries  = math.MaxUint32 // an index entry whose series was removed
)

// chunk is a slab of series in the order of their creation. Nothing in it ever
// moves, so a handle stays good for as long as somebody has it.
type chunk[H any] struct {
	used  atomic.Int32 // how many are published; what lies below is complete
	live  int          // how many are not removed; under the family's lock
	slots []slot[H]
	cells []cell.Word // of kinds whose handles do not hold their own
}

// slot is a series and the handle that users hold of it. For a counter or a
// gauge, whose handle holds its cell, that is a cache line: finding, counting
// and scraping touch no other, and neighbours do not share one.
type slot[H any] struct {
	series
	handle H
}

// table is one state of a family's series. A series has an id, its chunk above
// chunkBits and its place in the chunk below. The index maps label values to
// ids by open addressing: an entry is an id plus one; zero is free. Readers take
// no lock: chunks and index only gain entries, and when they must shrink or
// move, a new table takes their place.
type table[H any] struct {
	chunks []*chunk[H] // nil where all series of a full chunk were removed
	index  []atomic.Uint32
	taken  int // index entries in use, removed ones among them; under the lock
	live   int // series not removed; under the lock
}

// at returns the slot of an id, nil if there is none, as for noSeries.
func (t *table[H]) at(id uint32) *slot[H] {
	if c := int(id >> chunkBits); c < len(t.chunks) && t.chunks[c] != nil {
		return &t.chunks[c].slots[id&(chunkCap-1)]
	}
	return nil
}

// find returns the handle of the series with the label values, or nil. It does
// not find series with something in their values that is escaped.
func (t *table[H]) find(d digest, separators, values []string) *H {
	mask := len(t.index) - 1
	for i := int(d.hash) & mask; mask >= 0; i = (i + 1) & mask {
		id := t.index[i].Load()
		if id == 0 {
			return nil
		}
		if s := t.at(id - 1); s != nil && s.is(d, separators, values) {
			return &s.handle
		}
	}
	return nil
}

// entryOf returns the index entry of the series with the text, or -1. The caller
// holds the lock.
func (t *table[H]) entryOf(hash uint32, text []byte) int {
	mask := len(t.index) - 1
	for i := int(hash) & mask; mask >= 0; i = (i + 1) & mask {
		id := t.index[i].Load()
		if id == 0 {
			return -1
		}
		if s := t.at(id - 1); s != nil && s.hash == hash && s.text() == string(text) {
			return i
		}
	}
	return -1
}

func (t *table[H]) slot(entry int) *slot[H] { return t.at(t.index[entry].Load() - 1) }

// arena keeps the text of series in creation order, block after block. A block
// is given back when no series' text lies in it any more.
type arena struct{ block []byte }

const arenaBlock = 16 << 10

// keep copies text into the arena.
func (a *arena) keep(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if cap(a.block)-len(a.block) < len(text) {
		a.block = make([]byte, 0, max(min(arenaBlock, 4*cap(a.block)), len(text), 64))
	}
	start := len(a.block)
	a.block = append(a.block, text...)
	return unsafe.String(&a.block[start], len(text))
}

// insert adds a series at the end and publishes it. The caller holds the lock;
// the table returned is the one to publish in place of t.
func (t *table[H]) insert(dg digest, text string, k *kind[H], d *definition, rows cell.Rows) (*table[H], *H) {
	words, labelled := k.words(d), len(d.labels) > 0
	if rows != nil {
		words = 0 // they are the store's
	}
	if t.full() {
		t = t.grow(words, labelled)
	}
	if labelled && 3*(t.taken+1) > 2*len(t.index) {
		t = t.reindex()
	}
	c := t.chunks[len(t.chunks)-1]
	at := int(c.used.Load())
	s := &c.slots[at]
	s.start, s.length = unsafe.StringData(text), uint32(len(text))
	s.hash, s.widths = dg.hash, dg.widths
	now := time.Now()
	s.created.Store(moment(now))
	k.bind(&s.handle, c.cell(at, words), d)
	if rows != nil {
		k.share(&s.handle, rows.Add(model.LabelsFromText(text), now))
	}
	c.live++
	t.live++
	c.used.Store(int32(at + 1))
	if labelled {
		t.place(dg.hash, uint32((len(t.chunks)-1)<<chunkBits|at))
	}
	return t, &s.handle
}

// cell returns the first of so many words for the slot at a place. A chunk has
// none if it was made while a store had them.
func (c *chunk[H]) cell(at, words int) *cell.Word {
	switch {
	case words == 0:
		return nil
	case c.cells == nil:
		return &make([]cell.Word, words)[0]
	}
	return &c.cells[at*words]
}

func (t *table[H]) full() bool {
	if len(t.chunks) == 0 {
		return true
	}
	last := t.chunks[len(t.chunks)-1]
	return last == nil || int(last.used.Load()) == len(last.slots)
}

// grow returns the table with room for another series. Chunks double from eight
// series to chunkCap, so that small families stay small.
func (t *table[H]) grow(words int, labelled bool) *table[H] {
	size := 1
	if labelled {
		size = min(8<<min(len(t.chunks), chunkBits), chunkCap)
	}
	next := *t
	next.chunks = append(t.chunks, &chunk[H]{
		slots: make([]slot[H], size),
	})
	if words > 0 {
		next.chunks[len(t.chunks)].cells = make([]cell.Word, size*words)
	}
	return &next
}

func (t *table[H]) place(hash, id uint32) {
	mask := len(t.index) - 1
	i := int(hash) & mask
	for t.index[i].Load() != 0 {
		i = (i + 1) & mask
	}
	t.index[i].Store(id + 1)
	t.taken++
}

// reindex returns the table with an index of the right size, and without the
// chunks that tidy took out. No text is read: series know their hash.
func (t *table[H]) reindex() *table[H] {
	size := 16
	for 2*(t.live+1) > size {
		size *= 2
	}
	next := &table[H]{chunks: make([]*chunk[H], 0, len(t.chunks)+1), index: make([]atomic.Uint32, size), live: t.live}
	moved := make([]uint32, len(t.chunks)) // where each chunk goes
	for i, c := range t.chunks {
		if c != nil {
			moved[i] = uint32(len(next.chunks))
			next.chunks = append(next.chunks, c)
		}
	}
	for i := range t.index {
		entry := t.index[i].Load()
		if entry == 0 || entry == noSeries {
			continue
		}
		id := entry - 1
		next.place(t.at(id).hash, moved[id>>chunkBits]<<chunkBits|id&(chunkCap-1))
	}
	return next
}

// remove takes the series of an index entry out and reports whether that leaves
// its chunk empty, so that the table should be tidied. The caller holds the lock.
func (t *table[H]) remove(entry int) (emptied bool) {
	id := t.index[entry].Load() - 1
	t.at(id).created.Store(removed)
	t.index[entry].Store(noSeries)
	c := t.chunks[id>>chunkBits]
	c.live--
	t.live--
	return c.spent()
}

// spent reports whether a chunk holds no series and never will.
func (c *chunk[H]) spent() bool {
	return c.live == 0 && int(c.used.Load()) == len(c.slots)
}

// tidy returns the table without its spent chunks.
func (t *table[H]) tidy() *table[H] {
	next := *t
	next.chunks = append([]*chunk[H](nil), t.chunks...)
	gone := 0
	for i, c := range next.chunks {
		if c == nil || c.spent() {
			next.chunks[i] = nil
			gone++
		}
	}
	if 2*gone > len(next.chunks) {
		return next.reindex()
	}
	return &next
}

// seriesOf returns the series of a handle, nil if it is not in the table.
func (t *table[H]) seriesOf(h *H) *series {
	for _, c := range t.chunks {
		if c == nil {
			continue
		}
		from := uintptr(unsafe.Pointer(h)) - uintptr(unsafe.Pointer(&c.slots[0]))
		if i := from / unsafe.Sizeof(c.slots[0]); i < uintptr(len(c.slots)) {
			return &c.slots[i].series
		}
	}
	return nil
}

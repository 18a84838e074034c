package segment

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"sync"
	"time"
	"unsafe"

	"telltale/internal/cell"
)

// Memory is where a segment lies. It grows in extents, each of which stays where
// it is for as long as the process lives.
type Memory interface {
	// Extend returns the n bytes at offset, where the last extent ended. They
	// are zero. After an error nothing has changed, and it may be tried again.
	Extend(offset uint64, n int) ([]byte, error)
}

// maxExtent bounds how much a segment grows at once, unless one record needs
// more.
const maxExtent = 4 << 20

// Writer lays out a segment. Methods are safe for concurrent use; writing in
// rows needs none of them.
type Writer struct {
	memory Memory
	page   uint64
	kind   Kind

	header   []byte // the beginning of the first extent
	mu       sync.Mutex
	extents  []extent
	near     int    // the place in extents of the one that was looked for last
	used     uint64 // published, or about to be
	end      uint64 // of the extents
	families uint32
	ticks    uint32       // see Tick
	rested   []levelLanes // at rest, in the order in which that ends
	graves   graveyard
}

type extent struct {
	offset uint64
	data   []byte
}

// NewWriter lays out an empty segment whose first extent has size bytes, a
// multiple of the page size, and whose further ones are multiples of it too.
func NewWriter(m Memory, size int, h Header) (*Writer, error) {
	header := make([]byte, HeaderSize)
	if err := h.encode(header); err != nil {
		return nil, err
	}
	if size < HeaderSize || size%lineAlignment != 0 {
		return nil, fmt.Errorf("segment: extents of %d bytes", size)
	}
	w := &Writer{memory: m, page: uint64(size), kind: h.Kind}
	if err := w.extend(uint64(size)); err != nil {
		return nil, err
	}
	w.header = w.extents[0].data[:HeaderSize:HeaderSize]
	copy(w.header, header)
	w.used = HeaderSize
	w.publish()
	return w, nil
}

// WordAt returns the word at an offset, which is divisible by 8, in the bytes of a
// segment.
func WordAt(b []byte, offset uint64) *cell.Word {
	return (*cell.Word)(unsafe.Pointer(&b[offset]))
}

// publish lets readers see what was laid out.
func (w *Writer) publish() { WordAt(w.header, offUsed).Store(w.used) }

// Used returns how many bytes are in use.
func (w *Writer) Used() uint64 { return WordAt(w.header, offUsed).Load() }

// Size returns how many bytes the segment's extents have.
func (w *Writer) Size() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.end
}

// MarkClosed says in the header that the writer has ended in good order.
func (w *Writer) MarkClosed() { WordAt(w.header, offState).Or(stateClosed) }

// Beat says in the header when the writer was last busy with its segment.
func (w *Writer) Beat(now time.Time) {
	WordAt(w.header, offBeat).Store(uint64(now.UnixNano()))
}

// Alive says in the header that the writer was alive at a time of the boot's clock.
// If the writer ends without saying it again, what other writers removed after that time
// is removed from the rows that it leaves too. A later time that was said before stays: of
// goroutines that say it side by side, one may have read its clock long ago.
func (w *Writer) Alive(boot int64) {
	for alive := WordAt(w.header, offAlive); ; {
		if had := alive.Load(); int64(had) >= boot || alive.CompareAndSwap(had, uint64(boot)) {
			return
		}
	}
}

// CountSpilled says in the header that n more series did not fit into the
// segment.
func (w *Writer) CountSpilled(n int) { WordAt(w.header, offSpilled).Add(uint64(n)) }

// Bytes returns n bytes from offset on, nil if no extent has them all. It makes a
// Writer a [Space].
func (w *Writer) Bytes(offset, n uint64) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return (*locked)(w).Bytes(offset, n)
}

// locked is a Writer as a [Space] to those who hold its lock.
type locked Writer

func (w *locked) Bytes(offset, n uint64) []byte {
	if e := &w.extents[w.near]; offset-e.offset >= uint64(len(e.data)) {
		i := sort.Search(len(w.extents), func(i int) bool { return w.extents[i].offset > offset }) - 1
		if i < 0 {
			return nil
		}
		w.near = i
	}
	e := &w.extents[w.near]
	if at := offset - e.offset; at < uint64(len(e.data)) && n <= uint64(len(e.data))-at {
		return e.data[at : at+n : at+n]
	}
	return nil
}

// record is a record that is being laid out.
type record struct {
	bytes   []byte
	offset  uint64
	mutable uint64 // where in bytes what the checksum does not cover begins
}

var (
	errLanes = fmt.Errorf("segment: lanes of more than %d MiB", maxExtent>>20)
	errLarge = errors.New("segment: a record of more than 1 GiB")
	errFull  = fmt.Errorf("segment: it would have more than %d GiB", maxSize>>30)
)

// lay puts a record behind those before it, with room for so many words, which
// are zero. Nobody sees it before publish. The caller holds the lock.
func (w *Writer) lay(t recordType, p payload, words uint64) (record, error) {
	if uint64(len(p)) > 1<<30 || words > 1<<27 {
		return record{}, errLarge
	}
	size := func(at uint64) (mutable, size uint64) {
		mutable = t.mutable(at, uint64(len(p)))
		return mutable, mutable + 8*words
	}
	mutable, n := size(w.used)
	if w.used+n > w.end {
		_, need := size(0)
		if err := w.extend(need); err != nil {
			return record{}, err
		}
		mutable, n = size(w.used)
	}
	if w.end-w.used-n == 8 { // too little for another record's header
		n += 8
	}
	last := &w.extents[len(w.extents)-1]
	at := w.used - last.offset
	r := record{bytes: last.data[at : at+n : at+n], offset: w.used, mutable: mutable}
	order.PutUint32(r.bytes, uint32(n))
	order.PutUint16(r.bytes[4:], uint16(t))
	order.PutUint32(r.bytes[12:], uint32(len(p)))
	copy(r.bytes[recordHeaderSize:], p)
	order.PutUint32(r.bytes[8:], checksum(r.bytes, uint32(len(p))))
	w.used += n
	return r, nil
}

// extend adds an extent with room for a record and pads the one before it. A segment
// grows by an eighth, so that little of it is room, or by less if that is not to be
// had.
func (w *Writer) extend(need uint64) error {
	n := align(max(need, min(w.end/8, maxExtent)), w.page)
	if n > math.MaxInt32 {
		return errLarge
	}
	if n > maxSize-w.end {
		return errFull
	}
	data, err := w.memory.Extend(w.end, int(n))
	for least := align(need, w.page); err != nil && n > least; { // a disk that is nearly full
		n = max(align(n/2, w.page), least)
		data, err = w.memory.Extend(w.end, int(n))
	}
	if err != nil {
		return err
	}
	if uint64(len(data)) != n {
		return fmt.Errorf("segment: asked for %d bytes and was given %d", n, len(data))
	}
	if rest := w.end - w.used; rest > 0 {
		last := &w.extents[len(w.extents)-1]
		pad := last.data[w.used-last.offset:]
		order.PutUint32(pad, uint32(rest))
		order.PutUint16(pad[4:], uint16(padRecord))
		order.PutUint32(pad[8:], checksum(pad, 0))
	}
	w.extents = append(w.extents, extent{w.end, data})
	w.used = w.end
	w.end += n
	return nil
}

// quarantine is how many ticks the row of a removed series rests before another
// series gets it.
const quarantine = 10

// Tick lets time pass for the rows of removed series. A goroutine that held such a row
// may still be about to write to it, for no longer than a few ticks that are a second
// or more apart: the process has run in between, and so has the goroutine.
//
// It also writes the tombstones of series that were removed since the last call, see
// [Rows.Bury].
func (w *Writer) Tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ticks++
	_ = w.settle() // where there is no room they stay on the list
}

package segment

import (
	"fmt"
	"math"
	"strings"
	"unsafe"

	"telltale/internal/cell"
)

// walk is what a reader makes of a segment.
type walk struct {
	space    Space
	reader   Table
	plan     Plan
	labels   []string
	numbers  map[string]uint32
	families []*seenFamily
	stones   []Tombstone
}

type seenFamily struct {
	*Family
	rows   []uint64 // offsets
	series map[uint32]owner
}

type owner struct {
	generation uint8
	Series
}

// next reads on.
func (w *walk) next() error {
	_, err := w.reader.Next(w.space, w, &w.plan)
	w.families = nil
	for _, f := range w.reader.Families() {
		if f.Words() == 0 {
			continue
		}
		seen := &seenFamily{Family: f.Family, series: make(map[uint32]owner)}
		w.families = append(w.families, seen)
		for _, b := range f.blocks {
			for i := range b.rows {
				seen.rows = append(seen.rows, b.offset+uint64(i)*uint64(f.Words())*8)
			}
		}
		for row, tenant := range f.Tenants {
			o := owner{uint8(tenant.Stamp), Series{Labels: w.labels[tenant.Series], Round: uint64(tenant.Stamp >> 8)}}
			if row < len(f.Owners) {
				o.Process, o.Start, o.Changed = f.Owners[row].Process, f.Owners[row].Start, f.Owners[row].Changed
			}
			seen.series[uint32(row)] = o
		}
	}
	if err == nil && w.reader.Header().Kind == KindWriter {
		w.stones, _, err = Tombstones(w.space)
	}
	return err
}

// Family implements [Ledger].
func (w *walk) Family(f *FamilyTable, _ any) any { return f.Name }

// Find implements [Ledger].
func (w *walk) Find(_ *FamilyTable, labels string, _ uint32) (uint32, bool) {
	n, ok := w.numbers[labels]
	return n, ok
}

// Add implements [Ledger].
func (w *walk) Add(_ *FamilyTable, labels string) uint32 {
	if w.numbers == nil {
		w.numbers = make(map[string]uint32)
	}
	n := uint32(len(w.labels))
	w.labels = append(w.labels, strings.Clone(labels))
	w.numbers[w.labels[n]] = n
	return n
}

// row returns the first word of a row.
func (w *walk) row(f *seenFamily, row uint32) *cell.Word {
	b := w.space.Bytes(f.rows[row], uint64(f.Words())*8)
	return (*cell.Word)(unsafe.Pointer(unsafe.SliceData(b)))
}

// live calls visit for each series there is, in the order of rows.
func (w *walk) live(visit func(f *seenFamily, row *cell.Word, s owner)) {
	for _, f := range w.families {
		for i := range uint32(len(f.rows)) {
			row := w.row(f, i)
			if generation, _, live := State(row); live && f.series[i].generation == generation {
				visit(f, row, f.series[i])
			}
		}
	}
}

// touch reads all that can be read of each row, live or not.
func (w *walk) touch() {
	for _, f := range w.families {
		for i := range uint32(len(f.rows)) {
			row := w.row(f, i)
			State(row)
			for j := range f.Words() {
				cell.At(row, j).Load()
			}
			if spread, ok := f.SpreadOf(w.space, row); ok {
				for j := range f.Words() {
					spread.Sum(j)
					spread.SumFloat(j)
				}
			}
			for j := range max(1, len(f.Bounds)) {
				f.Exemplar(w.space, row, j)
			}
			for range f.Info(w.space, row).All() { // labels that a page would show
			}
		}
	}
}

// plain is a Space of bytes, which begin at a multiple of 8.
type plain []byte

// cellsOf returns bytes as words.
func cellsOf(b []byte) []cell.Word {
	return unsafe.Slice((*cell.Word)(unsafe.Pointer(&b[0])), len(b)/8)
}

// text says all that was told of.
func (w *walk) text() string {
	text := fmt.Sprintf("%+v", *w.reader.Notes())
	for _, f := range w.families {
		text += fmt.Sprintf("\n%+v %v %+v", *f.Family, f.rows, f.series)
	}
	return text
}

// spaceOf copies bytes.
func spaceOf(b []byte) plain {
	words := make([]uint64, len(b)/8+1)
	p := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(b))
	copy(p, b)
	return p
}

func (p plain) Bytes(offset, n uint64) []byte {
	if offset > uint64(len(p)) || n > uint64(len(p))-offset {
		return nil
	}
	return p[offset : offset+n : offset+n]
}

// Sum returns what the lanes hold of the row's i-th value, as whole numbers.
func (s Spread) Sum(i int) (sum uint64) {
	for lane := range s.Lanes() {
		sum += s.Word(lane, i)
	}
	return sum
}

// SumFloat is Sum for float64s.
func (s Spread) SumFloat(i int) (sum float64) {
	for lane := range s.Lanes() {
		sum += math.Float64frombits(s.Word(lane, i))
	}
	return sum
}

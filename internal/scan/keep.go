package scan

import (
	"hash/maphash"
	"slices"
	"strings"

	"telltale/model"
)

// Texts keeps copies of short texts in allocations that grow with their number.
// It serves one family at a time, so that a family that the caller keeps retains
// no memory of others.
type Texts struct {
	piece strings.Builder
	size  int
}

// The sizes of the first and of the largest piece.
const (
	firstPiece   = 256
	largestPiece = 32 << 10
)

// Keep returns a copy of the bytes as a string.
func (t *Texts) Keep(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if t.piece.Cap()-t.piece.Len() < len(b) {
		t.size = min(max(firstPiece, 2*t.size), largestPiece)
		t.piece.Reset() // strings returned before keep the old piece
		t.piece.Grow(max(t.size, len(b)))
	}
	start := t.piece.Len()
	t.piece.Write(b)
	return t.piece.String()[start:]
}

// Reset begins a new family.
func (t *Texts) Reset() {
	t.piece.Reset()
	t.size = 0
}

// Labels returns a copy of the labels.
func (t *Texts) Labels(l Labels) model.Labels { return model.LabelsFromText(t.Keep(l.Text())) }

// Value returns a copy of label i's value, unescaped.
func (t *Texts) Value(l Labels, i int) string {
	value := t.Keep(l.Value(i))
	if strings.IndexByte(value, '\\') >= 0 {
		value, _ = model.LabelsFromText(`x="` + value + `"`).Get("x")
	}
	return value
}

// ExemplarOf returns copies of the exemplars of a sample, the newest first, or
// nil.
func (t *Texts) ExemplarOf(e *Entry) *model.Exemplar {
	e.sortExemplars()
	var newest *model.Exemplar
	for i := range e.Exemplars {
		x := t.Exemplar(&e.Exemplars[i])
		x.Older, newest = newest, x
	}
	return newest
}

// sortExemplars puts the exemplars of a sample in the order of time.
func (e *Entry) sortExemplars() {
	if len(e.Exemplars) > 1 {
		slices.SortStableFunc(e.Exemplars, func(a, b Exemplar) int { return a.Timestamp.Compare(b.Timestamp) })
	}
}

// Exemplar returns a copy of the exemplar.
func (t *Texts) Exemplar(x *Exemplar) *model.Exemplar {
	return &model.Exemplar{Labels: t.Labels(x.Labels), Value: x.Value, Timestamp: x.Timestamp}
}

// Index finds series by the hash of their labels. The caller compares the labels
// of the series that it finds. Two series with one hash are practically
// impossible; the index then has the later one only.
type Index struct {
	seed   maphash.Seed
	places map[uint64]int
}

// NewIndex returns an empty index.
func NewIndex() *Index {
	return &Index{seed: maphash.MakeSeed(), places: map[uint64]int{}}
}

// Hash returns the hash of labels, which does not depend on their order.
func (x *Index) Hash(l Labels) uint64 { return l.Hash(x.seed) }

// Find returns the place of the series that was entered last with the hash.
func (x *Index) Find(hash uint64) (place int, ok bool) {
	place, ok = x.places[hash]
	return place, ok
}

// Enter enters a series.
func (x *Index) Enter(hash uint64, place int) { x.places[hash] = place }

// Reset begins a new family. A map that grew large is dropped, since clearing it
// would cost the same for every small family after it.
func (x *Index) Reset() {
	if len(x.places) > 1024 {
		x.places = map[uint64]int{}
	}
	clear(x.places)
}

// Bounds makes bucket bounds, and returns the same ones for consecutive series
// with equal bounds.
type Bounds struct{ last *model.Bounds }

// Of returns the bounds, or nil if they do not increase.
func (b *Bounds) Of(upper []float64) *model.Bounds {
	if b.last != nil && slices.Equal(b.last.Upper(), upper) {
		return b.last
	}
	bounds, err := model.NewBounds(upper)
	if err != nil {
		return nil
	}
	b.last = bounds
	return bounds
}

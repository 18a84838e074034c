package segment

import (
	"math"

	"telltale/internal/cell"
)

// Rows of a family whose series end when nobody updates them have three more words: when
// the writer began with the row, until when the series goes on as far as the writer knows,
// and what the row's value is while its first word is closed.
const (
	lifeWords = 3

	wordBegun = 0 // of these
	wordUntil = 1
	wordLeft  = 2
)

// Life is the time for which a writer has a series, from a beginning to an end, both in
// nanoseconds since 1970, as [cell.Now] returns them. Rows of several writers are one series as long
// as their lives overlap; it ends with the last of them.
type Life struct {
	Begun int64 // 0 if unknown
	Until int64 // 0 while the writer updates the row, or may at any moment
}

// Never is the end of the life of a series that does not end.
const Never = math.MaxInt64

// life returns one of a row's words that say when its series ends.
func (f *Family) life(row *cell.Word, word int) *cell.Word {
	return cell.At(row, f.plainWords()+word)
}

// begin notes when a row's series begins, in archives also until when it goes on.
func (f *Family) begin(row *cell.Word, l Life) {
	if f.Expiry <= 0 {
		return
	}
	if l == (Life{}) {
		l.Begun = cell.Now()
	}
	f.life(row, wordBegun).Store(uint64(l.Begun))
	f.life(row, wordUntil).Store(uint64(l.Until))
}

// LifeOf returns the life of a row's series, as its writer has noted it. That of a
// family without an expiry is not known.
func (f *Family) LifeOf(row *cell.Word) (l Life) {
	if f.Expiry > 0 {
		l = Life{int64(f.life(row, wordBegun).Load()), int64(f.life(row, wordUntil).Load())}
	}
	return l
}

// Closed reports whether a row's writer has closed its first value, whose bits are given,
// and returns the bits that readers take for the value then, as [Rows.Leave] noted them.
func (f *Family) Closed(row *cell.Word, bits uint64) (left uint64, ok bool) {
	if f.Expiry <= 0 || bits != cell.ClosedState && !cell.IsClosed(bits) {
		return 0, false
	}
	return f.life(row, wordLeft).Load(), true
}

// Leave notes the bits that readers take for the value of a row while its first word is
// closed.
func (r *Rows) Leave(first *cell.Word, bits uint64) {
	r.family.life(r.row(first), wordLeft).Store(bits)
}

// Left returns the bits that Leave noted.
func (r *Rows) Left(first *cell.Word) (bits uint64) {
	return r.family.life(r.row(first), wordLeft).Load()
}

// Life returns the life of a row's series, as noted.
func (r *Rows) Life(first *cell.Word) Life { return r.family.LifeOf(r.row(first)) }

// Prolong notes until when a row's series goes on, 0 if it may be updated at any moment.
func (r *Rows) Prolong(first *cell.Word, until int64) {
	r.family.life(r.row(first), wordUntil).Store(uint64(until))
}

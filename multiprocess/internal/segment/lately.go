package segment

import (
	"math"
	"strings"

	"telltale/internal/cell"
	"telltale/model"
)

// lately is the list of the writer's own series that were removed lately: one word for
// each, so that a removal need not write a tombstone. The writer writes the tombstones of
// many at once, and then empties the list.
type lately struct {
	first  *cell.Word // of the list; nil as long as there is none
	room   int
	n      int
	family uint64 // the record of the family whose series come next; 0 if the list does not say
	since  int64  // the time of the first word
}

// How many words the list has room for: at first, and after it was full again and again.
const (
	leastLately = 64
	mostLately  = 1 << 13
)

// latelySpan is by how many nanoseconds removals on the list are earlier than the newest one
// at most, so that the lower 32 bits of their times are enough to know them.
const latelySpan = math.MaxInt32

// Bury takes the series of a row out, as Remove does, and says that it was removed at a
// time, as [Writer.Bury] does, whose error it returns. It does nothing if the row is not
// one of these.
func (r *Rows) Bury(first *cell.Word, now int64) (had bool, err error) {
	w := r.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	number, ok := r.number(first)
	if !ok {
		return false, nil
	}
	r.rests(r.row(first), number, createdMask)
	buried := WordAt(w.header, offBuried)
	time := max(now, int64(buried.Load())+1)
	if err := w.list(r.at, r.series[number], time); err != nil {
		return true, err
	}
	storeEarly(buried, uint64(time))
	return true, nil
}

// list puts a series on the list, behind its family unless that is the one of the series
// before. The family is given by the offset of its record, the series by that of its record
// divided by 8. The caller holds the lock.
func (w *Writer) list(family uint64, series uint32, time int64) error {
	l := &w.graves.lately
	if l.n+2 > l.room || time-l.since >= latelySpan {
		if err := w.makeRoom(); err != nil {
			return err
		}
	}
	if l.n == 0 {
		l.since = time
	}
	bits := uint64(uint32(time)) << 32
	if l.family != family {
		l.family = family
		storeEarly(cell.At(l.first, l.n), bits|family/8)
		l.n++
	}
	storeEarly(cell.At(l.first, l.n), bits|uint64(series))
	l.n++
	return nil
}

// makeRoom empties the list. If it was full, and may have more room, another one takes its
// place. The caller holds the lock.
func (w *Writer) makeRoom() error {
	l := &w.graves.lately
	full := l.n+2 > l.room
	if err := w.settle(); err != nil {
		return err
	}
	if !full || l.room == mostLately {
		return nil
	}
	room := max(leastLately, 2*l.room)
	var p payload
	p.u32(uint32(room))
	rec, err := w.lay(latelyRecord, p, uint64(room))
	if err != nil {
		if l.room > 0 {
			err = nil
		}
		return err
	}
	w.publish()
	l.first, l.room = WordAt(rec.bytes, rec.mutable), room
	WordAt(w.header, offLately).Store(rec.offset)
	return nil
}

// settle writes tombstones of the series on the list, and then empties it: a reader
// that finds a series no longer on the list finds its tombstone. After an error the
// list is as it was. Checksums of the writer's own records are left to readers. The
// caller holds the lock.
func (w *Writer) settle() error {
	l := &w.graves.lately
	if l.n == 0 {
		return nil
	}
	until := int64(WordAt(w.header, offBuried).Load())
	text, said := payload(w.graves.room[:0]), 0 // a tombstone, and how much of it says what the family is
	for i := range l.n {
		word := cell.At(l.first, i).Load()
		at := recordOf(word)
		_, fixed, kind, err := recordAt((*locked)(w), at, w.used)
		if err != nil {
			return err
		}
		in := fields{rest: fixed}
		switch {
		case kind == familyRecord:
			family, err := decodeFamily(&in, at)
			if err != nil {
				return err
			}
			text = text[:0]
			text.removed(family.Type, family.Name, 1)
			said = len(text)
		case kind == seriesRecord && said > 0:
			in.u32()
			labels := seriesLabels(&in)
			if !model.ValidLabelsText(labels) {
				return corrupt(at, "%.80q are no labels", labels)
			}
			text = text[:said]
			text.text(sortedLabels(labels))
			if err := w.dig(text, until-ago(word, until)); err != nil {
				return err
			}
		default:
			return corrupt(at, "a record of type %d where there is a removed series", kind)
		}
	}
	w.graves.room = text
	for i := range l.n {
		storeEarly(cell.At(l.first, i), 0)
	}
	l.n, l.family = 0, 0
	return nil
}

// sortedLabels returns labels as tombstones have them.
func sortedLabels(text string) string {
	if strings.IndexByte(text, ',') < 0 { // it is one label, as most often
		return text
	}
	return model.LabelsFromText(text).Sorted().Text()
}

// eachLately calls visit for each series on the list, which the header names, that was
// removed up to the given time, with its labels and a tombstone without them, which is
// valid until the next call. A caller that loads that time from the header, then calls
// eachLately, and then reads tombstones, misses nothing that was removed until then.
func eachLately(s Space, until int64, visit func(t *Tombstone, labels string) error) error {
	head := s.Bytes(0, HeaderSize) // after the time, also where each call returns a copy
	if head == nil {
		return corrupt(0, "a segment has a header of %d bytes", HeaderSize)
	}
	at := atomicWord(head, offLately)
	if at == 0 {
		return nil
	}
	end := Published(s) // after the time of what it has to cover
	words, n, err := latelyAt(s, at, end)
	if err != nil {
		return err
	}
	var t Tombstone
	var family *Family
	families := make(map[uint64]*Family)
	left := 2*end + rationSlack // each removal has a record of its own, but in forged segments
	for i := range n {
		word := cell.At(words, i).Load()
		if word == 0 { // the rest is empty, or the list is being emptied
			break
		}
		at, before := recordOf(word), ago(word, until)
		if before < 0 || at >= end { // it is being removed, after that time
			break
		}
		if f := families[at]; f != nil {
			family = f
			continue
		}
		kind, in, err := checkedAt(s, at, end, &left)
		switch {
		case err != nil:
			return err
		case kind == familyRecord:
			if family, err = decodeFamily(&in, at); err != nil {
				return err
			}
			families[at] = family
		case kind != seriesRecord:
			return corrupt(at, "a record of type %d where there is a removed series", kind)
		case family == nil || in.u32() != family.Number: // the list is being emptied
		default:
			labels := seriesLabels(&in)
			if in.short || !model.ValidLabelsText(labels) {
				return corrupt(at, "%.80q are no labels", labels)
			}
			t.Time, t.Type, t.Name = until-before, family.Type, family.Name
			if err := visit(&t, labels); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordOf returns where the record lies of a family or a series that is on the list.
func recordOf(word uint64) uint64 { return word & math.MaxUint32 * 8 }

// ago returns how long before a time a series on the list was removed, less than 0 if it
// was after it.
func ago(word uint64, until int64) int64 { return int64(int32(uint32(until) - uint32(word>>32))) }

// seriesLabels returns the labels of a series' record, of which the number of the family
// was read.
func seriesLabels(in *fields) string {
	in.take(8)
	return in.view()
}

// latelyAt returns the words of the list whose record lies at an offset.
func latelyAt(s Space, at, end uint64) (first *cell.Word, n int, err error) {
	if at < HeaderSize || at >= end {
		return nil, 0, corrupt(at, "the list of removed series lies elsewhere")
	}
	size, fixed, kind, err := sizesAt(s, at, end)
	switch {
	case err != nil:
		return nil, 0, err
	case kind != latelyRecord:
		return nil, 0, corrupt(at, "a record of type %d where there is the list of removed series", kind)
	case fixed > maxBehind:
		return nil, 0, corrupt(at, "a list of removed series with a payload of %d bytes", fixed)
	}
	in, err := payloadAt(s, at, fixed)
	if err != nil {
		return nil, 0, err
	}
	room := uint64(in.u32())
	start := latelyRecord.mutable(at, fixed)
	if in.short || room == 0 || room > mostLately || start > size || room > (size-start)/8 {
		return nil, 0, corrupt(at, "a list of %d removed series", room)
	}
	b := s.Bytes(at+start, 8*room)
	if b == nil {
		return nil, 0, &Corrupt{at, "a list of removed series that is not there", true}
	}
	return WordAt(b, 0), int(room), nil
}

// checkedAt returns the type of the record at an offset and its payload, whose checksum is
// right. It takes its size from how many bytes are left to be looked at.
func checkedAt(s Space, at, end uint64, left *uint64) (kind recordType, in fields, err error) {
	if at < HeaderSize {
		return 0, in, corrupt(at, "no record begins here")
	}
	size, fixed, kind, err := sizesAt(s, at, end)
	if err != nil {
		return 0, in, err
	}
	if size > *left {
		return 0, in, corrupt(at, "many removed series refer to the same records")
	}
	*left -= size
	in, err = payloadAt(s, at, fixed)
	return kind, in, err
}

package segment

import (
	"math"

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

// latelySpan is how much earlier than the newest removal those on the list are at most, so
// that the lower 32 bits of their times say which they are.
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
	buried.Store(uint64(time))
	return true, nil
}

// list puts a series of a family on the list, whose records are given. The caller holds the
// lock.
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
		cell.At(l.first, l.n).Store(bits | family/8)
		l.n++
	}
	cell.At(l.first, l.n).Store(bits | uint64(series))
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

// settle writes tombstones of the series on the list, and then empties it: who finds them
// there no more finds their tombstones. After an error the list is as it was. The caller
// holds the lock.
func (w *Writer) settle() error {
	l := &w.graves.lately
	if l.n == 0 {
		return nil
	}
	one := make([]string, 1)
	err := eachLately((*locked)(w), int64(WordAt(w.header, offBuried).Load()), func(t *Tombstone, labels string) error {
		one[0] = sortedLabels(labels)
		t.Labels = one
		return w.dig(t, t.Time)
	})
	if err != nil {
		return err
	}
	for i := range l.n {
		cell.At(l.first, i).Store(0)
	}
	l.n, l.family = 0, 0
	return nil
}

// sortedLabels returns labels as tombstones have them.
func sortedLabels(text string) string { return model.LabelsFromText(text).Sorted().Text() }

// eachLately calls visit for each series on the list, which the header names, that was
// removed up to a time, with a tombstone of it that lacks its labels and is good until the
// next call. Whoever loaded that time from the header, calls it, and then looks for
// tombstones, misses nothing that was removed by then.
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
		ago := int32(uint32(until) - uint32(word>>32))
		at := word & math.MaxUint32 * 8
		if ago < 0 || at >= end { // it is being removed, after that time
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
			in.take(8)
			labels := in.view()
			if in.short || !model.ValidLabelsText(labels) {
				return corrupt(at, "%.80q are no labels", labels)
			}
			t.Time, t.Type, t.Name = until-int64(ago), family.Type, family.Name
			if err := visit(&t, labels); err != nil {
				return err
			}
		}
	}
	return nil
}

// latelyAt returns the words of the list whose record lies at an offset.
func latelyAt(s Space, at, end uint64) (first *cell.Word, n int, err error) {
	if at < HeaderSize || at >= end {
		return nil, 0, corrupt(at, "the list of removed series lies elsewhere")
	}
	b, fixed, kind, err := recordAt(s, at, end)
	if err != nil {
		return nil, 0, err
	}
	in := fields{rest: fixed}
	room := uint64(in.u32())
	start := latelyRecord.mutable(at, uint64(len(fixed)))
	switch {
	case kind != latelyRecord:
		return nil, 0, corrupt(at, "a record of type %d where there is the list of removed series", kind)
	case len(fixed) > maxBehind || order.Uint32(b[8:]) != checksum(b, uint32(len(fixed))):
		return nil, 0, corrupt(at, "the checksum of the list of removed series is wrong")
	case in.short || room == 0 || room > mostLately || start > uint64(len(b)) || room > (uint64(len(b))-start)/8:
		return nil, 0, corrupt(at, "a list of %d removed series", room)
	}
	return WordAt(b, start), int(room), nil
}

// checkedAt returns the type of the record at an offset and its payload, whose checksum is
// right. It takes its size from how many bytes are left to be looked at.
func checkedAt(s Space, at, end uint64, left *uint64) (kind recordType, in fields, err error) {
	if at < HeaderSize {
		return 0, in, corrupt(at, "no record begins here")
	}
	if head := s.Bytes(at, recordHeaderSize); head != nil {
		size := uint64(order.Uint32(head))
		if size > *left {
			return 0, in, corrupt(at, "many removed series refer to the same records")
		}
		*left -= size
	}
	b, fixed, kind, err := recordAt(s, at, end)
	if err != nil {
		return 0, in, err
	}
	if order.Uint32(b[8:]) != checksum(b, uint32(len(fixed))) {
		return 0, in, corrupt(at, "the record's checksum is wrong")
	}
	return kind, fields{rest: fixed}, nil
}

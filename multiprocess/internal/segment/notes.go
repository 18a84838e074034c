package segment

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"
)

// Notes is what a segment says beside its families.
type Notes struct {
	Taken   Taken              // of an archive
	Applied map[[16]byte]int64 // of an archive: up to which time the tombstones of a writer, by its ID, are in it
	Carried []Tombstone        // of an archive: those of writers that it has taken up
}

// Taken is the files whose contents an archive has taken up.
type Taken struct {
	Writers [][16]byte // by their IDs
	Aside   []Aside
}

// Aside is a file of Python's client that was put aside to be folded.
type Aside struct {
	Name  string
	Inode uint64 // 0 if unknown
}

// Rest is what a word of an archive's row lacks of the exact sum that it stands for:
// the value is that of the word and the pieces, added without rounding.
type Rest struct {
	Row   uint32
	Value int // which of the row's values; of LayoutNative that behind the classic counts is the sum
	// Pieces are as exact.Sums gives them.
	Pieces []float64
}

// Rests returns what words of an archive's rows of the family lack, as far as it was
// read, sorted by row and value.
func (f *Family) Rests() []Rest { return f.rests }

func compareRests(a, b Rest) int {
	return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Value, b.Value))
}

// restValues is how many values of a row may have a rest.
func (f *Family) restValues() int {
	if f.Layout == LayoutNative {
		return f.Classic() + 1
	}
	return f.Values()
}

// Rests says in an archive what words of the family's rows lack. They are sorted by
// row and value, and come behind those that were said before.
func (r *Rows) Rests(rests []Rest) error {
	if len(rests) == 0 {
		return nil
	}
	var p payload
	p.u32(r.family.Number)
	p.u32(uint32(len(rests)))
	for _, rest := range rests {
		p.u32(rest.Row)
		p.u32(uint32(rest.Value))
		p.u32(uint32(len(rest.Pieces)))
		for _, v := range rest.Pieces {
			p.u64(math.Float64bits(v))
		}
	}
	return r.writer.say(restRecord, p)
}

// Note says in an archive what it has to say beside families.
func (w *Writer) Note(n Notes) error {
	err := w.take(n.Taken)
	if err == nil && len(n.Applied) > 0 {
		err = w.apply(n.Applied)
	}
	for i := range n.Carried {
		if err == nil {
			err = w.carry(&n.Carried[i])
		}
	}
	return err
}

// take says what an archive has taken up.
func (w *Writer) take(t Taken) error {
	var p payload
	p.u32(uint32(len(t.Writers)))
	for _, id := range t.Writers {
		p = append(p, id[:]...)
	}
	p.u32(uint32(len(t.Aside)))
	for _, file := range t.Aside {
		p.text(file.Name)
		p.u64(file.Inode)
	}
	return w.say(takenRecord, p)
}

// apply says up to which time the tombstones of writers are in an archive.
func (w *Writer) apply(applied map[[16]byte]int64) error {
	var p payload
	p.u32(uint32(len(applied)))
	for _, id := range slices.SortedFunc(maps.Keys(applied), func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }) {
		p = append(p, id[:]...)
		p.u64(uint64(applied[id]))
	}
	return w.say(appliedRecord, p)
}

// say publishes a record that has no words.
func (w *Writer) say(t recordType, p payload) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.lay(t, p, 0); err != nil {
		return err
	}
	w.publish()
	return nil
}

// NotesOf returns what an archive says before its families.
func NotesOf(s Space) (*Notes, error) {
	t := Table{at: HeaderSize}
	b := s.Bytes(0, HeaderSize)
	if b == nil {
		return nil, corrupt(0, "a segment has a header of %d bytes", HeaderSize)
	}
	var err error
	if t.header, err = DecodeHeader(b); err != nil {
		return nil, err
	}
	for used := min(Published(s), maxSize); t.at < used; {
		b, fixed, kind, err := recordAt(s, t.at, used)
		if err != nil {
			return nil, err
		}
		if kind == familyRecord {
			break
		}
		if err := t.record(s, b, fixed, kind, nil, nil); err != nil {
			return nil, err
		}
		t.at += uint64(len(b))
	}
	return &t.notes, nil
}

// note reads a record that [Notes] has, or rests.
func (t *Table) note(kind recordType, in *fields) (err error) {
	switch kind {
	case restRecord:
		err = t.rest(in)
	case takenRecord:
		t.taken(in)
	case appliedRecord:
		for n := in.u32(); n > 0 && !in.short; n-- {
			id, until := in.id(), int64(in.u64())
			if t.notes.Applied == nil {
				t.notes.Applied = make(map[[16]byte]int64)
			}
			t.notes.Applied[id] = max(t.notes.Applied[id], until)
		}
	case carriedRecord:
		err = t.carried(in)
	}
	return err
}

func (t *Table) taken(in *fields) {
	n := in.u32()
	t.notes.Taken.Writers = slices.Grow(t.notes.Taken.Writers, int(min(uint64(n), uint64(len(in.rest))/16)))
	for ; n > 0 && !in.short; n-- {
		if id := in.id(); !in.short {
			t.notes.Taken.Writers = append(t.notes.Taken.Writers, id)
		}
	}
	for n := in.u32(); n > 0 && !in.short; n-- {
		if file := (Aside{in.text(), in.u64()}); !in.short {
			t.notes.Taken.Aside = append(t.notes.Taken.Aside, file)
		}
	}
}

func (t *Table) rest(in *fields) error {
	number := in.u32()
	f := t.known(number)
	if f == nil {
		return corrupt(t.at, "rests of family %d", number)
	}
	if f.Words() == 0 {
		in.rest = nil
		return nil
	}
	for n := in.u32(); n > 0 && !in.short; n-- {
		rest := Rest{Row: in.u32(), Value: int(in.u32())}
		raw := in.take(uint64(in.u32()) * 8)
		for i := 0; i+8 <= len(raw); i += 8 {
			rest.Pieces = append(rest.Pieces, math.Float64frombits(order.Uint64(raw[i:])))
		}
		switch last := len(f.rests) - 1; {
		case in.short:
		case rest.Row >= f.rows || rest.Value < 0 || rest.Value >= f.restValues():
			return corrupt(t.at, "a rest of value %d in row %d of %.80q, of %d rows", rest.Value, rest.Row, f.Name, f.rows)
		case last >= 0 && compareRests(f.rests[last], rest) >= 0:
			return corrupt(t.at, "rests of %.80q that are out of order", f.Name)
		default:
			f.rests = append(f.rests, rest)
		}
	}
	return nil
}

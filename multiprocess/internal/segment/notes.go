package segment

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"telltale/model"
)

// Notes is what a segment says beside its families.
type Notes struct {
	Taken      Taken               // of an archive
	Applied    map[[16]byte]uint64 // of an archive: up to which offset the tombstones of a writer, by its ID, are in it
	Tombstones []Tombstone         // of a writer its own, of an archive those that it carries, in the order in which they were written
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

// Tombstone says that series were removed: not only the writer's own, but also what
// writers that were dead by then had left.
type Tombstone struct {
	Offset uint64 // of its record
	Time   int64  // when, by the clock of the boot of its writer
	Type   model.Type
	Name   string
	Labels []string // canonical texts of the series, see model.Labels; none: all of the family's
	From   Origin   // in archives: whose it was
}

// Origin says whose tombstone an archive carries.
type Origin struct {
	ID, Boot [16]byte // as in the header of the writer's segment
	Start    int64
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

// Take says in an archive what it has taken up.
func (w *Writer) Take(t Taken) error {
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

// Apply says in an archive up to which offset the tombstones of writers are in it.
func (w *Writer) Apply(applied map[[16]byte]uint64) error {
	var p payload
	p.u32(uint32(len(applied)))
	for _, id := range slices.SortedFunc(maps.Keys(applied), func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }) {
		p = append(p, id[:]...)
		p.u64(applied[id])
	}
	return w.say(appliedRecord, p)
}

// Carry says in an archive what the writer of a segment that it has taken up had
// removed.
func (w *Writer) Carry(t Tombstone) error {
	var p payload
	p = append(append(p, t.From.ID[:]...), t.From.Boot[:]...)
	p.u64(uint64(t.From.Start))
	p.tombstone(0, &t)
	return w.say(carriedRecord, p)
}

// Bury says that series were removed. Others see it once it returns.
func (w *Writer) Bury(t Tombstone) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	head := WordAt(w.header, offHead)
	var p payload
	p.tombstone(head.Load(), &t)
	rec, err := w.lay(tombstoneRecord, p, 0)
	if err != nil {
		return err
	}
	w.publish()
	head.Store(rec.offset)
	return nil
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

func (p *payload) tombstone(previous uint64, t *Tombstone) {
	p.u64(previous)
	p.u64(uint64(t.Time))
	*p = append(*p, byte(t.Type), 0, 0, 0)
	p.text(t.Name)
	p.u32(uint32(len(t.Labels)))
	for _, labels := range t.Labels {
		p.text(labels)
	}
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
			id, offset := in.id(), in.u64()
			if t.notes.Applied == nil {
				t.notes.Applied = make(map[[16]byte]uint64)
			}
			t.notes.Applied[id] = max(t.notes.Applied[id], offset)
		}
	case tombstoneRecord, carriedRecord:
		err = t.tombstone(in, kind)
	}
	return err
}

func (t *Table) taken(in *fields) {
	for n := in.u32(); n > 0 && !in.short; n-- {
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

func (t *Table) tombstone(in *fields, kind recordType) error {
	stone := Tombstone{Offset: t.at}
	if kind == carriedRecord {
		stone.From = Origin{ID: in.id(), Boot: in.id(), Start: int64(in.u64())}
	}
	previous := in.u64()
	stone.Time, stone.Type = int64(in.u64()), model.Type(in.u8())
	in.take(3)
	stone.Name = in.text()
	for n := in.u32(); n > 0 && !in.short; n-- {
		if labels := in.view(); !in.short {
			if !model.ValidLabelsText(labels) {
				return corrupt(t.at, "%.80q are no labels", labels)
			}
			stone.Labels = append(stone.Labels, strings.Clone(labels))
		}
	}
	before := uint64(0)
	if n := len(t.notes.Tombstones); n > 0 && kind == tombstoneRecord {
		before = t.notes.Tombstones[n-1].Offset
	}
	switch {
	case in.short:
		return nil // which the caller tells
	case previous != before:
		return corrupt(t.at, "a tombstone behind one at %d that names %d", before, previous)
	case !model.ValidName(stone.Name) || stone.Type > model.StateSet:
		return corrupt(t.at, "a tombstone of %.80q of type %d", stone.Name, stone.Type)
	}
	t.notes.Tombstones = append(t.notes.Tombstones, stone)
	return nil
}

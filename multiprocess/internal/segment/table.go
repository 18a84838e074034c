package segment

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/reserved"
	"telltale/model"
)

// Table is what the records of a segment say: families, where their rows lie and
// whose they are, and notes. It is brought up to date as the writer publishes more,
// and keeps no bytes of the segment. All readers and folds see rows through it. The
// zero Table is that of a segment of which nothing was read yet. It is not safe for
// concurrent use.
//
// Its memory follows the records that were read, whatever these claim: a row costs
// nothing before a series has it.
type Table struct {
	header   Header
	at       uint64
	families []*FamilyTable // by number
	shown    []showing      // by number
	turns    uint64         // how often a family's round became another one
	series   int
	valued   []uint32 // offsets, divided by 8, of records from which values are read
	notes    Notes
	copied   []byte // the record that is being looked at: its writer might change it meanwhile
	planned  uint32 // where in the plan the records lie behind the one that was followed last
	changes  bool
}

// Changes makes the table keep when each series of an archive was last updated
// ([Owner]). It is called before the first call of Next.
func (t *Table) Changes() { t.changes = true }

// FamilyTable is the rows of a family in a segment.
type FamilyTable struct {
	*Family
	Tenants []Tenant // by row, of the rows that were given out so far
	Owners  []Owner  // by row, of archives; it may be shorter than Tenants
	Moved   []uint32 // rows that became another series', in the order in which they did; for the reader to clear

	blocks  []placed
	rows    uint32   // in all blocks
	plan    *planned // of equal families
	edition uint64   // of the plan, whose first tenants these are; 0 if they may be others
	later   bool     // some row is not its first series', or of another round than 0

	round uint64 // that counts: the word shown, loaded before the last records were looked for
	sure  bool   // round is known
}

// showing is what is looked at of each family at each reading.
type showing struct {
	offset uint64 // of the word shown; 0 if there is none
	next   uint64 // what it was, which counts once all records are read that were there then
	round  uint64 // that counts
	sure   bool   // round is known
}

// Tenant is the series whose a row is.
type Tenant struct {
	Series uint32 // what the ledger calls it
	Stamp  uint32 // the generation that the row's state has while the row is that series', and the round
}

// stampOf returns the stamp of a series: the generation of its row in the lowest byte,
// the lower bits of its round above.
func stampOf(generation uint8, round uint64) uint32 { return uint32(round)<<8 | uint32(generation) }

// Owner is whose an archive's series was, where that counts.
type Owner struct {
	Process string // the label of the process; empty for a series of all
	Start   int64  // when that process's segment was made
	Changed int64  // when the series was last updated, or later, in nanoseconds since 1970; only if [Table.Changes] asks for it
}

// Ledger gives names to families and series, so that a reader keeps what many
// segments have in common once.
type Ledger interface {
	// Family returns what the family is called: equal keys are one family to the
	// ledger, whatever number it has in which segment. Known is what it returned for a
	// family that is equal but for its First, nil if there was none as far as is known.
	Family(f *FamilyTable, known any) (key any)
	// Find returns the number of a series of the family that has been added with
	// exactly these labels. The guess is one more than that of the row before.
	Find(f *FamilyTable, labels string, guess uint32) (series uint32, ok bool)
	// Add adds a series whose labels are good and not yet known. The text is valid
	// until Add returns.
	Add(f *FamilyTable, labels string) (series uint32)
}

// placed is a block of rows, and where it lies.
type placed struct {
	offset     uint64
	from, rows uint32
}

// Header returns what DecodeHeader found in the first call of Next.
func (t *Table) Header() *Header { return &t.header }

// Notes returns what the segment says beside its families, as far as it was read.
// The caller changes none of it.
func (t *Table) Notes() *Notes { return &t.notes }

// At returns how many bytes were read, 0 before the first call of Next.
func (t *Table) At() uint64 { return t.at }

// Families returns the families by number. One of a layout that is not known has no
// words and no rows.
func (t *Table) Families() []*FamilyTable { return t.families }

// Series returns how many records of series were read.
func (t *Table) Series() int { return t.series }

// Next reads all records that were published since the last call, and reports
// whether there were any that say something. The ledger and the plan may be nil; else
// they are the same at each call. After an error, which is a [*Corrupt],
// [ErrForeign] or [ErrVersion], the table cannot go on, unless it is [ErrShort]: a
// writer may publish more at any time, and with a Space that has it the table goes on
// where it was.
func (t *Table) Next(s Space, to Ledger, p *Plan) (changed bool, err error) {
	if t.at == 0 {
		b := s.Bytes(0, HeaderSize)
		if b == nil {
			return false, corrupt(0, "a segment has a header of %d bytes", HeaderSize)
		}
		h, err := DecodeHeader(b)
		if err != nil {
			return false, err
		}
		t.header, t.at, changed = h, HeaderSize, true
	}
	for again := true; again; { // of families that are new the words are not known before all records behind them are
		families := len(t.families)
		t.look(s)
		said, err := t.scan(s, to, p)
		if changed = changed || said; err != nil {
			return changed, err
		}
		again = len(t.families) > families
		t.settle(families)
	}
	return changed, nil
}

// look loads the words shown of all families. It comes before the last record is
// looked for: the records of a round's series are published before it is shown.
func (t *Table) look(s Space) {
	for i := range t.shown {
		w := &t.shown[i]
		w.next = shownAt(s, w.offset)
	}
}

// settle makes the rounds count that look has loaded, of the given number of families,
// whose records up to then were all read.
func (t *Table) settle(families int) {
	for i := range t.shown[:families] {
		if w := &t.shown[i]; w.round != w.next || !w.sure {
			w.round, w.sure = w.next, true
			t.families[i].round, t.families[i].sure = w.round, true
			t.turns++
		}
	}
}

// Turns returns a number that changes when a family shows another round: its stretches
// are then other ones.
func (t *Table) Turns() uint64 { return t.turns }

// Lasting is how long after the beginning of [Table.Next] a reader still finds the values
// of rows whose series were removed, or replaced by another round, since then: such rows
// rest for longer before other series get them.
const Lasting = 5 * time.Second

// ErrReplaced is returned if the rows of a family were read so long after its series were
// replaced that they may be those of other series by now.
var ErrReplaced = errors.New("its series were replaced while they were read")

// Whole returns an error, [ErrReplaced], if a family shows another round than at the last
// call of Next. If rows were read later than [Lasting] allows, they need not be those of
// one round then.
func (t *Table) Whole(s Space) error {
	for i := range t.shown {
		if w := &t.shown[i]; w.sure && w.round != shownAt(s, w.offset) {
			return ErrReplaced
		}
	}
	return nil
}

// scan reads the records that were published since those at t.at, and reports whether
// any of them says something.
func (t *Table) scan(s Space, to Ledger, p *Plan) (says bool, err error) {
	used := Published(s)
	if used < t.at || used%8 != 0 || used > maxSize {
		return false, corrupt(offUsed, "%d bytes are in use, after %d", used, t.at)
	}
	p.expect(uint64(len(contiguous(s, t.at, used)))) // what a header says may not be there
	for followed := false; t.at < used; {
		b, fixed, kind, err := recordAt(s, t.at, used)
		if err != nil {
			return says, err
		}
		again := followed
		if followed = kind == seriesRecord && t.follow(b, fixed, p); !followed {
			if err := t.record(s, b, fixed, kind, to, p); err != nil {
				return says, err
			}
		}
		if kind.holds() {
			t.valued = append(t.valued, uint32(t.at/8))
		}
		says = says || kind.says()
		t.at += uint64(len(b))
		if followed && again {
			t.followOn(contiguous(s, t.at, used), p)
		}
	}
	return says, nil
}

// says reports whether records of the type say something to readers by themselves.
func (t recordType) says() bool {
	switch t {
	case padRecord, blockRecord, lanesRecord, tableRecord, textRecord, tombstoneRecord, latelyRecord:
		return false
	}
	return true
}

// maxBehind is how many bytes the payload of a record that is known may have behind
// its fields, for those of later programs. Longer ones of unknown records are not
// looked at.
const maxBehind = 4 << 10

// record takes note of the record at t.at.
func (t *Table) record(s Space, b, fixed []byte, kind recordType, to Ledger, p *Plan) error {
	switch kind {
	case familyRecord, blockRecord, seriesRecord:
	case restRecord, takenRecord, appliedRecord, carriedRecord:
		if t.header.Kind != KindArchive {
			return corrupt(t.at, "a record of type %d where there is no archive", kind)
		}
	case tombstoneRecord, latelyRecord:
		if t.header.Kind != KindWriter {
			return corrupt(t.at, "a record of type %d where there is no writer", kind)
		}
	case formerRecord:
		return corrupt(t.at, "a record of version 1 of the format")
	default: // nothing to tell of, or of a later program
		if len(fixed) > maxBehind {
			return nil // unread
		}
	}
	if !there(s, t.at+recordHeaderSize, uint64(len(fixed))) {
		return corrupt(t.at, "a record of type %d with a payload of %d bytes, not all of which are there", kind, len(fixed))
	}
	t.copied = append(t.copied[:0], b[:recordHeaderSize+len(fixed)]...)
	if want, got := order.Uint32(t.copied[8:]), checksum(t.copied, uint32(len(fixed))); want != got {
		return corrupt(t.at, "the record's checksum is %#x and should be %#x", want, got)
	}
	in := fields{rest: t.copied[recordHeaderSize:]}
	size, length := uint64(len(b)), uint64(len(fixed))
	var err error
	switch kind {
	case familyRecord:
		err = t.family(&in, size, length, to, p)
	case blockRecord:
		err = t.block(&in, size, length)
	case seriesRecord:
		err = t.tenant(&in, size, to, p)
	case restRecord, takenRecord, appliedRecord, carriedRecord:
		err = t.note(kind, &in)
	default:
		return nil
	}
	switch {
	case err != nil:
		return err
	case in.short:
		return corrupt(t.at, "a record of type %d that ends too soon", kind)
	case len(in.rest) > maxBehind:
		return corrupt(t.at, "a record of type %d with %d bytes behind its fields, of at most %d", kind, len(in.rest), maxBehind)
	}
	return nil
}

func (t *Table) family(in *fields, size, length uint64, to Ledger, p *Plan) error {
	listed := new(listedFamily)
	f, payload := &listed.family, in.rest
	recorded := p.recorded(payload)
	if recorded != nil {
		*f, in.rest = recorded.familyOf(payload), nil
	} else {
		decoded, err := decodeFamily(in, t.at)
		if err != nil {
			return err
		}
		if *f = *decoded; len(in.rest) <= maxBehind {
			recorded = p.remember(payload, f)
		}
	}
	start := familyRecord.mutable(t.at, length)
	switch {
	case int(f.Number) != len(t.families):
		return corrupt(t.at, "family %d comes after %d others", f.Number, len(t.families))
	case start > size || size-start < 8:
		return corrupt(t.at, "a family whose word is not there")
	}
	f.shown = t.at + start
	if n := p.numbered(); t.families == nil && n > 0 {
		t.families, t.shown = make([]*FamilyTable, 0, n), make([]showing, 0, n)
	}
	t.shown = append(t.shown, showing{offset: f.shown})
	listed.Family, listed.blocks = f, listed.first[:0]
	t.families = append(t.families, &listed.FamilyTable)
	if f.Words() > 0 && to != nil {
		var key any
		if recorded != nil {
			key = recorded.key
		}
		key = to.Family(&listed.FamilyTable, key)
		if recorded != nil {
			recorded.key = key
		}
		listed.plan, listed.edition = p.of(key)
	}
	return nil
}

// listedFamily is what a family in a segment takes, in one piece. Most have one block.
type listedFamily struct {
	FamilyTable
	family Family
	first  [1]placed
}

func (t *Table) block(in *fields, size, length uint64) error {
	number, from, rows := in.u32(), in.u32(), in.u32()
	f := t.known(number)
	if in.short || f == nil {
		return corrupt(t.at, "rows of family %d", number)
	}
	if f.Words() == 0 {
		return nil
	}
	start := blockRecord.mutable(t.at, length)
	if rows == 0 || start > size || uint64(rows) > (size-start)/8/uint64(f.Words()) || from != f.rows {
		return corrupt(t.at, "%d rows from row %d on in %d bytes", rows, from, size)
	}
	f.blocks = append(f.blocks, placed{t.at + start, from, rows})
	f.rows += rows
	return nil
}

// tenant takes note of whose a row is from now on. A family's rows are given out in
// their order, each for the first time behind those before it.
func (t *Table) tenant(in *fields, size uint64, to Ledger, p *Plan) error {
	number, row, stamp := in.u32(), in.u32(), in.u32()
	labels := in.view()
	var owner Owner
	if t.header.Kind == KindArchive {
		owner = Owner{Start: int64(in.u64()), Changed: int64(in.u64()), Process: in.view()}
		if !t.changes {
			owner.Changed = 0
		}
	}
	f := t.known(number)
	if in.short || f == nil {
		return corrupt(t.at, "a series of family %d", number)
	}
	if f.Words() == 0 {
		return nil
	}
	if row >= f.rows {
		return corrupt(t.at, "a series in row %d of %d", row, f.rows)
	}
	if int64(row) > int64(len(f.Tenants)) {
		return corrupt(t.at, "row %d of %.80q is given out after %d rows", row, f.Name, len(f.Tenants))
	}
	series, known := uint32(0), false
	if to != nil {
		guess := uint32(0)
		if row > 0 {
			guess = f.Tenants[row-1].Series + 1
		}
		series, known = to.Find(f, labels, guess)
	}
	if !known {
		if !model.ValidLabelsText(labels) {
			return corrupt(t.at, "%.80q are no labels", labels)
		}
		if err := reserved.Check(f.Name, f.Type, model.LabelsFromText(labels)); err != nil {
			return corrupt(t.at, "a series of %.80q %v", f.Name, err)
		}
		if to != nil {
			series = to.Add(f, labels)
		}
	}
	if owner != (Owner{}) {
		for int64(len(f.Owners)) <= int64(row) {
			f.Owners = append(f.Owners, Owner{})
		}
		owner.Process = strings.Clone(owner.Process)
	}
	if int64(row) < int64(len(f.Owners)) {
		f.Owners[row] = owner
	}
	tenant := Tenant{series, stamp}
	if pad := size - uint64(len(t.copied)); p != nil && owner == (Owner{}) && pad < 8 {
		t.copied = append(t.copied, make([]byte, pad)...)
		p.learn(f.plan, row, t.copied, tenant)
	}
	t.give(f, row, tenant)
	return nil
}

// give gives a row to a series. It was checked that the row is there, and that those
// before it were given out. As long as all rows have the tenants that the plan has, they
// are the plan's.
func (t *Table) give(f *FamilyTable, row uint32, tenant Tenant) {
	t.series++
	f.later = f.later || tenant.Stamp != firstStamp
	switch next := uint64(row) == uint64(len(f.Tenants)); {
	case next && f.edition != 0 && f.plan.edition == f.edition && f.plan.has(row, tenant):
		f.Tenants = f.plan.lend(row + 1)
	case next:
		f.Tenants, f.edition = append(f.Tenants, tenant), 0 // a copy, if they were the plan's
	default:
		if f.edition != 0 {
			f.Tenants, f.edition = slices.Clone(f.Tenants), 0
		}
		f.Tenants[row] = tenant
		f.Moved = append(f.Moved, row)
	}
}

// Edition returns a number by which tables that share a plan compare their tenants of a
// family: if two of them return the same number, and not 0, the tenants of the one are the
// first of the other's. It is 0 if nothing is known of that, as once a row has another
// tenant than the plan gave it.
func (f *FamilyTable) Edition() uint64 { return f.edition }

// known returns the family of a number, nil if there is none as yet.
func (t *Table) known(number uint32) *FamilyTable {
	if uint64(number) < uint64(len(t.families)) {
		return t.families[number]
	}
	return nil
}

// Stretch is rows of a family that lie one behind the other and were given out.
type Stretch struct {
	First   *cell.Word // of the first row, where [Stretch.Locate] found it
	Offset  uint64     // where that lies in the segment
	Tenants []Tenant   // of the rows
	round   uint64     // rows of another one do not count, see [Family.Shown]
	From    uint32     // the number of the first row
	bytes   uint32     // of all rows
	first   bool       // all rows are their first series', and of round 0, which is shown
}

// Locate finds the rows in a space. It is an error that is [ErrShort] if they are not
// there.
func (s *Stretch) Locate(space Space) error {
	rows := space.Bytes(s.Offset, uint64(s.bytes))
	if rows == nil {
		return &Corrupt{s.Offset, "rows that are not there", true}
	}
	s.First = (*cell.Word)(unsafe.Pointer(unsafe.SliceData(rows)))
	return nil
}

// Row returns the first word of the i-th row of a stretch, whose rows have so many
// words.
func (s *Stretch) Row(i, words int) *cell.Word { return cell.At(s.First, i*words) }

// In reports whether the i-th row of a stretch, of which the first word is given, is still
// its tenant's and of the round that counts, and returns when the tenant was created, in
// microseconds since 1970: [UnknownCreated] if that is unknown.
func (s *Stretch) In(i int, row *cell.Word) (created int64, in bool) {
	state := row.Load()
	created = int64(state & createdMask)
	return created, created != 0 && stampOf(uint8(state>>generationShift), s.round) == s.Tenants[i].Stamp
}

// AllFirst reports whether all rows of a stretch are their first series', and of round 0,
// which is shown: then [InFirst] asks less than In.
func (s *Stretch) AllFirst() bool { return s.first }

// InFirst is [Stretch.In] for the rows of a stretch that are all their first series'. What
// it says of when a row was created holds only if the row is in.
func InFirst(row *cell.Word) (created int64, in bool) {
	since := row.Load() - (firstStamp<<generationShift | UnknownCreated)
	return int64(since + UnknownCreated), since <= createdMask-UnknownCreated
}

// SameRound reports whether the series records of two rounds cannot be told apart.
func SameRound(a, b uint64) bool { return stampOf(0, a) == stampOf(0, b) }

// firstStamp is that of the first series of a row, of round 0.
const firstStamp = 1

// Stretches appends all rows that were given out, in their order, of the round that was
// shown at the last call of [Table.Next] that returned no error, unless [Table.Whole]
// returns one afterwards. They are to be located, and are right until the next call of
// Next that reports a change, or another number of [Table.Turns].
func (f *FamilyTable) Stretches(to []Stretch) []Stretch {
	if !f.sure {
		return to
	}
	words := uint64(f.Words())
	for _, b := range f.blocks {
		if b.from >= uint32(len(f.Tenants)) {
			break
		}
		n := min(uint64(b.rows), uint64(len(f.Tenants))-uint64(b.from))
		to = append(to, Stretch{
			Offset: b.offset, From: b.from, Tenants: f.Tenants[b.from:][:n], bytes: uint32(n * words * 8),
			round: f.round, first: !f.later && f.round == 0,
		})
	}
	return to
}

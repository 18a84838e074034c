package segsource

import (
	"errors"
	"io/fs"
	"time"

	"telltale/internal/cell"
	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// File is a segment. At first it is read, and what its values are read from is
// kept; from its second update on it is mapped if the limits allow. One that this
// process writes is read where it lies.
type File struct {
	spool.Place
	files   *Files
	catalog *catalog.Catalog // while it is updated

	identity mapped.Identity // of what was opened last
	region   mapped.Region
	holds    int64           // bytes that count against the limits for the region
	sparse   bool            // the region is a copy of what the file had
	image    segment.Image   // what may be read of the region: reading holes through it would fill them
	kept     segment.Excerpt // of a file that is not mapped
	short    bool            // what was published last lies behind what was mapped or read

	table    segment.Table
	families []*familyRows // by number, nil for layouts that are not known
	parts    []part        // see divide
	divided  bool          // parts are those of what was bound last, and of so many turns
	turns    uint64
	said     []*catalog.Claim // of families that have rows, and of all of a writer
	former   []*catalog.Claim // of the others
	changed  bool             // since the last update
	dead     bool             // nobody holds the lock: for ever
	asked    time.Time        // when the lock was asked last
	askedAt  int64            // the same by the boot's clock
	alive    int64            // when the writer said last that it lives, by that clock
	removed  []segment.Tombstone
	buried   int64  // the time of the newest of them
	label    string // pid="..."
	born     int64  // when it was made, by the clock of the last survey
	writer   catalog.Writer
	owners   map[int64]*catalog.Writer // see ownerSince
	shift    int64                     // of times, see [spool.Clock.Shift]
	lives    spool.Lives
	here     bool // of the boot and the namespace of the newest writer
}

// Header returns the segment's header.
func (f *File) Header() *segment.Header { return f.table.Header() }

// IsArchive reports whether it is what dead writers left.
func (f *File) IsArchive() bool { return f.Header().Kind == segment.KindArchive }

// Live reports whether the writer lives, as far as is known.
func (f *File) Live() bool { return !f.dead && !f.IsArchive() }

// Origin implements [catalog.Source].
func (f *File) Origin() string { return f.Path }

// Size implements [catalog.Source].
func (f *File) Size() (definitions int, bytes int64) { return f.table.Series(), int64(f.table.At()) }

// Claims implements [catalog.Source].
func (f *File) Claims() []*catalog.Claim { return f.said }

// Former implements [catalog.Source].
func (f *File) Former() []*catalog.Claim { return f.former }

// Passing implements [catalog.Source].
func (f *File) Passing() bool { return false }

// Standing implements [catalog.Source].
func (f *File) Standing() catalog.Standing {
	s := catalog.Standing{Rank: catalog.RankLive, Start: f.born, Process: f.label}
	switch {
	case f.IsArchive():
		s.Rank = catalog.RankArchive
	case f.dead:
		s.Rank = catalog.RankDead
	}
	return s
}

// Stand settles by which label the writer's own series differ from those of others,
// when it began, compared with others, and whether it is of the boot and the namespace
// of the newest one.
func (f *File) Stand(label string, born int64, here bool) {
	f.here = here
	f.label, f.born = string(model.AppendLabel(nil, catalog.PIDLabel, label)), born
}

// Update finds out whether the writer lives, and then reads what it has written
// until now: of a dead writer that is all.
func (f *File) Update(c *catalog.Catalog) (changed bool, err error) {
	f.catalog = c
	had := f.table.Series()
	f.changed = false
	if err = f.load(); err != nil {
		c.Spent += f.table.Series()
		f.Reset()
		return had > 0, err
	}
	return f.changed, nil
}

// load reads what is new. A writer may publish more between the moment when the file
// was mapped and that when its records are read: then it is mapped anew, so that all
// that is said to be shown can be read.
func (f *File) load() (err error) {
	for range attempts {
		f.short = false
		if err = f.loadOnce(); !f.short {
			break
		}
	}
	return err
}

// attempts is how often a file is mapped that grows meanwhile.
const attempts = 8

// slowReadings is how often what was published last is read that takes so long that rows
// may have been given to other series meanwhile.
const slowReadings = 3

func (f *File) loadOnce() error {
	switch {
	case f.Own != nil:
		return f.next(f.Own, f.Own)
	case f.region.Len() > 0 && (f.dead || f.IsArchive()) && f.isWhole():
		return f.scan()
	}
	if fresh, err := f.scanFresh(); fresh {
		return err
	}
	err := f.reopen()
	switch {
	case err == nil || f.region.Len() == 0:
		return err
	case errors.Is(err, fs.ErrNotExist):
		// It was deleted after it was listed. What is mapped is whole, and
		// only what is dead is deleted.
		f.die()
		return f.scan()
	case spool.Unavailable(err):
		// What is mapped is there still. What was removed since, and lies behind it, is
		// read the next time.
		if err = f.scan(); err != nil && !spool.Unavailable(err) {
			return err
		}
		return nil
	}
	return err
}

// scanFresh reads what is new in the mapping if there is nothing to open the file for: all
// that is in use is mapped, and the writer lived a short time ago, as its lock or its
// header says. That a fold has found it dead is seen in what is mapped.
func (f *File) scanFresh() (fresh bool, err error) {
	if f.region.Len() == 0 || f.sparse {
		return false, nil
	}
	err = f.within(func(current segment.Space) error {
		fresh = segment.Published(&f.image) <= uint64(len(f.image)) && f.isFresh(segment.SignsOf(&f.image).Alive)
		if !fresh {
			return nil
		}
		return f.next(&f.image, current)
	})
	return fresh, err
}

// isFresh reports whether the writer, which says that it was alive at that time, may be
// taken to live.
func (f *File) isFresh(alive int64) bool {
	return f.files.reading.Fresh(f.asked, f.Header().Boot, alive)
}

// reopen opens the file, asks whether its writer lives unless that was done a short
// time ago, and reads what is new.
func (f *File) reopen() error {
	file, err := f.files.reading.Open(f.Place)
	if err != nil {
		return err
	}
	defer file.Close()
	if f.table.At() == 0 || f.Live() && !f.isFresh(f.alive) {
		f.askedAt = spool.Monotonic()
		locked, err := file.Locked()
		if err != nil && !errors.Is(err, errors.ErrUnsupported) { // where nobody can write segments
			return err
		}
		if !locked {
			f.die()
		}
		f.asked = time.Now()
	}
	if f.region.Len() > 0 && !f.sparse {
		used := f.published()
		if used > uint64(len(f.image)) {
			info, err := file.Stat()
			if err != nil {
				return err
			}
			f.image = f.region.Bytes()[:min(info.Size, info.Allocated, int64(f.region.Len()))]
		}
		if used <= uint64(len(f.image)) {
			return f.scan()
		}
	}
	return f.open(file)
}

func (f *File) die() {
	f.changed = f.changed || !f.dead
	f.dead = true
}

// isWhole reports whether all is mapped that a writer has made, who may have made more, and
// ended, after that was mapped.
func (f *File) isWhole() bool { return f.sparse || f.published() <= uint64(len(f.image)) }

// published returns how many bytes of what is mapped are in use.
func (f *File) published() (n uint64) {
	if f.region.Guard(func() { n = segment.Published(&f.image) }) != nil {
		return 0 // scan finds it too
	}
	return n
}

// scan reads what is new in the mapping, and what was removed also behind it: a writer
// publishes more meanwhile, to which its list of removed series then refers. What is mapped
// of a file that is gone is whole.
func (f *File) scan() error {
	err := f.within(func(current segment.Space) error {
		if f.sparse { // what is mapped is a copy, and has holes
			return f.next(current, current)
		}
		return f.next(&f.image, current)
	})
	if err != nil && spool.Gone(err) {
		return nil
	}
	return err
}

// open maps the file, or reads it whole, and then reads what is new.
func (f *File) open(file *mapped.File) error {
	b, err := spool.Begin(file)
	if err != nil {
		return err
	}
	if !f.files.reading.Single(f.Place) {
		if err := spool.Fits(f.Name, &b.Header); err != nil {
			return err
		}
	}
	if f.table.At() > 0 && b.Header.ID != f.Header().ID {
		f.forget() // it is another file than last time
	}
	used, sparse := b.Used, b.Sparse()
	// Room to grow: beyond the end of the file pages come to be as it grows.
	size := spool.MappingFor(used)
	if sparse {
		size = b.Info.Allocated
	}
	first := f.table.At() == 0 && mapped.Coherent && used <= large && f.files.kept+used <= mostKept
	if sparse || !first && f.files.reading.Limits.Allow(size) {
		region, err := b.Map(file, int(spool.MappingFor(used)))
		if err == nil {
			f.release()
			f.identity = b.Info.Identity
			f.region, f.holds, f.sparse = region, size, sparse
			if f.image = region.Bytes(); !sparse {
				f.image = f.image[:min(b.Info.Size, b.Info.Allocated, int64(region.Len()))]
			}
			f.files.reading.Limits.Take(size)
			if sparse { // it is a copy
				current := spool.Contents{File: file}
				return current.Result(f.within(func(c segment.Space) error { return f.next(c, &current) }))
			}
			return f.scan()
		}
		if sparse {
			return err
		}
	}
	if err := f.files.reading.MaxRead.Check(uint64(used)); err != nil {
		return err
	}
	return f.read(file, &b)
}

const (
	// large files are mapped at once, so that their first update does not cost
	// their size in memory.
	large = 1 << 20
	// mostKept is how many bytes of files are kept that are read though they could
	// be mapped.
	mostKept = 32 << 20
)

// read reads the file, and keeps what its values are read from. The word that says
// which round of a family is shown lies before the family's rows, and is read before
// them. A writer that gives a row to another series publishes that series first. So if
// the last reading of what was published took less time than rows rest, all rows are
// known that had been given to other series before.
func (f *File) read(file *mapped.File, b *spool.Beginning) error {
	began := time.Now()
	image := f.files.reading.Room(b.Used)[:b.Used]
	if _, err := file.ReadAt(image, 0); err != nil {
		return err
	}
	kept := f.kept
	f.release()
	f.identity = b.Info.Identity
	for again := 0; ; again++ {
		families, had, pass := len(f.table.Families()), len(image), time.Now()
		var err error
		if image, err = f.readOn(file, image); err != nil {
			return err
		}
		current := spool.Contents{File: file}
		if err := current.Result(f.next(segment.Image(image), &current)); err != nil {
			return err
		}
		slow := time.Since(pass) >= segment.Lasting
		if slow && again == slowReadings {
			return segment.ErrReplaced
		}
		// Words of families that were just read may tell of records behind these.
		if !slow && (len(image) == had || len(f.table.Families()) == families) {
			break
		}
	}
	if time.Since(began) >= segment.Lasting {
		current := spool.Contents{File: file}
		if err := current.Result(f.table.Whole(&current)); err != nil {
			return err
		}
	}
	f.kept = f.table.ExcerptOf(segment.Image(image), kept)
	f.files.kept += f.kept.Size()
	return nil
}

// readOn reads the header again, and the bytes behind the image that are in use by
// now: words in the image may tell of records there.
func (f *File) readOn(file *mapped.File, image []byte) ([]byte, error) {
	if _, err := file.ReadAt(image[:segment.HeaderSize], 0); err != nil {
		return nil, err
	}
	used, had := segment.Published(segment.Image(image)), len(image)
	if err := f.files.reading.MaxRead.Check(used); err != nil {
		return nil, err
	}
	if int(used) <= had {
		return image, nil
	}
	image = f.files.reading.Room(int(used))[:used]
	_, err := file.ReadAt(image[had:], int64(had))
	return image, err
}

// next reads what is new in the segment, of which s may be a copy; current is not.
func (f *File) next(s, current segment.Space) error {
	first := f.table.At() == 0
	changed, err := f.table.Next(s, f, &f.files.plan)
	if f.short = errors.Is(err, segment.ErrShort); err != nil && !f.short { // the rest was published after s was taken
		return err
	}
	if f.changed = f.changed || changed; changed {
		f.claim()
	}
	if first {
		f.changed = true
	}
	if !f.IsArchive() {
		return f.look(s, current)
	}
	if !changed {
		return nil
	}
	return spool.CheckTaken(f.Taken())
}

// Taken returns what an archive says that it has taken up.
func (f *File) Taken() *segment.Taken { return &f.table.Notes().Taken }

// claim settles what the file says of families. Those of an archive that have no rows
// were left by writers whose series were removed.
func (f *File) claim() {
	f.said, f.former = f.said[:0], f.former[:0]
	for _, r := range f.families {
		switch {
		case r == nil || r.isUnnamed():
		case f.IsArchive() && len(r.Tenants) == 0:
			f.former = append(f.former, r.claim)
		default:
			f.said = append(f.said, r.claim)
		}
	}
}

// look reads what a writer says in its header from time to time, and what it has removed
// since the last time.
func (f *File) look(s, current segment.Space) error {
	signs := segment.SignsOf(s)
	if f.Own == nil && signs.Dead {
		f.die() // and the lock is that of the fold that found it dead
	}
	f.alive = signs.Alive
	if signs.Buried == f.buried {
		return nil
	}
	removed, until, err := segment.Tombstones(current)
	switch {
	case errors.Is(err, segment.ErrShort): // as above
		return nil
	case err != nil:
		return err
	}
	f.removed, f.buried = removed, until
	return nil
}

// release lets go of what the values were read from.
func (f *File) release() {
	f.files.kept -= f.kept.Size()
	f.kept, f.image = segment.Excerpt{}, nil
	if f.region.Len() > 0 {
		f.files.reading.Limits.Release(f.holds)
		f.region.Unmap()
	}
}

// forget forgets what was read.
func (f *File) forget() {
	f.table, f.families, f.said, f.former = segment.Table{}, nil, nil, nil
	f.parts, f.divided, f.owners = nil, false, nil
	f.alive, f.removed, f.buried = 0, nil, 0
	f.changed = true
}

// Reset implements [catalog.Source].
func (f *File) Reset() {
	f.release()
	f.forget()
	f.identity, f.dead = mapped.Identity{}, false
}

// Close implements [catalog.Source].
func (f *File) Close() { f.Reset() }

// Replaced implements [catalog.Source].
func (f *File) Replaced() bool {
	if f.Own != nil || f.table.At() == 0 {
		return false
	}
	info, err := f.files.reading.Stat(f.Place)
	if err != nil && spool.Unavailable(err) {
		// A writer's name is never another segment's. An archive may be the next
		// one, with what is gone: that is read, or nothing.
		return f.IsArchive()
	}
	return err != nil || info.Identity != f.identity
}

// Family implements [segment.Ledger].
func (f *File) Family(t *segment.FamilyTable, known any) any {
	for len(f.families) < int(t.Number) {
		f.families = append(f.families, nil)
	}
	cl, ok := known.(*catalog.Claim)
	if !ok {
		cl = claimOf(f.catalog, t.Family)
	}
	cl.Appeared(f.files.clock.AppearedAt(f.Header(), t.First))
	rows := &familyRows{FamilyTable: t, file: f, claim: cl, words: t.Words()}
	f.families = append(f.families, rows)
	return cl
}

// Find implements [segment.Ledger].
func (f *File) Find(t *segment.FamilyTable, labels string, guess uint32) (place uint32, ok bool) {
	return f.families[t.Number].claim.Family.Find(labels, guess)
}

// Add implements [segment.Ledger].
func (f *File) Add(t *segment.FamilyTable, labels string) (place uint32) {
	return f.families[t.Number].claim.Family.Add(labels)
}

// Bind implements [catalog.Source].
func (f *File) Bind(c *catalog.Catalog) {
	f.divided = false
	for _, r := range f.families {
		if r != nil {
			r.bind(c)
		}
	}
}

// Mark implements [catalog.Source].
func (f *File) Mark(c *catalog.Catalog) {
	for _, r := range f.families {
		if r != nil {
			r.mark(c)
		}
	}
}

// Lives implements [catalog.Source].
func (f *File) Lives(c *catalog.Catalog, l *catalog.Lives, wanted *catalog.Selection) error {
	f.lives = f.files.clock.LivesIn(f.Header(), f.Live(), f.alive)
	parts := f.divide()
	return f.values(func(s segment.Space) error {
		for i := range parts {
			p := &parts[i]
			if !c.EndsIn(p.of.claim.Family) || wanted != nil && !wanted.Wanted[p.of.claim.Family] {
				continue
			}
			if err := p.Locate(s); err != nil {
				return err
			}
			for i, slot := range p.slots {
				row := p.Row(i, p.of.words)
				if _, in := p.In(i, row); in && slot != 0 {
					life := p.life(row)
					l.Add(slot, life.Begun, life.Until)
				}
			}
		}
		return nil
	})
}

// life returns the life of a row's series.
func (p *part) life(row *cell.Word) segment.Life {
	return p.of.file.lives.Of(p.of.Family, p.of.LifeOf(row))
}

// goesOn reports whether a row counts, whose series has the slot: what was counted in an
// earlier life of the series is over. Only where series end there are any.
func (p *part) goesOn(t *catalog.Totals, row *cell.Word, slot uint32) bool {
	return t.GoesOn(slot, p.life(row).Begun)
}

// Read implements [catalog.Source].
func (f *File) Read(t *catalog.Totals, wanted *catalog.Selection) error {
	f.shift = f.files.clock.Shift(f.Header())
	parts := f.divide()
	return f.values(func(space segment.Space) error {
		s := &f.files.ration
		s.Begin(space)
		for i := range parts {
			if p := &parts[i]; wanted == nil || wanted.Wanted[p.of.claim.Family] {
				if err := p.read(t, s); err != nil {
					return err
				}
			}
		}
		return s.Err()
	})
}

// Whole returns an error, [segment.ErrReplaced], if what was read need not be of one
// round of each family. It need not be asked within [segment.Lasting] of the update.
func (f *File) Whole() error { return f.values(f.table.Whole) }

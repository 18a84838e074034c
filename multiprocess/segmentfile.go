package multiprocess

import (
	"errors"
	"io/fs"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// ownSegment is a segment that this process writes.
type ownSegment struct {
	name  spool.Name // of its file in the directory; the zero Name if it has none
	space segment.Space
}

// segmentFile is a segment. It is mapped from the first update on, or read at
// every update where the limits do not allow that. One that this process writes
// is read where it lies.
type segmentFile struct {
	merger *merger
	place

	identity mapped.Identity // of what was opened last
	region   mapped.Region
	holds    int64 // bytes that count against the limits for the region
	sparse   bool  // the region is a copy of what the file had
	copied   []byte

	reader   segment.Reader
	families []*familyRows // by number, nil for layouts that are not known
	said     []*claim
	absorbed []string // of an archive
	series   int      // that were read
	space    uint64   // bytes that there are for rows not yet expected
	changed  bool     // since the last update
	dead     bool     // nobody holds the lock: for ever
	label    string   // pid="..."
}

// memory is a segment's bytes from its beginning on.
type memory []byte

// Bytes implements [segment.Space].
func (m memory) Bytes(offset, n uint64) []byte {
	if size := uint64(len(m)); offset > size || n > size-offset {
		return nil
	}
	return m[offset : offset+n : offset+n]
}

func (f *segmentFile) header() *segment.Header { return f.reader.Header() }

func (f *segmentFile) isArchive() bool { return f.header().Kind == segment.KindArchive }

func (f *segmentFile) live() bool { return !f.dead && !f.isArchive() }

func (f *segmentFile) origin() string { return f.path }

func (f *segmentFile) size() (definitions int, bytes int64) { return f.series, int64(f.reader.At()) }

func (f *segmentFile) claims() []*claim { return f.said }

func (f *segmentFile) passing() bool { return false }

func (f *segmentFile) standing() standing {
	s := standing{rankLive, f.header().Start}
	switch {
	case f.isArchive():
		s.rank = rankArchive
	case f.dead:
		s.rank = rankDead
	}
	return s
}

// update finds out whether the writer lives, and then reads what it has written
// until now: of a dead writer that is all.
func (f *segmentFile) update() (changed bool, err error) {
	had := f.series
	f.changed = false
	if err = f.load(); err != nil {
		f.merger.spent += f.series
		f.reset()
		return had > 0, err
	}
	return f.changed, nil
}

func (f *segmentFile) load() error {
	switch {
	case f.own != nil:
		return f.next(f.own)
	case f.region.Len() > 0 && (f.dead || f.isArchive()):
		return f.scan()
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
	case unavailable(err):
		return f.scan() // what is mapped is there still
	}
	return err
}

// reopen opens the file, asks whether its writer lives and reads what is new.
func (f *segmentFile) reopen() error {
	file, err := f.merger.openFile(f.place)
	if err != nil {
		return err
	}
	defer file.Close()
	if f.reader.At() == 0 || f.live() {
		locked, err := file.Locked()
		if err != nil && !errors.Is(err, errors.ErrUnsupported) { // where nobody can write segments
			return err
		}
		if !locked {
			f.die()
		}
	}
	if f.region.Len() > 0 && !f.sparse && f.published() <= uint64(f.region.Len()) {
		return f.scan()
	}
	return f.open(file)
}

func (f *segmentFile) die() {
	f.changed = f.changed || !f.dead
	f.dead = true
}

// published returns how many bytes of what is mapped are in use.
func (f *segmentFile) published() (n uint64) {
	if f.region.Guard(func() { n = segment.Published(memory(f.region.Bytes())) }) != nil {
		return 0 // scan finds it too
	}
	return n
}

// scan reads what is new in the mapping.
func (f *segmentFile) scan() (err error) {
	if fault := f.region.Guard(func() { err = f.next(memory(f.region.Bytes())) }); fault != nil {
		return fault
	}
	return err
}

// open maps the file, or reads it whole, and then reads what is new.
func (f *segmentFile) open(file *mapped.File) error {
	b, err := spool.Begin(file)
	if err != nil {
		return err
	}
	if !f.merger.single(f.place) {
		if err := spool.Fits(f.name, &b.Header); err != nil {
			return err
		}
	}
	if f.reader.At() > 0 && b.Header.ID != f.header().ID {
		f.forget() // it is another file than last time
	}
	used, sparse := b.Used, b.Sparse()
	// Room to grow: beyond the end of the file pages come to be as it grows.
	size := mappingFor(used)
	if sparse {
		size = b.Info.Allocated
	}
	if sparse || f.merger.limits.allow(size) {
		region, err := b.Map(file, int(mappingFor(used)))
		if err == nil {
			f.unmap()
			f.identity, f.space = b.Info.Identity, uint64(min(int64(used), b.Info.Allocated))
			f.region, f.holds, f.sparse, f.copied = region, size, sparse, nil
			f.merger.limits.files++
			f.merger.limits.bytes += size
			return f.scan()
		}
		if sparse {
			return err
		}
	}
	if used > spool.TooLarge {
		return defectf(ReasonRead, "its %d bytes are too many to be read, and it cannot be mapped", used)
	}
	copied := f.copied
	if cap(copied) < used {
		copied = bytesOf(make([]uint64, used/8+used/16))
	}
	copied = copied[:used]
	if _, err := file.ReadAt(copied, 0); err != nil {
		return err
	}
	f.unmap()
	f.identity, f.space, f.copied = b.Info.Identity, uint64(used), copied
	return f.next(memory(f.copied))
}

// next reads what is new in the segment.
func (f *segmentFile) next(s segment.Space) error {
	first := f.reader.At() == 0
	if err := f.reader.Next(s, f); err != nil && !errors.Is(err, segment.ErrShort) { // the rest was published after s was taken
		return err
	}
	if f.own == nil && segment.SignsOf(s).Dead {
		f.die() // and the lock is that of the fold that found it dead
	}
	if first {
		f.changed = true
		f.label = string(model.AppendLabel(nil, pidLabel, processLabel(f.header())))
	}
	return nil
}

func (f *segmentFile) unmap() {
	if f.region.Len() > 0 {
		f.merger.limits.files--
		f.merger.limits.bytes -= f.holds
		f.region.Unmap()
	}
}

// forget forgets what was read.
func (f *segmentFile) forget() {
	f.reader, f.families, f.said, f.absorbed, f.series = segment.Reader{}, nil, nil, nil, 0
	f.changed = true
}

func (f *segmentFile) reset() {
	f.unmap()
	f.forget()
	f.identity, f.copied, f.dead = mapped.Identity{}, nil, false
}

func (f *segmentFile) close() { f.reset() }

func (f *segmentFile) replaced() bool {
	if f.own != nil || f.reader.At() == 0 {
		return false
	}
	info, err := f.merger.dir.Stat(f.name)
	if err != nil && unavailable(err) {
		// A writer's name is never another segment's. An archive may be the next
		// one, with what is gone: that is read, or nothing.
		return f.isArchive()
	}
	return err != nil || info.Identity != f.identity
}

// Family implements [segment.Contents].
func (f *segmentFile) Family(fam *segment.Family) error {
	for len(f.families) < int(fam.Number) {
		f.families = append(f.families, nil)
	}
	cl := f.merger.catalog.segmentClaim(fam)
	f.families = append(f.families, &familyRows{file: f, family: fam, claim: cl, words: fam.Words()})
	f.said = append(f.said, cl)
	f.changed = true
	return nil
}

// Block implements [segment.Contents].
func (f *segmentFile) Block(fam *segment.Family, offset uint64, rows uint32) error {
	r := f.families[fam.Number]
	r.blocks = append(r.blocks, rowBlock{offset, rows})
	r.expect(rows)
	return nil
}

// Series implements [segment.Contents].
func (f *segmentFile) Series(fam *segment.Family, row uint32, generation uint8, s segment.Series) error {
	f.changed = true
	f.series++
	return f.families[fam.Number].define(row, generation, s)
}

// Absorbed implements [segment.Contents].
func (f *segmentFile) Absorbed(name string) error {
	if err := spool.CheckAbsorbed(name); err != nil {
		return err
	}
	f.changed = true
	f.absorbed = append(f.absorbed, name)
	return nil
}

func (f *segmentFile) bind(c *catalog) {
	for _, r := range f.families {
		if r != nil {
			r.bind(c)
		}
	}
}

func (f *segmentFile) mark(c *catalog) {
	for _, r := range f.families {
		if r != nil {
			r.mark(c)
		}
	}
}

func (f *segmentFile) read(t *totals, wanted *selection) (err error) {
	read := func(space segment.Space) error {
		s := segment.Ration(space)
		for _, r := range f.families {
			if r == nil || wanted != nil && !wanted.wanted[r.claim.family] {
				continue
			}
			if err := r.read(t, s); err != nil {
				return err
			}
		}
		return s.Err()
	}
	switch {
	case f.own != nil:
		return read(f.own)
	case f.region.Len() == 0:
		return read(memory(f.copied))
	}
	if fault := f.region.Guard(func() { err = read(memory(f.region.Bytes())) }); fault != nil {
		return fault
	}
	return err
}

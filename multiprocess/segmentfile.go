package multiprocess

import (
	"errors"
	"io/fs"
	"math"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/segment"
)

// ownSegment is a segment that this process writes.
type ownSegment struct {
	name  string // of its file in the directory; "" if it has none
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
	open := mapped.OpenNoFollow
	if f.merger.given {
		open = mapped.Open
	}
	file, err := open(f.path)
	if err != nil {
		if f.region.Len() > 0 && errors.Is(err, fs.ErrNotExist) {
			// It was deleted after it was listed. What is mapped is whole, and
			// only what is dead is deleted.
			f.die()
			return f.scan()
		}
		if info, failed := mapped.Lstat(f.path); failed == nil && !f.merger.given {
			err = errors.Join(checkRegular(info), err)
		}
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
	if f.region.Len() > 0 && f.published() <= uint64(f.region.Len()) {
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
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := checkRegular(info); err != nil {
		return err
	}
	h, used, err := beginningOf(file)
	if err != nil {
		return err
	}
	if f.reader.At() > 0 && h.ID != f.header().ID {
		f.forget() // it is another file than last time
	}
	f.unmap()
	f.identity, f.space = info.Identity, uint64(used)
	// Room to grow: beyond the end of the file pages come to be as it grows.
	if size := mappingFor(used); f.merger.limits.allow(size) {
		if region, err := file.Map(int(size)); err == nil {
			f.region, f.copied = region, nil
			f.merger.limits.files++
			f.merger.limits.bytes += size
			return f.scan()
		}
	}
	if used > tooLarge {
		return defectf(ReasonRead, "its %d bytes are too many to be read, and it cannot be mapped", used)
	}
	if cap(f.copied) < used {
		f.copied = bytesOf(make([]uint64, used/8+used/16))
	}
	f.copied = f.copied[:used]
	if _, err := file.ReadAt(f.copied, 0); err != nil {
		return err
	}
	return f.next(memory(f.copied))
}

// beginningOf reads the header of a file, and how many of its bytes are in use.
// Its writer makes it grow before it uses more, so its size is asked for last.
func beginningOf(file *mapped.File) (h segment.Header, used int, err error) {
	head := bytesOf(make([]uint64, segment.HeaderSize/8))
	_, failed := file.ReadAt(head, 0)
	info, err := file.Stat()
	switch {
	case err != nil:
		return h, 0, err
	case info.Size == 0:
		return h, 0, defectf(ReasonEmpty, "it has no bytes")
	case info.Size < segment.HeaderSize:
		return h, 0, defectf(ReasonTruncated, "it has %d bytes, less than a header", info.Size)
	case failed != nil:
		return h, 0, failed
	}
	if h, err = segment.DecodeHeader(head); err != nil {
		return h, 0, err
	}
	switch n := segment.Published(memory(head)); {
	case n > uint64(info.Size):
		return h, 0, defectf(ReasonTruncated, "it says that %d bytes are used, and has %d", n, info.Size)
	case n > math.MaxInt/2 || n%8 != 0 || n < segment.HeaderSize:
		return h, 0, defectf(ReasonCorrupt, "it says that %d bytes are used", n)
	default:
		return h, int(n), nil
	}
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
	if n := f.region.Len(); n > 0 {
		f.merger.limits.files--
		f.merger.limits.bytes -= int64(n)
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
	info, err := mapped.Lstat(f.path)
	return err != nil || info.Identity != f.identity
}

// Family implements [segment.Contents].
func (f *segmentFile) Family(fam *segment.Family) error {
	header := model.Family{Name: fam.Name, Unit: fam.Unit, Type: fam.Type}
	if err := header.Check(); err != nil {
		return defectf(ReasonCorrupt, "family %d is none that a page may have: %v", fam.Number, err)
	}
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
	read := func(s segment.Space) error {
		for _, r := range f.families {
			if r == nil || wanted != nil && !wanted.wanted[r.claim.family] {
				continue
			}
			if err := r.read(t, s); err != nil {
				return err
			}
		}
		return nil
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

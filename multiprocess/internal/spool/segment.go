package spool

import (
	"cmp"
	"encoding/hex"
	"errors"
	"math"
	"math/bits"
	"slices"
	"strings"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
)

// Beginning is what is known of a segment before its records are read.
type Beginning struct {
	Header segment.Header
	Signs  segment.Signs
	Used   int // bytes in use
	Info   mapped.Info
}

// ReadLimit is how many bytes a file may have that is read whole, since it cannot be mapped.
// The zero ReadLimit is the default one.
type ReadLimit int64

const (
	defaultReadLimit = 1 << (26 + bits.UintSize/16)
	// NoReadLimit allows all that memory has room for.
	NoReadLimit ReadLimit = math.MaxInt64
)

// Check returns an error if a file of so many bytes is not to be read.
func (l ReadLimit) Check(n uint64) error {
	if most := uint64(cmp.Or(l, defaultReadLimit)); n > most {
		return Defectf(ReasonRead, "its %d bytes are too many to be read, of at most %d (WithReadLimit), and it is not mapped", n, most)
	}
	return nil
}

// Begin reads the header of a segment, how many of its bytes are in use, and what
// it is. Its writer makes it grow before it uses more, so its size is asked for
// last.
func Begin(file *mapped.File) (b Beginning, err error) {
	head := segment.Image(mapped.Aligned(segment.HeaderSize))
	_, failed := file.ReadAt(head, 0)
	b.Info, err = file.Stat()
	switch {
	case err != nil:
		return b, err
	case b.Info.Size == 0:
		return b, Defectf(ReasonEmpty, "it has no bytes")
	case b.Info.Size < segment.HeaderSize:
		return b, Defectf(ReasonTruncated, "it has %d bytes, less than a header", b.Info.Size)
	case failed != nil:
		return b, failed
	}
	if b.Header, err = segment.DecodeHeader(head); err != nil {
		return b, err
	}
	b.Signs = segment.SignsOf(head)
	switch n := segment.Published(head); {
	case n > uint64(b.Info.Size):
		return b, Defectf(ReasonTruncated, "it says that %d bytes are used, and has %d", n, b.Info.Size)
	case n > math.MaxInt/2 || n%8 != 0 || n < segment.HeaderSize:
		return b, Defectf(ReasonCorrupt, "it says that %d bytes are used", n)
	default:
		b.Used = int(n)
	}
	return b, nil
}

// Fits returns an error unless a segment with the header may have the name: a
// writer's has its own ID there, else it is a copy, or a link to another one.
func Fits(n Name, h *segment.Header) error {
	switch {
	case (n.kind == Archive) != (h.Kind == segment.KindArchive):
		return Defectf(ReasonCorrupt, "its name is that of a segment of another kind")
	case n.kind == Writer && n.ID() != h.ID:
		return Defectf(ReasonCopy, "it is the segment of writer %s, under another name", hex.EncodeToString(h.ID[:]))
	}
	return nil
}

// Sparse reports whether bytes in use are missing from the disk, or from memory:
// reading them through a mapping would make them there.
func (b *Beginning) Sparse() bool { return b.Info.Allocated < int64(b.Used) }

// Map returns the mapped file, n bytes of it or as many as are in use, or a copy of
// what is there now where much is not.
func (b *Beginning) Map(file *mapped.File, n int) (mapped.Region, error) {
	if !b.Sparse() {
		return file.Map(max(n, b.Used))
	}
	region, err := file.Copy(b.Used)
	if errors.Is(err, mapped.ErrHoles) {
		err = Defectf(ReasonSparse, "%d bytes are in use, and %d of them are there", b.Used, b.Info.Allocated)
	}
	return region, err
}

// Read calls do with the contents of a file, of which at least what was in use at its
// beginning is mapped, or copied where the file is sparse, or read where nothing can be
// mapped, within the limit. They are there until do returns.
func (b *Beginning) Read(file *mapped.File, limit ReadLimit, do func(*Contents) error) (err error) {
	c := Contents{File: file}
	if !mapped.Supported {
		if err := limit.Check(uint64(b.Used)); err != nil {
			return err
		}
		c.Mapped = mapped.Aligned(b.Used)
		if _, err := file.ReadAt(c.Mapped, 0); err != nil {
			return err
		}
		return c.Result(do(&c))
	}
	region, err := b.Map(file, b.Used)
	if err != nil {
		return err
	}
	defer region.Unmap()
	c.Mapped, c.Region = region.Bytes(), &region
	if fault := region.Guard(func() { err = do(&c) }); fault != nil {
		return fault
	}
	return Cut(c.Result(err), int64(b.Used), file.Stat)
}

// Mark writes into the header of a dead writer's segment that it is dead, so that a
// process that holds its lock from then on is not taken for the writer. The caller has
// found it dead and its header good.
func Mark(g *mapped.Growing) error {
	state, offset := segment.DeadState()
	word := make([]byte, len(state))
	if _, err := g.ReadAt(word, offset); err != nil {
		return err
	}
	for i := range word {
		word[i] |= state[i]
	}
	_, err := g.WriteAt(word, offset)
	return err
}

// Taken reports whether a segment whose name an archive has among the absorbed ones
// was really absorbed, as far as it can be seen: it is dead, and not younger than
// the archive. Live is a writer whose segment is locked, and that no fold has marked
// as dead.
func Taken(archive, writer *segment.Header, live bool) bool {
	return !live && writer.Start <= archive.Start
}

// Absorbed returns the names of the files that an archive has taken up, each once.
// It is an error if one of them is no name of a file that was put aside.
func Absorbed(taken *segment.Taken) ([]Name, error) {
	names := make([]Name, 0, len(taken.Writers)+len(taken.Aside))
	for _, id := range taken.Writers {
		names = append(names, WriterName(id))
	}
	if err := CheckTaken(taken); err != nil {
		return nil, err
	}
	for _, file := range taken.Aside {
		names = append(names, Parse(file.Name))
	}
	slices.SortFunc(names, func(a, b Name) int { return strings.Compare(a.text, b.text) })
	return slices.Compact(names), nil // a forged archive may have one name many times
}

// CheckTaken returns an error if what an archive says that it has taken up of Python's files
// has no name of a file that was put aside.
func CheckTaken(taken *segment.Taken) error {
	for _, file := range taken.Aside {
		if Parse(file.Name).Kind() != Aside {
			return Defectf(ReasonCorrupt, "it says that it has taken up %.80q, which is no name of a file that was put aside", file.Name)
		}
	}
	return nil
}

// Take returns what an archive says of files that it has taken up.
func Take(names []Name) (taken segment.Taken) {
	for _, name := range names {
		if name.kind == Writer {
			taken.Writers = append(taken.Writers, name.ID())
		} else {
			taken.Aside = append(taken.Aside, segment.Aside{Name: name.text})
		}
	}
	return taken
}

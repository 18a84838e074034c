package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"unsafe"
)

// Version is the version of the format that this package reads and writes.
const Version = 2

// magic begins a segment. Its first byte is no text, and the two last would not
// survive a transfer that minds line ends.
const magic = "\x89TTSEG\r\n"

const (
	byteOrderMark = 0x01020304
	swappedMark   = 0x04030201

	// HeaderSize is how many bytes the header has.
	HeaderSize = 512

	// maxSize is how many bytes a segment may have: links hold offsets, divided
	// by 8, in 32 bits.
	maxSize = 8 << 32

	checkedFrom, checkedTo = 20, 384 // what the header's checksum covers
	// MaxName is how many bytes the names in a header may have: epoch, writer,
	// host and service.
	MaxName = 63

	offVersion    = 8
	offByteOrder  = 12
	offChecksum   = 16
	offKind       = 20
	offID         = 24
	offStart      = 40
	offPID        = 48
	offNamespace  = 56
	offTicks      = 64
	offBoot       = 72
	offGeneration = 88
	offEpoch      = 96
	offWriter     = 160
	offHost       = 224
	offBorn       = 288
	offEpochFirst = 296
	offService    = 312
	offAhead      = 376

	offUsed    = 384
	offState   = 392
	offBeat    = 408
	offSpilled = 416
	offAlive   = 424
	offHead    = 432
	offBuried  = 440
	offLately  = 448

	stateClosed = 1 // bits of the state
	stateDead   = 2
	stateEnding = 4
)

// Kind says whose cells a segment has.
type Kind uint32

// The kinds of segment.
const (
	KindWriter  Kind = 1 // one process's
	KindArchive Kind = 2 // what writers that are dead left behind
)

// Header says who writes a segment. It does not change once the segment is
// there.
type Header struct {
	Kind       Kind
	ID         [16]byte // random
	Start      int64    // when it was made, in nanoseconds since 1970
	PID        uint64
	Namespace  uint64   // inode of the PID namespace; 0 if unknown
	Ticks      uint64   // when the process started, in clock ticks since boot; 0 if unknown
	Boot       [16]byte // identity of the boot; zeros if unknown
	Generation uint64   // of an archive
	Epoch      string   // at most 63 bytes each, as Writer, Host and Service
	Writer     string   // its configured name
	Host       string
	Born       int64  // when it was made, by the clock of the boot; 0 if unknown
	EpochFirst Moment // when the epoch first appeared in the directory; zero if unknown
	Service    string // whose directory it is; empty if nobody said
	// Ahead is by how many nanoseconds the times of values are ahead of the boot's
	// clock; 0 if unknown: then they are the wall clock's of when the value was set.
	Ahead int64
}

// Moment is a time by two clocks: of two moments of one boot the later one is the
// one with the larger Boot time, whatever the wall clock was set to in between.
type Moment struct {
	Wall int64 // nanoseconds since 1970; 0 if unknown
	Boot int64 // nanoseconds of the boot's monotonic clock; 0 if unknown
}

// Process returns the label by which the series of a writer's process differ from
// those of others: its configured name, or its PID.
func (h *Header) Process() string {
	if h.Writer != "" {
		return h.Writer
	}
	return strconv.FormatUint(h.PID, 10)
}

// ErrForeign is found where a file does not begin like a segment.
var ErrForeign = errors.New("it does not begin like a segment")

// ErrVersion is found where this program cannot read a segment that may be whole:
// it is of another version of the format or of another byte order. The error says
// which, and what to do.
var ErrVersion = errors.New("it cannot be read by this program")

// ErrShort is the error that errors.Is finds in a [*Corrupt] if the Space ends before the
// last published byte: the file was truncated, or has grown since the Space was made.
var ErrShort = errors.New("it ends before what is published")

// Corrupt says what is wrong with a segment, and where.
type Corrupt struct {
	Offset uint64
	What   string
	short  bool
}

// Is reports whether target is [ErrShort] and that is what is wrong.
func (c *Corrupt) Is(target error) bool { return c.short && target == ErrShort }

// Error says what and where.
func (c *Corrupt) Error() string { return fmt.Sprintf("at offset %d: %s", c.Offset, c.What) }

func corrupt(offset uint64, format string, args ...any) error {
	return &Corrupt{Offset: offset, What: fmt.Sprintf(format, args...)}
}

var (
	order      = binary.NativeEndian
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// encode writes the header into the first bytes of a segment. Nothing is
// published by it.
func (h *Header) encode(b []byte) error {
	if h.Kind != KindWriter && h.Kind != KindArchive {
		return fmt.Errorf("segment: %d is no kind of segment", h.Kind)
	}
	for _, text := range []string{h.Epoch, h.Writer, h.Host, h.Service} {
		if len(text) > MaxName {
			return fmt.Errorf("segment: %.80q has %d bytes, at most %d fit", text, len(text), MaxName)
		}
	}
	copy(b, magic)
	order.PutUint32(b[offVersion:], Version)
	order.PutUint32(b[offByteOrder:], byteOrderMark)
	order.PutUint32(b[offKind:], uint32(h.Kind))
	copy(b[offID:], h.ID[:])
	order.PutUint64(b[offStart:], uint64(h.Start))
	order.PutUint64(b[offPID:], h.PID)
	order.PutUint64(b[offNamespace:], h.Namespace)
	order.PutUint64(b[offTicks:], h.Ticks)
	copy(b[offBoot:], h.Boot[:])
	order.PutUint64(b[offGeneration:], h.Generation)
	putName(b[offEpoch:], h.Epoch)
	putName(b[offWriter:], h.Writer)
	putName(b[offHost:], h.Host)
	order.PutUint64(b[offBorn:], uint64(h.Born))
	order.PutUint64(b[offEpochFirst:], uint64(h.EpochFirst.Wall))
	order.PutUint64(b[offEpochFirst+8:], uint64(h.EpochFirst.Boot))
	putName(b[offService:], h.Service)
	order.PutUint64(b[offAhead:], uint64(h.Ahead))
	order.PutUint32(b[offChecksum:], crc32.Checksum(b[checkedFrom:checkedTo], castagnoli))
	return nil
}

func putName(b []byte, name string) {
	b[0] = byte(len(name))
	copy(b[1:], name)
}

// DecodeHeader reads the header of a segment and checks that this process can
// read the rest: its version, its byte order, its checksum.
func DecodeHeader(b []byte) (h Header, err error) {
	if len(b) < HeaderSize {
		return h, corrupt(uint64(len(b)), "the header ends here")
	}
	if string(b[:len(magic)]) != magic {
		return h, ErrForeign
	}
	switch mark := order.Uint32(b[offByteOrder:]); mark {
	case byteOrderMark:
	case swappedMark:
		return h, fmt.Errorf("%w: it was written by a machine of the other byte order", ErrVersion)
	default:
		return h, corrupt(offByteOrder, "%#x is no byte order", mark)
	}
	switch v := order.Uint32(b[offVersion:]); {
	case v < Version:
		return h, fmt.Errorf("%w: it has version %d of the format, and this program's is %d: stop all processes of the directory, delete its segments (*.seg), and start them again", ErrVersion, v, Version)
	case v > Version:
		return h, fmt.Errorf("%w: it has version %d of the format, and this program knows those up to %d: use the program that wrote it, or a later one", ErrVersion, v, Version)
	}
	if want, got := order.Uint32(b[offChecksum:]), crc32.Checksum(b[checkedFrom:checkedTo], castagnoli); want != got {
		return h, corrupt(offChecksum, "the header's checksum is %#x and should be %#x", want, got)
	}
	h.Kind = Kind(order.Uint32(b[offKind:]))
	if h.Kind != KindWriter && h.Kind != KindArchive {
		return h, corrupt(offKind, "%d is no kind of segment", h.Kind)
	}
	copy(h.ID[:], b[offID:])
	h.Start = int64(order.Uint64(b[offStart:]))
	h.PID = order.Uint64(b[offPID:])
	h.Namespace = order.Uint64(b[offNamespace:])
	h.Ticks = order.Uint64(b[offTicks:])
	copy(h.Boot[:], b[offBoot:])
	h.Generation = order.Uint64(b[offGeneration:])
	h.Born = int64(order.Uint64(b[offBorn:]))
	h.EpochFirst = Moment{int64(order.Uint64(b[offEpochFirst:])), int64(order.Uint64(b[offEpochFirst+8:]))}
	h.Ahead = int64(order.Uint64(b[offAhead:]))
	for _, name := range []struct {
		at   int
		text *string
	}{{offEpoch, &h.Epoch}, {offWriter, &h.Writer}, {offHost, &h.Host}, {offService, &h.Service}} {
		n := int(b[name.at])
		if n > MaxName {
			return h, corrupt(uint64(name.at), "a name of %d bytes", n)
		}
		*name.text = string(b[name.at+1 : name.at+1+n])
	}
	return h, nil
}

// recordType says what a record is.
type recordType uint16

const (
	padRecord       recordType = 1 // nothing, up to where the next extent begins
	familyRecord    recordType = 2
	blockRecord     recordType = 3 // rows of cells
	seriesRecord    recordType = 4
	lanesRecord     recordType = 5 // words that one value is spread over
	tableRecord     recordType = 6 // where a row's exemplars lie
	textRecord      recordType = 7 // room for an exemplar or for an info's labels
	formerRecord    recordType = 8 // of version 1 alone
	restRecord      recordType = 9 // what words of an archive's rows lack of their sums
	takenRecord     recordType = 10
	tombstoneRecord recordType = 11 // room for what was removed, to which the header refers
	appliedRecord   recordType = 12
	carriedRecord   recordType = 13 // a tombstone of a segment that an archive has taken up
	latelyRecord    recordType = 14 // the list of series that were removed, of which there is no tombstone yet
)

// recordHeaderSize is how many bytes lie before a record's payload: its size
// (32 bits), its type (16), 16 bits of zero, its checksum (32) and the length of
// what the checksum covers beside size, type and length (32).
const recordHeaderSize = 16

// mutable returns where in a record at offset its words begin, which the
// checksum does not cover: behind its fixed part, where rows share no cache line
// with others, and lanes no pair of cache lines.
func (t recordType) mutable(offset, fixed uint64) uint64 {
	alignment := uint64(8)
	switch t {
	case blockRecord:
		alignment = 64
	case lanesRecord:
		alignment = lineAlignment
	}
	return align(offset+recordHeaderSize+fixed, alignment) - offset
}

// lineAlignment is the largest alignment that a record asks for: extents keep it
// too.
const lineAlignment = 128

func align(n, to uint64) uint64 { return (n + to - 1) &^ (to - 1) }

// checksum returns the checksum of a record with its payload.
func checksum(record []byte, fixed uint32) uint32 {
	sum := crc32.Update(0, castagnoli, record[:8])
	return crc32.Update(sum, castagnoli, record[12:recordHeaderSize+fixed])
}

// payload collects the fixed part of a record.
type payload []byte

func (p *payload) u32(v uint32) { *p = order.AppendUint32(*p, v) }
func (p *payload) u64(v uint64) { *p = order.AppendUint64(*p, v) }
func (p *payload) text(s string) {
	p.u32(uint32(len(s)))
	*p = append(*p, s...)
}

// fields takes the fixed part of a record apart. After the first field that is
// not there it is short, and all that follows is zero.
type fields struct {
	rest  []byte
	short bool
}

func (f *fields) take(n uint64) []byte {
	if n > uint64(len(f.rest)) {
		f.short, f.rest = true, nil
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) u8() uint8 {
	if b := f.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (f *fields) u32() uint32 {
	if b := f.take(4); b != nil {
		return order.Uint32(b)
	}
	return 0
}

func (f *fields) u64() uint64 {
	if b := f.take(8); b != nil {
		return order.Uint64(b)
	}
	return 0
}

func (f *fields) id() (id [16]byte) {
	copy(id[:], f.take(16))
	return id
}

// text returns a copy: the bytes may be a mapping's.
func (f *fields) text() string { return strings.Clone(f.view()) }

// view returns text that lies where the record lies.
func (f *fields) view() string {
	b := f.take(uint64(f.u32()))
	return unsafe.String(unsafe.SliceData(b), len(b))
}

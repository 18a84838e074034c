package protobuf

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/scan"
	"telltale/model"
)

// Limits bound the size of the input, of a message and of a series' labels.
//
//	Input   int64 // bytes of the whole page; 1 GiB by default
//	Line    int   // bytes of a line; 1 MiB by default
//	Labels  int   // labels of a sample, or of an exemplar; 256 by default
//	Message int   // bytes of a message, in protobuf; 256 MiB by default
//	Errors  int   // errors after which a parser with WithAllErrors gives up; 100 by default
//
//	WithDefaults() Limits // the defaults in the place of fields that are not set
type Limits = scan.Limits

// ParserOption is an option of [NewParser] and [NewScanner].
type ParserOption interface{ applyParser(*Limits) }

type parserOption func(*Limits)

func (o parserOption) applyParser(to *Limits) { o(to) }

// WithLimits sets other limits than the default ones.
func WithLimits(l Limits) ParserOption {
	return parserOption(func(limits *Limits) { *limits = l })
}

// Kind is what an entry is.
type Kind uint8

// The kinds of entry.
const (
	KindFamily Kind = iota + 1 // a message begins, and in it a family or more of the one before
	KindSeries
)

// Entry is what the scanner has read. All it refers to is valid until the next
// is read.
type Entry struct {
	Kind   Kind
	Offset int64  // where it begins in the input
	Name   []byte // of the family
	Help   []byte
	Unit   []byte
	Type   model.Type
	Point  model.Point // of a series
}

// Scanner reads series by series. It checks each series, but not the rules that
// hold between series or families, which [Parser] checks. It holds one message
// in memory. It is not safe for concurrent use.
type Scanner struct {
	entry  Entry
	err    error
	r      *bufio.Reader
	source io.Reader // of r
	limits Limits
	offset int64 // behind the message

	message []byte
	rest    message // of the message, from where series are yet to come
	point   point
	names   names
}

// NewScanner returns a scanner that reads from r.
func NewScanner(r io.Reader, opts ...ParserOption) *Scanner {
	var limits Limits
	for _, opt := range opts {
		opt.applyParser(&limits)
	}
	return &Scanner{r: bufio.NewReaderSize(scan.Progressing(r), leastMemory), source: r, limits: limits.WithDefaults()}
}

// Next returns the next entry: a family, then each of its series. After the last
// it returns [io.EOF]. An error is a [*SyntaxError] or an error of the reader,
// and is returned again by every later call.
func (s *Scanner) Next() (*Entry, error) {
	if s.err == nil && !s.series() && s.err == nil {
		s.family()
	}
	if s.err != nil {
		return nil, s.err
	}
	return &s.entry, nil
}

// fail keeps the first error.
func (s *Scanner) fail(offset int64, field, found, expected string) {
	if s.err == nil {
		s.err = &SyntaxError{offset, string(s.entry.Name), field, found, expected}
	}
}

// series reads the next series of the message, if there is one.
func (s *Scanner) series() bool {
	m := &s.rest
	for m.next() {
		if m.num != familyMetric {
			m.skip()
			continue
		}
		s.entry.Kind, s.entry.Offset = KindSeries, m.at
		s.readPoint(m.message("metric", "Metric"))
		return s.err == nil
	}
	return false
}

// family reads the next message up to its series.
func (s *Scanner) family() {
	e := &s.entry
	*e = Entry{Kind: KindFamily, Offset: s.offset}
	if s.err = s.read(); s.err != nil {
		return
	}
	s.rest = message{in: s, name: "MetricFamily", rest: s.message, end: s.offset, at: e.Offset}
	kind := counterKind // the default of an absent type
	for m := s.rest; m.next(); {
		switch m.num {
		case familyName:
			e.Name = m.text("name")
		case familyHelp:
			e.Help = m.text("help")
		case familyUnit:
			e.Unit = m.text("unit")
		case familyType:
			kind = s.kind(&m)
		case familyMetric:
			m.bytes("metric")
		default:
			m.skip()
		}
	}
	e.Type = types[kind]
	if len(e.Name) == 0 {
		s.fail(e.Offset, "MetricFamily.name", "no name", "one")
	}
}

var types = [...]model.Type{
	counterKind:        model.Counter,
	gaugeKind:          model.Gauge,
	summaryKind:        model.Summary,
	untypedKind:        model.Unknown,
	histogramKind:      model.Histogram,
	gaugeHistogramKind: model.GaugeHistogram,
}

func (s *Scanner) kind(m *message) kind {
	k := m.uint("type")
	if k >= uint64(len(types)) {
		m.fail("type", fmt.Sprint(k), "a type from 0 to 5")
		return counterKind
	}
	return kind(k)
}

// read reads the next message.
func (s *Scanner) read() error {
	length, err := s.readLength()
	switch {
	case err != nil:
		return err
	case length > uint64(s.limits.Message):
		return &scan.LimitError{Limit: "Message", Max: int64(s.limits.Message),
			Wrong: s.wrong(fmt.Sprintf("a message of %d bytes", length), fmt.Sprintf("at most %d", s.limits.Message))}
	}
	allowed := min(int64(length), max(s.limits.Input-s.offset, 0)+1) // one more byte tells a page that is too long from one that is cut off
	s.message, err = s.readMessage(int(allowed))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		s.entry.Name = nameIn(s.message)
		return s.wrong(fmt.Sprintf("the end of the page at byte %d, after %d of %d bytes of a message", s.offset+int64(len(s.message)), len(s.message), length),
			"the rest of it: the page was cut off")
	case err == nil && s.offset+allowed > s.limits.Input:
		return &scan.LimitError{Limit: "Input", Max: s.limits.Input,
			Wrong: s.wrong(fmt.Sprintf("a page of more than %d bytes", s.limits.Input), "a shorter one")}
	}
	s.offset += int64(length)
	return err
}

// wrong returns an error of a message as a whole.
func (s *Scanner) wrong(found, expected string) error {
	return &SyntaxError{s.entry.Offset, string(s.entry.Name), "", found, expected}
}

// nameIn returns the family's name from the first bytes of a message, nil if
// they do not contain it.
func nameIn(b []byte) []byte {
	for {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil
		}
		if b = b[n:]; number == familyName && kind == protowire.BytesType {
			length, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return nil
			}
			return b[n:][:min(length, uint64(len(b)-n))]
		}
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return nil
		}
		b = b[n:]
	}
}

// atHand returns how many bytes of the page are in memory, if that is known.
func (s *Scanner) atHand() int {
	switch r := s.source.(type) {
	case *bytes.Reader:
		return s.r.Buffered() + r.Len()
	case *bytes.Buffer:
		return s.r.Buffered() + r.Len()
	case *strings.Reader:
		return s.r.Buffered() + r.Len()
	}
	return 0
}

// readLength reads the varint before a message.
func (s *Scanner) readLength() (uint64, error) {
	length := uint64(0)
	for shift := 0; shift < 63; shift += 7 {
		c, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) && shift > 0 {
			return 0, s.wrong(fmt.Sprintf("the end of the page at byte %d, within the length of a message", s.offset), "the rest of it: the page was cut off")
		}
		if err != nil {
			return 0, err
		}
		s.offset++
		length |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return length, nil
		}
	}
	return 0, s.wrong("a length without end", "a varint")
}

// leastMemory is the size of the first allocation for a message that is longer.
const leastMemory = 64 << 10

// readMessage reads a message of the given length. Memory is allocated as bytes
// arrive, or up to the bytes in memory already, since a false length is easy to
// write.
func (s *Scanner) readMessage(length int) ([]byte, error) {
	buf := s.message[:0]
	for len(buf) < length {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(length, max(leastMemory, 2*cap(buf), len(buf)+s.atHand())))
			copy(grown, buf)
			buf = grown
		}
		n, err := io.ReadFull(s.r, buf[len(buf):min(length, cap(buf))])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}

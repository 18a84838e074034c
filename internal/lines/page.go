package lines

import (
	"errors"
	"io"
	"strings"
	"sync"

	"telltale/model"
)

// Format supplies the details in which one text format differs from others.
type Format interface {
	// Blocks returns the blocks as which a family is written. The Page leaves
	// out parts that a restriction has hidden, and blocks without any part left.
	Blocks(f *model.Family) []Block
	// AppendHeader appends a block's header, with the name in its printed form.
	AppendHeader(dst, name []byte, f *model.Family, b Block) []byte
	// AppendTimestamp appends a sample's timestamp with the space before it.
	AppendTimestamp(dst []byte, t model.Timestamp) []byte
	// AppendExemplar appends the exemplar of a sample of the part, which counts values up
	// to most, or nothing.
	AppendExemplar(p *Page, dst []byte, part model.Parts, e *model.Exemplar, most float64) []byte
	// FitHistogram returns those of a histogram's parts that may be written, none if the
	// point is to be left out. Count and sum are those that would be written; the count
	// is NaN if it is not known.
	FitHistogram(p *Page, has model.Parts, h *model.HistogramValue, count, sum float64) model.Parts
	// FitSummary returns those of a summary's parts that may be written, and the
	// least value that its quantiles may have.
	FitSummary(p *Page, has model.Parts, s *model.SummaryValue) (fit model.Parts, least float64)
	// TakesLoose reports whether a sample that fits no point may be written.
	TakesLoose(f *model.Family, s *model.Sample) bool
	// Trailer returns the end of the page.
	Trailer() string
}

// Block is a header and the samples below it. Most families are one block.
type Block struct {
	Name  model.Parts // the header has the name of this part's samples
	Type  string      // the word in the TYPE line
	Parts model.Parts // the samples below
	// Counts says that values below zero and NaN are left out: the format has no such
	// totals.
	Counts bool
	// Value, if set, appends what follows name and labels, and each point is one
	// line. It returns nil for a point that is to be left out.
	Value func(p *Page, dst []byte, pt *model.Point) []byte
}

// Apart returns blocks for a family that is incomplete for its type: the samples
// of each part are a family of unknown type.
func Apart(parts ...model.Parts) []Block {
	var all []Block
	for _, part := range parts {
		all = append(all, Block{Name: part, Type: model.Unknown.String(), Parts: part})
	}
	return all
}

// flushAt is the length of the buffer from which it is written before the next
// point. Only a single point of more than bufferSize-flushAt bytes makes a
// buffer grow.
const (
	bufferSize = 64 << 10
	flushAt    = 32 << 10
)

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

var errClosed = errors.New("exposition: the encoder is closed")

// Page writes families one after the other. It is not safe for concurrent use.
type Page struct {
	w        io.Writer
	buf      []byte
	pooled   *[bufferSize]byte
	err      error // the first one, returned by every later call
	format   Format
	names    names
	created  bool
	short    bool
	dropped  func(Drop)
	reserves bool // report names that begin with an underscore
	visitors visitors

	// Of the family being written:
	family   *model.Family
	block    Block
	base     name
	literal  bool                     // the sample has the family's name
	title    []byte                   // the name in the header
	verbatim bool                     // label text is printed unchanged
	next     func(*model.Point) error // of visitDistinct
	seen     model.Parts              // parts of the points of the first block
	headed   bool                     // a header has been written
	told     bool                     // a reserved label name was reported
	order    []int                    // places of loose samples
	scratch  model.Point
	head     [partCount]head
	single   *head // of counters, gauges, unknowns and infos
	part     model.Parts
	state    []byte        // a state set's own label
	bounds   *model.Bounds // that edges belong to
	edges    []edge
}

// Options are the settings behind the formats' options.
type Options struct {
	Escaping model.Escaping
	Created  bool       // write created timestamps where a block has them
	Short    bool       // write whole bounds and quantiles without a fraction, le="1"
	Reserves bool       // the format reserves names that begin with an underscore
	Dropped  func(Drop) // may be nil
}

// NewPage returns a page in the format that is written to w.
func NewPage(w io.Writer, format Format, o Options) *Page {
	p := &Page{
		w: w, format: format, names: names{scheme: o.Escaping},
		created: o.Created, short: o.Short, dropped: o.Dropped, reserves: o.Reserves && o.Dropped != nil,
	}
	p.pooled = buffers.Get().(*[bufferSize]byte)
	p.buf = p.pooled[:0]
	p.visitors = visitors{p.visitSingle, p.visitSummary, p.visitHistogram, p.visitStates, p.visitInfo, p.visitWhole, p.visitDistinct, p.visitScalars}
	return p
}

// Encode writes a family. It returns errors of the writer and of the family's
// source; what the format cannot hold is dropped and reported.
func (p *Page) Encode(f *model.Family) error {
	if p.err != nil {
		return p.err
	}
	p.family, p.literal = f, Literal(f)
	defer func() { p.family, p.scratch = nil, model.Point{} }()
	if f.Name == "" {
		p.Drop(0, NoName)
		return nil
	}
	p.base = p.names.family(f)
	blocks := p.format.Blocks(f)
	if !p.names.claim(f, p.base, named(f, blocks)) {
		p.Drop(0, ClashingName)
		return nil
	}
	p.names.consider(f, &p.scratch)
	if p.names.mixes {
		p.names.begin()
	}
	if p.reserves {
		p.tellReserved()
	}
	mask := p.written(f)
	p.names.joined = false
	visited := false
	p.seen, p.headed = 0, false
	own, others := p.arrange(blocks[0])
	defer p.tellJoined()
	for i, b := range blocks {
		b.Parts &= mask
		if b.Parts != 0 && (!visited || p.seen&b.Parts != 0) {
			visited = true
			p.begin(b)
			if err := p.visit(b); err != nil {
				return err
			}
		}
		if i == 0 {
			if err := p.loose(own, blocks[0], true); err != nil {
				return err
			}
		}
	}
	return p.loose(others, blocks[0], false)
}

// named returns the parts whose names a page has for a family that is written as the
// blocks: those of their headers and samples.
func named(f *model.Family, blocks []Block) (parts model.Parts) {
	for _, b := range blocks {
		parts |= b.Name | b.Parts&f.Mask()
	}
	return parts
}

// written returns the parts of a family that may be written.
func (p *Page) written(f *model.Family) model.Parts {
	if p.created {
		return f.Mask()
	}
	return f.Mask() &^ model.PartCreated
}

// visit writes the points of a block.
func (p *Page) visit(b Block) error {
	visit := p.visitors.of(p.family.Type, b)
	if p.names.mixes {
		p.next, visit = visit, p.visitors.distinct
		p.names.begin()
	}
	if p.verbatim && b.Value == nil && b.Parts&singles != 0 && b.Parts&^singles == 0 {
		return p.family.VisitScalars(&p.scratch, p.visitors.scalars, visit)
	}
	return p.family.Visit(&p.scratch, visit)
}

// begin writes a block's header and prepares the heads of its lines.
func (p *Page) begin(b Block) {
	p.block = b
	p.verbatim = p.names.keeps && (p.names.legacy || !p.reserves)
	p.header(b)
	(b.Name | b.Parts).Each(p.prepare)
}

func (p *Page) header(b Block) {
	p.headed = true
	p.title = p.base.append(p.title[:0], p.suffix(b.Name))
	p.buf = p.format.AppendHeader(p.buf, p.title, p.family, b)
}

// pass prepares for the next point: it writes the buffer if it is almost full.
func (p *Page) pass() error {
	if len(p.buf) < flushAt {
		return nil
	}
	return p.flush()
}

func (p *Page) flush() error {
	if p.err == nil && len(p.buf) > 0 {
		_, p.err = p.w.Write(p.buf)
	}
	p.buf = p.buf[:0]
	return p.err
}

// Close ends the page and writes the rest of it. The writer stays open.
func (p *Page) Close() error {
	if p.pooled == nil {
		if errors.Is(p.err, errClosed) {
			return nil
		}
		return p.err
	}
	p.buf = append(p.buf, p.format.Trailer()...)
	err := p.flush()
	p.names.later.release()
	buffers.Put(p.pooled)
	p.pooled, p.buf = nil, nil
	if err == nil {
		p.err = errClosed
	}
	return err
}

// Literal reports whether a counter or info has no suffix to add to its name. A
// counter named "_total" has none either: without it, nothing would be left.
func Literal(f *model.Family) bool {
	switch f.Type {
	case model.Counter:
		return f.IsLiteral() || strings.TrimSuffix(f.Name, "_total") == ""
	case model.Info:
		return f.IsLiteral()
	}
	return false
}

// Type returns the word in the TYPE line of the block being written.
func (p *Page) Type() string { return p.block.Type }

package protobuf

import (
	"errors"
	"io"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/lines"
	"telltale/model"
)

// Drop reports something that was not written because the format cannot hold it.
//
//	Family string // its name in the model
//	Sample string // the name of the sample, or "" for the whole family
//	Reason Reason // why, by String() in words; its Written() reports whether it was written all the same
type Drop = lines.Drop

// Option is an option of [NewEncoder].
type Option interface{ applyEncoder(*Encoder) }

type option func(*Encoder)

func (o option) applyEncoder(to *Encoder) { o(to) }

// WithEscaping sets how names outside the legacy character set are written. The
// default is [model.Underscores], which every reader understands.
func WithEscaping(e model.Escaping) Option {
	return option(func(enc *Encoder) { enc.names = lines.NewNames(e) })
}

// WithDropped calls report for everything that is dropped, in the goroutine that
// calls Encode.
func WithDropped(report func(Drop)) Option {
	return option(func(enc *Encoder) { enc.dropped = report })
}

const (
	chunkSize      = 32 << 10 // written at once
	largestMessage = 1 << 20  // length from which the next series begins another message
	largestLength  = 4        // bytes that the length of a message takes
	fullBuffer     = largestMessage + 2*chunkSize
)

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2*chunkSize); return &b }}

var errClosed = errors.New("exposition/protobuf: the encoder is closed")

// Encoder writes families to a writer, in chunks of 32 KiB. Its memory grows
// with the largest family, to about 1 MiB. It is not safe for concurrent use.
type Encoder struct {
	w        io.Writer
	buf      []byte
	pooled   *[]byte
	err      error // the first one, returned by every later call
	names    *lines.Names
	dropped  func(Drop)
	visitors visitors

	// Of the family being written:
	family    *model.Family
	kind      kind
	parts     model.Parts // the parts of it that may be written
	name      []byte
	header    []byte                   // name, help, type and unit
	message   int                      // where the message begins
	empty     bool                     // the message has no series
	verbatim  bool                     // labels are written as they are
	mixes     bool                     // series may be written with the same labels
	next      func(*model.Point) error // of visitDistinct
	labels    pairs
	exemplars pairs
	custom    custom
	width     int // bytes that the length of a series mostly takes
	inner     int // bytes that the length of a histogram mostly takes
	scratch   model.Point
	text      []byte // labels after escaping
	own       []byte // a label that belongs to one sample
}

// NewEncoder returns an encoder that writes to w. [Encoder.Close] ends the
// page.
func NewEncoder(w io.Writer, opts ...Option) *Encoder {
	e := &Encoder{w: w, names: lines.NewNames(model.Underscores), width: 1, inner: 1}
	for _, opt := range opts {
		opt.applyEncoder(e)
	}
	e.pooled = buffers.Get().(*[]byte)
	e.buf = (*e.pooled)[:0]
	e.visitors = visitors{e.visitSingle, e.visitSummary, e.visitHistogram, e.visitStates, e.visitInfo, e.visitPiece, e.visitDistinct, e.visitScalars}
	return e
}

// Encode writes a family. Part of it may stay in memory until a later Encode or
// Close. It returns the writer's first error, also from every later call, and
// errors of the family's source.
func (e *Encoder) Encode(f *model.Family) error {
	if e.err != nil {
		return e.err
	}
	e.family = f
	defer func() { e.family, e.scratch = nil, model.Point{} }()
	if f.Name == "" {
		e.drop("", lines.NoName)
		return nil
	}
	if !e.names.Claim(f) {
		e.drop("", lines.ClashingName)
		return nil
	}
	e.names.Consider(f, &e.scratch)
	e.verbatim, e.mixes = e.names.Keeps(), e.names.Mixes()
	defer e.tellJoined()
	whole := f.Type.Parts() &^ model.PartCreated
	left := f.Mask() & f.Type.Parts()
	if left&whole == whole {
		return e.whole(left)
	}
	for part := model.PartValue; part < model.AllParts; part <<= 1 {
		if left&part != 0 {
			if err := e.piece(part); err != nil {
				return err
			}
		}
	}
	return e.loose()
}

// whole writes a family of which nothing but created times may be hidden.
func (e *Encoder) whole(left model.Parts) error {
	single := left & (model.PartValue | model.PartTotal | model.PartInfo)
	if e.family.Type == model.Summary {
		single = 0
	}
	e.begin(single, kindOf(e.family.Type), left)
	err := e.visit()
	if err == nil {
		err = e.loose()
	}
	return errors.Join(err, e.end())
}

// visit writes the points of a family.
func (e *Encoder) visit() error {
	visit := e.visitors.of(e.family.Type)
	switch e.family.Type {
	case model.Counter, model.Gauge, model.Unknown:
		if !e.mixes {
			return e.family.VisitScalars(&e.scratch, e.visitors.scalars, visit)
		}
	}
	return e.walk(visit)
}

// walk visits the points of a family but those that are written as others.
func (e *Encoder) walk(visit func(*model.Point) error) error {
	if e.mixes {
		e.next, visit = visit, e.visitors.distinct
		e.names.Begin()
	}
	return e.family.Visit(&e.scratch, visit)
}

// tellJoined reports a family of which labels were written as one.
func (e *Encoder) tellJoined() {
	if e.names.Joined() {
		e.drop("", lines.JoinedLabels)
	}
}

// piece writes the samples of one part as a family of its own.
func (e *Encoder) piece(part model.Parts) error {
	e.begin(part, untypedKind, part)
	err := e.walk(e.visitors.piece)
	if e.empty {
		e.buf = e.buf[:e.message]
		return err
	}
	return errors.Join(err, e.end())
}

// kindOf returns the type under which a family is written.
func kindOf(t model.Type) kind {
	switch t {
	case model.Counter:
		return counterKind
	case model.Gauge, model.Info, model.StateSet:
		return gaugeKind
	case model.Summary:
		return summaryKind
	case model.Histogram:
		return histogramKind
	case model.GaugeHistogram:
		return gaugeHistogramKind
	}
	return untypedKind
}

// begin begins a family under the name of its samples of a part.
func (e *Encoder) begin(part model.Parts, k kind, parts model.Parts) {
	f := e.family
	e.kind, e.parts = k, parts
	e.name = e.names.AppendName(e.name[:0], f, part)
	h := protowire.AppendBytes(protowire.AppendTag(e.header[:0], familyName, protowire.BytesType), e.name)
	if f.Help != "" {
		h = appendString(h, familyHelp, model.ValidHelp(f.Help))
	}
	h = appendUint(h, familyType, uint64(k))
	if f.Unit != "" {
		h = appendString(h, familyUnit, strings.ToValidUTF8(f.Unit, "\uFFFD"))
	}
	e.header = h
	e.open()
}

// open begins a message of the family.
func (e *Encoder) open() {
	e.message, e.empty = len(e.buf), true
	e.buf = append(append(e.buf, "\x00\x00\x00\x00"[:largestLength]...), e.header...)
}

// end ends the message and writes full chunks.
func (e *Encoder) end() error {
	if e.err != nil {
		return e.err
	}
	e.buf, _ = seal(e.buf, e.message+largestLength, largestLength)
	return e.flush(chunkSize)
}

// pass prepares for the next series: it begins another message if this one is
// large.
func (e *Encoder) pass() error {
	e.empty = false
	if len(e.buf)-e.message < largestMessage {
		if len(e.buf) > cap(e.buf)/2 && cap(e.buf) < fullBuffer {
			e.buf = append(make([]byte, 0, fullBuffer), e.buf...) // allocated at once rather than grown in steps
		}
		return nil
	}
	if err := e.end(); err != nil {
		return err
	}
	e.open()
	return nil
}

// loose drops the samples that fit no point, except those that only have an
// exemplar too many: the format has no place for names of single samples.
func (e *Encoder) loose() error {
	f, samples := e.family, e.family.Loose()
	fitsOne := (f.Type == model.Unknown || f.Type == model.Gauge) && f.Mask()&model.PartValue != 0
	for i := range samples {
		s := &samples[i]
		switch {
		case s.Name == "":
			e.drop(s.Name, lines.NoName)
		case s.Name != f.Name || !fitsOne:
			e.drop(s.Name, lines.LooseSample)
		default:
			e.verbatim = false
			e.scratch = model.Point{Labels: s.Labels, Has: model.PartValue, Timestamp: s.Timestamp, Value: s.Value}
			visit := e.visitors.single
			if e.mixes {
				e.next, visit = visit, e.visitors.distinct
			}
			if err := visit(&e.scratch); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes chunks as long as a chunk and the least number of bytes are
// buffered.
func (e *Encoder) flush(least int) error {
	rest := e.buf
	for e.err == nil && len(rest) > 0 && len(rest) >= least {
		chunk := rest[:min(chunkSize, len(rest))]
		_, e.err = e.w.Write(chunk)
		rest = rest[len(chunk):]
	}
	if len(rest) < len(e.buf) {
		e.buf = e.buf[:copy(e.buf, rest)]
	}
	return e.err
}

// Close writes what is still in memory. It does not close the writer.
func (e *Encoder) Close() error {
	if e.pooled == nil {
		if errors.Is(e.err, errClosed) {
			return nil
		}
		return e.err
	}
	err := e.flush(0)
	e.names.Release()
	if cap(e.buf) <= fullBuffer { // larger buffers, grown by a single series, are not kept
		*e.pooled = e.buf[:0]
		buffers.Put(e.pooled)
	}
	e.pooled, e.buf = nil, nil
	if err == nil {
		e.err = errClosed
	}
	return err
}

// drop reports that a sample of the family being written is dropped or, without
// a name, the family.
func (e *Encoder) drop(sample string, r lines.Reason) {
	if e.dropped != nil {
		e.dropped(Drop{Family: e.family.Name, Sample: sample, Reason: r})
	}
}

package telltale

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"

	"telltale/model"
)

// DefaultRetention is the limit of [WithRetention] that registries have without
// it.
const DefaultRetention = 64 << 20

// retainingCollectors is how many collectors of a registry may have as much kept
// as WithRetention lets each of them.
const retainingCollectors = 4

// room is where copies of families are kept.
type room struct {
	limit int           // for each collector, in bytes
	kept  *atomic.Int64 // bytes of all collectors of a registry
}

// keptUnregistered is how many bytes are kept of collectors in no registry.
var keptUnregistered atomic.Int64

// retain takes room for so many bytes of copies, or gives it back. It reports
// whether there was as much.
func (r *run) retain(size int) bool {
	own, all := r.of.held.Add(int64(size)), r.room.kept.Add(int64(size))
	return own <= int64(r.room.limit) && all/retainingCollectors <= int64(r.room.limit)
}

// copied is what examining an emitted family gave.
type copied struct {
	family   *model.Family // a copy, if complete, or else the collector's own
	complete bool
	size     int  // of a copy
	legacy   bool // of the collector's own: whether all label names are known to be legacy names
}

// examine walks a family once, on the collector's goroutine: it finds series that
// are repeated, and copies the others as long as there is room. It returns nil if
// the family's source failed, which has then been counted, and an error if no
// scrape wants the family any more.
func (r *run) examine(f *model.Family) (c *copied, err error) {
	w := &examination{run: r, name: f.Name, seen: make(seenSamples), points: new(copiedPoints)}
	r.copying.reset()
	r.copying.take = w.keep
	defer func() {
		if c == nil {
			w.discard()
		}
	}()
	failed := false
	guarded(func() error {
		w.points.legacy = f.LegacyLabels()
		var scratch model.Point
		if err := f.Visit(&scratch, w.visit); err != nil {
			return err
		}
		return r.copying.flush()
	}, func(reason Reason, problem error) {
		if failed = true; w.stopped == nil {
			r.fault(reason, f.Name, problem)
		}
	})
	if failed {
		return nil, w.stopped
	}
	if loose := f.Loose(); len(loose) > 0 {
		f = f.WithLoose(w.distinctLoose(loose))
	}
	w.reserve(sizeWithoutPoints(f))
	if w.discarded {
		if len(w.repeated) > 0 {
			f = f.WithPoints(skipping{f, w.repeated})
		}
		return &copied{family: f, legacy: w.points.legacy}, nil
	}
	return &copied{family: detached(f, w.points), complete: true, size: w.size}, nil
}

// detached returns the family with other points, sharing no memory with it.
func detached(f *model.Family, points model.Source) *model.Family {
	if len(f.Loose()) > 0 {
		return f.WithPoints(nil).Clone().WithPoints(points)
	}
	c := f.WithPoints(points)
	c.Name, c.Help, c.Unit = strings.Clone(f.Name), strings.Clone(f.Help), strings.Clone(f.Unit)
	return c
}

// examination is a walk of examine.
type examination struct {
	run       *run
	name      string // of the family
	seen      seenSamples
	repeated  map[int]bool // places of points that repeat a sample
	walked    int          // points
	points    *copiedPoints
	size      int  // of points
	discarded bool // there is no room for a copy
	stopped   error
}

// checkEvery is after how many points a walk looks whether the family is still
// wanted.
const checkEvery = 1024

func (w *examination) visit(p *model.Point) error {
	if w.walked%checkEvery == 0 && w.walked > 0 {
		if w.stopped = w.run.refusal(); w.stopped != nil {
			return w.stopped
		}
	}
	if w.seen.hasPoint(p) {
		if w.repeated == nil {
			w.repeated = make(map[int]bool)
		}
		w.repeated[w.walked] = true
		w.run.repeated(w.name, w.name, p.Labels)
	} else if !w.discarded {
		if err := w.run.copying.add(p); err != nil {
			return err
		}
	}
	w.walked++
	return nil
}

// keep adds a chunk to the copy, if there is room.
func (w *examination) keep(c pointChunk) error {
	if w.reserve(c.size()); !w.discarded {
		w.points.chunks = append(w.points.chunks, c)
	}
	return nil
}

// reserve takes room for the copy, or discards it if there is not enough.
func (w *examination) reserve(size int) {
	if w.discarded {
		return
	}
	w.size += size
	if !w.run.retain(size) {
		w.discard()
	}
}

// discard gives back the room that the copy takes.
func (w *examination) discard() {
	w.run.retain(-w.size)
	w.size, w.points.chunks, w.discarded = 0, nil, true
}

// distinctLoose returns copies of the samples that do not repeat one.
func (w *examination) distinctLoose(samples []model.Sample) (distinct []model.Sample) {
	for _, s := range samples {
		if w.seen.hasLoose(s) {
			w.run.repeated(w.name, s.Name, s.Labels)
			continue
		}
		distinct = append(distinct, s)
	}
	return distinct
}

func (r *run) repeated(family, sample string, labels model.Labels) {
	r.fault(ReasonRepeatedSeries, family, fmt.Errorf("the series %s%s comes a second time", sample, labels))
}

// copiedPoints is the points of a family as they were when they were walked.
type copiedPoints struct {
	chunks []pointChunk
	legacy bool
}

func (c *copiedPoints) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	for i := range c.chunks {
		if err := c.chunks[i].visit(scratch, visit); err != nil {
			return err
		}
	}
	return nil
}

// LegacyLabels spares encoders a look at every series.
func (c *copiedPoints) LegacyLabels() bool { return c.legacy }

// The most that lies in one chunk.
const (
	chunkPoints = 256
	chunkText   = 64 << 10
)

// pointChunk is copies of some points that follow each other, those with a number and
// nothing else in little memory.
type pointChunk struct {
	text   string // of the labels, one series after the other
	plain  []plainPoint
	others []model.Point // those with more than a number
	extra  int           // about how many bytes others take
}

// plainPoint is a point with labels and a number.
type plainPoint struct {
	value              float64
	created, timestamp model.Timestamp
	end                uint32 // of its labels in text
	has                model.Parts
	other              bool // it is the next of others instead
}

// What is kept of a point with its parts and of a family without points, roughly.
const (
	pointSize  = 160
	headerSize = 400
)

func (c *pointChunk) size() int {
	return len(c.text) + len(c.plain)*int(unsafe.Sizeof(plainPoint{})) + c.extra
}

func (c *pointChunk) visit(scratch *model.Point, visit func(*model.Point) error) error {
	start, others := uint32(0), c.others
	for i := range c.plain {
		p := scratch
		if e := &c.plain[i]; e.other {
			p, others = &others[0], others[1:]
		} else {
			*p = model.Point{
				Labels: model.LabelsFromText(c.text[start:e.end]), Has: e.has,
				Created: e.created, Timestamp: e.timestamp, Value: e.value,
			}
			start = e.end
		}
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}

// chunker copies points and hands them on in chunks.
type chunker struct {
	take   func(pointChunk) error
	text   []byte
	plain  []plainPoint
	others []model.Point
	extra  int
}

// add copies a point.
func (c *chunker) add(p *model.Point) error {
	other := p.Exemplar != nil || p.Histogram != nil || p.Summary != nil || p.States != nil || !p.Info.IsEmpty()
	if other {
		c.others = append(c.others, p.Clone())
		c.extra += extraSize(p)
	} else {
		c.text = append(c.text, p.Labels.Text()...)
	}
	c.plain = append(c.plain, plainPoint{
		value: p.Value, created: p.Created, timestamp: p.Timestamp, has: p.Has, end: uint32(len(c.text)), other: other,
	})
	if len(c.plain) >= chunkPoints || len(c.text)+c.extra >= chunkText {
		return c.flush()
	}
	return nil
}

// flush hands on what has been copied since the last chunk.
func (c *chunker) flush() error {
	if len(c.plain) == 0 {
		return nil
	}
	full := pointChunk{text: string(c.text), plain: slices.Clone(c.plain), others: c.others, extra: c.extra}
	c.reset()
	return c.take(full)
}

// reset forgets what has been copied since the last chunk.
func (c *chunker) reset() { c.text, c.plain, c.others, c.extra = c.text[:0], c.plain[:0], nil, 0 }

// sizeWithoutPoints returns about how many bytes a copy of the family takes, its
// points left out.
func sizeWithoutPoints(f *model.Family) int {
	size := headerSize + len(f.Name) + len(f.Help) + len(f.Unit)
	for _, s := range f.Loose() {
		size += pointSize + len(s.Name) + len(s.Labels.Text()) + exemplarSize(s.Exemplar) + nativeSize(s.NativeHistogram)
	}
	return size
}

// extraSize returns about how many bytes a point takes that has more than a
// number.
func extraSize(p *model.Point) int {
	size := pointSize + len(p.Labels.Text()) + len(p.Info.Text()) + exemplarSize(p.Exemplar) + sizeOf(p.States)
	if h := p.Histogram; h != nil {
		size += pointSize + sizeOf(h.Cumulative) + sizeOf(h.Exemplars) + nativeSize(h.Native)
		for _, e := range h.Exemplars {
			size += exemplarSize(e)
		}
	}
	if p.Summary != nil {
		size += pointSize + sizeOf(p.Summary.Quantiles)
	}
	return size
}

func nativeSize(h *model.NativeHistogram) int {
	if h == nil {
		return 0
	}
	size := int(unsafe.Sizeof(*h)) + sizeOf(h.PositiveSpans) + sizeOf(h.Positive) + sizeOf(h.NegativeSpans) + sizeOf(h.Negative) + sizeOf(h.CustomBounds)
	for i := range h.Exemplars {
		size += exemplarSize(&h.Exemplars[i])
	}
	return size
}

func exemplarSize(e *model.Exemplar) int {
	if e == nil {
		return 0
	}
	return int(unsafe.Sizeof(*e)) + len(e.Labels.Text())
}

// sizeOf returns how many bytes the elements of a slice take.
func sizeOf[E any](s []E) int {
	var one E
	return len(s) * int(unsafe.Sizeof(one))
}

package otlp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"telltale"
	"telltale/internal/otelform"
	"telltale/internal/outbox"
	"telltale/model"
)

// skipReason says why a data point was not sent.
type skipReason int

const (
	skipInvalid     skipReason = iota // a label twice, or counts that contradict each other
	skipUnsupported                   // OTLP has no such thing
	skipReasons
)

var skipNames = [skipReasons]string{"invalid", "unsupported"}

// encoder writes what a collector emits into requests.
type encoder struct {
	bytes     int // of a request, at most
	classic   bool
	plain     bool
	resources resources
	emit      func(*outbox.Request)
	skipped   [skipReasons]uint64 // see taken
	why       error               // of the first

	// Of the present collection:
	now     time.Time
	at      uint64 // now, in nanoseconds
	request request
	held    []request // as long as the resource is not known
	packer  packer

	// Of the present family:
	family     *model.Family
	header     header
	attributes attributes
	joined     []byte
	point      []byte // a data point
	inner      []byte // a message inside it
	exemplars  []byte
	newest     []*model.Exemplar
	counts     []uint64
	native     otelform.Exponential
	scratch    model.Point
}

// collect writes what a collector emits, at a time.
func (e *encoder) collect(ctx context.Context, c telltale.Collector, now time.Time) error {
	e.now, e.at = now, uint64(now.UnixNano())
	e.resources.begin()
	e.request.reset(e.resources.size())
	err := c.Collect(ctx, e.encode)
	e.flush()
	e.resources.end()
	e.release()
	return err
}

// taken returns how many data points were skipped since the last call, and why the first
// was.
func (e *encoder) taken() ([skipReasons]uint64, error) {
	skipped, why := e.skipped, e.why
	e.skipped, e.why = [skipReasons]uint64{}, nil
	return skipped, why
}

func (e *encoder) skip(reason skipReason, err error) {
	e.skipped[reason]++
	if e.why == nil {
		e.why = fmt.Errorf("%s: %w", strings.Clone(e.family.Name), err)
	}
}

// flush ends the request.
func (e *encoder) flush() {
	e.request.close()
	if e.request.points == 0 {
		return
	}
	if e.resources.known() {
		e.release()
		e.emit(e.packer.pack(&e.request, e.resources.field(), e.now.UnixMilli(), e.plain))
		e.request.reset(e.resources.size())
		return
	}
	e.held = append(e.held, e.request)
	e.request = request{}
	e.request.reset(e.resources.size())
}

// release sends the requests that have waited for the resource, if it is known now.
func (e *encoder) release() {
	if !e.resources.known() {
		return
	}
	for i := range e.held {
		e.emit(e.packer.pack(&e.held[i], e.resources.field(), e.now.UnixMilli(), e.plain))
	}
	e.held = nil
}

// encode writes a family.
func (e *encoder) encode(f *model.Family) error {
	if f.Name == "" {
		return nil
	}
	if e.resources.take(f) {
		if e.request.points == 0 {
			e.request.reset(e.resources.size())
		}
		return nil
	}
	e.enter(f)
	var err error
	switch {
	case !structured(f):
		for s := range f.Samples() {
			e.sample(&s)
		}
	case f.Type == model.Counter, f.Type == model.Gauge, f.Type == model.Unknown:
		err = f.VisitScalars(&e.scratch, e.scalars, e.visit)
	default:
		err = f.Visit(&e.scratch, e.visit)
	}
	if structured(f) {
		for i := range f.Loose() {
			e.sample(&f.Loose()[i])
		}
	}
	e.request.close()
	e.family, e.scratch = nil, model.Point{}
	return err
}

// structured reports whether the points of a family are data points as they are. Others
// are taken apart into their samples: those of gauge histograms, and of families of which
// a restriction has left a part.
func structured(f *model.Family) bool {
	parts := f.Type.Parts() &^ model.PartCreated
	return f.Type != model.GaugeHistogram && f.Mask()&parts == parts
}

// enter prepares for the points of a family.
func (e *encoder) enter(f *model.Family) {
	e.family = f
	e.header = header{name: valid(f.SampleName()), help: model.ValidHelp(f.Help), typ: types[f.Type]}
	switch f.Type {
	case model.Counter:
		e.header.kind = sumKind
	case model.Info, model.StateSet:
		e.header.kind = levelKind
	}
	if f.Unit != "" {
		e.header.unit = valid(otelform.Unit(f.Unit))
	}
}

// types are those that OTLP does not tell from others.
var types = [...]string{
	model.Unknown: "unknown", model.Info: "info", model.StateSet: "stateset", model.GaugeHistogram: "gaugehistogram",
}

func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// nanoseconds returns a time as OTLP has it, and whether it has.
func nanoseconds(t model.Timestamp) (uint64, bool) {
	const last = 18_446_744_072 // seconds
	sec, nsec := t.UnixParts()
	if sec < 0 || sec > last {
		return 0, false
	}
	return uint64(sec)*1e9 + uint64(nsec), true
}

var (
	errTime        = errors.New("a time before 1970 or after 2554")
	errNativeGauge = errors.New("OTLP has no gauge histograms; count, sum and classic buckets are sent as gauges, native buckets are not")
	errHidden      = errors.New("a native histogram beside other samples")
	errNoCount     = errors.New("it has no count")
)

// startOf returns when a series began, 0 if that is not known or after its value. Times of
// collections are whole milliseconds: a series of the same millisecond began then.
func startOf(created model.Timestamp, at uint64) uint64 {
	start, ok := nanoseconds(created)
	switch {
	case !created.IsSet() || !ok || start >= at+uint64(time.Millisecond):
		return 0
	default:
		return min(start, at)
	}
}

// timeOf returns when a value was taken, and when its series began.
func (e *encoder) timeOf(at, created model.Timestamp) (stamp, bool) {
	t := stamp{at: e.at}
	if at.IsSet() {
		var ok bool
		if t.at, ok = nanoseconds(at); !ok {
			e.skip(skipUnsupported, errTime)
			return t, false
		}
	}
	t.start = startOf(created, t.at)
	return t, true
}

// scalars writes points that have only a number.
func (e *encoder) scalars(run []model.Scalar) error {
	for i := range run {
		s := &run[i]
		if !e.attributes.read(s.Labels.Text()) {
			e.skip(skipInvalid, e.attributes.unfit())
			continue
		}
		t := stamp{at: e.at}
		if e.header.kind == sumKind {
			t.start = startOf(s.Created, t.at)
		}
		e.point = appendNumber(e.attributes.append(e.point[:0], numberAttributes), t, s.Value)
		e.put(&e.header)
	}
	return nil
}

// put puts the present data point into the request, or into the next one if it has no
// room.
func (e *encoder) put(h *header) {
	scope := e.attributes.scope()
	size := len(e.point) + widestHeader
	if e.request.points > 0 && e.request.bound(h, scope)+size > e.bytes {
		e.flush()
	}
	m := e.request.metric(h, scope)
	m.points = appendMessage(m.points, dataPoints, e.point)
	e.request.points++
	e.request.size += size
}

// visit writes any point.
func (e *encoder) visit(p *model.Point) error {
	text := p.Labels.Text()
	if e.family.Type == model.Info && !p.Info.IsEmpty() {
		e.joined = append(e.joined[:0], text...)
		if len(text) > 0 {
			e.joined = append(e.joined, ',')
		}
		e.joined = append(e.joined, p.Info.Text()...)
		text = string(e.joined)
	}
	if !e.attributes.read(text) {
		e.skip(skipInvalid, e.attributes.unfit())
		return nil
	}
	t, ok := e.timeOf(p.Timestamp, p.Created)
	if !ok {
		return nil
	}
	var err error
	switch e.family.Type {
	case model.Histogram:
		err = e.histogram(p, t)
	case model.Summary:
		err = e.summary(p, t)
	case model.StateSet:
		err = e.states(p, t)
	default:
		if p.Has&e.family.Type.Parts() == 0 {
			return nil
		}
		e.number(&e.header, p.Value, t, p.Exemplar)
	}
	if err != nil {
		e.skip(skipInvalid, err)
	}
	return nil
}

// number writes a number with exemplars.
func (e *encoder) number(h *header, v float64, t stamp, x *model.Exemplar) {
	if h.kind != sumKind { // others did not begin with 0, as receivers take it that they did
		t.start = 0
	}
	e.point = appendNumber(e.attributes.append(e.point[:0], numberAttributes), t, v)
	if x != nil {
		e.appendExemplars(numberExemplars, x)
	}
	e.put(h)
}

// sample writes a sample by itself as a gauge.
func (e *encoder) sample(s *model.Sample) {
	switch {
	case s.Name == "" || strings.HasSuffix(s.Name, model.PartCreated.Suffix()) && e.family.Type != model.Gauge:
		return
	case s.NativeHistogram != nil && e.family.Type == model.GaugeHistogram:
		e.skip(skipUnsupported, errNativeGauge)
		return
	case s.NativeHistogram != nil:
		e.skip(skipInvalid, errHidden)
		return
	case !e.attributes.read(s.Labels.Text()):
		e.skip(skipInvalid, e.attributes.unfit())
		return
	}
	t, ok := e.timeOf(s.Timestamp, model.Timestamp{})
	if !ok {
		return
	}
	h := e.header
	h.name, h.kind = valid(s.Name), gaugeKind
	e.number(&h, s.Value, t, s.Exemplar)
}

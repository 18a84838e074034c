package remotewrite

import (
	"math"
	"math/bits"
	"slices"
	"strings"

	"telltale/internal/outbox"
	"telltale/model"
)

// label is one that all series are given.
type label struct{ name, value string }

// skipReason says why a series was not sent.
type skipReason int

const (
	skipInvalid skipReason = iota // a label twice, or a histogram that contradicts itself
	skipOld                       // a time of its own that is not after the one sent before
	skipReasons
)

var skipNames = [skipReasons]string{"invalid", "old"}

// encoder writes what a collector emits into requests, each series to the shard that
// it always has.
type encoder struct {
	all      []label
	builders []*builder
	ledger   *ledger
	emit     func(shard int, r *outbox.Request)
	samples  int // in a request, at most
	bytes    int
	skipped  [skipReasons]uint64 // see taken

	// Of the present collection and family:
	now     int64
	family  *model.Family
	account *account
	own     string // the name of the label of buckets, quantiles or states
	parts   model.Parts
	grows   bool // values have a start
	layout  layout
	values  []string
	info    []byte
	scratch model.Point
	newest  []*model.Exemplar
}

// begin begins a collection at a time in milliseconds. If that is before the time of
// the one before, the clock was set back so far that times begin anew.
func (e *encoder) begin(now int64) {
	if now < e.now {
		e.ledger.rewind()
	}
	e.now = now
	e.ledger.begin()
	for _, b := range e.builders {
		b.begin()
	}
}

// encode writes a family.
func (e *encoder) encode(f *model.Family) error {
	if f.Name == "" {
		return nil
	}
	e.enter(f, e.ledger.of(f))
	var err error
	switch f.Type {
	case model.Counter, model.Gauge, model.Unknown:
		err = f.VisitScalars(&e.scratch, e.scalars, e.point)
	default:
		err = f.Visit(&e.scratch, e.point)
	}
	for i := range f.Loose() {
		e.loose(&f.Loose()[i])
	}
	e.family, e.scratch = nil, model.Point{}
	return err
}

// enter prepares for the points of a family.
func (e *encoder) enter(f *model.Family, a *account) {
	e.family, e.account, e.own = f, a, ""
	switch f.Type {
	case model.Histogram, model.GaugeHistogram:
		e.own = "le"
	case model.Summary:
		e.own = "quantile"
	case model.StateSet:
		e.own = f.Name
	}
	e.parts = f.Mask() & f.Type.Parts()
	e.grows = f.Type == model.Counter || f.Type == model.Histogram || f.Type == model.Summary
	e.layout.set("", e.own, e.all)
}

// end ends a collection: it ends the series that it has not met, and the requests.
func (e *encoder) end() {
	e.ledger.ended(func(header *model.Family, en *entry) {
		if !en.timed {
			e.enter(header, nil)
			e.mark(en, &shape{}, max(e.now, en.sent+1))
		}
	})
	e.abandon()
}

// abandon ends the requests of a collection that was cut off: the series that it has
// not met have not ended.
func (e *encoder) abandon() {
	e.family, e.account = nil, nil
	for shard, b := range e.builders {
		e.send(shard)
		b.end()
	}
}

// taken returns how many series and samples were skipped since the last call.
func (e *encoder) taken() [skipReasons]uint64 {
	skipped := e.skipped
	e.skipped = [skipReasons]uint64{}
	return skipped
}

// send ends the request of a shard.
func (e *encoder) send(shard int) {
	if b := e.builders[shard]; b.all() > 0 {
		e.emit(shard, b.take(e.now))
	}
}

// meet returns the entry of the point with the labels, and the builder of its shard,
// with the time of its samples. It returns nil if the point cannot be sent.
func (e *encoder) meet(text string, t model.Timestamp) (*entry, *builder, int64) {
	en := e.ledger.entry(e.account, text)
	at := e.now
	if en.timed = t.IsSet(); en.timed {
		at = t.UnixMilli()
	}
	if at <= en.sent {
		if at < en.sent || !en.timed {
			e.skipped[skipOld]++
		}
		return nil, nil, 0
	}
	b := e.builders[en.shard]
	if en.refs.epoch != b.symbols.epoch && !e.read(text) {
		e.skipped[skipInvalid]++
		return nil, nil, 0
	}
	en.sent = at
	return en, b, at
}

// read reads the labels of the present series.
func (e *encoder) read(text string) bool {
	var same bool
	if e.values, same = e.layout.read(text, e.values); !same {
		e.layout.set(text, e.own, e.all)
		if e.values, same = e.layout.read(text, e.values); !same {
			return false
		}
	}
	return e.layout.unfit == ""
}

// scalars writes points that have only a number.
func (e *encoder) scalars(run []model.Scalar) error {
	part := model.PartValue
	if e.family.Type == model.Counter {
		part = model.PartTotal
	}
	if e.parts&part == 0 {
		return nil
	}
	for i := range run {
		s := &run[i]
		if en, b, at := e.meet(s.Labels.Text(), model.Timestamp{}); en != nil {
			b.tail = b.tail[:0]
			e.same(en, b, part)
			b.sample(bitsOf(s.Value), stamp{at, e.startOf(s.Created, at)})
			e.passed(int(en.shard))
		}
	}
	return nil
}

// passed ends the request of a shard if it is full.
func (e *encoder) passed(shard int) {
	if b := e.builders[shard]; b.all() >= e.samples || b.size() >= e.bytes {
		e.send(shard)
	}
}

// startOf returns when a series began, 0 if that is not known or after the sample.
func (e *encoder) startOf(created model.Timestamp, at int64) int64 {
	if !e.grows || !created.IsSet() {
		return 0
	}
	start := created.UnixMilli()
	switch {
	case start > at:
		return 0
	case start == 0:
		return 1 // 0 means that there is none
	}
	return start
}

// series puts the labels of the present series, of a part and with an own label, into
// the builder.
func (e *encoder) series(b *builder, part model.Parts, own string) {
	if b.frame.layout != e.layout.number {
		b.fit(&e.layout, e.family)
	}
	refs := b.refs[:0]
	for i := range e.layout.slots {
		var value uint32
		switch from := e.layout.slots[i].from; from {
		case fromPart:
			i := bits.TrailingZeros16(uint16(part))
			if value = b.frame.parts[i]; value == 0 {
				value = b.symbols.number(e.nameOf(part))
				b.frame.parts[i] = value
			}
		case fromOwn:
			value = b.symbols.number(own)
		case fromAll:
			value = b.frame.values[i]
		default:
			value = b.frame.value(b.symbols, i, e.values[from])
		}
		if value != 0 { // a label without a value is none
			refs = appendNumber(appendNumber(refs, b.frame.names[i]), value)
		}
	}
	b.refs, b.labels = refs, refs
}

// same is series for a point of one number: the labels are those of the collection
// before, if the request has the same symbols.
func (e *encoder) same(en *entry, b *builder, part model.Parts) {
	s := b.symbols
	if en.refs.epoch == s.epoch {
		if b.frame.layout != e.layout.number {
			b.fit(&e.layout, e.family)
		}
		b.labels = s.refs[en.refs.start:en.refs.end]
		return
	}
	e.series(b, part, "")
	start := uint32(len(s.refs))
	s.refs = append(s.refs, b.labels...)
	en.refs = refs{s.epoch, start, uint32(len(s.refs))}
}

// nameOf returns the name of the samples of a part; those of native histograms have
// the family's.
func (e *encoder) nameOf(part model.Parts) string {
	if part == model.PartValue {
		return e.family.BaseName()
	}
	return e.family.NameOf(part)
}

// value writes a sample of the present series.
func (e *encoder) value(b *builder, part model.Parts, own string, v float64, t stamp) {
	b.tail = b.tail[:0]
	e.series(b, part, own)
	b.sample(bitsOf(v), t)
}

// attach puts an exemplar, and the older ones, into the tail of the i-th series of a
// point.
func (e *encoder) attach(en *entry, i int, b *builder, x *model.Exemplar) {
	b.tail = b.tail[:0]
	if x == nil {
		return
	}
	e.newest = e.newest[:0]
	for x := range x.All() {
		e.newest = append(e.newest, x)
	}
	slices.Reverse(e.newest)
	e.exemplars(en, i, b)
}

// exemplars writes those of e.newest that were not sent before, the oldest first, for
// the i-th series of a point.
func (e *encoder) exemplars(en *entry, i int, b *builder) {
	slices.SortStableFunc(e.newest, func(a, b *model.Exemplar) int { return a.Timestamp.Compare(b.Timestamp) })
	sent := en.exemplar(i)
	for _, x := range e.newest {
		if at := x.Timestamp.UnixMilli(); x.Timestamp.IsSet() && at > *sent {
			*sent = at
			b.exemplar(x)
		}
	}
	clear(e.newest)
}

// point writes any point.
func (e *encoder) point(p *model.Point) error {
	text := p.Labels.Text()
	if e.family.Type == model.Info && !p.Info.IsEmpty() {
		e.info = append(e.info[:0], text...)
		if len(text) > 0 {
			e.info = append(e.info, ',')
		}
		e.info = append(e.info, p.Info.Text()...)
		text = string(e.info)
	}
	en, b, at := e.meet(text, p.Timestamp)
	if en == nil {
		return nil
	}
	t := stamp{at, e.startOf(p.Created, at)}
	parts := p.Has & e.parts
	switch e.family.Type {
	case model.Histogram, model.GaugeHistogram:
		e.reshape(en, p, e.histogramParts(p), at)
		e.histogram(en, b, p, t)
	case model.Summary:
		e.reshape(en, p, parts, at)
		e.summary(b, p, parts, t)
	case model.StateSet:
		e.reshape(en, p, parts, at)
		for i := range p.States {
			if s := &p.States[i]; parts != 0 {
				v := 0.0
				if s.On {
					v = 1
				}
				e.value(b, model.PartValue, s.Name, v, stamp{at: at})
			}
		}
	default:
		if parts != 0 {
			e.attach(en, 0, b, p.Exemplar)
			e.same(en, b, parts&-parts)
			b.sample(bitsOf(p.Value), t)
		}
	}
	e.passed(int(en.shard))
	return nil
}

// reshape notes the shape of a point, and ends the series that it has no more.
func (e *encoder) reshape(en *entry, p *model.Point, parts model.Parts, at int64) {
	now := e.account.shapeOf(p, parts)
	if en.shape != nil && en.shape != now && !en.timed {
		e.mark(en, now, at)
	}
	en.shape = now
}

// summary writes a summary.
func (e *encoder) summary(b *builder, p *model.Point, parts model.Parts, t stamp) {
	s := p.Summary
	if s == nil {
		return
	}
	if parts&model.PartValue != 0 {
		for _, q := range s.Quantiles {
			e.value(b, model.PartValue, model.FormatValue(q.Q), q.V, stamp{at: t.at})
		}
	}
	if parts&model.PartCount != 0 {
		e.value(b, model.PartCount, "", s.Count, t)
	}
	if parts&model.PartSum != 0 {
		e.value(b, model.PartSum, "", s.Sum, t)
	}
}

// loose writes a sample that fits no point, as one of unknown type.
func (e *encoder) loose(s *model.Sample) {
	if s.Name == "" || s.NativeHistogram != nil {
		e.skipped[skipInvalid]++
		return
	}
	f := model.Family{Name: s.Name, Type: model.Unknown}
	account := e.ledger.of(&f)
	family := e.family
	e.enter(&f, account)
	_ = e.point(&model.Point{Labels: s.Labels, Has: model.PartValue, Timestamp: s.Timestamp, Value: s.Value, Exemplar: s.Exemplar}) // which has no error
	e.family = family
}

// mark writes stale markers for the series that an entry had and that a shape has not.
func (e *encoder) mark(en *entry, now *shape, at int64) {
	if !e.read(en.labels) {
		return
	}
	b := e.builders[en.shard]
	end := func(part model.Parts, own string) {
		b.tail = b.tail[:0]
		e.series(b, part, own)
		b.sample(staleMarker, stamp{at: at})
	}
	defer func() {
		en.sent = at
		e.passed(int(en.shard))
	}()
	was := en.shape
	if was == nil {
		part := model.PartValue
		if e.family.Type.Parts()&part == 0 {
			part = e.family.Type.Parts() & (model.PartTotal | model.PartInfo)
		}
		end(part, "")
		return
	}
	gone := was.parts &^ now.parts
	gone.Each(func(part model.Parts) {
		if part&(model.PartBucket|model.PartValue) == 0 {
			end(part, "")
		}
	})
	if was.parts&model.PartBucket != 0 {
		upper, left := buckets(was), buckets(now)
		for _, le := range upper {
			if !slices.Contains(left, le) {
				end(model.PartBucket, le)
			}
		}
	}
	if was.native && !now.native {
		b.tail = b.tail[:0]
		e.series(b, model.PartValue, "")
		b.histogram(staleHistogram(b.inner[:0], at))
	}
	if was.parts&model.PartValue == 0 {
		return
	}
	for _, q := range was.quantiles {
		if now.parts&model.PartValue == 0 || !slices.Contains(now.quantiles, q) {
			end(model.PartValue, model.FormatValue(q))
		}
	}
	for _, state := range was.states {
		if now.parts&model.PartValue == 0 || !slices.Contains(now.states, state) {
			end(model.PartValue, strings.Clone(state))
		}
	}
}

// buckets returns the labels of the buckets that a shape has.
func buckets(s *shape) (le []string) {
	if s.parts&model.PartBucket == 0 {
		return nil
	}
	for i := range s.bounds.Len() {
		le = append(le, s.bounds.Spelling(i))
	}
	if lacksInf(s.bounds) {
		le = append(le, infinity)
	}
	return le
}

const infinity = "+Inf"

// lacksInf reports whether bounds do not end with +Inf.
func lacksInf(b *model.Bounds) bool {
	n := b.Len()
	return n == 0 || !math.IsInf(b.Upper()[n-1], 1)
}

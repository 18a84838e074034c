package telltale

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/internal/series"
	"telltale/model"
)

// kind is what differs between counters, gauges and their like.
type kind[H any] struct {
	words func(*definition) int             // cells of a series that its handle does not hold
	bind  func(*H, *cell.Word, *definition) // makes a zeroed handle ready
	share func(h *H, row *cell.Word)        // lets a handle count in a row of its store, with what it has counted
	part  func(h *H) (row *cell.Word)       // lets it count on the heap again; nil if it did
	fresh func(*H) bool                     // whether it has not counted
	// confirm takes what is in its row for set, though it be zero; nil for kinds
	// to which that is the same.
	confirm func(*H)
	// tend does what a collection does for a handle without reading it; nil for kinds
	// that need nothing.
	tend func(h *H, created model.Timestamp, s *scratch)
	// read puts its value into a point that the scratch has made, and tends it.
	read func(h *H, d *definition, point *model.Point, s *scratch)
}

// instrument is the untyped core that a registry holds, whatever handle it was
// registered through.
type instrument interface {
	Collector
	Describer
	what() *definition
	header() *model.Family
	count() int
	callsBack() bool // whether reading it runs users' code
	shared() bool    // whether its cells are in a store
	share(cell.Store)
	unshare()
	untouched() bool // whether nothing was counted yet
	tend()           // in the place of a walk, where a store shows the series
}

// core is the series of one definition. The methods that [Vec] and [Of] call do
// nothing on a nil core, which the zero Vec and the zero Of have.
type core[H any] struct {
	*definition
	kind      *kind[H]
	family    *model.Family
	series    *series.Set[H]
	callbacks atomic.Bool
	filling   *filling // nil unless it is what replace fills

	mu       sync.Mutex // held to change series
	detached *H
	rendered []byte // scratch for a new series' text
}

func newCore[H any](d *definition, k *kind[H]) *core[H] {
	c := &core[H]{definition: d, kind: k, series: series.New[H](len(d.labels) > 0)}
	c.family = d.newFamily().WithPoints(c)
	d.owner = c
	if len(d.labels) == 0 {
		c.create(series.Digest{}, []byte(d.constLabels.Text()))
	}
	return c
}

func (c *core[H]) what() *definition     { return c.definition }
func (c *core[H]) header() *model.Family { return c.family }
func (c *core[H]) callsBack() bool       { return c.callbacks.Load() }
func (c *core[H]) count() int {
	if c == nil {
		return 0
	}
	return c.series.Len()
}

// Describe returns the instrument's family without samples.
func (c *core[H]) Describe() []*model.Family {
	if c == nil {
		return nil
	}
	return []*model.Family{c.family.Header()}
}

// Collect emits the instrument's family. One with functions is collected as a
// custom collector is.
func (c *core[H]) Collect(ctx context.Context, emit func(*model.Family) error) error {
	switch {
	case c == nil:
		return nil
	case c.callsBack():
		return collect(ctx, c, accountOf(c), emit)
	}
	return emit(c.family)
}

// inner returns the collector that calls the instrument's functions.
func (c *core[H]) inner() Collector { return functions[H]{c} }

// functions is an instrument with what its series' functions say.
type functions[H any] struct{ core *core[H] }

// Collect emits a copy, so that however often it is walked the functions are
// called once.
func (f functions[H]) Collect(_ context.Context, emit func(*model.Family) error) error {
	return emit(f.core.family.WithPoints(f).Clone())
}

// VisitPoints walks the series as [core.VisitPoints] does, and calls functions.
func (f functions[H]) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	room := scratches.Get().(*scratch)
	room.functions = true
	return f.core.walk(room, p, visit)
}

// VisitPoints walks the series in the order of their creation. Series that come
// meanwhile are not seen, those that go may be. It runs no users' code: a series
// with a function has the value that it was set to.
func (c *core[H]) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	room := scratches.Get().(*scratch)
	room.functions = false
	return c.walk(room, p, visit)
}

func (c *core[H]) walk(room *scratch, p *model.Point, visit func(*model.Point) error) error {
	defer func() {
		*p = model.Point{} // what it refers to is another walk's now
		scratches.Put(room)
	}()
	*p = room.point(c.definition)
	walk := c.series.Walk()
	for run := walk.Next(); len(run) > 0; run = walk.Next() {
		for i := range run {
			slot := &run[i]
			var there bool
			p.Labels = slot.Labels()
			if p.Created, there = slot.Created(); !there {
				continue
			}
			c.kind.read(&slot.Handle, c.definition, p, room)
			if err := visit(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// scratch is what the points of an instrument refer to while they are visited.
// Walks hand it on to each other, so that scraping many families allocates no
// more than scraping few.
type scratch struct {
	histogram model.HistogramValue
	native    model.NativeHistogram
	summary   model.SummaryValue
	states    []model.State
	now       time.Time // of the walk, once a series asked for it

	snapshot, work exponential.Snapshot

	functions bool // the walk calls the series' functions
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// point returns a point with room for what the definition's series have.
func (s *scratch) point(d *definition) (p model.Point) {
	s.now = time.Time{}
	switch d.typ {
	case model.Histogram:
		p.Histogram = &s.histogram
		if s.histogram.Native = nil; d.native != nil {
			s.histogram.Native = &s.native
		}
	case model.Summary:
		p.Summary = &s.summary
	case model.StateSet:
		s.states = slices.Grow(s.states[:0], len(d.states))
		p.States = s.states
	}
	return p
}

// LegacyLabels reports whether all series have legacy label names, which the
// definition settles but for an info, whose Set brings names of its own.
func (c *core[H]) LegacyLabels() bool { return c.legacy && c.typ != model.Info }

// only returns the one series of an instrument without labels.
func (c *core[H]) only() *H { return c.series.Only() }

// with returns the series of the label values, creating it if need be. The
// lookup of a series that is there takes no lock, allocates nothing and keeps
// nothing of what it is given.
func (c *core[H]) with(values []string) *H {
	if c == nil {
		return new(H)
	}
	if len(values) != len(c.labels) {
		return c.wrongArity(len(c.labels), len(values))
	}
	d := series.DigestOf(values)
	if h := c.series.Find(d, c.separators, values); h != nil {
		return h
	}
	return c.withNew(d, values)
}

// withNew looks harder for a series that find did not find, then creates it.
func (c *core[H]) withNew(d series.Digest, values []string) *H {
	if c.needsTaming(values) {
		values = c.tame(values)
		d = series.DigestOf(values)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.render(values)
	if slot := c.series.Get(d, text); slot != nil {
		return &slot.Handle
	}
	if len(text) != c.plainLength(values) {
		d = d.Escaped()
	}
	return c.create(d, text)
}

// plainLength is how long a series' text is if nothing in it is escaped.
func (c *core[H]) plainLength(values []string) int {
	n := len(c.separators[len(values)])
	for i, v := range values {
		n += len(c.separators[i]) + len(v)
	}
	return n
}

// render makes the text of a series in a scratch buffer. The caller holds the
// lock.
func (c *core[H]) render(values []string) []byte {
	c.rendered = c.rendered[:0]
	for i, v := range values {
		c.rendered = append(c.rendered, c.separators[i]...)
		c.rendered = model.AppendEscaped(c.rendered, v)
	}
	c.rendered = append(c.rendered, '"')
	return c.rendered
}

// create adds a series. The caller holds the lock, or nobody else knows c.
func (c *core[H]) create(d series.Digest, text []byte) *H {
	rows, words := c.rows(), c.kind.words(c.definition)
	if rows != nil {
		words = 0 // they are the store's
	}
	slot, first := c.series.Reserve(d, text, words)
	now := time.Now()
	c.kind.bind(&slot.Handle, first, c.definition)
	switch {
	case rows == nil:
	case c.filling != nil:
		c.kind.share(&slot.Handle, c.filling.reserve(&slot.Series))
	default:
		c.kind.share(&slot.Handle, rows.Add(slot.Labels(), now))
	}
	c.series.Publish(slot, now)
	return &slot.Handle
}

func (c *core[H]) wrongArity(takes, given int) *H {
	if c == nil {
		return new(H)
	}
	c.fault(ReasonArity, func() error {
		return fmt.Errorf("telltale: %s takes %d label values and was given %d", c.definition, takes, given)
	})
	return c.detach()
}

// detach returns a handle that no scrape sees, for callers who asked for a
// series that cannot be. It is one for all of them.
func (c *core[H]) detach() *H {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.detached == nil {
		slot, first := series.New[H](false).Reserve(series.Digest{}, nil, c.kind.words(c.definition))
		c.kind.bind(&slot.Handle, first, c.definition)
		c.detached = &slot.Handle
	}
	return c.detached
}

// remove takes out the series of the label values, if it is there.
func (c *core[H]) remove(values []string) bool {
	if c == nil {
		return false
	}
	if len(values) != len(c.labels) {
		c.wrongArity(len(c.labels), len(values))
		return false
	}
	if c.needsTaming(values) {
		values = c.tame(values)
	}
	c.mu.Lock()
	slot := c.series.Get(series.DigestOf(values), c.render(values))
	c.mu.Unlock()
	if slot == nil {
		return false
	}
	n, gone := c.takeOut(nil, slot)
	c.forget(gone)
	return n == 1
}

// removeMatching takes out the series that have all of the labels, and returns
// how many they were.
func (c *core[H]) removeMatching(labels map[string]string) (n int) {
	if c == nil || len(labels) == 0 {
		return 0
	}
	wanted := make(map[string]string, len(labels))
	for name, value := range labels {
		if !slices.Contains(c.labels, name) {
			c.fault(ReasonUnknownLabel, func() error {
				return fmt.Errorf("telltale: %s has no label %q to remove by", c.definition, name)
			})
			return 0
		}
		wanted[name] = c.tameOne(name, value)
	}
	// Others create series while this looks, and between batches.
	var gone []model.Labels
	batch := make([]*series.Slot[H], 0, removedAtOnce)
	takeOut := func() {
		var m int
		m, gone = c.takeOut(gone, batch...)
		n, batch = n+m, batch[:0]
	}
	for slot := range c.series.Walk().Living() {
		if !hasLabels(slot.Labels(), wanted) {
			continue
		}
		if batch = append(batch, slot); len(batch) == removedAtOnce {
			takeOut()
		}
	}
	takeOut()
	c.forget(gone)
	return n
}

// removedAtOnce is how many series are removed while the lock is held.
const removedAtOnce = 64

// takeOut removes the series that are still there. It returns how many they
// were, and gone with those that a store had.
func (c *core[H]) takeOut(gone []model.Labels, slots ...*series.Slot[H]) (int, []model.Labels) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, rows := 0, c.rows()
	for _, slot := range slots {
		labels := slot.Labels()
		if c.series.Remove(slot) {
			n++
			if c.withdraw(&slot.Handle, rows) {
				gone = append(gone, labels)
			}
		}
	}
	return n, gone
}

// hasLabels reports whether all of the labels are in a series' text.
func hasLabels(labels model.Labels, wanted map[string]string) bool {
	found := 0
	for name, value := range labels.All() {
		if want, asked := wanted[name]; asked && want == value {
			found++
		}
	}
	return found == len(wanted)
}

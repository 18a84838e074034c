package telltale

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/internal/exponential"
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
	// read puts its value into a point that the scratch has made.
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
}

// core is the series of one definition. The methods that [Vec] and [Of] call do
// nothing on a nil core, which the zero Vec and the zero Of have.
type core[H any] struct {
	*definition
	kind      *kind[H]
	family    *model.Family
	table     atomic.Pointer[table[H]]
	callbacks atomic.Bool
	filling   bool // for replace: on the heap, wherever the instrument is

	mu       sync.Mutex // held to create, remove and replace series
	arena    arena
	detached *H
	rendered []byte // scratch for a new series' text
}

func newCore[H any](d *definition, k *kind[H]) *core[H] {
	c := &core[H]{definition: d, kind: k}
	c.family = d.newFamily().WithPoints(c)
	c.table.Store(&table[H]{})
	d.owner = c
	if len(d.labels) == 0 {
		c.create(digest{}, d.constLabels.Text())
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
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.table.Load().live
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

// VisitPoints walks the series in the order of their creation, through memory
// forward. Series that come or go meanwhile may or may not be seen. It runs no
// users' code: a series with a function has the value that it was set to.
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
	for _, ch := range c.table.Load().chunks {
		if ch == nil {
			continue
		}
		for i, used := 0, int(ch.used.Load()); i < used; i++ {
			s := &ch.slots[i]
			created := s.created.Load()
			if created == removed {
				continue
			}
			p.Labels, p.Created = model.LabelsFromText(s.text()), unpack(created)
			c.kind.read(&s.handle, c.definition, p, room)
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

	snapshot, work exponential.Snapshot

	functions bool // the walk calls the series' functions
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// point returns a point with room for what the definition's series have.
func (s *scratch) point(d *definition) (p model.Point) {
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
func (c *core[H]) only() *H { return &c.table.Load().chunks[0].slots[0].handle }

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
	d := digestOf(values)
	if h := c.table.Load().find(d, c.separators, values); h != nil {
		return h
	}
	return c.withNew(d, values)
}

// withNew looks harder for a series that find did not find, then creates it.
func (c *core[H]) withNew(d digest, values []string) *H {
	if c.needsTaming(values) {
		values = c.tame(values)
		d = digestOf(values)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.render(values)
	if entry := c.table.Load().entryOf(d.hash, text); entry >= 0 {
		return &c.table.Load().slot(entry).handle
	}
	if len(text) != c.plainLength(values) {
		d.widths = 0 // something is escaped
	}
	return c.create(d, c.arena.keep(text))
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
func (c *core[H]) create(d digest, text string) *H {
	t, h := c.table.Load().insert(d, text, c.kind, c.definition, c.rows())
	c.table.Store(t)
	return h
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
		_, c.detached = new(table[H]).insert(digest{}, "", c.kind, c.definition, nil)
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
	var gone []model.Labels
	defer func() { c.forget(gone...) }() // without the lock
	c.mu.Lock()
	defer c.mu.Unlock()
	rendered, t := c.render(values), c.table.Load()
	entry := t.entryOf(digestOf(values).hash, rendered)
	if entry < 0 {
		return false
	}
	gone = append(gone, c.withdraw(t.slot(entry)))
	if t.remove(entry) {
		c.table.Store(t.tidy())
	}
	return true
}

// removeMatching takes out the series that have all of the labels, and returns
// how many they were.
func (c *core[H]) removeMatching(labels map[string]string) int {
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
	var gone []model.Labels
	defer func() { c.forget(gone...) }()
	c.mu.Lock()
	defer c.mu.Unlock()
	t, tidy, n := c.table.Load(), false, 0
	for entry := range t.index {
		id := t.index[entry].Load()
		if id == 0 || id == noSeries {
			continue
		}
		if hasLabels(t.at(id-1).text(), wanted) {
			gone = append(gone, c.withdraw(t.slot(entry)))
			tidy = t.remove(entry) || tidy
			n++
		}
	}
	if tidy {
		c.table.Store(t.tidy())
	}
	return n
}

// hasLabels reports whether all of the labels are in a series' text.
func hasLabels(text string, wanted map[string]string) bool {
	found := 0
	for name, value := range model.LabelsFromText(text).All() {
		if want, asked := wanted[name]; asked && want == value {
			found++
		}
	}
	return found == len(wanted)
}

// clear takes out all series of an instrument with labels.
func (c *core[H]) clear() {
	if c == nil {
		return
	}
	var gone []model.Labels
	defer func() { c.forget(gone...) }()
	c.mu.Lock()
	defer c.mu.Unlock()
	gone = c.withdrawAll()
	c.table.Store(&table[H]{})
	c.arena = arena{}
}

// replace puts the series that fill creates in the place of all that are there,
// in one step. If fill panics nothing has changed.
func (c *core[H]) replace(fill func(next *core[H])) {
	if c == nil {
		return
	}
	next := &core[H]{definition: c.definition, kind: c.kind, filling: true}
	next.family = c.family.WithPoints(next)
	next.table.Store(&table[H]{})
	fill(next)
	next.mu.Lock()
	filled, text := next.table.Load(), next.arena
	next.table.Store(&table[H]{}) // whoever kept next can no longer add to what is c's now
	next.arena = arena{}
	next.mu.Unlock()
	var gone []model.Labels
	defer func() { c.forget(gone...) }()
	c.mu.Lock()
	defer c.mu.Unlock()
	gone = c.withdrawAll()
	c.table.Store(filled)
	c.arena = text
	if rows := c.rows(); rows != nil {
		c.settle(rows)
		if c.kind.confirm != nil {
			for s := range filled.all() {
				c.kind.confirm(&s.handle)
			}
		}
	}
}

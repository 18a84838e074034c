package telltale

import (
	"context"
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/internal/series"
	"telltale/model"
)

// kind is what differs between counters, gauges and their like, H being the handle
// of a series.
type kind[H any] struct {
	typ   model.Type
	words func(*definition) int                     // cells of a series that its handle does not hold
	bind  func(h *H, first *cell.Word, of *core[H]) // makes a zeroed handle ready
	share func(h *H, row *cell.Word)                // moves a handle and what it has counted into a row of its store
	part  func(h *H) (row *cell.Word)               // moves it to the heap and returns the row that it leaves, nil if it had none
	fresh func(h *H) bool                           // whether it has not counted
	// confirm marks a row as set though its value may be 0, so that it takes part in
	// most-recent merges; nil for kinds without such merges.
	confirm func(h *H)
	// tend does what a collection does for a handle without reading it; nil for kinds
	// that need nothing.
	tend func(h *H, created model.Timestamp, s *scratch)
	// read puts its value into a point that the scratch has made, and tends it.
	read func(h *H, point *model.Point, s *scratch)
}

// instrument is a core, whatever its handles are. A registry holds it, through
// whichever handle, Vec or Of it was registered.
type instrument interface {
	Collector
	Describer
	defined
	count() int           // of series
	shared() bool         // whether its cells are in a store
	share(cell.Store)     // moves them there
	unshare()             // moves them back to the heap
	untouched() bool      // whether nothing was counted yet
	callsBack() bool      // whether reading it runs users' code
	tend()                // does what a walk does beside reading, where a store shows the series
	madeFor(*faults) bool // whether it was made for the registry with these faults
	header() *model.Family
}

// defined is what instruments and callbacks have in common.
type defined interface {
	what() *definition
	reportTo(*faults)      // has misuse counted by a registry, unless another counts it
	stopReporting(*faults) // ends that
}

// core is an instrument: its definition, where its misuse is reported, whether its
// cells are in a store, and its series. Every handle refers to it.
type core[H any] struct {
	definition
	moving  cell.Moving // held to move a series to a row of the store or back
	kind    *kind[H]
	table   *table[H]
	sharing atomic.Pointer[sharing]
	reporter

	family    *model.Family // with all series
	home      *faults       // of the registry for which it was made; nil if for none
	callbacks atomic.Bool   // some series have had functions
}

func newCore[H any](d *definition, k *kind[H]) *core[H] {
	c := &core[H]{definition: *d, kind: k, reporter: reporter{subject: d.name}}
	c.table = newTable(c)
	c.family = d.newFamily().WithPoints(c.table)
	if len(d.labels) == 0 {
		c.table.create(series.Digest{}, []byte(d.constLabels.Text()))
	}
	return c
}

func (c *core[H]) what() *definition      { return &c.definition }
func (c *core[H]) header() *model.Family  { return c.family }
func (c *core[H]) callsBack() bool        { return c.callbacks.Load() }
func (c *core[H]) count() int             { return c.table.count() }
func (c *core[H]) madeFor(f *faults) bool { return c.home == f }

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

// VisitPoints walks the series as [table.VisitPoints] does, and calls functions.
func (f functions[H]) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	room := scratches.Get().(*scratch)
	room.functions = true
	return f.core.table.walk(room, p, visit)
}

// handle is what all handles have in common: the core of their instrument. A handle
// is a collector too: it stands for the family of its instrument, with all its
// series. A zero handle has no core.
type handle[H any] struct{ core *core[H] }

// Collect emits the family to which the handle belongs.
func (h *handle[H]) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return h.core.Collect(ctx, emit)
}

// Describe returns the family to which the handle belongs, without samples.
func (h *handle[H]) Describe() []*model.Family { return h.core.Describe() }

// name returns the name of the family, "" for a zero handle.
func (h *handle[H]) name() string {
	if h.core == nil {
		return ""
	}
	return h.core.name
}

func (h *handle[H]) instrument() instrument {
	if h.core == nil {
		return nil
	}
	return h.core
}

package telltale

// What an instrument is made of: the core that handles refer to, its table of
// series, and what differs between kinds of instruments.

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/series"
	"telltale/model"
)

// kind is what differs between counters, gauges and their like, H being the handle
// of a series.
type kind[H any] struct {
	typ    model.Type
	sums   bool                                      // series beyond the limit count in one of overflow; of the other kinds their updates are lost
	words  func(*definition) int                     // cells of a series that its handle does not hold
	bind   func(h *H, first *cell.Word, of *core[H]) // makes a zeroed handle ready
	share  func(h *H, row *cell.Word)                // moves a handle and what it has counted into a row of its store
	toHeap func(h *H) (row *cell.Word)               // moves it to the heap and returns the row that it leaves, nil if it had none
	fresh  func(h *H) bool                           // whether it has not counted
	// confirm marks a row as set though its value may be 0, so that it takes part in
	// most-recent merges; nil for kinds without such merges.
	confirm func(h *H)
	// tend does what a collection does for a handle without reading it; nil for kinds
	// that need nothing.
	tend func(h *H, created model.Timestamp, s *scratch)
	// read puts its value into a point that the scratch has made, and tends it.
	read func(h *H, point *model.Point, s *scratch)
	life life[H] // how a series leaves when it was not updated for long, and comes back
	// scalars reads series of a run into the scratch, as long as there is room and
	// they are scalars, and returns how many. nil for kinds that have none.
	scalars func(run []series.Slot[H], s *scratch) int
}

// life is what a kind of instrument does for series that leave when they were not
// updated for long. A handle that is away is one whose series is about to leave or has
// left; whoever updates it makes sure that it comes back. The table calls the functions
// under its lock.
type life[H any] struct {
	// updated reports whether a series was updated since it was last called, and notes
	// what it has counted now.
	updated func(h *H, of *series.Track[H]) bool
	// leave empties a series that is away, which was not updated when updated was last
	// called. It reports false, and has changed nothing, if it was since. One in a row of
	// a store leaves that as it is, and returns it.
	leave func(h *H, of *series.Track[H]) (from departure, left bool)
	// enter makes a series that has left ready to come back. What was counted late is the
	// beginning of its value.
	enter func(h *H, of *series.Track[H])
	// resume moves a handle back to the row in which its series was parked; nil for kinds
	// that share such a row as any other.
	resume func(h *H, in cell.Parked)
	// pour moves what was counted late in a handle to the handle of a series that is there.
	pour func(h *H, of *series.Track[H], to *H)
}

// departure is what a series that has left a store leaves there; zero on the heap.
type departure struct {
	row  *cell.Word
	kept unsafe.Pointer // see [cell.Rows.Park]
}

// instrument is a core, whatever its handles are. A registry holds it, through
// whichever handle, Vec or Of it was registered.
type instrument interface {
	Collector
	Describer
	defined
	count() int           // of series
	refusals() uint64     // how many lookups found no room for a new series
	join(*quota)          // has the series counted by a registry's quota, and creates those that exist from the start
	leave()               // ends that
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
	refused   atomic.Uint64 // lookups that found no room for a new series
	began     time.Time     // from which the ages of series are counted
	eras      atomic.Uint64 // how many tables there were, and Clears
}

func (c *core[H]) what() *definition      { return &c.definition }
func (c *core[H]) header() *model.Family  { return c.family }
func (c *core[H]) callsBack() bool        { return c.callbacks.Load() }
func (c *core[H]) count() int             { return c.table.count() }
func (c *core[H]) refusals() uint64       { return c.refused.Load() }
func (c *core[H]) madeFor(f *faults) bool { return c.home == f }

// sharing links an instrument to its family's rows in a Store.
type sharing struct{ cell.Rows }

// table holds the series of an instrument, by label values. An instrument has one;
// while Replace runs there is a second one, which then takes its place. The methods
// that [Vec] and [Of] call do nothing on a nil table, which the zero Vec and the
// zero Of have.
type table[H any] struct {
	core    *core[H]
	series  *series.Set[H]
	filling *filling // nil unless Replace fills it

	mu        sync.Mutex      // held to change series
	quota     *quota          // of the registry; nil while the table is in none
	overflow  *series.Slot[H] // the series whose values are all "overflow"; nil before it is needed, and it may be removed
	restarted bool            // series were removed, so that a new one may be one of them again
	populated bool            // with the series that exist from the start
	detached  *H
	rendered  []byte // scratch for a new series' text

	era    uint64        // changes when other series take the place of all; expired ones of an earlier era do not come back
	looked time.Duration // when all series were last looked at, see sweep; since core.began
	next   int           // where looks at a few go on
}

// manyLabels is how many label values are looked up without allocating.
const manyLabels = 8

func newTable[H any](c *core[H]) *table[H] {
	return &table[H]{core: c, series: c.newSet(), era: c.eras.Add(1), looked: -c.idleExpiry}
}

// newSet returns a set for series of the instrument.
func (c *core[H]) newSet() *series.Set[H] {
	if c.expires {
		return series.NewTracked[H]()
	}
	return series.New[H](len(c.labels) > 0)
}

// limited returns how many series there are without that of overflow. The caller
// holds the lock.
func (t *table[H]) limited() int {
	n := t.series.Len()
	if t.overflow != nil {
		if _, there := t.overflow.Created(); there {
			n--
		}
	}
	return n
}

// count returns how many series there are.
func (t *table[H]) count() int {
	if t == nil {
		return 0
	}
	return t.series.Len()
}

// filling is what a table has that Replace fills. In a store its series have rows
// from the beginning, in a round that nobody sees before it takes the place of the
// others. Their handles need not move then, so that nothing is lost of what they
// count meanwhile. It is read and changed under the table's lock.
type filling struct {
	rows  cell.Rows // nil on the heap
	round uint64
}

// lay returns a row for a series, nil on the heap.
func (f *filling) lay(labels model.Labels, created time.Time) *cell.Word {
	if f.rows == nil {
		return nil
	}
	return f.rows.Lay(f.round, labels, created)
}

// handle is what all handles have in common: the core of their instrument. A handle
// is a collector too: it stands for the family of its instrument, with all its
// series. A zero handle has no core.
type handle[H any] struct{ core *core[H] }

// name returns the name of the family, "" for a zero handle.
func (h *handle[H]) name() string {
	if h.core == nil {
		return ""
	}
	return h.core.name
}

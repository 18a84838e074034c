package telltale

// The registry: which collectors it holds and which names they claim.

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"telltale/internal/cell"
	"telltale/internal/gather"
	"telltale/model"
)

// ErrNotRegistered is the error of [Registry.Unregister] for a collector that the
// registry does not hold.
var ErrNotRegistered = errors.New("telltale: the collector is not registered")

// Registry holds collectors and collects their families. All methods are safe
// for concurrent use, from inside collectors too: no lock is held while a
// collector is described or collected.
//
// A registry is a Collector itself and can be registered with another, where it
// claims no names; families whose names clash are left out of the page. The zero
// Registry is empty and ready to use.
type Registry struct {
	autoDescribe bool
	legacyNames  bool
	retention    *int         // nil means DefaultRetention
	kept         atomic.Int64 // bytes of its custom collectors' families
	coalesce     time.Duration
	faults       faults
	seriesLimit  *int             // of each family; nil means DefaultSeriesLimit
	total        quota            // of the series of all instruments that were made for it
	invalid      error            // of an option; then nothing is registered and nothing collected
	publication  cell.Publication // in the store

	mu          sync.RWMutex
	store       cell.Store          // nil if all is in this process
	published   map[*entry][]string // names that collectors emitted for it
	entries     []*entry            // in registration order; nil where one was unregistered
	gaps        int
	byCollector map[Collector]*entry
	claims      map[string]*entry   // sample and family names
	joined      map[string][]*entry // further entries that claim a name, whose families join with the first's
	unclaimed   map[*entry]struct{}
	target      map[string]string
	targetInfo  *model.Family // nil without target labels
}

// RegistryOption is an option of [NewRegistry].
type RegistryOption interface{ applyRegistry(*Registry) }

type registryOption func(*Registry)

func (o registryOption) applyRegistry(r *Registry) { o(r) }

// holder returns what the registry settles for its collectors, in addition to what
// those around it settle: outer, nil if there are none.
func (r *Registry) holder(outer *holder) *holder {
	h := &holder{room: gather.Room{Limit: DefaultRetention, Kept: &r.kept}, coalesce: r.coalesce}
	if r.retention != nil {
		h.room.Limit = *r.retention
	}
	if outer != nil {
		h.accounts, h.coalesce = outer.accounts, cmp.Or(h.coalesce, outer.coalesce)
	}
	h.accounts = h.accounts.With(&r.faults)
	return h
}

// familyLimit returns how many series a family may have, 0 for any number.
func (r *Registry) familyLimit() int {
	if r.seriesLimit == nil {
		return DefaultSeriesLimit
	}
	return *r.seriesLimit
}

// describing returns how the registry asks collectors for their names.
func (r *Registry) describing() describing {
	return describing{asksAll: r.autoDescribe, legacy: r.legacyNames}
}

// Register adds a collector. It fails, and nothing has changed, with a
// [*DuplicateError] if the collector is registered or a name that it describes
// is claimed by one whose family of that name it cannot join; and with other errors
// if it cannot be described, if a name is not valid, or if it is a registry that
// would come to contain itself.
//
// Two families join, and are one on the page, if they have one definition and a
// constant label or a label of a view ([Labelled]) has different values in them.
// Their names, types, units, label names and buckets must agree, as far as they are
// known. An instrument joins another if nothing but the values of its constant
// labels differs.
func (r *Registry) Register(c Collector) error {
	c, err := identity(c)
	if err != nil {
		return err
	}
	e, err := r.describing().newEntry(c)
	if err != nil {
		return err
	}
	if accountIn(c) != nil {
		nesting.Lock()
		defer nesting.Unlock()
		if contains(c, r) {
			return fmt.Errorf("telltale: registering %T would let a registry contain itself", c)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.invalid != nil {
		return r.invalid
	}
	if err := r.clashes(e); err != nil {
		return err
	}
	if r.store != nil && reads(c, r.store) {
		return errSameDirectory
	}
	if r.byCollector == nil {
		r.byCollector, r.claims, r.unclaimed = make(map[Collector]*entry), make(map[string]*entry), make(map[*entry]struct{})
	}
	e.position = len(r.entries)
	r.entries = append(r.entries, e)
	r.byCollector[c] = e
	for _, name := range e.claims {
		r.claim(name, e)
	}
	if len(e.claims) == 0 {
		r.unclaimed[e] = struct{}{}
	}
	if d, ok := c.(defined); ok {
		d.reportTo(&r.faults)
	}
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	visitCustom(c, r.faults.records.add)
	r.adopt(c)
	return nil
}

// Unregister takes a collector out and frees the names it claimed. It returns
// [ErrNotRegistered] if the registry does not hold it. An instrument may be
// given by any of its handles.
func (r *Registry) Unregister(c Collector) error {
	c, err := identity(c)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byCollector[c]
	if !ok {
		return fmt.Errorf("%w: %s", ErrNotRegistered, (&entry{collector: c}).Name())
	}
	delete(r.byCollector, c)
	delete(r.unclaimed, e)
	for _, name := range e.claims {
		r.disclaim(name, e)
	}
	r.entries[e.position] = nil
	if r.gaps++; r.gaps > 16 && 2*r.gaps > len(r.entries) {
		r.entries = slices.DeleteFunc(r.entries, func(e *entry) bool { return e == nil })
		for i, e := range r.entries {
			e.position = i
		}
		r.gaps = 0
	}
	if d, ok := c.(defined); ok {
		d.stopReporting(&r.faults)
	}
	if i, ok := c.(instrument); ok && i.madeFor(&r.faults) {
		i.leave()
		i.unshare()
	}
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	visitCustom(c, r.faults.records.remove)
	return nil
}

// claim notes that an entry has a name. The caller holds the lock.
func (r *Registry) claim(name string, e *entry) {
	if _, held := r.claims[name]; !held {
		r.claims[name] = e
		return
	}
	if r.joined == nil {
		r.joined = make(map[string][]*entry)
	}
	r.joined[name] = append(r.joined[name], e)
}

// disclaim notes that an entry has a name no more. The caller holds the lock.
func (r *Registry) disclaim(name string, e *entry) {
	others := r.joined[name]
	if r.claims[name] == e {
		if len(others) == 0 {
			delete(r.claims, name)
			return
		}
		r.claims[name], others = others[0], others[1:]
	} else {
		others = slices.DeleteFunc(others, func(o *entry) bool { return o == e })
	}
	if r.joined[name] = others; len(others) == 0 {
		delete(r.joined, name)
	}
}

// claimants iterates over the entries that claim a name: one, or those whose families
// of that name join. The caller holds the lock.
func (r *Registry) claimants(name string) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		e, ok := r.claims[name]
		if !ok || !yield(e) {
			return
		}
		for _, e := range r.joined[name] {
			if !yield(e) {
				return
			}
		}
	}
}

const (
	targetName     = "target"
	targetInfoName = "target_info"
	targetHelp     = "Target metadata"
)

// nesting is held while a registry is registered with another, so that two
// registries cannot come to contain each other at the same moment.
var nesting sync.Mutex

// clashes returns the error of registering the entry, if there is one. The
// caller holds the lock.
func (r *Registry) clashes(e *entry) error {
	var duplicate DuplicateError
	for _, name := range e.claims {
		for held := range r.claimants(name) {
			if reason := e.joins(held, name); reason != nil {
				duplicate.Clashes = append(duplicate.Clashes, Clash{Name: name, Holder: held.collector, Held: held.String(), reason: reason})
				break
			}
		}
		if name == targetInfoName && r.targetInfo != nil && r.claims[name] == nil {
			duplicate.Clashes = append(duplicate.Clashes, Clash{Name: name, Holder: r, Held: "the registry's target info"})
		}
	}
	if held, ok := r.byCollector[e.collector]; ok {
		duplicate.again = true
		if len(duplicate.Clashes) == 0 {
			duplicate.Clashes = []Clash{{Holder: held.collector, Held: held.String()}}
		}
	}
	if len(duplicate.Clashes) == 0 {
		return nil
	}
	duplicate.Collector = e.String()
	return &duplicate
}

// adopt counts the series of an instrument that was made for the registry, and moves
// them to its store. The caller holds the lock.
func (r *Registry) adopt(c Collector) {
	i, ok := c.(instrument)
	if !ok || !i.madeFor(&r.faults) {
		return
	}
	i.join(&r.total)
	if r.store != nil {
		i.share(r.store)
	}
}

var errSameDirectory = errors.New("telltale: the collector reads the directory in which the registry has its store, so every series would be on the page twice")

// reads reports whether a collector, or one in it, reads what a registry with the
// store shows anyway.
func reads(c Collector, store cell.Store) bool {
	read, ok := cell.OriginOf(c)
	if !ok {
		return slices.ContainsFunc(children(c), func(c Collector) bool { return reads(c, store) })
	}
	written, ok := cell.OriginOf(store.Merged())
	return ok && read.Same(written)
}

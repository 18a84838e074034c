package telltale

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/internal/gather"
	"telltale/model"
)

// Default is the registry of instruments that are not told another. Collectors
// without Describe are asked once, when they are registered, what they emit.
// Nothing registers itself with it by being imported.
var Default = NewRegistry(WithAutoDescribe())

var errNil = errors.New("telltale: the collector is nil")

// ErrNotRegistered is what Unregister returns for a collector it does not hold.
var ErrNotRegistered = errors.New("telltale: the collector is not registered")

// Registry holds collectors and collects them together. All methods are safe
// for concurrent use, from inside collectors too: no lock is held while a
// collector is described or collected.
//
// A registry is a Collector itself and can be registered with another, where it
// claims no names; what clashes is left out at the scrape. The zero Registry is
// empty and ready to use.
type Registry struct {
	autoDescribe bool
	legacyNames  bool
	retention    *int         // nil means DefaultRetention
	kept         atomic.Int64 // bytes of its custom collectors' families
	faults       faults
	invalid      error            // of an option; then nothing is registered and nothing collected
	publication  cell.Publication // in the store

	mu          sync.RWMutex
	store       Store               // nil if all is in this process
	published   map[*entry][]string // names that collectors emitted for it
	entries     []*entry            // in registration order; nil where one was unregistered
	gaps        int
	byCollector map[Collector]*entry
	claims      map[string]*entry // sample and family names
	unclaimed   map[*entry]struct{}
	target      map[string]string
	targetInfo  *model.Family // nil without target labels
}

// entry is a registered collector.
type entry struct {
	collector Collector
	position  int // in entries
	claims    []string
	families  []*model.Family // described when it was registered, if that does not change
	literal   map[string]bool // sample names of counters and infos whose base name another of its families has
}

// RegistryOption is an option of [NewRegistry].
type RegistryOption interface{ applyRegistry(*Registry) }

type registryOption func(*Registry)

func (o registryOption) applyRegistry(r *Registry) { o(r) }

// WithAutoDescribe lets Register collect a collector once that has no Describe,
// to learn and claim its names.
func WithAutoDescribe() RegistryOption {
	return registryOption(func(r *Registry) { r.autoDescribe = true })
}

// WithTargetInfo gives the registry target labels from the start: see
// [Registry.SetTargetInfo]. Labels that are not valid are left out as a whole,
// counted, and told to the error hook.
func WithTargetInfo(labels map[string]string) RegistryOption {
	return registryOption(func(r *Registry) { r.target = labels })
}

// WithRetention sets how many bytes of the families of each custom collector are
// copied when it emits them, and of all of the registry's together four times as
// many. Copies let the collector go on, and give up locks
// that it may hold, however slow the scrapes are that read them. A family for
// which there is no room is lent: emit blocks until all scrapes have read it, or
// were cut off because they took longer than a scrape may. Zero or less means
// that all families are lent. The default is [DefaultRetention].
func WithRetention(bytes int) RegistryOption {
	return registryOption(func(r *Registry) { r.retention = &bytes })
}

// DefaultRetention is the limit of [WithRetention] without that option: 64 MiB.
const DefaultRetention = 64 << 20

// room is where copies of what the registry's collectors emit are kept.
func (r *Registry) room() gather.Room {
	if r.retention == nil {
		return gather.Room{Limit: DefaultRetention, Kept: &r.kept}
	}
	return gather.Room{Limit: *r.retention, Kept: &r.kept}
}

// WithErrorHook has hook called with every fault, as a [*Fault], from several
// goroutines at once. It should be quick. Misuse of an instrument is told on the
// caller's goroutine. Faults of collecting are told on one of their own; a scrape
// waits a second for the hook, and while a call takes longer, faults of
// collecting are counted but not told. Of one collector in one collection ten
// faults of each reason are told, the others only counted. A panic of the hook is
// ignored.
func WithErrorHook(hook func(error)) RegistryOption {
	return registryOption(func(r *Registry) { r.faults.hook = hook })
}

// WithStrict is for tests: faults of collecting make Collect return an error,
// and misuse of an instrument panics, in methods that return an error too.
func WithStrict() RegistryOption { return registryOption(func(r *Registry) { r.faults.strict = true }) }

// WithLegacyNames refuses metric and label names that are not legacy names,
// [a-zA-Z_:][a-zA-Z0-9_:]* and the like: those of instruments, of views of them,
// of target info, and the metric names that other collectors describe.
func WithLegacyNames() RegistryOption {
	return registryOption(func(r *Registry) { r.legacyNames = true })
}

// NewRegistry returns an empty registry.
func NewRegistry(opts ...RegistryOption) *Registry {
	r := &Registry{}
	for _, o := range opts {
		if o != nil {
			o.applyRegistry(r)
		}
	}
	if r.store != nil {
		r.mu.Lock() // the store may call back at once
		r.useStore(r.store)
		r.mu.Unlock()
	}
	if target := r.target; target != nil {
		r.target = nil
		if err := r.SetTargetInfo(target); err != nil {
			r.faults.report(&Fault{Reason: ReasonTargetInfo, Err: err})
		}
	}
	return r
}

// instrumented is what handles, Vecs and Ofs have in common.
type instrumented interface{ instrument() instrument }

// checkNil returns an error if there is no collector.
func checkNil(c Collector) error {
	if c == nil {
		return errNil
	}
	if v := reflect.ValueOf(c); v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Errorf("telltale: the collector is a nil %T", c)
	}
	return nil
}

// identity returns what the registry knows a collector by: the core of an
// instrument, whatever handle was given, else the collector itself.
func identity(c Collector) (Collector, error) {
	if err := checkNil(c); err != nil {
		return nil, err
	}
	if i, ok := c.(instrumented); ok {
		if core := i.instrument(); core != nil {
			return core, nil
		}
		return nil, fmt.Errorf("telltale: the %T was not made by a constructor", c)
	}
	if !reflect.ValueOf(c).Comparable() || !same(c, c) {
		return nil, fmt.Errorf("telltale: a collector of type %T cannot be compared, so it could not be unregistered; register a pointer to it", c)
	}
	return c, nil
}

// same reports whether two collectors are equal, which one that has a NaN in it
// is not even to itself.
func same(a, b Collector) bool { return a == b }

// known returns what a collection knows a collector by: its identity or, if it
// cannot be compared, a pointer, by which it is known in this place alone.
func known(c Collector) (Collector, error) {
	if err := checkNil(c); err != nil {
		return nil, err
	}
	if known, err := identity(c); err == nil {
		return known, nil
	}
	return CollectorFunc(c.Collect), nil
}

// Register adds a collector. It fails, and nothing has changed, with a
// [*DuplicateError] if the collector is registered or a name that it describes
// is claimed; and with other errors if it cannot be described, if a name is not
// valid, or if it is a registry that would come to contain itself.
func (r *Registry) Register(c Collector) error {
	c, err := identity(c)
	if err != nil {
		return err
	}
	e, err := r.newEntry(c)
	if err != nil {
		return err
	}
	if nests(c) {
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
		r.claims[name] = e
	}
	if len(e.claims) == 0 {
		r.unclaimed[e] = struct{}{}
	}
	if d, ok := c.(defined); ok {
		d.reportTo(&r.faults)
	}
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
		delete(r.claims, name)
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
		i.unshare()
	}
	return nil
}

// Collect emits the families of all collectors: target_info first, then in the
// order of registration. A family is valid until emit returns. Custom collectors
// run side by side; what fails is left out, counted and told to the error hook,
// and does not make Collect fail, except in strict mode. Collect returns emit's
// first error, and ctx.Err() if ctx is cancelled; past a deadline it goes on
// without the collectors that are not done. It returns an error that is
// [os.ErrDeadlineExceeded] if emit took too long to read a family that a collector
// lent (see [WithRetention]).
func (r *Registry) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return collect(ctx, r, &r.faults, emit)
}

// Families iterates over what Collect emits, as copies that are safe to keep. An
// error comes last, with a nil family.
func (r *Registry) Families(ctx context.Context) iter.Seq2[*model.Family, error] {
	return func(yield func(*model.Family, error) bool) {
		enough := errors.New("enough")
		err := r.Collect(ctx, func(f *model.Family) error {
			if !yield(f.Clone(), nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(nil, err)
		}
	}
}

// Describe returns the families that the registered collectors describe, or
// emitted when they were asked at registration, without samples, in the order of
// registration.
func (r *Registry) Describe() []*model.Family {
	r.mu.RLock()
	entries := slices.Clone(r.entries)
	var families []*model.Family
	if r.targetInfo != nil {
		families = append(families, r.targetInfo.Header())
	}
	r.mu.RUnlock()
	for _, e := range entries {
		switch {
		case e == nil:
		case e.families != nil:
			for _, f := range e.families {
				families = append(families, f.Header())
			}
		default:
			families = append(families, list(e.collector)...)
		}
	}
	return families
}

// SampleValue returns the value of the sample with that name and exactly those
// labels; nil means none. Only collectors that can have it are asked. Bucket and
// quantile labels are spelled as in the text format ("0.5", "1.0", "+Inf"). It
// is meant for tests: a collector that calls it is left out of what is asked.
func (r *Registry) SampleValue(name string, labels map[string]string) (value float64, ok bool) {
	want := model.LabelsOf(labels)
	found := errors.New("found")
	_ = r.Restricted(name).Collect(context.Background(), func(f *model.Family) error {
		for s := range f.Samples() {
			if s.Name == name && s.Labels.Same(want) {
				value, ok = s.Value, true
				return found
			}
		}
		return nil
	})
	return value, ok
}

package telltale

// Making registries.

import "time"

// Default is the registry of instruments made without [In]. It collects a
// collector that has no Describe once when it is registered, to learn its names.
// Importing a package registers nothing with it.
var Default = NewRegistry(WithAutoDescribe())

// WithAutoDescribe makes Register collect a collector that has no Describe once,
// to learn and claim its names.
func WithAutoDescribe() RegistryOption {
	return registryOption(func(r *Registry) { r.autoDescribe = true })
}

// WithTargetInfo gives the registry target labels from the start: see
// [Registry.SetTargetInfo]. If a label is not valid, the registry has no target
// labels; the error is a fault (see [WithErrorHook]).
func WithTargetInfo(labels map[string]string) RegistryOption {
	return registryOption(func(r *Registry) { r.target = labels })
}

// WithRetention sets how many bytes of the families of each custom collector are
// copied when it emits them, and of all of the registry's together four times as
// many. With copies a collector can go on, and release its locks, however slow the
// scrapes are that read them. A family that does not fit is lent: emit blocks
// until all scrapes have read it, or were cut off because they took too long. With
// zero or less all families are lent. The default is [DefaultRetention]. It also
// limits what is kept of a custom collector's families that join others, see [Merge].
func WithRetention(bytes int) RegistryOption {
	return registryOption(func(r *Registry) { r.retention = &bytes })
}

// WithCoalescing lets collections of the registry read what a custom collector emitted
// for an earlier one, if that run of the collector began less than d ago, for pages that
// are asked for again and again: many readers that each poll every 50 ms cost a run
// each d. Without the option, or with zero or less, only collections that overlap share
// a run, and a run in progress is shared however long ago it began.
//
// A shared run is read as it was: its families, and its errors too, which cost the page
// what they cost the first and are counted once. Its copies stay in memory for d; one
// that did not fit in the limit of [WithRetention] is not read again. Nor is one that
// had a fault and less than half the time that the later collection has, or one that was
// restricted to other names. Functions of instruments are custom collectors here.
// Instruments and the registry's Health are read anew each time. A registry without the
// option that is within one with it has the other's.
func WithCoalescing(d time.Duration) RegistryOption {
	return registryOption(func(r *Registry) { r.coalesce = max(d, 0) })
}

// WithErrorHook sets a function that is called with every fault, as a [*Fault],
// from several goroutines at once; [Registry.SetErrorHook] replaces it. It should
// be quick. For misuse of an instrument it is called on the caller's goroutine, for
// faults of collecting on a goroutine of its own. A scrape waits a second for the
// hook; while a call takes longer, further faults of collecting are only counted. It
// is called for ten faults of each reason, collector and collection; more are only
// counted, and so is misuse of an instrument by the hook itself. A panic of the hook
// is ignored.
//
// Without a hook, or with nil, faults are logged with [slog.Default], as it is when a
// fault happens: the first of each reason and collector, or instrument, and after it
// one a minute at most, which says how many were not logged. A registry tells 256
// such kinds apart; all others are one for each reason. A fault that costs a page
// something is logged as an error, misuse of an instrument as a warning, both on a
// goroutine of its own, for which the caller waits a second at most. A fault of a
// nested registry is logged once, by the registry on the outside, and only if no
// registry concerned has a hook.
func WithErrorHook(hook func(error)) RegistryOption {
	return registryOption(func(r *Registry) { r.faults.setHook(hook) })
}

// SetErrorHook replaces the function of [WithErrorHook], from now on; nil logs
// faults. It may be called at any time, by the hook too. Calls of the former hook may
// still go on when it returns.
func (r *Registry) SetErrorHook(hook func(error)) { r.faults.setHook(hook) }

// WithStrict is for tests: Collect returns faults of collecting as an error, and
// misuse of an instrument panics, even in methods that return an error. Nothing is
// logged.
func WithStrict() RegistryOption { return registryOption(func(r *Registry) { r.faults.strict = true }) }

// WithLegacyNamesOnly makes the registry refuse metric and label names that are
// not legacy names, [a-zA-Z_:][a-zA-Z0-9_:]* and the like: those of instruments,
// of views of them, of target info, and the metric names that other collectors
// describe.
func WithLegacyNamesOnly() RegistryOption {
	return registryOption(func(r *Registry) { r.legacyNames = true })
}

// WithFamilySeriesLimit sets the limit of the series of each family whose instrument
// is made for the registry without [WithSeriesLimit], in place of
// [DefaultSeriesLimit]; zero or less means no limit.
func WithFamilySeriesLimit(n int) RegistryOption {
	n = max(n, 0)
	return registryOption(func(r *Registry) { r.seriesLimit = &n })
}

// WithTotalSeriesLimit sets how many series the instruments that are made for the
// registry may have together, those without labels among them; zero or less, the
// default, means no limit. What is over it is treated as what is over
// [WithSeriesLimit], and the series of "overflow" are not counted here either. Before a
// new series is refused, series of all these instruments that are idle ([WithIdleExpiry])
// leave; they are looked at for that once a second at most.
// Custom collectors, callbacks, instruments made elsewhere and series that a store
// adds from other processes are not limited.
func WithTotalSeriesLimit(n int) RegistryOption {
	return registryOption(func(r *Registry) { r.total.limit = int64(n) })
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
			if fault := (&Fault{Reason: ReasonTargetInfo, Err: err}); !r.faults.report(fault) {
				r.faults.logIfDue(fault)
			}
		}
	}
	return r
}

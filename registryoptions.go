package telltale

// Default is the registry of instruments that are not told another. Collectors
// without Describe are asked once, when they are registered, what they emit.
// Nothing registers itself with it by being imported.
var Default = NewRegistry(WithAutoDescribe())

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

package model

import "context"

// Collector produces metric families at each scrape.
//
// The documentation of telltale.Collector has the rules by which registries,
// views and pages run collectors: when, how often, with which context, and the
// consequences of errors and panics.
type Collector interface {
	// Collect calls emit with each family, in a fixed order. A family may be
	// reused once emit has returned. Collect gives up with ctx.Err() when ctx
	// is done, and stops at emit's first error and returns it. emit may be called
	// from several goroutines, but not after Collect has returned. A caller that uses
	// neither a registry nor a view may call Collect from several goroutines at
	// once.
	Collect(ctx context.Context, emit func(*Family) error) error
}

// Describer is a Collector that can describe the families that it will emit,
// without the work of collecting them. The names of their samples are claimed
// when it is registered, so that a clash is an error at start rather than at a
// scrape. A collector that describes nothing claims nothing and is called at
// every scrape.
type Describer interface {
	// Describe returns the families without samples.
	Describe() []*Family
}

// Restrictor is a Collector that can save work if only some samples are wanted.
type Restrictor interface {
	// Restricted returns a live view of the collector with only the named
	// samples. The name of a family stands for all its samples.
	Restricted(names ...string) Collector
}

package model

import "context"

// Collector produces metric families at each scrape.
//
// Registries, views and pages run custom collectors by these rules:
//
//   - A collector runs once at a time in a process, through however many of them
//     it is collected. Scrapes that overlap share a run. One that cannot share
//     the present run, because it has seen families pass or leaves out names,
//     waits for it to end and shares the next.
//   - A scrape waits for a run until the scrape's own deadline. What it gives up
//     on stays as it is for others.
//   - ctx is done when no scrape waits for the run any more. The run of a server
//     goes on without scrapes until the server's own limit, but for a minute at
//     most, whatever its clients do, and others may still share it.
//   - A run that lasts longer than the server lets a scrape take (without a
//     server: longer than any scrape that shared it could wait) is hung. The
//     collector is not started again while it lasts, and later scrapes go on
//     without it at once.
//   - emit copies a family and returns, as long as there is room for copies;
//     otherwise it waits until the scrapes have read the family. One that has not
//     by its deadline is cut off. A collector may hold a lock while it emits.
//   - An error, a panic and the end of the goroutine cost the families that have
//     not been emitted. A [Source] that fails costs its family.
//   - A collector that collects what it is part of is left out there: that is
//     noticed if it passes on ctx, and with a context of its own if it collects
//     on the goroutine of Collect or one started there. Elsewhere the inner scrape
//     waits until its deadline or, without one, until the run is hung.
type Collector interface {
	// Collect calls emit with each family, in a fixed order. A family may be
	// reused once emit has returned. Collect gives up with ctx.Err() when ctx
	// is done, and stops at emit's first error and returns it. emit may be called
	// from several goroutines, but not after Collect has returned. A caller that uses
	// neither a registry nor a view may call Collect from several goroutines at
	// once.
	Collect(ctx context.Context, emit func(*Family) error) error
}

// Describer is a Collector that can say cheaply which families it will emit.
// Their sample names are claimed when it is registered, so that a clash is an
// error at start and not a surprise at scrape. A collector that describes
// nothing claims nothing and is always asked.
type Describer interface {
	// Describe returns the families without samples.
	Describe() []*Family
}

// Restrictor is a Collector that can leave work undone when only some samples
// are wanted.
type Restrictor interface {
	// Restricted returns a live view with only the named samples. A family's
	// name stands for all its samples.
	Restricted(names ...string) Collector
}

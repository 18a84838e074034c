package telltale

import "telltale/model"

// Collector produces metric families at each scrape. It is defined in package
// model, so that packages below this one can satisfy it.
//
// A Collector must follow these rules:
//
//   - Collect emits families in a fixed order, each name once, and the series of a
//     family in a fixed order, each once.
//   - A family, its points and all they refer to must not change while emit reads
//     them, that is until emit has returned. Then they may be used again.
//   - Collect stops at the first error of emit and returns it. When ctx is done, it
//     returns ctx.Err() soon.
//   - emit may be called from several goroutines; it serves one at a time. It must
//     not be called after Collect has returned.
//   - Collect may be called from several goroutines at once by those who call it
//     themselves, not through a registry or a view.
//   - A Collector that is registered is of a type that == can compare: a pointer,
//     usually.
//
// Registries, views and pages run custom collectors, all but instruments, by these
// rules:
//
//   - Order. The families of a page come in the order of registration, those of a
//     collector in the order in which it emits them. Collectors run side by side.
//   - Runs. A collector runs once at a time in a process, whatever pages ask for it.
//     Scrapes that overlap share a run. One that cannot share the present run,
//     because some of its families are gone or it leaves out names, waits for it to
//     end and shares the next. With [WithCoalescing] scrapes that begin a little later
//     read a run that has ended.
//   - Context. ctx is done when no scrape waits for the run any more, and has the
//     deadline of the scrape that waits longest. Where a server has a limit for
//     scrapes, the run goes on without scrapes until then, a minute at most, so that
//     others can share it.
//   - Time. A scrape waits for a run until the scrape's own deadline. A run is hung
//     once it has lasted longer than its server lets a scrape take or, without a
//     server, than any scrape that shared it could wait. The collector is not started
//     again while it hangs, and later scrapes go on without it at once.
//   - Families. emit copies a family and returns at once while there is room for
//     copies (see [WithRetention]). Otherwise it lends the family and waits until
//     the scrapes have read it; a scrape that takes too long is cut off. A collector
//     may hold a lock while it emits.
//   - Errors. An error, a panic or the end of the goroutine costs what Collect has
//     not emitted yet. A [model.Source] that fails costs its family. A family that is
//     nil or not valid, or whose name is on the page and which does not join the one
//     there (see [Merge]), is left out. So is a series that repeats one, that has a label
//     twice, or that has a label with another meaning on pages: __name__, le on a
//     histogram, quantile on a summary, the family's name on a state set. emit returns nil
//     for them, since the collector may go on. All are counted, and told to the error hook
//     or logged ([WithErrorHook]).
//   - Late calls. emit returns an error, and shows nothing, if it is called after
//     Collect has returned, which is a fault, or when no scrape waits any more.
//   - Recursion. A collector that collects what it is part of is left out there.
//     That is noticed if it passes on ctx or, with another context, if it collects
//     on the goroutine of Collect or on one started there. Elsewhere the inner scrape
//     waits until its deadline or, without one, until the run is hung.
type Collector = model.Collector

// Describer is a Collector that can say cheaply which families it will emit. Their
// sample names are claimed when it is registered, so that a clash is an error at
// start and not a surprise at scrape. A collector that describes nothing claims
// nothing, unless its registry asks it ([WithAutoDescribe]), and is always
// collected.
type Describer = model.Describer

// Restrictor is a Collector that can leave work undone when only some samples are
// wanted. A view of it passes the wanted names on; what it emits beyond them is
// left out all the same.
type Restrictor = model.Restrictor

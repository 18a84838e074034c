// Package gather runs custom collectors for scrapes.
//
// A collector runs once at a time in the process, however many scrapes ask for
// it. [Scrape.Subscribe] gives a scrape a [Subscription] to a collector's runs:
// scrapes that overlap share one run, others wait for the next. Emitted families
// are copied for the scrapes or, if there is no room for a copy, lent to them
// until they have read them. Errors, panics, hung collectors and repeated series
// are reported as a [Fault] to every [Account] concerned.
//
// The files, from the bottom up: fault.go, names.go, fresh.go and whole.go hold what
// callers give and get; goroutine.go tells goroutines apart; repeats.go finds series that
// repeat, and labels.go those whose labels a page must not have; chunks.go stores copies
// of points; state.go has what scrapes, runs and loans hold of each other; copies.go and
// loan.go are a run's two ways of handing families to scrapes; run.go is the life of one
// run; coalescing.go lets later scrapes read a run that has ended; table.go holds the runs
// of all collectors; subscription.go is a scrape's share in a run. Each refers only to
// those before it.
package gather

// Package gather runs custom collectors for scrapes.
//
// A collector runs once at a time in the process, however many scrapes ask for
// it. [Scrape.Subscribe] gives a scrape its share in a collector's run: scrapes
// that overlap share one run, others wait for the next. What the collector emits
// is copied for the scrapes or, where there is no room for a copy, lent to them
// until they have read it. Errors, panics, hung collectors and series that repeat
// end here, as a [Fault] with every [Account] that is concerned.
//
// The files, from the bottom up: fault.go and names.go hold what callers give and
// get; goroutine.go tells goroutines apart; repeats.go finds series that repeat;
// chunks.go stores copies of points; subscription.go is a scrape's share in a run;
// run.go is one run, copies.go and loan.go are its two ways of handing families to
// scrapes; table.go holds the runs of all collectors.
package gather

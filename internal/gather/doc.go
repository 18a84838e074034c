// Package gather runs custom collectors for scrapes.
//
// A collector runs once at a time in the process, however many scrapes ask for
// it. [Scrape.Subscribe] gives a scrape a [Subscription] to a collector's runs:
// scrapes that overlap share one run, others wait for the next. Emitted families
// are copied for the scrapes or, if there is no room for a copy, lent to them
// until they have read them. Errors, panics, hung collectors and repeated series
// are reported as a [Fault] to every [Account] concerned.
//
// The files, from the bottom up: fault.go, names.go and whole.go hold what callers give and
// get; goroutine.go tells goroutines apart; repeats.go finds series that repeat;
// chunks.go stores copies of points; subscription.go is a scrape's share in a run;
// run.go is one run, copies.go and loan.go are its two ways of handing families to
// scrapes; table.go holds the runs of all collectors.
package gather

// Package telltale is a Prometheus metrics client library: a program makes
// instruments, a registry holds them, and a scrape reads their values.
//
//	var requests = telltale.Must(telltale.NewCounterVec(
//		"http_requests", "Requests served.", []string{"method", "code"}))
//
//	requests.With("GET", "200").Inc()
//	http.Handle("/metrics", scrapehttp.Handler(telltale.Default))
//
// # Instruments
//
// [Counter], [Gauge], [Histogram], [Summary], [Info] and [Enum] each come plain,
// with labels by position ([NewCounterVec]) and with labels by a struct
// ([NewCounterOf]). A constructor registers with [Default] unless it is told
// another registry ([In]) or none ([Unregistered]). Called again with the same
// definition it returns the same instrument; a different definition of the same
// name is a [*DuplicateError].
//
// Updating a handle is about one atomic operation. It takes no lock, allocates
// nothing and, outside strict mode ([WithStrict]), never panics: what cannot be
// done is dropped, counted, and told to the registry's error hook or logged
// ([WithErrorHook]).
//
// # Collecting
//
// A [Registry] collects what is registered with it, in the order of registration:
// instruments directly, custom [Collector] implementations side by side, with
// panics, errors, deadlines and repetitions contained. [Restrict], [Prefixed],
// [Labelled] and [Merge] are views; they do not call collectors whose families
// they leave out. [GenerateLatest] and [WriteLatest] print the text format;
// package telltale/scrapehttp serves all formats over HTTP.
//
// # Several processes
//
// A registry with a [Store] ([WithStore], [Registry.UseStore]) keeps its
// instruments in memory that other processes see, and collects what all of them
// have counted; package telltale/multiprocess makes stores. Code that uses
// instruments stays the same.
package telltale

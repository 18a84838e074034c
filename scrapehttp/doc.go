// Package scrapehttp serves metrics over HTTP to Prometheus and to others that
// scrape. [Handler] is the page itself, to be mounted where a program has a
// server already; [NewServer] is a server with the page at /metrics, and [Serve]
// runs one until a context is done.
//
//	go scrapehttp.Serve(ctx, ":9464", telltale.Default)
//
// # Requests
//
// GET is answered with the metrics in the format that the Accept header asks
// for, compressed if Accept-Encoding allows it; HEAD with the same headers,
// without collecting; OPTIONS with the methods; anything else with 405. The
// query parameter name[], which may be repeated, restricts the page to samples
// or whole families of those names, and what nobody asked for is not collected.
// Empty names are ignored, so name[]= alone gives the full page, as in
// the Python client. Other parameters are ignored.
//
// # Limits
//
// A page is streamed: memory for a scrape grows neither with families nor with
// series. The number of scrapes at once is limited ([WithMaxInFlight]). A scrape
// has a deadline, taken from the scraper if it tells ([WithTimeout]); collectors
// that are not done by then are left out. Clients that read too slowly are cut
// off ([WithWriteTimeout]).
//
// # Failure
//
// What fails before anything was written is answered with a status and a short
// text that tells strangers nothing of the program. What fails later aborts the
// connection, so that nobody takes the piece for the whole page. (Only a client
// of HTTP/1.0 that wants neither compression nor OpenMetrics cannot see the
// difference.) [WithErrorHook] tells the program.
package scrapehttp

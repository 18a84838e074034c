// Package scrapehttp serves metrics over HTTP to Prometheus and other scrapers.
// [Handler] is the page itself, for programs that have a server already;
// [NewServer] is a server with the page at /metrics, and [Serve] runs one until
// a context is done.
//
//	go scrapehttp.Serve(ctx, ":9464", telltale.Default)
//
// Serve listens on Unix sockets too, "unix:/run/shop/metrics.sock", and so does
// [Listen], for servers that a program runs itself.
//
// # Requests
//
// GET is answered with the metrics in the format that the Accept header asks
// for, compressed if Accept-Encoding allows it; HEAD with the same headers,
// without collecting; OPTIONS with the methods; any other method with 405. The
// query parameter name[], which may be repeated, restricts the page to samples
// or whole families of those names; collectors of other names are not called.
// Empty names are ignored, so name[]= alone gives the full page, as in the
// Python client. Other parameters are ignored.
//
// The body of a request is not read, whatever its method. Its connection is
// closed after the answer.
//
// # Limits
//
// A page is streamed, in chunks of 32 KiB: what a scrape takes in memory is what
// [telltale.Registry.Collect] says, and the memory of its compression. What a
// client can make the program do has these limits:
//
//	what                                      default      set by                  beyond it
//	collecting, where the scraper says
//	  nothing of its own timeout              10 s         WithTimeout             page without the rest
//	the scraper's timeout, at least           500 ms       WithTimeoutRange        raised to it
//	the scraper's timeout, at most            2 min        WithTimeoutRange        lowered to it
//	taking one write of the page              10 s         WithWriteTimeout        cut off
//	taking the page on the whole, at least    64 KiB/s     WithMinWriteRate        cut off
//	sending a body, which is not read         2 s          WithBodyTimeout         cut off
//	scrapes at once                           40           WithMaxInFlight         503
//	scrapes at once of one peer               none         WithMaxInFlightPerPeer  429
//	scrapes that wait for a place             1000         WithWaiting             503 or 429
//	waiting for a place                       2 s          WithWaiting             503 or 429
//	the query                                 64 KiB       WithQueryLimits         400
//	parameters of the query                   1024         WithQueryLimits         400
//	one name of name[]                        1 KiB        WithQueryLimits         400
//	Accept and Accept-Encoding, each          8 KiB        WithMaxAccept           431
//
// A scrape beyond the limits of scrapes at once, of all or of its peer, waits if one of
// those that it waits for has begun to send its page. Once the client of such a scrape is
// a second behind the least rate, it is cut off to make room: clients that have vanished
// keep others waiting for a second, not for as long as they might hold their own places.
//
// The server of [NewServer] has more limits, some of them in fields that may be
// changed before it is started:
//
//	connections at once                       512          WithMaxConnections      one without a request closed
//	scrapes under way when Serve ends         10 s         WithGrace               cut off
//	reading the header of a request           5 s          ReadHeaderTimeout       cut off
//	reading a request that net/http refuses   10 s         ReadTimeout             cut off
//	a connection without a request            2 min        IdleTimeout             closed
//	the header of a request                   128 KiB      MaxHeaderBytes          431
//
// Handler sets the deadlines of a connection through [http.ResponseController].
// A middleware whose [http.ResponseWriter] has no Unwrap method hides the
// connection. Then write deadlines are the server's own, a client that reads too
// slowly is cut off only between two writes, and a body is only kept from being
// read before the answer: give such a server a ReadTimeout and a WriteTimeout. A
// ReadTimeout also bounds requests that net/http answers itself, before any
// handler, such as "OPTIONS *" and those with an unknown Expect header; it does
// not bound scrapes.
//
// # Middlewares that compress
//
// A page is compressed once. If the response has a Content-Encoding before
// Handler is called, as set by a middleware that compresses what is written, or
// if a middleware removes Accept-Encoding from the request, Handler does not
// compress. A middleware that does not compress responses with a
// Content-Encoding leaves compression to Handler. One that compresses a
// compressed page and replaces the Content-Encoding is detected: the scrape
// fails, because the client could not read the page. Such a middleware needs
// [WithCodings] without arguments.
//
// # Failure
//
// A failure before anything was written is answered with a status and a short
// text without details of the program. A later failure aborts the connection, so
// that the client does not take a part for the whole page. (Only a client of
// HTTP/1.0 that accepts neither compression nor OpenMetrics cannot see the
// difference.) [WithErrorHook] reports both to the program.
//
// A custom collector of a registry that fails does not fail the scrape: its families
// are missing, and the registry counts the fault and tells its hook or its log. With
// [WithFailOnFault] it is answered with 500.
package scrapehttp

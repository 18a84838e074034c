// Package live is a page to look at the metrics of a running program: its
// families, drawn as they change. [Handler] serves it, where the program mounts
// it:
//
//	http.Handle("/live/", live.Handler(telltale.Default))
//
// The path ends in a slash, because the page refers to its files relative to it.
// Nothing is mounted by import. Whoever reaches the page reads all metrics of the
// collector, so it belongs where /metrics is, and on no public address.
//
// The page is embedded in the program: HTML, CSS, JavaScript modules, and two
// libraries with their licences, uPlot, which draws, and re2js, which matches
// patterns. It loads nothing from elsewhere, and its Content-Security-Policy allows it
// nothing else. Names, help texts and label values are inserted as text.
//
// # What it shows
//
// Counters are drawn as rates; a value lower than the one before is a reset, and
// counts as an increase from zero, as in Prometheus. Gauges and values of unknown
// type are lines, histograms heat maps of their buckets' rates with lines of
// quantiles, summaries lines of their quantiles, state sets bands, infos tables.
// Of many series the largest are drawn, and the rest as one line. The page keeps
// what it has seen since it was opened, for some minutes.
//
// It also shows which families and labels make how many series, and the target:
// its info, faults, families at their limit of series, custom collectors, and, with
// [WithWriters], the processes that share a directory.
//
// Requests for data from pages of other sites are refused, by what browsers say in
// Sec-Fetch-Site: such pages could not read the data, but would cause collections. A
// foreign page whose name is made to lead to this machine (DNS rebinding) counts as the
// same site; so on loopback addresses the page is shown only for hosts that are this
// machine's ([WithHosts]). The handler learns the address from
// [http.LocalAddrContextKey], which net/http sets.
//
// # Data
//
// The page reads "data" beside it once a second: an index of all families, and
// the points of those that it shows. All readers share one collection a second
// ([WithInterval]), which has the points that any of them asks for; without
// readers there is none. The values of a family's labels and the writers of the
// directory are counted while somebody looks at them. A collection counts in the
// registry's statistics like a scrape, and does not delay scrapes.
//
// The form is not that of package exposition/json, which is made to hold samples
// of any page: there each bucket of a histogram repeats the sample's name and all
// labels, some twenty times the bytes of its number. Here a point has its labels
// once, bounds of buckets are given where they change, and names, types and help
// texts are left out if the reader says that it has them:
//
//	GET data?known=DEFINITIONS&family=NAME&family=NAME&labels=NAME&writers
//
//	{"time": 1760000000.25, "duration": 0.0021, "start": 1759990000.1, "interval": 1,
//	 "definitions": "5d1f...", "index": [{"name", "type", "help", "unit", "labels": []}], "series": [2, 40],
//	 "left_out": {"families": 0, "series": 0}, "limits": {...}, "faults": [], "overflows": [], "collectors": [],
//	 "points": [{"family": 0, "points": [{"l": ["code", "200"], "v": 17}]}], "directory": true,
//	 "label_values": [{"family": 0, "labels": [{"name": "code", "values": 2, "beyond": 0, "top": [["200", 1]]}]}],
//	 "writers": {"time", "failed", "left_out", "files": [{"kind", "alive", "name", "pid", "series", "used", "size"}]}}
//
// "series" has one number for each family of the index. A point has "l" for its
// labels, "c" for its created time, and by type "v" for a number; "n" and "s" for
// count and sum, "le" and "b" for bounds and cumulative buckets, "native" for a
// native histogram; "q" for quantiles; "st" for states; "i" for the labels of an
// info; "x" for exemplars. Numbers that JSON lacks are the strings "NaN", "+Inf"
// and "-Inf". The form belongs to the page of the same version and may change
// with it; programs read /metrics.
//
// # Limits
//
//	what                                 default   set by               beyond it
//	collections                          1 a s     WithInterval         shared
//	collecting                           10 s      WithTimeout          503, and the page says so
//	families in the index                20,000    WithMaxFamilies      left out, counted
//	series of a family with points       2,000     WithMaxSeries        left out, counted
//	bytes of the points, and of the index 8 MiB    WithMaxBytes         left out, counted
//	values of a label told apart         10,000    WithMaxValues        counted together
//	families that one reader asks for    64        WithMaxAsked         400
//	families that all ask for            8 times that                   missing
//	bytes of a query                     16 KiB    WithMaxQuery         414
//	requests for data at once            64        WithMaxInFlight      503
//	names of the page on loopback        the machine's own  WithHosts   421
//	taking an answer                     30 s      WithWriteTimeout     cut off
//
// The page says when something is left out. What it keeps in the browser has
// limits of its own: half an hour, and about four million numbers, long labels counted.
package live

package main

import (
	"regexp"
	"slices"
)

// section is a table of docs/benchmarks.md: rows of one theme.
type section struct {
	title string
	about string // what each row does
	rows  *regexp.Regexp
	peers []string // columns beside telltale's
}

// mostRows is the largest number of rows in a table.
const mostRows = 10

// of picks a section's rows.
func (s section) of(r report) []rowReport {
	var rows []rowReport
	for _, row := range r.Rows {
		if s.rows.MatchString(row.Name) && len(row.Peers) > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

var (
	libraries = []string{clientGolangName, victoriaName, otelName}
	updates   = `^(counter-inc|counter-add|gauge-set|gauge-add|histogram-observe|summary-observe|native-observe|quantile-observe)/`
	inFiles   = `^(counter-inc|counter-add|gauge-set|gauge-add|labelled-inc|labelled-inc-typed|histogram-observe|summary-observe|native-observe)/`
	stores    = []string{tmpfsName, diskName}
)

// sections are all tables, in the order in which they are printed.
var sections = []section{
	{
		"Updates, one goroutine",
		"An instrument at hand, without labels. `counter-add` adds 0.5, `gauge-add` 1.5. `histogram-observe` has client_golang's eleven classic buckets; `summary-observe` has a count and a sum (vm samples the values even so); `native-observe` has exponential buckets that grow by a tenth, at most 160; `quantile-observe` has three quantiles over ten minutes, for which vm samples the values. Observations are spread evenly over the buckets. `floor` is inlined atomics: an addition, a store, a compare-and-swap of a float's bits.",
		regexp.MustCompile(updates + `alone$`), slices.Concat(libraries, []string{floorName}),
	},
	{
		"Updates, several goroutines",
		"The same operations by one goroutine per processor, at least two. The time is the elapsed time over the operations of all goroutines. `floor-sharded` gives each goroutine a word of its own on a cache line of its own.",
		regexp.MustCompile(updates + `contended$`), slices.Concat(libraries, []string{floorName, shardedName}),
	},
	{
		"Series by their labels",
		"`labelled-inc` looks up one of 1,000 series by three label values, by position and in random order, and increments it; `labelled-inc-typed` looks it up by a struct, where a library has that; `labelled-inc-limited` does it in a family with a series limit and declared values of a label, where it has those. vm looks up a name that is put together for each call, `vm-prebuilt` a name that exists already. `expiring-inc` and `expiring-set` are `counter-inc` and `gauge-set` of a series that leaves when it is not updated, where a library has that. `new-series` is the first increment of a series. `register` registers and unregisters a counter; `others` is the number of other collectors registered. `floor` is a map of structs under a read lock. `floor-table` hashes the values and compares them in an immutable open-addressing table behind an atomic pointer.",
		regexp.MustCompile(`^(labelled-inc(-typed|-limited)?/|expiring-|new-series$|register/)`), slices.Concat(libraries, []string{prebuiltName, floorName, tableName}),
	},
	{
		"Requests, and the bridge",
		"`http-request` is a POST of four bytes that a handler answers with five, behind a middleware that measures requests in flight, their number, duration, time to first byte, and the sizes of requests and answers: `httpmetrics` with its defaults (three labels, times in native buckets too), the six middlewares of promhttp with the labels code and method, and otelhttp, which has no in-flight requests, number and time to first byte. `bridge` is a scrape of a registry of client_golang: by telltale through `bridge/clientgolang`, and by client_golang itself.",
		regexp.MustCompile(`^(http-request|bridge-)`), []string{clientGolangName, otelName},
	},
	{
		"Text scrapes in memory",
		"A registry encoded as text 0.0.4 into a writer that discards it: time per series, of histograms per histogram of eleven buckets. Counters and gauges have three labels and form one family; `families` counts families of one series each. Every other gauge holds a fraction. `floor` keeps a string and a word for each series, `floor-arena` the text of all series in one piece beside an array of words. Of 10,000 histograms that text takes 15 MB, and how fast it is read depends on the processor's caches and on who else uses them; of 1,000 it does not. Targets in allocations are per scrape.",
		regexp.MustCompile(`^scrape-text/`), slices.Concat(libraries, []string{floorName, arenaName}),
	},
	{
		"Other scrapes",
		"The same in OpenMetrics and in protobuf. `scrape-one-name` asks for one family of a hundred; its time is that of the whole scrape. `http` is a client on loopback that reads the body and leaves it compressed; the floors compress by the standard library's fastest gzip.",
		regexp.MustCompile(`^(scrape-openmetrics|scrape-protobuf|scrape-one-name|http-(identity|gzip)/)`), slices.Concat(libraries, []string{floorName, arenaName}),
	},
	{
		"Scrapes through rules, and of families that join",
		"Text, through a hundred rules (`scrape-rules`; `scrape-rules-labels`: one of them is about the labels of each series), or from two registries that have half of the series of a hundred families each, under a label (`scrape-joined`: families of one name join; `scrape-separate`: all have names of their own).",
		regexp.MustCompile(`^scrape-(rules|rules-labels|joined|separate)/`), slices.Concat(libraries, []string{floorName, arenaName}),
	},
	{
		"Sending by OTLP",
		"A registry collected, encoded and sent over HTTP without compression, to a receiver in the same process that reads and discards it: by `push/otlp`, and by the SDK's otlpmetrichttp after a manual reader. Time per series, of histograms per histogram of eleven buckets.",
		regexp.MustCompile(`^otlp/`), []string{otelName},
	},
	{
		"Remote write",
		"Counters with three labels, collected, encoded for remote write 2.0 in requests of 2,000 series, and compressed, into a client that takes all. Prometheus's messages (`io.prometheus.write.v2`) are there ready, with the same content, and are marshalled and compressed alone. `floor` compresses ready bytes: without it on both sides the ratio is the same verdict. `shards` is a sender's default of four, whose requests have less in common. `growth` is the most by which the heap grows when all is sent again.",
		regexp.MustCompile(`^remote-write`), []string{prometheusName, floorName},
	},
	{
		"Parsing",
		"Pages of counters with three labels, and of histograms. Rows with `families` build whole families; there client_golang stands for `prometheus/common`. Rows with `lines` or `series` read one sample at a time, with name, labels and value; there prometheus is the parser of the Prometheus server. Time per line of text, per series of protobuf.",
		regexp.MustCompile(`^parse-`), []string{clientGolangName, prometheusName},
	},
	{
		"Memory",
		"`heap` is live heap per series: labels, text, index and values. A native histogram has 20 used buckets. `heap-growth` is the most by which the heap grows during a scrape, sampled every millisecond.",
		regexp.MustCompile(`^heap`), slices.Concat(libraries, []string{floorName, arenaName}),
	},
	{
		"After churn",
		"Each row ends with the same number of living series, after 49 times as many were created and removed (`fresh`: none). `exponential`: every living series is equally likely to be the next removed. `heavy-tailed`: most series live shortly, a few very long (Pareto, exponent 1.1). `batches`: series that were created together are removed together. `adverse`: all are created, then all but every fiftieth are removed. `churn-heap` is live heap per living series, `churn-scrape` the time of a text scrape per series.",
		regexp.MustCompile(`^churn-`), []string{clientGolangName},
	},
	{
		"Counting in files, one goroutine",
		"Telltale counts on the heap, in files in memory (`telltale-tmpfs`) and in files on a disk (`telltale-disk`), which other processes read. The brackets hold the heap's figure over the file's, as in all tables; the target is the other way round: a file may take 1.15 of what the heap takes.",
		regexp.MustCompile(inFiles + `alone$`), stores,
	},
	{
		"Counting in files, several goroutines",
		"The same by several goroutines of one process.",
		regexp.MustCompile(inFiles + `contended$`), stores,
	},
	{
		"Merging files of Python's client, 200 entries a process",
		"A directory with the files of several processes, `writers`: counters, a histogram, a summary and gauges of four modes. `first` is the first merge of a new collector, `later` a merge by a collector that has merged the files before; Python's client starts anew each time. `growth` is the memory that the first merge takes. `floor` sums values by their raw keys, without modes or families.",
		regexp.MustCompile(`^python-.*/entries=200$`), []string{pythonName, floorName},
	},
	{
		"Merging files of Python's client, 2,000 entries a process",
		"The same with ten times the series.",
		regexp.MustCompile(`^python-.*/entries=2k$`), []string{pythonName, floorName},
	},
	{
		"Merging telltale's segments, 200 entries a process",
		"The same series in telltale's own files, while their writers live.",
		regexp.MustCompile(`^segments-.*/entries=200$`), nil,
	},
	{
		"Merging telltale's segments, 2,000 entries a process",
		"The same with ten times the series.",
		regexp.MustCompile(`^segments-.*/entries=2k$`), nil,
	},
	{
		"After a fold, and on disk",
		"`folded` merges a directory whose dead writers, `files` of them, were folded into one file. `stored` is disk space per series, in whole blocks.",
		regexp.MustCompile(`^(folded-|stored/)`), []string{pythonName},
	},
}

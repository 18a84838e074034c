// Command benchmarks measures telltale beside its peers, all on the same work
// in one run:
//
//	GOWORK=off go run . [-rows REGEXP] [-peers LIST] [-rounds N] [-quick] [-json FILE] [-docs DIR]
//	GOWORK=off go run . -from FILE [-docs DIR]
//
// It prints a table. With -docs it also writes what it measured into the pages of
// the project: all tables of docs/benchmarks.md, and README's chart.
//
// The peers are client_golang (with the parser of prometheus/common),
// VictoriaMetrics/metrics (vm), the OpenTelemetry SDK with its Prometheus
// exporter (otel), the parsers of the Prometheus server (prometheus), Python's
// client (python) and the bare standard library doing the same work (the floors).
// Telltale itself counts on the heap, and, as telltale-tmpfs and telltale-disk, in
// files that other processes see.
//
// Python's client is the one that python3 imports: PYTHONPATH may name another.
// Without one its figures are left out. The report says which version it was.
//
// # How it measures
//
// Rows with the same [task] form a stage. In every round each peer in turn sets
// the task up afresh, is measured on all rows of the stage, and is dropped, so
// no peer pays for another's heap and drift of the machine hits all alike. The
// heap is collected before each measurement. A measurement has a time budget
// and is the median of runs that fill it, or a single run where the work takes
// that long; scrapes are measured after one that does not count. Contending
// goroutines are bound to a processor each, and runs in which other programs
// took the processors away are left out; the table names rows without enough
// other runs. Updates are repeated and scraped before they are measured.
// Stages that take long end after three rounds.
//
// A ratio is telltale's median over the peer's, the two that are shown. All peers
// of a row are measured in the same rounds, which the run checks. The range beside
// a ratio is that of single rounds. Trust ratios, not nanoseconds.
//
// Times are per operation, per series scraped, per scrape, per line parsed or per
// merge of a directory, as the row's unit in -json says; allocations are per
// operation, scrape or merge, and in the rows of live heap the objects of a
// series.
//
// # Many processes
//
// The rows python-first, python-later and python-growth merge the files that
// Python's client leaves behind, the rows of segments the same series in
// telltale's own, whose writers are alive in another process, and the rows
// of folded what is left of writers that died. The first merge is done by a
// collector that knows nothing, the later ones by one that has merged before;
// Python's knows nothing each time. Growth is how much memory the process takes
// for the first merge: for Go the heap, without the files that are mapped, for
// Python the peak of what is resident. Python's floor sums values up by their raw
// keys. The rows of stored weigh files, as many blocks as they take of the disk.
// Directories are in memory but for telltale-disk, in /var/tmp.
//
// # How it judges
//
// A target of the design is "met" when the ratio, or the figure, is at most the
// target, "near" when it is at most a tenth over, else "missed". Where the design
// names no target, telltale still may not be slower than a rival: a target of
// 1.05, for noise. Nothing fails on timings.
//
// # How to extend it
//
// A row is a line in rows.go: a task, a stopwatch, a unit, targets. A new kind
// of work is a kind in peer.go and a case in each adapter that offers it; a new
// way of measuring is a stopwatch in stopwatch.go; a new peer is a file
// peer_NAME.go and an entry in the roster. Each row belongs to a section in
// sections.go, which is a table of the page.
package main

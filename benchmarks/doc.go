// Command benchmarks measures telltale beside its peers, all on the same work
// in one run:
//
//	GOWORK=off go run . [-rows REGEXP] [-peers LIST] [-rounds N] [-json FILE] [-markdown FILE] [-quick]
//
// The peers are client_golang (with the parser of prometheus/common),
// VictoriaMetrics/metrics (vm), the OpenTelemetry SDK with its Prometheus
// exporter (otel), the parsers of the Prometheus server (prometheus) and the bare
// standard library doing the same work (the floors).
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
// took the processors away are left out; the table names rows where that was
// not to be had. Stages that take long end after three rounds.
//
// A ratio is telltale's figure over the peer's in the same round; the table
// shows the median over rounds and the range. Trust ratios, not nanoseconds.
//
// Times are per operation, per series scraped, per scrape or per line parsed, as the row's unit
// in -json says; allocations are per operation or scrape, and in the rows of
// live heap the objects of a series.
//
// # How it judges
//
// A target of the design is "met" when the median ratio is at most the target,
// "near" when only some rounds reach it, else "missed". Where the design names
// no target, telltale still may not be slower than a rival: a target of 1.05,
// for noise. Nothing fails on timings.
//
// # How to extend it
//
// A row is a line in rows.go: a task, a stopwatch, a unit, targets. A new kind
// of work is a kind in peer.go and a case in each adapter that offers it; a new
// way of measuring is a stopwatch in stopwatch.go; a new peer is a file
// peer_NAME.go and an entry in the roster.
package main

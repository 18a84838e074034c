// Package openmetrics2 writes and reads families in the OpenMetrics text format,
// version 2.0. That version is experimental: the package follows the draft
// "2.0.0-rc0" of March 2026, in its state of 5 August 2026 (repository
// prometheus/docs, docs/specs/om/open_metrics_spec_2_0.md, commit fe6f3c9), and
// will change with it. Comments name sections of the draft.
//
// A family has the name of its samples (section "Name"): a counter that the
// model calls "requests" is "requests_total" here, an info "build" is
// "build_info", and nothing else is renamed. A histogram or summary is one line
// with all its parts, native buckets before classic ones; a start time stands in
// the line of its sample.
//
// What the draft cannot hold is written in another way, or dropped and reported.
// An info under a literal name that does not end in "_info", and a histogram or
// summary that a restriction has made incomplete, are of unknown type. A
// histogram whose sum is not known has the sum NaN. Totals that are NaN or below
// zero, histograms whose counts fall from bucket to bucket or begin below zero,
// summaries whose sum is NaN or negative or whose count is not a whole number,
// quantiles with negative values, exemplars without a timestamp,
// native histograms with custom bounds and samples that fit no type are dropped.
// A histogram with exemplars on classic and on native buckets is written with
// those of the classic ones, as the draft recommends (section "Exemplars and
// Start Timestamp").
//
// There are two ways to read. A [Parser] returns whole families and refuses a
// page that breaks any rule of the draft. A [Scanner] returns line after line
// without allocating; a line is valid until the next call. It knows the grammar
// of lines and that "# EOF" ends the page. Both refuse a page for a malformed
// exemplar, which the draft allows an ingestor to ignore (section "Failure
// Modes").
package openmetrics2

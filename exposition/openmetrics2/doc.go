// Package openmetrics2 writes and reads families in the OpenMetrics text format,
// version 2.0. That version is experimental: the package follows the draft
// "2.0.0-rc0" of March 2026, in its state of 5 August 2026 (repository
// prometheus/docs, docs/specs/om/open_metrics_spec_2_0.md, commit fe6f3c9), and
// changes with it. Sections that comments name are its.
//
// A family bears the name of its samples (section "Name"): a counter that the
// model calls "requests" is "requests_total" here, an info "build" is
// "build_info", and nothing else is renamed. A histogram or summary is one line
// of all its parts, native buckets before classic ones; start times stand in
// the line of their sample.
//
// What the draft has no place for is written otherwise, or dropped and reported:
// an info under a literal name that does not end in "_info", and what a
// restriction leaves of a histogram or summary, are unknowns; a histogram whose
// sum is not known has one of NaN; summaries whose sum is NaN or negative, quantiles of
// negative values, exemplars without a timestamp, native
// histograms with custom bounds and samples that fit no type are dropped. A
// histogram with exemplars for its classic and for its native buckets shows
// those of the classic ones, as the draft would have it (section "Exemplars and
// Start Timestamp").
//
// There are two ways to read. A [Parser] returns whole families and refuses what
// breaks any rule of the draft. A [Scanner] returns one line after the other,
// valid until the next, without allocating; it knows the grammar of lines and
// that "# EOF" ends the page. Both refuse a page for a malformed exemplar, which
// the draft would let an ingestor pass over (section "Failure Modes").
package openmetrics2

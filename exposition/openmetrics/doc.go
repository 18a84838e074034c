// Package openmetrics writes and reads families in the OpenMetrics text format,
// version 1.0 (OpenMetrics 1.0, section "Text format"). Version 0.0.1, which
// Prometheus still asks for, is written and read alike.
//
// The format is strict, and what would break it is written otherwise or left
// out: families under the literal name of a counter or info are unknown, as is
// what a restriction leaves of a histogram if that is none any more; a
// histogram has both a sum and a count or neither, and neither where the sum is NaN,
// negative or beside negative bounds; a summary has no such sum, and no quantiles of
// negative values; exemplars stand on counters and buckets and have at most 128
// characters; samples that fit no type are dropped.
//
// There are two ways to read. A [Parser] returns whole families and refuses what
// breaks any rule of the specification. A [Scanner] returns one line after the
// other, valid until the next, without allocating; it knows the grammar of lines
// and that "# EOF" ends the page. Names in quotes, which came later than the
// specification, are read by both.
package openmetrics

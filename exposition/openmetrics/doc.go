// Package openmetrics writes and reads families in the OpenMetrics text format,
// version 1.0 (OpenMetrics 1.0, section "Text format"). Version 0.0.1, which
// Prometheus still asks for, is written and read alike.
//
// The format is strict. What would break it is written in another way or left
// out: a family under the literal name of a counter or info is unknown, and so
// is a histogram that a restriction has made incomplete; a histogram has both a
// sum and a count or neither, and neither if the sum is NaN, negative or beside
// negative bounds; a summary has no such sum, and no quantiles with negative
// values; a total that is NaN or below zero is dropped, and so is a histogram with a
// count that is not a whole number from 0 on, or is less than that of the bucket before,
// and such a count of a summary; exemplars stand on counters, and on buckets that count
// their value, and have at most 128 characters; samples that fit no type are dropped.
//
// There are two ways to read. A [Parser] returns whole families and refuses a
// page that breaks any rule of the specification. A [Scanner] returns line after
// line without allocating; a line is valid until the next call. It knows the
// grammar of lines and that "# EOF" ends the page. Both read quoted names, which
// are newer than the specification.
package openmetrics

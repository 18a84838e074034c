// Package text writes and reads families in the Prometheus text exposition
// format, versions 0.0.4 and 1.0.0 (Prometheus documentation, "Exposition
// formats"). The versions differ in their content type alone; names outside the
// legacy character set are quoted where the escaping scheme allows UTF-8, and
// escaped where it does not.
//
// The format has no place for units, exemplars and created times, which are
// left out, and no types for infos and state sets (written as gauges), unknowns
// ("untyped") and gauge histograms (a histogram, with its count and its sum as
// gauges after it).
//
// There are two ways to read. A [Parser] returns whole families. A [Scanner]
// returns line after line without allocating; a line is valid until the next
// call.
package text

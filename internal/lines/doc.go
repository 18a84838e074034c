// Package lines writes families as the lines that the Prometheus text format and
// OpenMetrics have in common: name{labels} value timestamp. A [Page] walks each
// family's points once and copies prepared bytes into one buffer of fixed size;
// a [Format] supplies the details in which formats differ. Neither series nor
// families cost an allocation, but a few where an escaping scheme may make names or
// series equal, of which the first is written ([ClashingName], [ClashingSeries]).
package lines

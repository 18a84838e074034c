// Package scan reads the lines of the Prometheus text format and of OpenMetrics:
// names, labels, numbers, escapes. It knows what one line may look like and
// nothing of what lines mean together. A [Scanner] allocates nothing for a
// line: what it hands out lies in its own buffers until the next line is read.
// What a format allows beyond the others is said by its [Grammar]. [Page] reads a
// page of OpenMetrics, which is the same in every version but for the samples.
// Lines of one family look alike, so a scanner remembers the last shapes of lines
// and reads only what differs; the fuzz target FuzzShapes holds that to reading
// every line as if it were the first.
//
// For parsers that put samples together to the points of a family it also has
// [Points], which does so in whatever order they come, [Texts], which keeps
// strings in few pieces, [Index], which finds series again by their labels,
// [Order], to which OpenMetrics holds them, [Metadata], and [Bounds], which series
// of the same buckets share. [Gather] reads sloppy pages. [Families] and
// [Doubts] are for going on behind errors.
package scan

// Package scan reads the lines of the Prometheus text format and of OpenMetrics:
// names, labels, numbers, escapes. It checks each line by itself, not the rules
// that hold between lines. A [Scanner] allocates nothing for a line: an entry
// lies in its buffers and is valid until the next line is read. A [Grammar] says
// what a format allows beyond the others. [Page] reads a page of OpenMetrics,
// which is the same in every version but for the samples. Lines of one family
// look alike, so a scanner remembers the shapes of recent lines and reads only
// what differs; the fuzz target FuzzShapes checks that this gives the same
// result as reading every line anew.
//
// For parsers that join samples to the points of a family it also has [Points],
// which joins them in whatever order they come, [Texts], which keeps strings in
// few allocations, [Index], which finds series by their labels, [Order], which
// checks the order that OpenMetrics demands, [Metadata], and [Bounds], which
// shares bucket bounds among series. [Gather] reads pages leniently. [Families]
// and [Doubts] serve parsers that go on after errors.
package scan

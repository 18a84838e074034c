// Package exponential holds observations in exponential buckets, for native
// histograms ([Histogram]) and, over a sliding window, for the quantiles of
// summaries ([Window]). A [Snapshot] is the content of either at one time;
// snapshots of different resolutions can be merged, and give buckets or
// quantiles.
//
// # Buckets
//
// The buckets are those of Prometheus (specification "Native Histograms",
// sections "Schema" and "Zero bucket"). Under schema s, -4 to 8, bucket i counts
// 2^((i-1)/2^s) < v <= 2^(i/2^s), and negative observations likewise by absolute
// value; the zero bucket counts observations whose absolute value is at most the
// zero threshold. Infinities have the bucket after the one of the largest
// float64. NaN counts in no bucket. The bucket of an observation is computed
// exactly.
//
// When there are more buckets than the limit, a histogram is reset if its last
// reset is long enough ago; else its zero bucket is widened as far as allowed;
// else its resolution is halved (section "Limiting the bucket count"). If that
// does not suffice at the lowest resolution, the zero bucket is widened further:
// the limit always holds.
//
// Quantiles: taking a bucket's middle for the values in it is wrong by at most
// the fraction [RelativeError], as in DDSketch (Masson, Rim, Lee: "DDSketch: A
// Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB
// 2019). Halving the resolution at the limit, which bounds the relative error of
// every quantile, is the uniform collapse of UDDSketch (Epicoco et al.:
// "UDDSketch: Accurate Tracking of Quantiles in Data Streams", IEEE Access
// 2020).
//
// # Generations
//
// A histogram's buckets lie in a generation: a schema, a zero threshold and a
// hash table from bucket indexes to counts. In a generation buckets are only
// added and counts only grow. Every other change, from a larger table to a
// reset, makes another generation from the one before. An observation is one
// compare-and-swap of a count, which carries the tag of its generation and a
// frozen bit, and one addition to the sum. To make a new generation, the old
// one's counts are frozen, so that each observation either is in the copy, or
// fails, looks the generation up again and is counted in the new one: none is
// lost and none counted twice. Only observing into a new bucket and making
// generations take a lock.
//
// The sum is kept beside the generations, because changes of resolution leave it
// as it is. A bucket's count and the sum change one after the other: a reader
// may see one without the other. Counts saturate at 2^52 - 1 for each bucket.
//
// # Words
//
// On the heap a generation is as large as its content. In words that the caller
// provides, usually shared with processes that read them ([Read]), there are two
// areas for generations in turn. The layout, in words of eight bytes in the
// machine's order, is:
//
//	0  layout: format (1) << 56 | 1 << 32 | slots of a table
//	1  generations so far; number n is words[1] - 1, its area n & 1; 0 before the first
//	2  sums: float64s of two epochs
//	   two areas follow
//
// and an area is
//
//	0  tag << 52 | spread << 9 | epoch << 8 | schema + 4
//	1  zero threshold, a float64
//	2  since when it counts: nanoseconds after 1970, or a window's tick
//	3  unused
//	   slots keys: tag << 52 | uint32 of sign * (index + 1<<20), tag << 52 for a free slot
//	   frozen << 63 | tag << 52 | count: of the zero bucket, of NaN, of each slot
//
// Once writers contend there are lanes, which lie elsewhere, and generations from then
// on have the bit spread: they count in the lanes, and what lies in the words counts
// in addition. A lane has the sums of both epochs, and then, for each area, the counts
// that the area has.
//
// The tag is the generation's number modulo 2048. The epoch, 0 or 1, names the
// sums of the generation; it changes when the histogram is reset. All words are
// 0 at first, which is the beginning of generation 0.
//
// Slots are a power of two. Where a search for a key begins, and how it goes on,
// concerns the writer only: readers read all slots in order.
//
// Word 1 is written after its area is complete, so a reader sees a change of
// schema or threshold whole or not at all, and a writer killed at any
// instruction leaves the generation before, frozen at most, which readers
// ignore. An area is reused only by the next generation but one, which writes
// the area's first word first: a reader that late sees another tag and starts
// again, and a writer's compare-and-swap fails. (Sums have no tags: the addition
// of a writer that was delayed while the histogram was reset twice goes to the
// sum of the wrong epoch.)
package exponential

// Package exponential holds observations in exponential buckets: the engine of
// native histograms ([Histogram]) and, over a sliding window, of a summary's
// quantiles ([Window]). A [Snapshot] is what either holds at one time; snapshots
// of different resolutions merge, and give buckets or quantiles.
//
// # Buckets
//
// The buckets are those of Prometheus (specification "Native Histograms",
// sections "Schema" and "Zero bucket"). Under schema s, -4 to 8, bucket i counts
// 2^((i-1)/2^s) < v <= 2^(i/2^s), and negative observations likewise by absolute
// value; the zero bucket counts what is at most the zero threshold away from
// zero. Infinities have the bucket after the one of the largest float64. NaN
// counts in no bucket. Which bucket an observation belongs to is computed
// exactly.
//
// With more buckets than the limit, a histogram is emptied if it was not for
// long enough, else its zero bucket is widened as far as allowed, else its
// resolution is halved (section "Limiting the bucket count"). If that does not
// suffice at the lowest resolution, the zero bucket is widened further: the
// limit always holds.
//
// Buckets as quantile sketch: taking a bucket's middle for the values in it is
// wrong by at most the fraction [RelativeError], as in DDSketch (Masson, Rim,
// Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
// Relative-Error Guarantees", VLDB 2019). Halving the resolution at the limit,
// which keeps the error relative at every quantile, is the uniform collapse of
// UDDSketch (Epicoco et al.: "UDDSketch: Accurate Tracking of Quantiles in Data
// Streams", IEEE Access 2020).
//
// # Generations
//
// A histogram's buckets lie in a generation: a schema, a zero threshold and a
// hash table from bucket indexes to counts, none of which changes but that
// buckets are added and counts grow. Everything else, from a larger table to an
// emptied histogram, is another generation made from the one before. An
// observation is one compare-and-swap of a count, which carries the tag of its
// generation and a frozen bit, and one addition to the sum. To make a new
// generation, the old one's counts are frozen, so that each observation is
// either in what is copied or fails, looks the generation up again and is
// counted in the new one: none is lost and none counted twice. Only observing
// into a new bucket and making generations take a lock.
//
// The sum is beside the generations, because it goes through changes of
// resolution as it is. A bucket's count and the sum change one after the other:
// a reader may see the one without the other. Counts end at 2^52 - 1 a bucket.
//
// # Words
//
// On the heap a generation is as large as what it holds. In words that the
// caller gives, usually shared with processes that read them ([Read]), there is
// room for two generations in turn, and the layout is, in words of eight bytes
// in the machine's order:
//
//	0  layout: format (1) << 56 | lanes << 32 | slots of a table
//	1  generations so far; number n is words[1] - 1, its area n & 1; 0 before the first
//	2  sums: two epochs of a float64 for each lane, one epoch after the other;
//	   with several lanes each float64 has 16 words, of which it uses the first
//	   two areas follow
//
// and an area is
//
//	0  tag << 52 | epoch << 8 | schema + 4
//	1  zero threshold, a float64
//	2  since when it counts: nanoseconds after 1970, or a window's tick
//	3  unused
//	   slots keys: tag << 52 | uint32 of sign * (index + 1<<20), tag << 52 for a free slot
//	   lanes times: frozen << 63 | tag << 52 | count: of the zero bucket, of NaN, of each slot;
//	   with several lanes each begins at and fills a multiple of 16 words of the area
//
// The tag is the generation's number modulo 2048. The epoch, 0 or 1, says which
// sums are the generation's; it changes when the histogram is emptied. All words
// are 0 at first, which is what generation 0 begins with.
//
// Slots are a power of two. Where a search for a key begins, and how it goes on,
// concerns the writer only: readers take all slots as they come.
//
// Word 1 is written after its area is complete, so a reader sees a change of
// schema or threshold whole or not at all, and a writer killed at any
// instruction leaves the generation before, frozen at most, which readers
// ignore. An area is used again only by the next generation but one, which
// writes the area's first word first: a reader that is this late sees another
// tag and starts again, and a writer finds that its compare-and-swap fails. (Sums
// have no tags: what a writer adds that was held up while the histogram was
// emptied twice is in the wrong epoch's sum.)
package exponential

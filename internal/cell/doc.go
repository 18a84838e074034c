// Package cell holds the words of metric values: a [Word] is eight bytes reached
// through a pointer and changed by atomic operations only, so that the same code
// serves words on the heap and words in memory shared by processes.
//
// [Lanes] reduce contention: a value to which several goroutines add at once is
// spread over words on different cache lines, which are allocated only once
// contention was seen.
package cell

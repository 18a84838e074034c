// Package cell holds the words in which values live: a [Word] is eight bytes
// reached through a pointer and changed by atomic operations only, so that the
// same code serves words on the heap and words in memory shared by processes.
//
// [Lanes] keep writers out of each other's way: a value that several goroutines
// fight over is spread over words on cache lines of their own, which are
// allocated only once a fight was seen.
package cell

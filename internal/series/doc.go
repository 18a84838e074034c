// Package series keeps the series of one family: their labels, creation times
// and handles, in the order of creation, with an index from label values to
// series.
//
// # Memory follows the live series
//
// Users hold pointers to handles for as long as they like, so a slot never moves
// and is never given to another series: the garbage collector frees it when no
// pointer into its allocation is left. Live series must therefore not share an
// allocation with many removed ones. A [Set] from which nothing was removed lays
// its series in slabs of eight, which takes the least memory; from the first
// removal on, each new series has its own allocation. A series that stays keeps
// at most the other seven slots of its slab. Texts do move: when a slab has lost
// half of its series, the texts of the others are moved out of the block that
// they share with other slabs.
//
// # Changes take little time
//
// The index and the lists of slabs and single slots are replaced by larger or
// smaller ones when they are full or mostly empty. Each change to the set copies
// a bounded part of them; the last one publishes them.
//
// # Concurrency
//
// Reading takes no lock: [Set.Find] and [Set.Walk] may be called at any time.
// Methods that change a set must not run at the same time as each other.
package series

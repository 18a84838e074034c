// Package series keeps the series of one family: their labels, when each was
// created, and the handle that users hold of it, in the order of creation, with
// an index from label values to series.
//
// # Memory follows the living
//
// Users hold pointers to handles for as long as they like, so a slot never moves
// and is never given to another series: the garbage collector frees it when
// nobody has a pointer into its allocation. Series that live must therefore not
// share an allocation with many that do not. A [Set] that has only grown lays its
// series in slabs of eight, which takes least; from the first removal on each new
// series has an allocation of its own. A series that stays keeps at most the
// other seven slots of its slab. Texts do move: those of a slab that has lost half of
// its series move out of the block that they share with other slabs.
//
// # Changes take little time
//
// The index and the lists of slabs and single slots are replaced by others of the
// right size when they are full or mostly empty. Each change to the set copies a
// bounded part of them; the last one publishes them.
//
// # Concurrency
//
// Reading takes no lock: [Set.Find] and [Set.Walk] may be called at any time.
// Methods that change a set must not run at the same time as each other.
package series

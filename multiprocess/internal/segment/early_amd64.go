//go:build !race

package segment

import (
	"unsafe"

	"telltale/internal/cell"
)

// storeEarly stores a word. Others see it at the latest when the caller, who holds the
// lock, releases that or stores another word atomically. They see stores of this processor
// in their order; an atomic one waits until all before it are seen, as long as twenty
// others take.
func storeEarly(w *cell.Word, v uint64) { *(*uint64)(unsafe.Pointer(w)) = v }

//go:build race || !amd64

package segment

import "telltale/internal/cell"

// storeEarly stores a word. Others see it at the latest when the caller, who holds the
// lock, releases that or stores another word atomically.
func storeEarly(w *cell.Word, v uint64) { w.Store(v) }

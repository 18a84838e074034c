package scrapehttp

import (
	"sync"

	"telltale/exposition"
	"telltale/internal/lines"
)

// DropError is passed to the error hook for something that was left out of a
// page because the format cannot hold it, or that is on the page although the
// format reserves its name.
type DropError struct {
	Drop   exposition.Drop
	Format exposition.Format
}

// Error describes what was dropped.
func (e *DropError) Error() string {
	return "scrapehttp: " + lines.Describe(e.Drop, e.Format.String())
}

// maxTold is the number of different drops that a handler passes to its hook.
// Names on a page may come from outside, through a custom collector.
const maxTold = 1000

// told remembers the drops passed to the hook, so that it gets each once and not
// at every scrape.
type told struct {
	mu    sync.Mutex
	drops map[DropError]bool
}

// isNew reports whether the hook has not got this drop, and remembers it.
func (t *told) isNew(e DropError) bool {
	e.Drop.Family, e.Drop.Sample = lines.Shortened(e.Drop.Family), lines.Shortened(e.Drop.Sample) // copies
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.drops[e] || len(t.drops) >= maxTold {
		return false
	}
	if t.drops == nil {
		t.drops = make(map[DropError]bool)
	}
	t.drops[e] = true
	return true
}

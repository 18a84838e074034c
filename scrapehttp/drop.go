package scrapehttp

import (
	"fmt"
	"strings"
	"sync"

	"telltale/exposition"
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
	what := fmt.Sprintf("family %q", shortened(e.Drop.Family))
	if e.Drop.Sample != "" {
		what = fmt.Sprintf("sample %q of %s", shortened(e.Drop.Sample), what)
	}
	verb := "was left out of"
	if e.Drop.Reason.Written() {
		verb = "is on"
	}
	return fmt.Sprintf("scrapehttp: %s %s a page in %s: %s", what, verb, e.Format, e.Drop.Reason)
}

// longestName is the number of bytes of a name that are passed to the error hook
// and remembered.
const longestName = 1 << 10

// shortened cuts a name to longestName bytes.
func shortened(name string) string {
	if len(name) > longestName {
		return strings.ToValidUTF8(name[:longestName], "") + "..."
	}
	return name
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
	e.Drop.Family, e.Drop.Sample = shortened(e.Drop.Family), shortened(e.Drop.Sample)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.drops[e] || len(t.drops) >= maxTold {
		return false
	}
	e.Drop.Family, e.Drop.Sample = strings.Clone(e.Drop.Family), strings.Clone(e.Drop.Sample) // a source may reuse its memory
	if t.drops == nil {
		t.drops = make(map[DropError]bool)
	}
	t.drops[e] = true
	return true
}

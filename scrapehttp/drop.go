package scrapehttp

import (
	"fmt"
	"strings"
	"sync"

	"telltale/exposition"
)

// DropError tells the error hook of something that a page in the format could
// not hold and was written without, or that is on the page although the format
// reserves it.
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

// longestName is how many bytes of a name reach the error hook and are
// remembered.
const longestName = 1 << 10

// shortened cuts a name to longestName bytes.
func shortened(name string) string {
	if len(name) > longestName {
		return strings.ToValidUTF8(name[:longestName], "") + "..."
	}
	return name
}

// maxTold is how many different drops a handler passes to its hook. Names on a page
// may come from outside, through a custom collector.
const maxTold = 1000

// told remembers the drops that the hook has had, so that it gets each once and
// not at every scrape.
type told struct {
	mu    sync.Mutex
	drops map[DropError]bool
}

// isNew reports whether the hook has not had this drop, and remembers it.
func (t *told) isNew(e DropError) bool {
	e.Drop.Family, e.Drop.Sample = shortened(e.Drop.Family), shortened(e.Drop.Sample)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.drops[e] || len(t.drops) >= maxTold {
		return false
	}
	e.Drop.Family, e.Drop.Sample = strings.Clone(e.Drop.Family), strings.Clone(e.Drop.Sample) // a source may take its memory back
	if t.drops == nil {
		t.drops = make(map[DropError]bool)
	}
	t.drops[e] = true
	return true
}

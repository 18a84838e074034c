package telltale

// Whether there is room for a new series.

import (
	"fmt"
	"strings"
)

// fullness says whether there is room for a new series.
type fullness uint8

const (
	hasRoom fullness = iota
	familyFull
	registryFull
)

// room takes room for a new series. The series of overflow needs none, and neither do
// those that Replace fills in. The caller holds the lock.
func (t *table[H]) room(text []byte) fullness {
	limit := t.core.seriesLimit
	familyHas := func() bool { return limit <= 0 || t.limited() < limit }
	switch {
	case t.filling != nil || t.core.isOverflow(text):
		return hasRoom
	case !familyHas() && (!t.lookDue() || !familyHas()):
		return familyFull
	case !t.quota.take() && (!t.lookDue() || !t.quota.take()):
		return registryFull
	}
	return hasRoom
}

// leave ends join. The series stay.
func (c *core[H]) leave() {
	t := c.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.quota.add(-t.limited())
	t.quota.dismiss(t)
	t.quota = nil
}

// refuse reports that there was no room for a series of the values.
func (c *core[H]) refuse(full fullness, values []string) {
	c.refused.Add(1)
	c.fault(ReasonSeriesLimit, func() error {
		given := make([]string, len(values))
		for i, v := range values {
			given[i] = strings.Clone(v)
		}
		whose := fmt.Sprintf("it has its limit of %d", c.seriesLimit)
		if full == registryFull {
			whose = "the registry has its limit"
		}
		goes := `it counts in the series of "overflow"`
		if !c.kind.sums {
			goes = "no scrape sees it"
		}
		return fmt.Errorf("telltale: no room for a series of %s %q with %.64q (%s): %s", c.typ, c.name, given, whose, goes)
	})
}

//go:build unix

package multiprocess_test

import (
	"testing"

	"telltale"
)

// Files of Python's client keep the series that they have, and no others.
func TestIdleSeriesBesidePython(t *testing.T) {
	t.Parallel()
	dir := sharedDir(t)
	put(t, dir, "counter_1.db", entry{`["c", "c_total", {"l": "both"}]`, 10, 0})
	reg := expiring(t, dir, "a")
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg), telltale.WithIdleExpiry(idle)))
	c.With("both").Inc()
	c.With("own").Inc()
	both := 11
	left := func() {
		soon(t, "the other series has left", func() bool {
			page := totalsOf(samplesOf(t, reg), "c_total")
			if page["both"] != both {
				t.Fatalf("the page has %v, want %d", page, both)
			}
			return len(page) == 1
		})
	}
	left()
	var page map[string]int
	inTime(t, func() {
		c.With("both").Inc()
		c.With("own").Inc()
		both++
		page = totalsOf(samplesOf(t, reg), "c_total")
	}, left)
	if page["both"] != both || page["own"] != 1 {
		t.Errorf("the page has %v, want %d and 1", page, both)
	}
}

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
	soon(t, "the other series has left", func() bool {
		page := totalsOf(samplesOf(t, reg), "c_total")
		if page["both"] != 11 {
			t.Fatalf("the page has %v", page)
		}
		return len(page) == 1
	})
	c.With("both").Inc()
	c.With("own").Inc()
	if page := totalsOf(samplesOf(t, reg), "c_total"); page["both"] != 12 || page["own"] != 1 {
		t.Errorf("the page has %v", page)
	}
}

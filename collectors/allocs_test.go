//go:build !race

package collectors_test

import (
	"math"
	"testing"

	"telltale"
	"telltale/collectors"
	"telltale/model"
)

// What the runtime tells is collected into storage of earlier collects.
func TestCollectAllocatesNothing(t *testing.T) {
	for name, c := range map[string]telltale.Collector{
		"go":         collectors.NewGo(),
		"everything": collectors.NewGo(everything),
		"build":      collectors.NewBuildInfo(),
	} {
		emit := func(*model.Family) error { return nil }
		allocs := math.Inf(1)
		for range 5 { // a garbage collection in between empties the pools
			allocs = min(allocs, testing.AllocsPerRun(20, func() {
				if err := c.Collect(t.Context(), emit); err != nil {
					t.Fatal(err)
				}
			}))
		}
		if allocs > 1 {
			t.Errorf("%s: %v allocations a collect", name, allocs)
		}
	}
}

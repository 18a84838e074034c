package telltaletest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
)

// families collects c, and ends the test if something is missing.
func families(t testing.TB, c telltale.Collector) []*model.Family {
	t.Helper()
	list, err := collect(t.Context(), c)
	if err != nil {
		t.Fatalf("telltaletest: collecting failed: %v", err)
	}
	return list
}

// collect returns copies of all families of c.
func collect(ctx context.Context, c telltale.Collector) (list []*model.Family, err error) {
	err = visit(ctx, c, func(f *model.Family) error {
		list = append(list, f.Clone())
		return nil
	})
	return list, err
}

// visit calls take with each family of c, which is valid meanwhile. What a registry
// would contain and count is an error here: a custom collector that fails, a series
// that is emitted twice.
func visit(ctx context.Context, c telltale.Collector, take func(*model.Family) error) error {
	reg, isRegistry := c.(*telltale.Registry)
	if !isRegistry {
		reg = telltale.NewRegistry(telltale.WithStrict())
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	before := reg.Stats().Faults
	if err := reg.Collect(ctx, take); err != nil {
		return err
	}
	if lost := grown(before, reg.Stats().Faults); lost != "" {
		return fmt.Errorf("the registry counted faults meanwhile: %s", lost)
	}
	return nil
}

// grown lists the reasons of which there are more faults now, with how many.
func grown(before, now map[telltale.Reason]uint64) string {
	var lost []string
	for _, reason := range slices.Sorted(maps.Keys(now)) {
		if n := now[reason] - before[reason]; n > 0 {
			lost = append(lost, fmt.Sprintf("%d of reason %q", n, reason))
		}
	}
	return strings.Join(lost, ", ")
}

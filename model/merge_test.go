package model_test

import (
	"strings"
	"testing"

	"telltale/model"
)

// Only rules that mean something for a type are accepted, and families keep them.
func TestWithMerge(t *testing.T) {
	numbers := []model.Type{model.Counter, model.Gauge, model.Unknown}
	sums := append(numbers, model.Histogram, model.GaugeHistogram, model.Summary)
	all := append(sums, model.Info, model.StateSet)
	for _, c := range []struct {
		merge model.Merge
		name  string
		types []model.Type
	}{
		{0, "usual", all}, {model.MergeSum, "sum", sums}, {model.MergeMax, "max", numbers}, {model.MergeEach, "each", numbers},
		{model.MergeOnce, "once", all}, {model.MergeOnce + 1, "Merge(5)", nil},
	} {
		if got := c.merge.String(); got != c.name {
			t.Errorf("%d is called %q, not %q", c.merge, got, c.name)
		}
		fits := make(map[model.Type]bool)
		for _, typ := range c.types {
			fits[typ] = true
		}
		for _, typ := range all {
			f, err := model.NewFamily("f", "", typ, model.WithMerge(c.merge))
			switch {
			case fits[typ] && err != nil:
				t.Errorf("a %s that merges by %s: %v", typ, c.merge, err)
			case !fits[typ] && (err == nil || !strings.Contains(err.Error(), `"f"`) || !strings.Contains(err.Error(), typ.String()) || !strings.Contains(err.Error(), c.name)):
				t.Errorf("a %s that merges by %s: %v", typ, c.merge, err)
			case err == nil && (f.Clone().Merge != c.merge || f.Renamed("g").Merge != c.merge || f.Header().Merge != c.merge):
				t.Errorf("copies of a %s that merges by %s forget it", typ, c.merge)
			}
		}
	}
}

package push_test

import (
	"context"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/push"
)

// Labels that the grouping key has too are sent under other names, which no label of the
// series has, if that is asked for.
func TestExportedLabels(t *testing.T) {
	c := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		g := must(model.NewFamily("rows", "", model.Gauge))
		for _, labels := range []map[string]string{
			{"job": "own"},
			{"job": "own", "exported_job": "older", "shop": "7"},
			{"shop": "7"},
		} {
			g.AddSample("rows", labels, 1)
		}
		if err := emit(g); err != nil {
			return err
		}
		loose := must(model.NewFamily("more", "", model.Gauge))
		loose.AddSample("more_of_it", map[string]string{"job": "loose"}, 1)
		return emit(loose)
	})
	gateway := newGateway(t)
	if err := must(push.NewGateway(gateway.URL, "edge", push.WithGrouping("shop", "1"), push.WithExportedLabels())).Push(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	body := gateway.received()[0].body
	for _, want := range []string{
		`rows{exported_job="own"} 1.0`,
		`rows{exported_job="older",exported_exported_job="own",exported_shop="7"} 1.0`,
		`rows{exported_shop="7"} 1.0`,
		`more_of_it{exported_job="loose"} 1.0`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("it lacks %s:\n%s", want, body)
		}
	}
	if err := must(push.NewGateway(gateway.URL, "edge", push.WithGrouping("shop", "1"))).Push(t.Context(), c); err == nil || !strings.Contains(err.Error(), `has the label "job" of the grouping key`) {
		t.Error(err)
	}
}

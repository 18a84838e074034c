package telltale_test

import (
	"fmt"

	"telltale"
)

// How do I serve only some metrics?
func ExampleRegistry_Restricted() {
	registry := telltale.NewRegistry()
	view := registry.Restricted("latency_count", "up") // made first, it is live
	latency := telltale.Must(telltale.NewSummary("latency", "Seconds taken.", telltale.In(registry)))
	telltale.Must(telltale.NewGauge("up", "Whether it runs.", telltale.In(registry))).Set(1)
	telltale.Must(telltale.NewGauge("hidden", "Not asked for.", telltale.In(registry)))
	latency.Observe(0.5)

	page, err := telltale.GenerateLatest(view)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(page))
	// Output:
	// # HELP latency Seconds taken.
	// # TYPE latency summary
	// latency_count 1.0
	// # HELP up Whether it runs.
	// # TYPE up gauge
	// up 1.0
}

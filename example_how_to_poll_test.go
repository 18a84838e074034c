package telltale_test

import (
	"context"
	"time"

	"telltale"
	"telltale/model"
)

// Routers ask for the page every 50 ms; the queue is asked once a second.
func ExampleWithCoalescing() {
	reg := telltale.NewRegistry(telltale.WithCoalescing(time.Second))
	answered := telltale.Must(telltale.NewCounter("answered", "Requests answered.", telltale.In(reg)))
	asked := 0.0
	queue := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		asked++ // a query that takes a while
		f := telltale.Must(model.NewFamily("queue_asked", "How often the queue was asked.", model.Gauge))
		f.AddSample("queue_asked", nil, asked)
		return emit(f)
	})
	if err := reg.Register(queue); err != nil {
		panic(err)
	}
	for range 3 {
		answered.Inc()
		printPage(reg.Restricted("answered", "queue_asked"))
	}
	// Output:
	// # HELP answered_total Requests answered.
	// # TYPE answered_total counter
	// answered_total 1.0
	// # HELP queue_asked How often the queue was asked.
	// # TYPE queue_asked gauge
	// queue_asked 1.0
	// # HELP answered_total Requests answered.
	// # TYPE answered_total counter
	// answered_total 2.0
	// # HELP queue_asked How often the queue was asked.
	// # TYPE queue_asked gauge
	// queue_asked 1.0
	// # HELP answered_total Requests answered.
	// # TYPE answered_total counter
	// answered_total 3.0
	// # HELP queue_asked How often the queue was asked.
	// # TYPE queue_asked gauge
	// queue_asked 1.0
}

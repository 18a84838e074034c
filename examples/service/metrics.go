package main

import (
	"telltale"
	"telltale/auto"
)

// metrics are what the service counts by itself.
type metrics struct {
	orders   *telltale.CounterOf[byCurrency]
	jobs     *telltale.CounterOf[byResult]
	waiting  *telltale.Gauge
	running  *telltale.Gauge
	duration *telltale.Histogram
	age      *telltale.Summary
}

// byCurrency are the labels of an order. Clients may name any currency; those that are
// not listed count as "other".
type byCurrency struct{ Currency string }

// byResult are the labels of a job that has ended.
type byResult struct{ Result string }

const (
	priced = "priced"
	failed = "failed"
)

func newMetrics(reg *telltale.Registry) *metrics {
	shop := auto.In(reg, telltale.WithNamespace("shop"))
	return &metrics{
		orders: auto.CounterOf[byCurrency](shop, "orders", "Orders taken.",
			telltale.WithLabelValues("currency", "EUR", "USD", "GBP")),
		jobs: auto.CounterOf[byResult](shop, "jobs", "Jobs that have ended.",
			telltale.WithLabelValues("result", priced, failed), telltale.WithInitialSeries()),
		waiting:  shop.Gauge("jobs_waiting", "Jobs in the queue."),
		running:  shop.Gauge("jobs_running", "Jobs that workers are at."),
		duration: shop.Histogram("job_duration_seconds", "Time that a worker took for a job.", telltale.WithNativeBuckets(1.1)),
		age: shop.Summary("job_age_seconds", "Time that a job waited for a worker.",
			telltale.WithQuantiles(0.5, 0.99)),
	}
}

package telltale_test

import (
	"telltale"
)

// Two pools have a registry each. On one page their families are one, told apart by a
// label.
func ExampleMerge() {
	pool := func(name string, busy float64) telltale.Collector {
		reg := telltale.NewRegistry()
		telltale.Must(telltale.NewGauge("workers_busy", "Workers that have a job.", telltale.In(reg))).Set(busy)
		return telltale.Must(telltale.Labelled(reg, map[string]string{"pool": name}))
	}
	printPage(telltale.Must(telltale.Merge(pool("mail", 3), pool("video", 8))))
	// Output:
	// # HELP workers_busy Workers that have a job.
	// # TYPE workers_busy gauge
	// workers_busy{pool="mail"} 3.0
	// workers_busy{pool="video"} 8.0
}

// The same metric with another value of a constant label is the same family.
func ExampleWithConstLabels() {
	reg := telltale.NewRegistry()
	for _, side := range []string{"read", "write"} {
		c := telltale.Must(telltale.NewCounter("disk_operations", "Operations of the disk.", telltale.In(reg),
			telltale.WithConstLabels(map[string]string{"side": side})))
		c.Add(float64(len(side)))
	}
	printPage(reg)
	// Output:
	// # HELP disk_operations_total Operations of the disk.
	// # TYPE disk_operations_total counter
	// disk_operations_total{side="read"} 4.0
	// disk_operations_total{side="write"} 5.0
}

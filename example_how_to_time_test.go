package telltale_test

import (
	"errors"
	"fmt"
	"time"

	"telltale"
)

// How long does a piece of code take?
func ExampleTimer() {
	reg := telltale.NewRegistry()
	took := telltale.Must(telltale.NewHistogram("job_duration_seconds", "Time that jobs take.", telltale.In(reg),
		telltale.WithBuckets(telltale.Must(telltale.ExponentialBuckets(0.001, 10, 5))...)))

	func() {
		defer telltale.NewTimer(took.Observe).Stop()
		time.Sleep(time.Millisecond) // the work
	}()
	n, _ := reg.SampleValue("job_duration_seconds_count", nil)
	fmt.Println(n)
	// Output: 1
}

// Names of one component begin alike, and its parts are known by labels.
func ExampleWithNamespace() {
	reg := telltale.NewRegistry()
	depth := telltale.Must(telltale.NewGaugeVec("depth", "Jobs that wait.", []string{"queue"}, telltale.In(reg),
		telltale.WithNamespace("shop"), telltale.WithSubsystem("queue")))
	depth.With("mail").Set(12)
	fmt.Println(reg.SampleValue("shop_queue_depth", map[string]string{"queue": "mail"}))
	// Output: 12 true
}

// In tests, faults that are counted and mended elsewhere are errors.
func ExampleWithStrict() {
	reg := telltale.NewRegistry(telltale.WithStrict())
	depth := telltale.Must(telltale.NewGaugeVec("depth", "Jobs that wait.", []string{"queue"}, telltale.In(reg)))
	defer func() { fmt.Println(recover() != nil) }()
	depth.With("mail", "ada") // one value too many
	// Output: true
}

// Two programs' parts claim one name: the error has both.
func ExampleDuplicateError() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("jobs", "Jobs done.", telltale.In(reg)))
	_, err := telltale.NewGauge("jobs_total", "Jobs in all.", telltale.In(reg))
	var duplicate *telltale.DuplicateError
	fmt.Println(errors.As(err, &duplicate))
	for _, clash := range duplicate.Clashes {
		fmt.Println(clash.Name, "belongs to", clash.Held)
	}
	// Output:
	// true
	// jobs_total belongs to counter "jobs" (Jobs done.)
}

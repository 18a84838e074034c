package collectors_test

import (
	"context"
	"fmt"
	"regexp"

	"telltale/collectors"
	"telltale/model"
)

// Rules choose among the metrics of package runtime/metrics by their names
// there; the last that matches decides.
func ExampleWithRules() {
	c := collectors.NewGo(
		collectors.WithoutMemStats(),
		collectors.WithRules(
			collectors.Allow(regexp.MustCompile(`^/gc/heap/(allocs|frees|live|goal):`)),
			collectors.Allow(regexp.MustCompile(`^/sched/latencies:`)),
			collectors.Deny(regexp.MustCompile(`:objects$`)),
			collectors.Deny(regexp.MustCompile(`^/gc/go`)), // which are there by default
		),
	)
	for _, f := range c.Describe() {
		fmt.Println(f.Type, f.SampleName())
	}

	// A view reads no more than it shows.
	_ = c.Restricted("go_gc_heap_live_bytes").Collect(context.Background(), func(f *model.Family) error {
		fmt.Println("alone:", f.Name)
		return nil
	})
	// Output:
	// info go_info
	// summary go_gc_duration_seconds
	// counter go_gc_heap_allocs_bytes_total
	// counter go_gc_heap_frees_bytes_total
	// gauge go_gc_heap_goal_bytes
	// gauge go_gc_heap_live_bytes
	// gauge go_goroutines
	// gauge go_memstats_last_gc_time_seconds
	// gauge go_sched_gomaxprocs_threads
	// histogram go_sched_latencies_seconds
	// gauge go_threads
	// alone: go_gc_heap_live_bytes
}

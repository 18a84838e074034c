package telltale_test

import (
	"context"
	"fmt"
	"time"

	"telltale"
	"telltale/model"
)

// How do I observe without choosing buckets?
func ExampleWithNativeBuckets() {
	reg := telltale.NewRegistry()
	latency := telltale.Must(telltale.NewHistogram("latency", "Time to answer.", telltale.In(reg), telltale.WithUnit("seconds"),
		telltale.WithNativeBuckets(2, telltale.WithNativeMaxBuckets(100))))
	for _, seconds := range []float64{0.3, 0.7, 0.75, 3} {
		latency.Observe(seconds)
	}

	err := reg.Collect(context.Background(), func(f *model.Family) error {
		for s := range f.Samples() {
			if h := s.NativeHistogram; h != nil {
				fmt.Println(s.Name, "count", h.Count, "sum", h.Sum, "schema", h.Schema)
				fmt.Println(h.PositiveSpans, h.Positive)
			}
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// latency_seconds count 4 sum 4.75 schema 0
	// [{-1 4}] [1 2 0 1]
}

// How do I show old dashboards classic buckets beside native ones?
func ExampleWithNativeBuckets_classic() {
	latency := telltale.Must(telltale.NewHistogram("latency", "Time to answer.", telltale.Unregistered(),
		telltale.WithNativeBuckets(1.1), telltale.WithBuckets(0.5, 1)))
	latency.Observe(0.3)

	page, err := telltale.GenerateLatest(latency)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(string(page))
	// Output:
	// # HELP latency Time to answer.
	// # TYPE latency histogram
	// latency_bucket{le="0.5"} 1.0
	// latency_bucket{le="1.0"} 1.0
	// latency_bucket{le="+Inf"} 1.0
	// latency_count 1.0
	// latency_sum 0.3
}

// How do I have quantiles of the last minute?
func ExampleWithQuantiles() {
	size := telltale.Must(telltale.NewSummary("size", "What was sent.", telltale.Unregistered(), telltale.WithUnit("bytes"),
		telltale.WithQuantiles(0.5, 1), telltale.WithMaxAge(time.Minute), telltale.WithQuantileError(0.01)))
	for i := range 101 {
		size.Observe(float64(1000 + i))
	}

	err := size.Collect(context.Background(), func(f *model.Family) error {
		for s := range f.Samples() {
			if s.Name == "size_bytes" {
				fmt.Printf("%s %.0f\n", s.Labels, s.Value)
			}
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// {quantile="0.5"} 1052
	// {quantile="1.0"} 1099
}

// Readers of text see classic buckets, though only native ones are counted in.
func ExampleWithNativeClassicBuckets() {
	seconds := telltale.Must(telltale.NewHistogram("job_seconds", "Duration of jobs.", telltale.Unregistered(),
		telltale.WithNativeBuckets(1.1, telltale.WithNativeClassicBuckets(0.125, 1, 8))))
	for _, v := range []float64{0.1, 0.125, 0.5, 20} {
		seconds.Observe(v)
	}
	printPage(seconds)
	// Output:
	// # HELP job_seconds Duration of jobs.
	// # TYPE job_seconds histogram
	// job_seconds_bucket{le="0.125"} 2.0
	// job_seconds_bucket{le="1.0"} 3.0
	// job_seconds_bucket{le="8.0"} 3.0
	// job_seconds_bucket{le="+Inf"} 4.0
	// job_seconds_count 4.0
	// job_seconds_sum 20.725
}

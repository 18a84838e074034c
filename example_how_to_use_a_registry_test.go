package telltale_test

import (
	"fmt"

	"telltale"
)

// How do I use a registry of my own, read a value back, see only a part, and say
// what the target is?
func ExampleRegistry() {
	// Create a registry, and metrics in it.
	registry := telltale.NewRegistry()
	requests := telltale.Must(telltale.NewCounter("requests_total", "Total requests", telltale.In(registry)))
	memory := telltale.Must(telltale.NewGauge("memory_usage", "Memory usage", telltale.In(registry)))

	// Use them.
	requests.Inc()
	memory.Set(1024)

	// Get sample values.
	fmt.Println(registry.SampleValue("requests_total", nil))
	fmt.Println(registry.SampleValue("memory_usage", nil))
	fmt.Println(registry.SampleValue("requests", nil)) // a family, not a sample

	// Create a restricted view.
	restricted := registry.Restricted("requests_total")
	page, err := telltale.GenerateLatest(restricted)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(page))

	// Set target info.
	err = registry.SetTargetInfo(map[string]string{"service": "my-app", "version": "1.0.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err = telltale.GenerateLatest(registry)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(page))
	// Output:
	// 1 true
	// 1024 true
	// 0 false
	// # HELP requests_total Total requests
	// # TYPE requests_total counter
	// requests_total 1.0
	// # HELP target_info Target metadata
	// # TYPE target_info gauge
	// target_info{service="my-app",version="1.0.0"} 1.0
	// # HELP requests_total Total requests
	// # TYPE requests_total counter
	// requests_total 1.0
	// # HELP memory_usage Memory usage
	// # TYPE memory_usage gauge
	// memory_usage 1024.0
}

// How do I describe the program that is scraped?
func ExampleRegistry_SetTargetInfo() {
	registry := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"service": "my-app"}))
	fmt.Println(registry.TargetInfo())
	if err := registry.SetTargetInfo(nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(registry.TargetInfo()))
	// Output:
	// map[service:my-app]
	// 0
}

// How do I read one value in a test?
func ExampleRegistry_SampleValue() {
	registry := telltale.NewRegistry()
	latency := telltale.Must(telltale.NewHistogramVec("latency", "Seconds taken.", []string{"route"},
		telltale.In(registry), telltale.WithUnit("seconds"), telltale.WithBuckets(0.1, 1)))
	latency.With("/").Observe(0.25)

	fmt.Println(registry.SampleValue("latency_seconds_bucket", map[string]string{"route": "/", "le": "0.1"}))
	fmt.Println(registry.SampleValue("latency_seconds_bucket", map[string]string{"route": "/", "le": "1.0"}))
	fmt.Println(registry.SampleValue("latency_seconds_sum", map[string]string{"route": "/"}))
	fmt.Println(registry.SampleValue("latency_seconds_sum", nil)) // labels match exactly
	// Output:
	// 0 true
	// 1 true
	// 0.25 true
	// 0 false
}

// How do I see why a value is not found in a test?
func ExampleRegistry_Sample() {
	registry := telltale.NewRegistry()
	latency := telltale.Must(telltale.NewHistogramVec("latency", "Seconds taken.", []string{"route"},
		telltale.In(registry), telltale.WithUnit("seconds"), telltale.WithBuckets(0.1, 1)))
	latency.With("/").Observe(0.25)

	fmt.Println(registry.Sample("latency_seconds_count", map[string]string{"route": "/"}))
	_, err := registry.Sample("latency_second_count", nil)
	fmt.Println(err)
	_, err = registry.Sample("latency_seconds_sum", nil)
	fmt.Println(err)
	_, err = registry.Sample("latency_seconds_bucket", map[string]string{"route": "/", "le": "1"})
	fmt.Println(err)
	// Output:
	// 1 <nil>
	// telltale: there is no such sample: latency_second_count: nothing has that name; these are alike: latency_seconds_count, latency_seconds_sum
	// telltale: there is no such sample: latency_seconds_sum: of 1 with that name the closest is latency_seconds_sum{route="/"}: it has the label route="/" too
	// telltale: there is no such sample: latency_seconds_bucket{le="1",route="/"}: of 3 with that name the closest is latency_seconds_bucket{route="/",le="1.0"}: le is spelled "1.0", not "1"
}

package model_test

import (
	"fmt"
	"time"

	"telltale/model"
)

// How do I build a family of samples by hand?
func ExampleNewFamily() {
	metric, err := model.NewFamily("my_custom_metric", "A custom metric", model.Gauge, model.WithUnit("bytes"))
	if err != nil {
		fmt.Println(err)
		return
	}

	// Add samples, one with a timestamp.
	metric.AddSample("my_custom_metric_bytes", map[string]string{"instance": "server1"}, 1024)
	metric.AddSample("my_custom_metric_bytes", map[string]string{"instance": "server2"}, 2048)
	metric.AddSample("my_custom_metric_bytes", map[string]string{"instance": "server3"}, 4096,
		model.WithTimestamp(time.Unix(1700000000, 0)))

	// Read it.
	fmt.Println("Name:", metric.Name)
	fmt.Println("Type:", metric.Type)
	for sample := range metric.Samples() {
		fmt.Printf("%s%s %v @%s\n", sample.Name, sample.Labels, sample.Value, sample.Timestamp)
	}
	// Output:
	// Name: my_custom_metric_bytes
	// Type: gauge
	// my_custom_metric_bytes{instance="server1"} 1024 @
	// my_custom_metric_bytes{instance="server2"} 2048 @
	// my_custom_metric_bytes{instance="server3"} 4096 @1700000000
}

// How do I build a family with the checks of its type?
func ExampleNewHistogramFamily() {
	family, err := model.NewHistogramFamily("latency_seconds", "Seconds taken.", model.WithLabelNames("route"))
	if err != nil {
		fmt.Println(err)
		return
	}
	unsorted := family.Add([]string{"/"}, []model.Bucket{{Upper: 1, Cumulative: 1}, {Upper: 0.5, Cumulative: 2}})
	fmt.Println(unsorted != nil)
	// Output: true
}

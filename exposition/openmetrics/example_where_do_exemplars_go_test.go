package openmetrics_test

import (
	"fmt"
	"math"
	"os"

	"telltale/exposition/openmetrics"
	"telltale/model"
)

// Where do exemplars go, and where do units and sums?
func Example_whereDoExemplarsGo() {
	trace := &model.Exemplar{Labels: model.LabelsOf(map[string]string{"trace_id": "4bf92f35"}), Value: 0.3}
	latency, err := model.NewHistogramFamily("latency", "Time to answer.", model.WithUnit("seconds"))
	if err != nil {
		fmt.Println(err)
		return
	}
	buckets := []model.Bucket{{Upper: 0.5, Cumulative: 1, Exemplar: trace}, {Upper: math.Inf(1), Cumulative: 2}}
	if err := latency.Add(nil, buckets, model.WithSum(1.1)); err != nil {
		fmt.Println(err)
		return
	}
	e := openmetrics.NewEncoder(os.Stdout)
	if err := e.Encode(latency.Family()); err != nil {
		fmt.Println(err)
	}
	if err := e.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # HELP latency_seconds Time to answer.
	// # TYPE latency_seconds histogram
	// # UNIT latency_seconds seconds
	// latency_seconds_bucket{le="0.5"} 1.0 # {trace_id="4bf92f35"} 0.3
	// latency_seconds_bucket{le="+Inf"} 2.0
	// latency_seconds_count 2.0
	// latency_seconds_sum 1.1
	// # EOF
}

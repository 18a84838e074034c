package openmetrics2_test

import (
	"fmt"
	"math"
	"os"
	"time"

	"telltale/exposition/openmetrics2"
	"telltale/model"
)

// How is a histogram written, with all that belongs to it?
func Example_howToWriteAHistogram() {
	latency, err := model.NewHistogramFamily("latency", "Time to answer.", model.WithUnit("seconds"))
	if err != nil {
		fmt.Println(err)
		return
	}
	trace := &model.Exemplar{Labels: model.LabelsOf(map[string]string{"trace_id": "4bf92f35"}), Value: 0.3, Timestamp: model.Unix(1700000000, 5e8)}
	buckets := []model.Bucket{{Upper: 0.5, Cumulative: 1, Exemplar: trace}, {Upper: math.Inf(1), Cumulative: 2}}
	native := &model.NativeHistogram{
		Schema: 0, ZeroThreshold: 1e-9, Count: 2, Sum: 1.1,
		PositiveSpans: []model.Span{{Offset: -1, Length: 2}}, Positive: []float64{1, 1},
	}
	err = latency.Add(nil, buckets, model.WithSum(1.1), model.WithNative(native), model.WithCreated(time.Unix(1699990000, 0)))
	if err != nil {
		fmt.Println(err)
		return
	}
	e := openmetrics2.NewEncoder(os.Stdout)
	if err := e.Encode(latency.Family()); err != nil {
		fmt.Println(err)
	}
	if err := e.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # TYPE latency_seconds histogram
	// # UNIT latency_seconds seconds
	// # HELP latency_seconds Time to answer.
	// latency_seconds {count:2,sum:1.1,schema:0,zero_threshold:1e-09,zero_count:0,positive_spans:[-1:2],positive_buckets:[1,1],bucket:[0.5:1,+Inf:2]} st@1699990000 # {trace_id="4bf92f35"} 0.3 1700000000.5
	// # EOF
}

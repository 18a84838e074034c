package exponential_test

import (
	"fmt"
	"time"

	"telltale/internal/exponential"
	"telltale/model"
)

// How do I count in exponential buckets, and write them?
func ExampleHistogram() {
	options := exponential.Options{Schema: exponential.SchemaFor(2), ZeroThreshold: exponential.DefaultZeroThreshold}
	h := exponential.New(&options)
	for _, v := range []float64{0, 0.3, 0.5, 1.5, 3, 4} {
		h.Observe(v)
	}

	var s exponential.Snapshot
	var out model.NativeHistogram
	h.Read(&s)
	s.Native(&out)
	fmt.Println("count", out.Count, "sum", out.Sum, "zeros", out.ZeroCount)
	fmt.Println(out.PositiveSpans, out.Positive)
	// Output:
	// count 6 sum 9.3 zeros 1
	// [{-1 4}] [2 0 1 2]
}

// How do others read a histogram in shared words, and put several together?
func ExampleRead() {
	options := exponential.Options{Schema: 3, MaxBuckets: 20}
	var sum, s exponential.Snapshot
	sum.Reset()
	for worker := range 3 {
		words := make([]exponential.Word, options.Words()) // of a file, usually
		var h exponential.Histogram
		if err := h.InitIn(words, nil, &options); err != nil {
			fmt.Println(err)
		}
		h.Observe(float64(worker))

		if err := exponential.Read(words, nil, &s); err != nil {
			fmt.Println(err)
		}
		sum.Merge(&s)
	}
	fmt.Println("count", sum.Count(), "sum", sum.Sum)
	// Output:
	// count 3 sum 3
}

// How do I ask for quantiles of the last ten minutes?
func ExampleWindow() {
	clock, err := exponential.NewClock(10*time.Minute, 5)
	if err != nil {
		fmt.Println(err)
	}
	options := exponential.Options{Schema: exponential.SchemaWithin(0.01), MaxBuckets: 1024}
	w := exponential.NewWindow(clock, &options)
	for i := range 1000 {
		w.Observe(float64(i))
	}

	var s, work exponential.Snapshot
	w.Read(&s, &work)
	fmt.Printf("median %.0f within %.1f%%\n", s.Quantile(0.5), 100*exponential.RelativeError(s.Schema))
	// Output:
	// median 498 within 0.5%
}

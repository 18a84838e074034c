package protobuf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"telltale/exposition/protobuf"
	"telltale/model"
)

// How are series read one by one, and how does a native histogram travel?
func Example_howToReadSeries() {
	var page bytes.Buffer
	e := protobuf.NewEncoder(&page)
	latency := &model.Family{Name: "latency_seconds", Help: "Time to answer.", Unit: "seconds", Type: model.Histogram}
	latency.Append(model.Point{
		Labels: model.LabelsOf(map[string]string{"code": "200"}),
		Histogram: &model.HistogramValue{Native: &model.NativeHistogram{
			Schema: 3, Count: 6, Sum: 4.5, PositiveSpans: []model.Span{{Offset: -2, Length: 2}}, Positive: []float64{2, 4},
		}},
	})
	if err := errors.Join(e.Encode(latency), e.Close()); err != nil {
		fmt.Println(err)
		return
	}
	s := protobuf.NewScanner(&page)
	for {
		entry, err := s.Next()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			fmt.Println(err)
			return
		case entry.Kind == protobuf.KindFamily:
			fmt.Printf("%s is a %s in %s\n", entry.Name, entry.Type, entry.Unit)
			continue
		}
		// What the entry refers to is valid until the next one is read: print
		// it, or copy it.
		n := entry.Point.Histogram.Native
		fmt.Println(entry.Point.Labels, n.Count, n.Sum, n.PositiveSpans, n.Positive)
	}
	// Output:
	// latency_seconds is a histogram in seconds
	// {code="200"} 6 4.5 [{-2 2}] [2 4]
}

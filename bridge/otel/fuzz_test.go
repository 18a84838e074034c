package otelbridge_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale"
	otelbridge "telltale/bridge/otel"
	"telltale/exposition"
	"telltale/exposition/openmetrics"
	"telltale/model"
)

// input is what a fuzzer made, taken apart into numbers and texts; zeros once it is
// used up.
type input struct{ rest []byte }

func (in *input) byte() byte {
	if len(in.rest) == 0 {
		return 0
	}
	b := in.rest[0]
	in.rest = in.rest[1:]
	return b
}

// below returns a number below n.
func (in *input) below(n int) int { return int(in.byte()) % n }

func (in *input) uint64() uint64 {
	var bits [8]byte
	for i := range bits {
		bits[i] = in.byte()
	}
	return binary.LittleEndian.Uint64(bits[:])
}

// int32 returns a small number, or any.
func (in *input) int32() int32 {
	if in.byte()%4 > 0 {
		return int32(int8(in.byte()))
	}
	return int32(in.uint64())
}

func (in *input) count() uint64 {
	if in.byte()%8 > 0 {
		return uint64(in.byte())
	}
	return in.uint64()
}

func (in *input) float() float64 {
	all := []float64{0, 1, -1, 0.5, 2, 10, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64}
	if n := in.below(len(all) + 2); n < len(all) {
		return all[n]
	}
	return math.Float64frombits(in.uint64())
}

func (in *input) text() string {
	all := []string{"a", "b.c", "le", "quantile", "otel_scope_name", "service.name", "a_total", "a", "{request}", "By/s", "", "1", "\xff\x00", "ü\n\"\\", "__x__"}
	if n := in.below(len(all) + 1); n < len(all) {
		return all[n]
	}
	n := min(in.below(40), len(in.rest))
	text := string(in.rest[:n])
	in.rest = in.rest[n:]
	return text
}

func (in *input) set() attribute.Set {
	var all []attribute.KeyValue
	for range in.below(4) {
		switch key := in.text(); in.below(4) {
		case 0:
			all = append(all, attribute.Int64(key, int64(in.uint64())))
		case 1:
			all = append(all, attribute.Float64Slice(key, []float64{in.float(), in.float()}))
		default:
			all = append(all, attribute.String(key, in.text()))
		}
	}
	return attribute.NewSet(all...)
}

func (in *input) time() time.Time {
	if in.byte()%2 == 0 {
		return time.Time{}
	}
	return time.Unix(int64(in.int32()), int64(in.byte()))
}

func several[T any](in *input, most int, one func() T) (all []T) {
	for range in.below(most + 1) {
		all = append(all, one())
	}
	return all
}

func (in *input) exemplars() []metricdata.Exemplar[float64] {
	return several(in, 2, func() metricdata.Exemplar[float64] {
		return metricdata.Exemplar[float64]{
			Value: in.float(), Time: in.time(), TraceID: []byte(in.text()), SpanID: []byte(in.text()),
			FilteredAttributes: []attribute.KeyValue{attribute.String(in.text(), in.text())},
		}
	})
}

func (in *input) number() metricdata.DataPoint[float64] {
	return metricdata.DataPoint[float64]{Attributes: in.set(), StartTime: in.time(), Time: in.time(), Value: in.float(), Exemplars: in.exemplars()}
}

func (in *input) histogram() metricdata.HistogramDataPoint[float64] {
	return metricdata.HistogramDataPoint[float64]{
		Attributes: in.set(), StartTime: in.time(), Count: in.count(), Sum: in.float(), Exemplars: in.exemplars(),
		Bounds: several(in, 4, in.float), BucketCounts: several(in, 5, in.count),
	}
}

func (in *input) exponential() metricdata.ExponentialHistogramDataPoint[float64] {
	side := func() metricdata.ExponentialBucket {
		return metricdata.ExponentialBucket{Offset: in.int32(), Counts: several(in, 5, in.count)}
	}
	return metricdata.ExponentialHistogramDataPoint[float64]{
		Attributes: in.set(), StartTime: in.time(), Count: in.count(), Sum: in.float(), Exemplars: in.exemplars(),
		Scale: in.int32(), ZeroCount: in.count(), ZeroThreshold: in.float(), PositiveBucket: side(), NegativeBucket: side(),
	}
}

func (in *input) summary() metricdata.SummaryDataPoint {
	return metricdata.SummaryDataPoint{
		Attributes: in.set(), StartTime: in.time(), Count: in.count(), Sum: in.float(),
		QuantileValues: several(in, 3, func() metricdata.QuantileValue {
			return metricdata.QuantileValue{Quantile: in.float(), Value: in.float()}
		}),
	}
}

func (in *input) aggregation() metricdata.Aggregation {
	temporality := metricdata.Temporality(in.below(3))
	switch in.below(6) {
	case 0:
		return metricdata.Gauge[float64]{DataPoints: several(in, 3, in.number)}
	case 1:
		return metricdata.Sum[float64]{DataPoints: several(in, 3, in.number), Temporality: temporality, IsMonotonic: in.byte()%2 == 0}
	case 2:
		return metricdata.Histogram[float64]{DataPoints: several(in, 3, in.histogram), Temporality: temporality}
	case 3:
		return metricdata.ExponentialHistogram[float64]{DataPoints: several(in, 3, in.exponential), Temporality: temporality}
	case 4:
		return metricdata.Summary{DataPoints: several(in, 3, in.summary)}
	}
	return nil
}

func (in *input) scopes() []metricdata.ScopeMetrics {
	return several(in, 3, func() metricdata.ScopeMetrics {
		return metricdata.ScopeMetrics{
			Scope: instrumentation.Scope{Name: in.text(), Version: in.text(), SchemaURL: in.text(), Attributes: in.set()},
			Metrics: several(in, 4, func() metricdata.Metrics {
				return metricdata.Metrics{Name: in.text(), Description: in.text(), Unit: in.text(), Data: in.aggregation()}
			}),
		}
	})
}

// readable fails the test unless what a collector has can be read as text and as
// protobuf. (OpenMetrics reserves labels that begin with an underscore; those of
// attributes may.) The collector's errors are those of its input.
func readable(t *testing.T, c telltale.Collector) {
	t.Helper()
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	for _, format := range []exposition.Format{exposition.Text004, exposition.Protobuf} {
		var page bytes.Buffer
		encoder := exposition.NewEncoder(&page, format)
		if err := errors.Join(reg.Collect(t.Context(), encoder.Encode), encoder.Close()); err != nil {
			t.Fatal(err)
		}
		parser := exposition.NewParser(&page, format)
		for {
			_, err := parser.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", format.ContentType(), err)
			}
		}
	}
}

// production returns what a producer of the collector produces. What it leaves out is
// no error.
func production(t *testing.T, c telltale.Collector, opts ...otelbridge.ProducerOption) (scopes []metricdata.ScopeMetrics) {
	t.Helper()
	var err error
	_ = handled(func() { scopes, err = otelbridge.NewProducer(c, opts...).Produce(t.Context()) })
	if err != nil {
		t.Fatal(err)
	}
	return scopes
}

// Whatever producers give the SDK, one collection after the other, the page can be read,
// and so can what the SDK is given of it again.
func FuzzMetrics(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x00\x03\x00\x03\x03\x03\x03"))
	f.Add(bytes.Repeat([]byte{1, 2, 3}, 300))
	f.Add(bytes.Repeat([]byte{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9}, 80))
	f.Fuzz(func(t *testing.T, made []byte) {
		in := &input{made}
		var now []metricdata.ScopeMetrics
		from := otelbridge.FromReader(reader{sdk.NewManualReader(), func(_ context.Context, to *metricdata.ResourceMetrics) error {
			to.ScopeMetrics = now
			return nil
		}})
		for range 3 {
			now = in.scopes()
			readable(t, from)
			again := production(t, from)
			readable(t, otelbridge.FromReader(reader{sdk.NewManualReader(), func(_ context.Context, to *metricdata.ResourceMetrics) error {
				to.ScopeMetrics = again
				return nil
			}}))
		}
	})
}

// Whatever a page has, the SDK can be given it, and then it is as it was or left out.
func FuzzPages(f *testing.F) {
	f.Add([]byte(everyType))
	f.Add([]byte("# TYPE a counter\na_total{otel_scope_name=\"\",otel_scope_=\"x\"} 1e400\n# TYPE a_total gauge\na_total 1\n# EOF\n"))
	f.Add([]byte("# TYPE h histogram\nh_bucket{le=\"-1\"} 2.5\nh_bucket{le=\"+Inf\"} NaN\n# TYPE s summary\ns{quantile=\"2\"} 1\n# EOF\n"))
	f.Fuzz(func(t *testing.T, page []byte) {
		var families []*model.Family
		parser := openmetrics.NewParser(bytes.NewReader(page))
		for {
			family, err := parser.Next()
			if err != nil { // the end, or what is no page
				break
			}
			families = append(families, family)
		}
		c := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			for _, family := range families {
				if err := emit(family); err != nil {
					return err
				}
			}
			return nil
		})
		for _, opts := range [][]otelbridge.ProducerOption{nil, {otelbridge.WithClassicBuckets()}} {
			scopes := production(t, c, opts...)
			readable(t, otelbridge.FromReader(reader{sdk.NewManualReader(), func(_ context.Context, to *metricdata.ResourceMetrics) error {
				to.ScopeMetrics = scopes
				return nil
			}}))
		}
	})
}

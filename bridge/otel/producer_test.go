package otelbridge_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"telltale"
	otelbridge "telltale/bridge/otel"
	"telltale/exposition/openmetrics"
	"telltale/model"
)

// produced returns the metrics of a collector by scope and name.
func produced(t testing.TB, c telltale.Collector, opts ...otelbridge.ProducerOption) map[string]metricdata.Metrics {
	t.Helper()
	scopes, err := otelbridge.NewProducer(c, opts...).Produce(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]metricdata.Metrics)
	for _, s := range scopes {
		for _, m := range s.Metrics {
			key := s.Scope.Name + " " + m.Name
			if _, ok := all[key]; ok {
				key += fmt.Sprintf(" %T", m.Data)
			}
			all[key] = m
		}
	}
	return all
}

// handled returns what the error handler of OpenTelemetry is given in f.
func handled(f func()) error {
	var all []error
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { all = append(all, err) }))
	defer otel.SetErrorHandler(before)
	f()
	return errors.Join(all...)
}

const everyType = `# TYPE requests_seconds counter
# UNIT requests_seconds seconds
# HELP requests_seconds Time.
requests_seconds_total{code="200",empty="",otel_scope_name="lib",otel_scope_version="v1",otel_scope_team="x"} 7.5 100.5 # {trace_id="ab000000000000000000000000000001",span_id="cd00000000000002",user="u"} 0.5 99.5
requests_seconds_created{code="200",empty="",otel_scope_name="lib",otel_scope_version="v1",otel_scope_team="x"} 50 100.5
requests_seconds_total{code="500"} 1 100.5
# TYPE free_bytes_per_second gauge
# UNIT free_bytes_per_second bytes_per_second
free_bytes_per_second -3
# TYPE strange unknown
strange 4
# TYPE latency histogram
latency_bucket{le="1"} 2 # {user="u"} 0.25 98
latency_bucket{le="2"} 2
latency_bucket{le="+Inf"} 5
latency_count 5
latency_sum 11
# TYPE quick summary
quick{quantile="0.5"} 0.25
quick_count 2
quick_sum 3
# TYPE build info
build_info{version="v2"} 1
# TYPE state stateset
state{state="on"} 1
state{state="off"} 0
# TYPE sizes gaugehistogram
sizes_bucket{le="1"} 2
sizes_bucket{le="+Inf"} 3
sizes_gcount 3
sizes_gsum 4
# EOF
`

// parsed is a collector of a page.
func parsed(t testing.TB, page string) telltale.Collector {
	t.Helper()
	var families []*model.Family
	parser := openmetrics.NewParser(strings.NewReader(page))
	for {
		f, err := parser.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		families = append(families, f)
	}
	return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for _, f := range families {
			if err := emit(f); err != nil {
				return err
			}
		}
		return nil
	})
}

func set(pairs ...string) attribute.Set {
	var kvs []attribute.KeyValue
	for i := 0; i < len(pairs); i += 2 {
		kvs = append(kvs, attribute.String(pairs[i], pairs[i+1]))
	}
	return attribute.NewSet(kvs...)
}

func TestFamiliesBecomeMetrics(t *testing.T) {
	got := produced(t, parsed(t, everyType))
	cumulative := metricdata.CumulativeTemporality
	own := otelbridge.ScopeName + " "
	number := func(v float64, pairs ...string) metricdata.DataPoint[float64] {
		return metricdata.DataPoint[float64]{Value: v, Attributes: set(pairs...)}
	}
	first := number(7.5, "code", "200")
	first.StartTime, first.Time = time.Unix(50, 0).UTC(), time.Unix(100, 5e8).UTC()
	first.Exemplars = []metricdata.Exemplar[float64]{{
		Value: 0.5, Time: time.Unix(99, 5e8).UTC(), TraceID: []byte{0xab, 15: 1}, SpanID: []byte{0xcd, 7: 2}, FilteredAttributes: []attribute.KeyValue{attribute.String("user", "u")},
	}}
	want := map[string]metricdata.Metrics{
		"lib requests_seconds_total":   {Description: "Time.", Unit: "s", Data: metricdata.Sum[float64]{IsMonotonic: true, Temporality: cumulative, DataPoints: []metricdata.DataPoint[float64]{first}}},
		own + "requests_seconds_total": {Description: "Time.", Unit: "s", Data: metricdata.Sum[float64]{IsMonotonic: true, Temporality: cumulative, DataPoints: []metricdata.DataPoint[float64]{number(1, "code", "500")}}},
		own + "free_bytes_per_second":  {Unit: "By/s", Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{number(-3)}}},
		own + "strange":                {Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{number(4)}}},
		own + "build_info":             {Data: metricdata.Sum[float64]{Temporality: cumulative, DataPoints: []metricdata.DataPoint[float64]{number(1, "version", "v2")}}},
		own + "state":                  {Data: metricdata.Sum[float64]{Temporality: cumulative, DataPoints: []metricdata.DataPoint[float64]{number(1, "state", "on"), number(0, "state", "off")}}},
		own + "sizes_bucket":           {Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{number(2, "le", "1.0"), number(3, "le", "+Inf")}}},
		own + "sizes_gcount":           {Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{number(3)}}},
		own + "sizes_gsum":             {Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{number(4)}}},
		own + "latency": {Data: metricdata.Histogram[float64]{Temporality: cumulative, DataPoints: []metricdata.HistogramDataPoint[float64]{{
			Count: 5, Sum: 11, Bounds: []float64{1, 2}, BucketCounts: []uint64{2, 0, 3}, Attributes: set(),
			Exemplars: []metricdata.Exemplar[float64]{{Value: 0.25, Time: time.Unix(98, 0).UTC(), FilteredAttributes: []attribute.KeyValue{attribute.String("user", "u")}}},
		}}}},
		own + "quick": {Data: metricdata.Summary{DataPoints: []metricdata.SummaryDataPoint{{Count: 2, Sum: 3, Attributes: set(), QuantileValues: []metricdata.QuantileValue{{Quantile: 0.5, Value: 0.25}}}}}},
	}
	for key, w := range want {
		w.Name = strings.Fields(key)[1]
		g, ok := got[key]
		if !ok {
			t.Errorf("%s is not there", key)
			continue
		}
		if key == "lib requests_seconds_total" {
			metricdatatest.AssertEqual(t, w, g) // with its times
			continue
		}
		metricdatatest.AssertEqual(t, w, g, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
		metricdatatest.AssertEqual(t, w, g, metricdatatest.IgnoreTimestamp())
	}
	if len(got) != len(want) {
		t.Errorf("%d metrics, want %d", len(got), len(want))
	}
	if g := got[own+"strange"].Data.(metricdata.Gauge[float64]).DataPoints[0]; time.Since(g.Time).Abs() > time.Minute || !g.StartTime.IsZero() {
		t.Errorf("a value without time is of %v, since %v", g.Time, g.StartTime)
	}
}

func TestScopesAreKept(t *testing.T) {
	scopes, err := otelbridge.NewProducer(parsed(t, everyType)).Produce(context.Background())
	if err != nil || len(scopes) != 2 {
		t.Fatalf("scopes %v, error %v", scopes, err)
	}
	if want := (instrumentation.Scope{Name: "lib", Version: "v1", Attributes: set("team", "x")}); scopes[0].Scope != want {
		t.Errorf("the scope is %v, want %v", scopes[0].Scope, want)
	}
	if want := (instrumentation.Scope{Name: otelbridge.ScopeName}); scopes[1].Scope != want {
		t.Errorf("the scope is %v, want %v", scopes[1].Scope, want)
	}
}

// An SDK's metrics are the same after they were on a telltale page.
func TestThereAndBackAgain(t *testing.T) {
	reader := sdk.NewManualReader()
	program(t, newProvider(t, reader))
	reg, faults := newRegistry()
	if err := reg.Register(otelbridge.FromReader(reader)); err != nil {
		t.Fatal(err)
	}
	var again sdk.Reader
	if err := handled(func() {
		again = sdk.NewManualReader(sdk.WithProducer(otelbridge.NewProducer(reg)))
		_ = sdk.NewMeterProvider(sdk.WithReader(again))
	}); err != nil {
		t.Error(err)
	}
	got := points(t, otelbridge.FromReader(again, otelbridge.WithoutTargetInfo()))
	want := points(t, otelbridge.FromReader(reader, otelbridge.WithoutTargetInfo()))
	if len(want) < 20 {
		t.Fatalf("only %d series", len(want))
	}
	labels := func(key string) string { return strings.ReplaceAll(key, "exported_", "") }
	for key, w := range want {
		g, ok := got[labels(key)]
		if !ok {
			t.Errorf("%s is not there", key)
			continue
		}
		if value(&g) != value(&w) || g.Created != w.Created {
			t.Errorf("%s is\n%s since %v, want\n%s since %v", key, value(&g), g.Created, value(&w), w.Created)
		}
	}
	if len(got) != len(want) || len(faults.all()) > 0 {
		t.Errorf("%d series, want %d; faults %v", len(got), len(want), faults.all())
	}
}

func TestNativeBuckets(t *testing.T) {
	reg := telltale.NewRegistry()
	h := telltale.Must(telltale.NewHistogram("latency_seconds", "Latency.", telltale.In(reg), telltale.WithBuckets(1, 2), telltale.WithNativeBuckets(1.1)))
	for _, v := range []float64{-1, 0, 1, 1.5, 1000} {
		h.Observe(v)
	}
	m := produced(t, reg)[otelbridge.ScopeName+" latency_seconds"]
	p := m.Data.(metricdata.ExponentialHistogram[float64]).DataPoints[0]
	if p.Count != 5 || p.Sum != 1001.5 || p.ZeroCount != 1 || !slices.Equal(p.NegativeBucket.Counts, []uint64{1}) || p.NegativeBucket.Offset != -1 || p.StartTime.IsZero() {
		t.Errorf("the histogram is %+v", p)
	}
	if n := len(p.PositiveBucket.Counts); p.PositiveBucket.Offset != -1 || p.PositiveBucket.Counts[0] != 1 || p.PositiveBucket.Counts[n-1] != 1 {
		t.Errorf("the positive buckets are %+v", p.PositiveBucket)
	}
	m = produced(t, reg, otelbridge.WithClassicBuckets())[otelbridge.ScopeName+" latency_seconds"]
	if p := m.Data.(metricdata.Histogram[float64]).DataPoints[0]; p.Count != 5 || !slices.Equal(p.BucketCounts, []uint64{3, 1, 1}) {
		t.Errorf("the classic histogram is %+v", p)
	}
}

// native is a collector of a family with a native histogram.
func native(typ model.Type, n model.NativeHistogram) telltale.Collector {
	return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		f := &model.Family{Name: "h", Type: typ}
		f.Append(model.Point{Histogram: &model.HistogramValue{Native: &n}})
		f.Append(model.Point{Labels: model.LabelPairs([]string{"good"}, []string{"yes"}), Histogram: &model.HistogramValue{Native: &model.NativeHistogram{}}})
		return emit(f)
	})
}

func TestUnfitHistogramsAreLeftOutAlone(t *testing.T) {
	spans := func(spans ...model.Span) []model.Span { return spans }
	for name, c := range map[string]struct {
		n   model.NativeHistogram
		err string
	}{
		"float":          {model.NativeHistogram{Count: 2.5, PositiveSpans: spans(model.Span{Length: 1}), Positive: []float64{2.5}}, "not a whole number"},
		"NaN":            {model.NativeHistogram{Count: math.NaN()}, "not a whole number"},
		"negative":       {model.NativeHistogram{ZeroCount: -1}, "not a whole number"},
		"huge count":     {model.NativeHistogram{Count: 1 << 64}, "not a whole number"},
		"no counts":      {model.NativeHistogram{PositiveSpans: spans(model.Span{Length: math.MaxUint32})}, "more native buckets than it has counts"},
		"far":            {model.NativeHistogram{PositiveSpans: spans(model.Span{Offset: math.MaxInt32, Length: 1}, model.Span{Offset: math.MaxInt32, Length: 1}), Positive: []float64{1, 1}}, "beyond all numbers"},
		"back":           {model.NativeHistogram{PositiveSpans: spans(model.Span{Length: 1}, model.Span{Offset: -1, Length: 1}), Positive: []float64{1, 1}}, "goes back"},
		"custom misfits": {model.NativeHistogram{Schema: model.CustomBucketsSchema, CustomBounds: []float64{1}, PositiveSpans: spans(model.Span{Offset: 5, Length: 1}), Positive: []float64{1}}, "do not fit its bounds"},
	} {
		t.Run(name, func(t *testing.T) {
			var got map[string]metricdata.Metrics
			if err := handled(func() { got = produced(t, native(model.Histogram, c.n)) }); err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("the error is %v, want %s", err, c.err)
			}
			if p := got[otelbridge.ScopeName+" h"].Data.(metricdata.ExponentialHistogram[float64]).DataPoints; len(got) != 1 || len(p) != 1 || p[0].Attributes != set("good", "yes") {
				t.Errorf("there is %v", got)
			}
		})
	}
	if err := handled(func() { produced(t, native(model.GaugeHistogram, model.NativeHistogram{})) }); err == nil || !strings.Contains(err.Error(), "no gauge histograms") {
		t.Errorf("the error is %v", err)
	}
}

// Buckets that lie far apart are joined rather than given as millions of empty ones.
func TestFarBuckets(t *testing.T) {
	c := native(model.Histogram, model.NativeHistogram{
		Schema: 8, Count: 3, PositiveSpans: []model.Span{{Offset: -200_000, Length: 1}, {Offset: 400_000, Length: 2}}, Positive: []float64{1, 0, 2},
	})
	p := produced(t, c)[otelbridge.ScopeName+" h"].Data.(metricdata.ExponentialHistogram[float64]).DataPoints[0]
	b := p.PositiveBucket
	last := int64(b.Offset) + int64(len(b.Counts)) - 1
	if p.Scale != 1 || len(b.Counts) > 4096 || b.Offset != -200_001>>7 || last != 200_001>>7 || b.Counts[0] != 1 || b.Counts[len(b.Counts)-1] != 2 {
		t.Errorf("scale %d, offset %d, %d counts", p.Scale, b.Offset, len(b.Counts))
	}
}

func TestCustomBuckets(t *testing.T) {
	c := native(model.Histogram, model.NativeHistogram{Schema: model.CustomBucketsSchema, CustomBounds: []float64{1, 2, 3}, Sum: 9, PositiveSpans: []model.Span{{Offset: 1, Length: 1}, {Offset: 1, Length: 1}}, Positive: []float64{4, 2}})
	p := produced(t, c)[otelbridge.ScopeName+" h"].Data.(metricdata.Histogram[float64]).DataPoints[0]
	if p.Count != 6 || p.Sum != 9 || !slices.Equal(p.BucketCounts, []uint64{0, 4, 0, 2}) || !slices.Equal(p.Bounds, []float64{1, 2, 3}) {
		t.Errorf("the histogram is %+v", p)
	}
}

// What is wrong in a registry does not cost the export of the SDK's own metrics.
func TestFaultsAreNoErrorsOfTheProducer(t *testing.T) {
	for name, fails := range map[string]func(release chan struct{}) error{
		"errs":   func(chan struct{}) error { return errors.New("down") },
		"panics": func(chan struct{}) error { panic("down") },
		"hangs":  func(release chan struct{}) error { <-release; return nil },
	} {
		inBubble(t, name, func(t *testing.T) {
			release := make(chan struct{})
			defer close(release)
			c := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return fails(release) })
			reg, faults := newRegistry()
			telltale.Must(telltale.NewCounter("good", "Good.", telltale.In(reg))).Inc()
			if err := reg.Register(c); err != nil {
				t.Fatal(err)
			}
			got := produced(t, reg, otelbridge.WithTimeout(100*time.Millisecond))
			if len(got) != 1 || got[otelbridge.ScopeName+" good_total"].Name == "" || len(faults.all()) != 1 {
				t.Errorf("there is %v, faults %v", got, faults.all())
			}
			if err := handled(func() { produced(t, c, otelbridge.WithTimeout(100*time.Millisecond)) }); err == nil {
				t.Error("a collector by itself is not told of")
			}
		})
	}
}

// inBubble runs a test in a bubble, whose time goes on when all wait but for the time.
func inBubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// Half of the time that a reader has is left to export.
func TestTimeIsLeft(t *testing.T) { synctest.Test(t, timeIsLeft) }

func timeIsLeft(t *testing.T) {
	reg, _ := newRegistry()
	if err := reg.Register(telltale.CollectorFunc(func(ctx context.Context, _ func(*model.Family) error) error { <-ctx.Done(); return ctx.Err() })); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, err := otelbridge.NewProducer(reg).Produce(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("error %v, and the reader's time: %v", err, ctx.Err())
	}
}

func TestRestrictedRegistriesAreProduced(t *testing.T) {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewHistogram("h", "H.", telltale.In(reg), telltale.WithBuckets(1))).Observe(3)
	if err := reg.SetTargetInfo(map[string]string{"service.name": "shop"}); err != nil {
		t.Fatal(err)
	}
	got := produced(t, reg.Restricted("h_count"))
	if m := got[otelbridge.ScopeName+" h_count"]; len(got) != 1 || m.Data.(metricdata.Gauge[float64]).DataPoints[0].Value != 1 {
		t.Errorf("there is %v", got)
	}
	if got := produced(t, reg); len(got) != 1 {
		t.Errorf("there is %v", got)
	}
	if res := otelbridge.Resource(reg); res.String() != "service.name=shop" {
		t.Errorf("the resource is %s", res)
	}
}

// A registry that reads the reader that reads the registry.
func TestCyclesEnd(t *testing.T) {
	reg, _ := newRegistry()
	telltale.Must(telltale.NewCounter("own", "Own.", telltale.In(reg))).Inc()
	reader := must[*otelbridge.Reader](t)(otelbridge.NewReader(reg, otelbridge.WithManualReader(sdk.WithProducer(otelbridge.NewProducer(reg)))))
	program(t, newProvider(t, reader))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var page strings.Builder
	if err := telltale.WriteLatest(ctx, &page, reg); err != nil || strings.Count(page.String(), "\nown_total") != 1 || !strings.Contains(page.String(), "orders_placed_total") {
		t.Errorf("error %v, page\n%.500s", err, page.String())
	}
}

func TestWrongProducers(t *testing.T) {
	for name, p := range map[string]sdk.Producer{
		"nil": otelbridge.NewProducer(nil), "timeout": otelbridge.NewProducer(telltale.NewRegistry(), otelbridge.WithTimeout(0)),
	} {
		if _, err := p.Produce(context.Background()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

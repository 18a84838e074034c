package otelbridge_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"telltale"
	otelbridge "telltale/bridge/otel"
	"telltale/exposition/openmetrics"
	"telltale/model"
	"telltale/telltaletest"
)

func text(t testing.TB, c telltale.Collector) string {
	t.Helper()
	page, err := telltale.GenerateLatest(c)
	if err != nil {
		t.Error(err)
	}
	return string(page)
}

func TestCollectorsKeepTheContract(t *testing.T) {
	whole := sdk.NewManualReader()
	program(t, newProvider(t, whole))
	if err := telltaletest.TestCollector(otelbridge.FromReader(whole)); err != nil {
		t.Error(err)
	}
	parts := sdk.NewManualReader(sdk.WithTemporalitySelector(delta)) // has gauges once
	program(t, sdk.NewMeterProvider(sdk.WithReader(parts), sdk.WithView(sdk.NewView(sdk.Instrument{Name: "*", Kind: sdk.InstrumentKindGauge}, sdk.Stream{Aggregation: sdk.AggregationDrop{}}))))
	if err := telltaletest.TestCollector(otelbridge.FromReader(parts)); err != nil {
		t.Error(err)
	}
}

// Names and units follow the compatibility specification, and the page says when
// series began.
func TestNamesUnitsAndCreated(t *testing.T) {
	reg, _ := newRegistry()
	reader := must[*otelbridge.Reader](t)(otelbridge.NewReader(reg, otelbridge.WithoutScope(), otelbridge.WithoutTargetInfo()))
	m := newProvider(t, reader).Meter("m")
	before := time.Now()
	for name, unit := range map[string]string{
		"http.server.duration": "s", "bytes.total": "By", "already_seconds": "s", "seconds.spent": "s", "9lives": "{cat}", "rate": "By/s", "other_bytes_per_second": "By/s", "total": "1", "日本": "",
	} {
		if name == "日本" {
			continue // the SDK refuses it
		}
		must[metric.Int64Counter](t)(m.Int64Counter("n."+name, metric.WithUnit(unit))).Add(context.Background(), 1)
	}
	must[metric.Float64Gauge](t)(m.Float64Gauge("used", metric.WithUnit("1"))).Record(context.Background(), 0.5)
	got := make(map[string]string)
	if err := reg.Collect(context.Background(), func(f *model.Family) error {
		got[f.SampleName()] = f.Unit
		var scratch model.Point
		return f.Visit(&scratch, func(p *model.Point) error {
			if since := p.Created.Time(); f.Type == model.Counter && (since.Before(before.Add(-time.Second)) || since.After(time.Now())) {
				t.Errorf("%s began at %v, after %v", f.Name, since, before)
			}
			return nil
		})
	}); err != nil {
		t.Error(err)
	}
	want := map[string]string{
		"n_http_server_duration_seconds_total": "seconds", "n_bytes_total": "bytes", "n_already_seconds_total": "seconds", "n_seconds_spent_total": "",
		"n_9lives_total": "", "n_rate_bytes_per_second_total": "bytes_per_second", "n_other_bytes_per_second_total": "bytes_per_second", "n_total": "", "used_ratio": "ratio",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("names and units are\n%v, want\n%v", got, want)
	}
}

// Attributes that become one label are joined; those with the name of a sample's own
// label are renamed.
func TestLabels(t *testing.T) {
	histogram := metricdata.Metrics{Name: "h", Data: metricdata.Histogram[int64]{Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.HistogramDataPoint[int64]{{
		Count: 1, Attributes: attribute.NewSet(attribute.String("le", "x"), attribute.String("otel_scope_name", "mine"), attribute.String("a.b", "1"), attribute.String("a-b", "2"), attribute.String("9", "nine"), attribute.String("__", "under"), attribute.String("", "none")),
	}}}}
	c := otelbridge.FromReader(reader{sdk.NewManualReader(), func(_ context.Context, to *metricdata.ResourceMetrics) error {
		to.ScopeMetrics = []metricdata.ScopeMetrics{{
			Scope: instrumentation.Scope{Name: "lib", Attributes: attribute.NewSet(attribute.String("name", "other"), attribute.String("team", "x"))}, Metrics: []metricdata.Metrics{histogram},
		}}
		return nil
	}})
	got := text(t, c)
	if want := `h_count{key_9="nine",key__="under",a_b="2;1",exported_le="x",exported_otel_scope_name="mine",otel_scope_name="lib",otel_scope_team="x"} 1.0`; !strings.Contains(got, want) {
		t.Errorf("the page is\n%swant\n%s", got, want)
	}
}

func TestClashesAreToldWithACure(t *testing.T) {
	reg, faults := newRegistry()
	telltale.Must(telltale.NewCounter("requests", "Requests.", telltale.In(reg))).Add(4)
	reader := must[*otelbridge.Reader](t)(otelbridge.NewReader(reg, otelbridge.WithoutTargetInfo(), otelbridge.WithoutScope()))
	p := newProvider(t, reader)
	ctx := context.Background()
	must[metric.Int64Counter](t)(p.Meter("a").Int64Counter("requests")).Add(ctx, 1) // the registry has it
	must[metric.Int64Gauge](t)(p.Meter("a").Int64Gauge("queue.length")).Record(ctx, 1)
	must[metric.Int64Histogram](t)(p.Meter("b").Int64Histogram("queue_length")).Record(ctx, 1) // another type
	must[metric.Int64Counter](t)(p.Meter("a").Int64Counter("jobs")).Add(ctx, 1)
	must[metric.Int64Counter](t)(p.Meter("b").Int64Counter("jobs")).Add(ctx, 5) // the same series
	page := text(t, reg)
	for _, line := range []string{"\nrequests_total 4.0\n", "\njobs_total 1.0\n", "\nqueue_length 1.0\n"} {
		if strings.Count(page, line) != 1 {
			t.Errorf("the page does not have %q once:\n%s", line, page)
		}
	}
	all := errors.Join(faults.all()...)
	for _, part := range []string{
		`"requests_total"`, "Prefixed",
		`a metric of "queue_length" is left out: scope "b" has it as a histogram, and its name on the page, "queue_length", belongs to a gauge of scope "a": rename one of them by a view`,
		`a metric of "jobs_total" is left out: two series have the same labels`,
	} {
		if !strings.Contains(fmt.Sprint(all), part) {
			t.Errorf("the faults do not say %q:\n%v", part, all)
		}
	}
}

func TestTargetInfoIsThereOnce(t *testing.T) {
	reg, faults := newRegistry()
	reader := must[*otelbridge.Reader](t)(otelbridge.NewReader(reg))
	program(t, newProvider(t, reader))
	want := `target_info{service_name="shop",shards="3",zones="[\"a\",\"b\"]"} 1.0` + "\n"
	if page := text(t, reg); !strings.HasPrefix(page, "# HELP target_info Target metadata\n# TYPE target_info gauge\n"+want) {
		t.Errorf("the page begins %.200s", page)
	}
	if err := reg.SetTargetInfo(map[string]string{"host": "h"}); err != nil {
		t.Fatal(err)
	}
	if page := text(t, reg); !strings.Contains(page, `target_info{host="h"} 1.0`) || strings.Contains(page, "service_name") {
		t.Errorf("the page is %.200s", page)
	}
	if all := faults.all(); len(all) > 0 {
		t.Errorf("faults %v", all)
	}
}

// What a reader's program does wrong costs its own metrics.
func TestBadProgramsCostOnlyThemselves(t *testing.T) {
	errCallback := errors.New("the database is down")
	ctx := context.Background()
	for name, c := range map[string]struct {
		callback metric.Int64Callback
		left     string // of the SDK's metrics
	}{
		"errs":   {func(context.Context, metric.Int64Observer) error { return errCallback }, "good_total"},
		"panics": {func(context.Context, metric.Int64Observer) error { panic("callback") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			reg, faults := newRegistry()
			reader := must[*otelbridge.Reader](t)(otelbridge.NewReader(reg, otelbridge.WithoutTargetInfo()))
			m := newProvider(t, reader).Meter("m")
			must[metric.Int64Counter](t)(m.Int64Counter("good")).Add(ctx, 1)
			_ = must[metric.Int64ObservableGauge](t)(m.Int64ObservableGauge("bad", metric.WithInt64Callback(c.callback)))
			telltale.Must(telltale.NewCounter("own", "Own.", telltale.In(reg))).Inc()
			for range 2 {
				page := text(t, reg)
				if !strings.Contains(page, "own_total 1.0") || strings.Contains(page, "\ngood_total") != (c.left != "") {
					t.Errorf("the page is\n%s", page)
				}
			}
			if len(faults.all()) == 0 {
				t.Error("no fault")
			}
		})
	}
}

func TestHungCollectionsAreLeftOut(t *testing.T) { synctest.Test(t, hungCollections) }

// hungCollections is in a bubble, whose time goes on when all wait but for the time.
func hungCollections(t *testing.T) {
	release, calls := make(chan struct{}), make(chan struct{}, 100)
	defer close(release)
	reg, _ := newRegistry()
	reader := must[*otelbridge.Reader](t)(otelbridge.NewReader(reg))
	_ = must[metric.Int64ObservableGauge](t)(newProvider(t, reader).Meter("m").Int64ObservableGauge("hung", metric.WithInt64Callback(func(context.Context, metric.Int64Observer) error {
		calls <- struct{}{}
		<-release
		return nil
	})))
	telltale.Must(telltale.NewCounter("own", "Own.", telltale.In(reg))).Inc()
	for range 4 {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		var names []string
		err := reg.Collect(ctx, func(f *model.Family) error { names = append(names, f.Name); return nil })
		cancel()
		if err != nil || !slices.Equal(names, []string{"own"}) || len(calls) > 1 {
			t.Errorf("families %q, error %v, %d calls", names, err, len(calls))
		}
	}
}

func TestReaderBeforeAndAfterItsProvider(t *testing.T) {
	reg, faults := newRegistry()
	reader := must[*otelbridge.Reader](t)(otelbridge.NewReader(reg))
	if page := text(t, reg); page != "" {
		t.Errorf("the page is %s", page)
	}
	if all := faults.all(); len(all) != 1 || !errors.Is(all[0], sdk.ErrReaderNotRegistered) || !strings.Contains(all[0].Error(), "metric.WithReader") {
		t.Errorf("faults %v", all)
	}
	p := newProvider(t, reader)
	must[metric.Int64Counter](t)(p.Meter("m").Int64Counter("jobs")).Add(context.Background(), 1)
	if page := text(t, reg); !strings.Contains(page, "jobs_total{") {
		t.Errorf("the page is %s", page)
	}
	if err := p.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if page := text(t, reg); page != "" || len(faults.all()) != 1 {
		t.Errorf("after the end there is %s, faults %v", page, faults.all())
	}
	if err := reader.Shutdown(context.Background()); !errors.Is(err, sdk.ErrReaderShutdown) {
		t.Errorf("the second end returns %v", err)
	}
	var plain = sdk.NewManualReader()
	_ = newProvider(t, plain)
	if err := plain.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if names := points(t, otelbridge.FromReader(plain)); len(names) > 0 { // fails the test at an error
		t.Errorf("a reader that ended has %v", names)
	}
	again := must[*otelbridge.Reader](t)(otelbridge.NewReader(reg)) // the place is free
	program(t, newProvider(t, again))
	if page := text(t, reg); !strings.Contains(page, "orders_placed_total{") {
		t.Errorf("the page is %s", page)
	}
}

// Data that no SDK makes, but a producer may.
func TestHostileData(t *testing.T) {
	number := func(name string, sets ...attribute.Set) metricdata.Metrics {
		g := metricdata.Gauge[float64]{}
		for i, s := range sets {
			g.DataPoints = append(g.DataPoints, metricdata.DataPoint[float64]{Attributes: s, Value: float64(i)})
		}
		return metricdata.Metrics{Name: name, Data: g}
	}
	var huge []attribute.KeyValue
	for i := range 1000 {
		huge = append(huge, attribute.Int(fmt.Sprint("attribute.", i), i))
	}
	bounded := func(bounds []float64, counts ...uint64) metricdata.Metrics {
		return metricdata.Metrics{Name: "bounded", Data: metricdata.Histogram[float64]{DataPoints: []metricdata.HistogramDataPoint[float64]{{Bounds: bounds, BucketCounts: counts}}, Temporality: metricdata.CumulativeTemporality}}
	}
	native := func(p metricdata.ExponentialHistogramDataPoint[float64]) metricdata.Metrics {
		return metricdata.Metrics{Name: "native", Data: metricdata.ExponentialHistogram[float64]{DataPoints: []metricdata.ExponentialHistogramDataPoint[float64]{p}, Temporality: metricdata.CumulativeTemporality}}
	}
	threshold := exponential(0, 0, 1)
	threshold.ZeroThreshold = math.NaN()
	for name, c := range map[string]struct {
		metrics metricdata.Metrics
		opts    []otelbridge.Option
		err     string // nothing is left out if it is empty
		page    string // what is on the page
	}{
		"no data":             {metrics: metricdata.Metrics{Name: "x"}, err: "unknown kind <nil>"},
		"no name":             {metrics: number("", attribute.NewSet()), err: "empty name"},
		"name of nothing":     {metrics: number("日本", attribute.NewSet()), err: "name"},
		"invalid UTF-8":       {metrics: number("a\xff", attribute.NewSet(attribute.String("k\xff", "v\xff"))), page: "a{k_=\"v\uFFFD\"} 0.0"},
		"invalid UTF-8 as is": {metrics: number("a\xff", attribute.NewSet(attribute.String("k\xff", "v\xff"), attribute.String("k\xfe", "w"))), opts: []otelbridge.Option{otelbridge.WithTranslation(otlptranslator.NoTranslation)}, page: "a_{k_=\"w;v\uFFFD\"} 0.0"},
		"__name__ as is":      {metrics: number("a", attribute.NewSet(attribute.String("__name__", "b"))), opts: []otelbridge.Option{otelbridge.WithTranslation(otlptranslator.NoTranslation)}, page: `a{exported___name__="b"} 0.0`},
		"many attributes":     {metrics: number("a", attribute.NewSet(huge...), attribute.NewSet()), err: "1000 labels, at most 128", page: "a 1.0"},
		"more if wanted":      {metrics: number("a", attribute.NewSet(huge[:200]...)), opts: []otelbridge.Option{otelbridge.WithMaxLabels(200)}, page: `attribute_198="198"`},
		"long value":          {metrics: number("a", attribute.NewSet(attribute.String("k", strings.Repeat("é", 1e6)))), page: `k="` + strings.Repeat("é", 2048) + `"`},
		"long key":            {metrics: number("a", attribute.NewSet(attribute.String(strings.Repeat("k", 1e6), ""))), page: "a{" + strings.Repeat("k", 4096) + `=""} 0.0`},
		"long name":           {metrics: number(strings.Repeat("k", 1e6), attribute.NewSet()), page: "\n" + strings.Repeat("k", 4096) + ` 0.0`},
		"short limit":         {metrics: number("a", attribute.NewSet(attribute.String("k", "éé"))), opts: []otelbridge.Option{otelbridge.WithLabelValueLimit(3)}, page: `a{k="é"} 0.0`},
		"many series":         {metrics: number("a", attribute.NewSet(attribute.Int("i", 1)), attribute.NewSet(attribute.Int("i", 2)), attribute.NewSet(attribute.Int("i", 3))), opts: []otelbridge.Option{otelbridge.WithMaxSeries(2)}, err: "1 of its series are beyond the limit of 2", page: `a{i="2"} 1.0`},
		"twice":               {metrics: number("a", attribute.NewSet(), attribute.NewSet()), err: "two series have the same labels", page: "a 0.0"},
		"buckets":             {metrics: bounded([]float64{1, 2}, 1), err: "2 bounds and 1 buckets"},
		"bounds fall":         {metrics: bounded([]float64{2, 1}, 1, 1, 1), err: "do not increase"},
		"bounds NaN":          {metrics: bounded([]float64{math.NaN()}, 1, 1), err: "do not increase"},
		"+Inf bound":          {metrics: bounded([]float64{1, math.Inf(1)}, 1, 1, 0), page: `bounded_bucket{le="+Inf"} 2.0`},
		"scale too low":       {metrics: native(exponential(-5, 0, 1)), err: "scale -5"},
		"scale too high":      {metrics: native(exponential(21, 0, 1)), err: "scale 21"},
		"beyond numbers":      {metrics: native(exponential(0, math.MaxInt32, 1)), err: "beyond all numbers"},
		"below numbers":       {metrics: native(exponential(20, math.MinInt32, 1)), err: "beyond all numbers"},
		"threshold":           {metrics: native(threshold), err: "zero threshold"},
		"empty native":        {metrics: native(exponential(0, 0)), page: "native_count 0.0"},
		"quantiles": {metrics: metricdata.Metrics{Name: "s", Data: metricdata.Summary{DataPoints: []metricdata.SummaryDataPoint{
			{QuantileValues: []metricdata.QuantileValue{{Quantile: 0.9}, {Quantile: 0.5}}},
			{Attributes: attribute.NewSet(attribute.String("quantile", "x")), Count: 2, Sum: 3, QuantileValues: []metricdata.QuantileValue{{Quantile: 0.5, Value: 1}}},
		}}}, err: "quantiles do not increase", page: `s{exported_quantile="x",quantile="0.5"} 1.0`},
	} {
		t.Run(name, func(t *testing.T) {
			collector := otelbridge.FromReader(reading(c.metrics), c.opts...)
			reg, faults := newRegistry()
			if err := reg.Register(collector); err != nil {
				t.Fatal(err)
			}
			page := text(t, reg)
			err := errors.Join(faults.all()...)
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %.300v, want %q", err, c.err)
			}
			if got := page; !strings.Contains(got, c.page) || c.page == "" && got != "" {
				t.Errorf("the page is\n%.300s", got)
			}
			var om strings.Builder
			enc := openmetrics.NewEncoder(&om)
			_ = collector.Collect(context.Background(), enc.Encode) // the error is that of above
			if err := enc.Close(); err != nil {
				t.Error(err)
			}
			parser := openmetrics.NewParser(strings.NewReader(om.String()))
			for {
				if f, err := parser.Next(); f == nil || err != nil {
					if f != nil || !strings.Contains(err.Error(), "EOF") {
						t.Errorf("the OpenMetrics page: %v", err)
					}
					break
				}
			}
		})
	}
}

func TestWrongOptions(t *testing.T) {
	reg := telltale.NewRegistry()
	for name, opt := range map[string]otelbridge.Option{
		"series": otelbridge.WithMaxSeries(0), "labels": otelbridge.WithMaxLabels(-1), "values": otelbridge.WithLabelValueLimit(0), "strategy": otelbridge.WithTranslation("Klingon"),
	} {
		if _, err := otelbridge.NewReader(reg, opt); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := otelbridge.FromReader(sdk.NewManualReader(), opt).Collect(context.Background(), nil); err == nil {
			t.Errorf("%s: no error of the collector", name)
		}
	}
	if _, err := otelbridge.NewReader(nil); err == nil {
		t.Error("no registry: no error")
	}
	if err := otelbridge.FromReader(nil).Collect(context.Background(), nil); err == nil {
		t.Error("no reader: no error")
	}
	if _, err := otelbridge.NewReader(reg, nil); err != nil {
		t.Errorf("an option that is nil: %v", err)
	}
}

// Exemplars have the attributes that the series lacks, if there is room.
func TestExemplarsAreShort(t *testing.T) {
	for name, c := range map[string]struct {
		filtered []attribute.KeyValue
		trace    int // bytes
		want     string
	}{
		"room":      {[]attribute.KeyValue{attribute.String("user.id", "7"), attribute.String("trace_id", "forged")}, 16, `{trace_id="ab000000000000000000000000000000",span_id="cd00000000000000",user_id="7"}`},
		"no room":   {[]attribute.KeyValue{attribute.String("user.id", strings.Repeat("7", 100))}, 16, `{trace_id="ab000000000000000000000000000000",span_id="cd00000000000000"}`},
		"no trace":  {[]attribute.KeyValue{attribute.String("user.id", "7")}, 0, `{user_id="7"}`},
		"bad trace": {nil, 15, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			trace := make([]byte, c.trace)
			if c.trace > 0 {
				trace[0] = 0xab
			}
			x := metricdata.Exemplar[int64]{Value: 3, Time: time.Unix(9, 0), TraceID: trace, SpanID: []byte{0xcd, 7: 0}, FilteredAttributes: c.filtered}
			older := x
			older.Time = time.Unix(8, 0)
			p := points(t, otelbridge.FromReader(reading(metricdata.Metrics{Name: "n", Data: metricdata.Sum[int64]{IsMonotonic: true, Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.DataPoint[int64]{{
				Value: 3, Exemplars: []metricdata.Exemplar[int64]{older, x, older},
			}}}})))["n_total{}"]
			if got := p.Exemplar; got == nil || got.Labels.String() != c.want || got.Value != 3 || got.Timestamp != model.Unix(9, 0) || got.Older == nil || got.Older.Timestamp != model.Unix(8, 0) {
				t.Errorf("the exemplar is %+v", p.Exemplar)
			}
		})
	}
}

// The registry may walk lent families, for which there is no room to copy them, on
// other goroutines.
func TestPagesWithoutCopies(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithRetention(0))
	reader := must[*otelbridge.Reader](t)(otelbridge.NewReader(reg))
	program(t, newProvider(t, reader))
	copied := telltale.NewRegistry()
	if err := copied.Register(otelbridge.FromReader(reader)); err != nil {
		t.Fatal(err)
	}
	if a, b := text(t, reg), text(t, copied); a != b || len(a) < 1000 {
		t.Errorf("the pages differ:\n%s\n%s", a, b)
	}
}

func BenchmarkCollect(b *testing.B) {
	reader := sdk.NewManualReader()
	p := sdk.NewMeterProvider(sdk.WithReader(reader), sdk.WithCardinalityLimit(0), sdk.WithResource(resource.Empty()))
	count := must[metric.Int64Counter](b)(p.Meter("m").Int64Counter("count"))
	for i := range 100_000 {
		count.Add(context.Background(), 1, metric.WithAttributes(attribute.String("method", "GET"), attribute.Int("code", i%7), attribute.Int("user", i)))
	}
	c := otelbridge.FromReader(reader)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		var scratch model.Point
		if err := c.Collect(context.Background(), func(f *model.Family) error {
			return f.Visit(&scratch, func(*model.Point) error { n++; return nil })
		}); err != nil || n != 100_000 {
			b.Fatal(n, err)
		}
	}
}

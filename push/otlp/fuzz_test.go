package otlp_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"telltale/model"
	"telltale/push/otlp"
)

// decoding is a client's transport that decodes what is sent.
type decoding struct {
	all []*metrics.MetricsData
	err error
}

func (d *decoding) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := unpacked(r)
	var data metrics.MetricsData
	if err == nil {
		err = proto.Unmarshal(body, &data)
	}
	if err != nil {
		d.err = err
	}
	d.all = append(d.all, &data)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// content is what there is to compare, by series: samples, native histograms, starts and
// exemplars.
type content map[string]string

func (c content) add(t testing.TB, key string, value any) {
	t.Helper()
	if _, twice := c[key]; twice {
		t.Fatalf("%s is there twice", key)
	}
	c[key] = fmt.Sprint(value)
}

// labelled names a series. Labels without a value are none.
func labelled(name string, labels map[string]string, more ...string) string {
	all := maps.Clone(labels)
	for i := 0; i+1 < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return seriesOf(name, all)
}

// number spells a value: all that are not numbers are one.
func number(v float64) string { return model.FormatValue(v) }

// received adds what a request has.
func (c content) received(t testing.TB, data *metrics.MetricsData) {
	eachMetric(data, func(scope *common.InstrumentationScope, m *metrics.Metric) {
		of := map[string]string{}
		if scope.Name != otlp.ScopeName {
			of["otel_scope_name"], of["otel_scope_version"] = scope.Name, scope.Version
			for name, value := range labelsOf(scope.Attributes) {
				of["otel_scope_"+name] = value
			}
		}
		common := func(attributes []*common.KeyValue, start, at uint64, exemplars []*metrics.Exemplar) map[string]string {
			labels := labelsOf(attributes)
			maps.Copy(labels, of)
			key := labelled(m.Name, labels)
			if start != 0 {
				c.add(t, "start "+key, start)
			}
			c.add(t, "time "+key, nowOr(at))
			if len(exemplars) > 0 {
				var all []string
				for _, x := range exemplars {
					labels := labelsOf(x.FilteredAttributes)
					if len(x.TraceId) > 0 {
						labels["trace_id"] = hex.EncodeToString(x.TraceId)
					}
					if len(x.SpanId) > 0 {
						labels["span_id"] = hex.EncodeToString(x.SpanId)
					}
					all = append(all, fmt.Sprint(number(x.GetAsDouble()), x.TimeUnixNano, labels))
				}
				c.add(t, "exemplars "+key, strings.Join(all, "; "))
			}
			return labels
		}
		for _, p := range slices.Concat(m.GetGauge().GetDataPoints(), m.GetSum().GetDataPoints()) {
			c.add(t, labelled(m.Name, common(p.Attributes, p.StartTimeUnixNano, p.TimeUnixNano, p.Exemplars)), number(p.GetAsDouble()))
		}
		for _, p := range m.GetSummary().GetDataPoints() {
			labels := common(p.Attributes, p.StartTimeUnixNano, p.TimeUnixNano, nil)
			c.add(t, labelled(m.Name+"_count", labels), number(float64(p.Count)))
			c.add(t, labelled(m.Name+"_sum", labels), number(p.Sum))
			for _, q := range p.QuantileValues {
				c.add(t, labelled(m.Name, labels, "quantile", number(q.Quantile)), number(q.Value))
			}
		}
		for _, p := range m.GetHistogram().GetDataPoints() {
			labels := common(p.Attributes, p.StartTimeUnixNano, p.TimeUnixNano, p.Exemplars)
			c.add(t, labelled(m.Name+"_count", labels), number(float64(p.Count)))
			c.add(t, labelled(m.Name+"_sum", labels), number(p.GetSum()))
			if len(p.BucketCounts) != len(p.ExplicitBounds)+1 {
				t.Fatalf("%s has %d buckets and %d bounds", m.Name, len(p.BucketCounts), len(p.ExplicitBounds))
			}
			below := uint64(0)
			for i, n := range p.BucketCounts {
				upper := math.Inf(1)
				if i < len(p.ExplicitBounds) {
					upper = p.ExplicitBounds[i]
				}
				below += n
				c.add(t, labelled(m.Name+"_bucket", labels, "le", number(upper)), number(float64(below)))
			}
		}
		for _, p := range m.GetExponentialHistogram().GetDataPoints() {
			labels := common(p.Attributes, p.StartTimeUnixNano, p.TimeUnixNano, p.Exemplars)
			side := func(b *metrics.ExponentialHistogramDataPoint_Buckets) map[int]float64 {
				counts := map[int]float64{}
				for i, n := range b.GetBucketCounts() {
					if n > 0 {
						counts[int(b.Offset)+i+1] = float64(n)
					}
				}
				return counts
			}
			c.add(t, "native "+labelled(m.Name, labels), native(p.Scale, p.Count, p.GetSum(), p.ZeroCount, p.ZeroThreshold, side(p.Positive), side(p.Negative)))
		}
	})
}

func native(scale int32, count uint64, sum float64, zero uint64, threshold float64, positive, negative map[int]float64) string {
	return fmt.Sprint(scale, count, number(sum), zero, threshold, positive, negative)
}

// sent adds what a family has. All that randomFamily makes can be sent.
func (c content) sent(t testing.TB, f *model.Family) {
	fail(f.Visit(&model.Point{}, func(p *model.Point) error {
		one := f.Header()
		one.Append(p.Clone())
		labels := p.Labels.Map()
		series := []string{labelled(f.SampleName(), labels)}
		switch f.Type {
		case model.Info:
			maps.Copy(labels, p.Info.Map())
			series[0] = labelled(f.SampleName(), labels)
		case model.StateSet:
			series = nil
			for _, s := range p.States {
				series = append(series, labelled(f.Name, labels, f.Name, s.Name))
			}
		case model.GaugeHistogram:
			series = nil
			for s := range one.Samples() {
				if s.NativeHistogram == nil {
					series = append(series, labelled(s.Name, s.Labels.Map()))
				}
			}
		}
		at := "now"
		if p.Timestamp.IsSet() {
			at = nowOr(uint64(p.Timestamp.Time().UnixNano()))
		}
		starts := p.Created.IsSet() && (f.Type == model.Counter || f.Type == model.Histogram || f.Type == model.Summary) && p.Created.Compare(latest(p.Timestamp)) <= 0
		for _, key := range series {
			c.add(t, "time "+key, at)
			if starts {
				c.add(t, "start "+key, p.Created.Time().UnixNano())
			}
		}
		exponential := p.Histogram != nil && p.Histogram.Native != nil
		for s := range one.Samples() {
			if s.NativeHistogram == nil && !strings.HasSuffix(s.Name, "_created") && !exponential {
				c.add(t, labelled(s.Name, s.Labels.Map()), number(s.Value))
			}
		}
		if f.Type == model.GaugeHistogram {
			for s := range one.Samples() {
				c.addExemplars(t, &model.Point{Exemplar: s.Exemplar}, []string{labelled(s.Name, s.Labels.Map())})
			}
		} else {
			c.addExemplars(t, p, series)
		}
		if exponential {
			n := p.Histogram.Native
			c.add(t, "native "+series[0], native(n.Schema, uint64(n.Count), n.Sum, uint64(n.ZeroCount), n.ZeroThreshold, counts(n.PositiveSpans, n.Positive), counts(n.NegativeSpans, n.Negative)))
		}
		return nil
	}))
}

func (c content) addExemplars(t testing.TB, p *model.Point, series []string) {
	var all []*model.Exemplar
	if p.Exemplar != nil {
		all = append(all, p.Exemplar)
	}
	if h := p.Histogram; h != nil && h.Native != nil {
		for i := range h.Native.Exemplars {
			all = append(all, &h.Native.Exemplars[i])
		}
	} else if h != nil {
		for _, x := range h.Exemplars {
			if x != nil {
				all = append(all, x)
			}
		}
	}
	var lines []string
	for _, x := range all {
		at := int64(0)
		if x.Timestamp.IsSet() {
			at = x.Timestamp.Time().UnixNano()
		}
		labels := x.Labels.Map()
		maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
		lines = append(lines, fmt.Sprint(number(x.Value), at, labels))
	}
	if len(lines) > 0 {
		c.add(t, "exemplars "+series[0], strings.Join(lines, "; "))
	}
}

// latest returns the time of a value, the end of time for now.
func latest(t model.Timestamp) model.Timestamp {
	if t.IsSet() {
		return t
	}
	return model.Unix(1<<34, 0)
}

// counts returns the native buckets that are not empty, by index.
func counts(spans []model.Span, values []float64) map[int]float64 {
	all := map[int]float64{}
	index := 0
	for _, s := range spans {
		index += int(s.Offset)
		for range s.Length {
			if values[0] != 0 {
				all[index] = values[0]
			}
			index, values = index+1, values[1:]
		}
	}
	return all
}

// randomFamily returns the i-th family of a registry that OTLP can have.
func randomFamily(r *rand.Rand, i int, text string) *model.Family {
	typ := []model.Type{model.Unknown, model.Counter, model.Gauge, model.Histogram, model.GaugeHistogram, model.Summary, model.Info, model.StateSet}[r.IntN(8)]
	f := &model.Family{Name: fmt.Sprintf("f%d%s", i, strings.ToValidUTF8(text, "?")), Help: text, Type: typ}
	if r.IntN(3) == 0 && typ != model.Info && typ != model.StateSet {
		f.Unit = []string{"seconds", "bytes_per_second", "things"}[r.IntN(3)]
	}
	names := []string{"a", "le.x", "otel_scope_name", "otel_scope_version", "otel_scope_team", "ü\"" + strings.ToValidUTF8(text, "?")}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	names = names[:r.IntN(4)]
	for n := range r.IntN(6) {
		values := make([]string, len(names))
		for i := range values {
			values[i] = []string{"", "x", text, strings.Repeat("long", r.IntN(80))}[r.IntN(4)]
		}
		p := model.Point{Labels: model.LabelPairs(append([]string{"n"}, names...), append([]string{fmt.Sprint(n)}, values...))}
		if r.IntN(3) == 0 {
			p.Created = model.Unix(r.Int64N(1.7e9), r.Int64N(1e9))
		}
		if r.IntN(3) == 0 {
			p.Timestamp = model.Unix(r.Int64N(1.7e9), r.Int64N(1e9))
		}
		fill(r, f, &p, text)
		f.Append(p)
	}
	return f
}

func randomValue(r *rand.Rand) float64 {
	switch r.IntN(5) {
	case 0:
		return math.Float64frombits(r.Uint64())
	case 1:
		return float64(r.Int64N(1 << 53))
	}
	return float64(r.IntN(100))
}

func randomExemplar(r *rand.Rand, text string) *model.Exemplar {
	x := &model.Exemplar{Value: randomValue(r)}
	labels := map[string]string{}
	switch r.IntN(3) {
	case 0:
		labels["trace_id"], labels["span_id"] = fmt.Sprintf("%032x", r.Uint64()|1), fmt.Sprintf("%016x", r.Uint64()|1)
	case 1:
		labels["trace_id"], labels["k"] = text, text
	}
	x.Labels = model.LabelsOf(labels)
	if r.IntN(3) > 0 {
		x.Timestamp = model.Unix(r.Int64N(2e9), r.Int64N(1e9))
	}
	return x
}

// fill gives a point a value of the family's type.
func fill(r *rand.Rand, f *model.Family, p *model.Point, text string) {
	p.Has = f.Type.Parts() &^ model.PartCreated
	if r.IntN(2) == 0 && f.Type != model.Histogram && f.Type != model.Info && f.Type != model.StateSet && f.Type != model.Summary && f.Type != model.GaugeHistogram {
		p.Exemplar = randomExemplar(r, text)
	}
	switch f.Type {
	case model.Info:
		p.Value, p.Info = 1, model.LabelsOf(map[string]string{"version": text, "v": fmt.Sprint(r.IntN(9))})
	case model.StateSet:
		p.States = []model.State{{Name: "on", On: r.IntN(2) == 0}, {Name: "off" + text}}
	case model.Summary:
		p.Summary = &model.SummaryValue{Count: float64(r.IntN(1000)), Sum: randomValue(r)}
		for i := range r.IntN(4) {
			p.Summary.Quantiles = append(p.Summary.Quantiles, model.Quantile{Q: float64(i) / 4, V: randomValue(r)})
		}
	case model.Histogram, model.GaugeHistogram:
		p.Histogram = randomHistogram(r, text)
		if r.IntN(2) == 0 && f.Type == model.Histogram {
			p.Histogram.Native = randomNative(r, text)
		}
	default:
		p.Value = randomValue(r)
	}
}

func randomHistogram(r *rand.Rand, text string) *model.HistogramValue {
	h := &model.HistogramValue{Sum: randomValue(r)}
	var upper []float64
	for i := range r.IntN(5) {
		upper = append(upper, float64(i)-1.5)
	}
	upper = append(upper, math.Inf(1))
	h.Bounds = must(model.NewBounds(upper))
	for i := range upper {
		h.Count += float64(r.IntN(10))
		h.Cumulative = append(h.Cumulative, h.Count)
		if r.IntN(3) == 0 {
			for len(h.Exemplars) < i {
				h.Exemplars = append(h.Exemplars, nil)
			}
			h.Exemplars = append(h.Exemplars, randomExemplar(r, text))
		}
	}
	return h
}

func randomNative(r *rand.Rand, text string) *model.NativeHistogram {
	n := &model.NativeHistogram{Schema: int32(r.IntN(13) - 4), ZeroThreshold: float64(r.IntN(3)), ZeroCount: float64(r.IntN(9)), Sum: randomValue(r)}
	n.Count = n.ZeroCount
	side := func() (spans []model.Span, counts []float64) {
		for i := range r.IntN(4) {
			s := model.Span{Offset: int32(r.IntN(50)), Length: uint32(r.IntN(4))}
			if i == 0 {
				s.Offset -= 25
			}
			spans = append(spans, s)
			for range s.Length {
				counts = append(counts, float64(r.IntN(1000)))
				n.Count += counts[len(counts)-1]
			}
		}
		return spans, counts
	}
	n.PositiveSpans, n.Positive = side()
	n.NegativeSpans, n.Negative = side()
	for range r.IntN(3) {
		n.Exemplars = append(n.Exemplars, *randomExemplar(r, text))
	}
	return n
}

// FuzzRoundTrip sends random families and reads them by the messages of OpenTelemetry:
// they have all that the families have, and each once.
func FuzzRoundTrip(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed, []string{"", "x", "a\"\\\n", "ü€\x00", "\xff"}[seed%5], uint16(seed*37))
	}
	f.Fuzz(func(t *testing.T, seed uint64, text string, limit uint16) {
		r := rand.New(rand.NewPCG(seed, 1))
		d, want, got := &decoding{}, content{}, content{}
		opts := []otlp.TargetOption{otlp.WithClient(&http.Client{Transport: d}), otlp.WithMaxBytes(1 + int(limit))}
		if r.IntN(2) == 0 {
			opts = append(opts, otlp.WithoutGzip())
		}
		target := must(otlp.NewTarget("localhost", opts...))
		var families []*model.Family
		text = strings.ToValidUTF8(text[:min(len(text), 200)], "\uFFFD")
		for i := range 4 {
			f := randomFamily(r, i, text)
			families = append(families, f)
			want.sent(t, f)
		}
		if err := target.Push(t.Context(), these(families...)); err != nil {
			t.Fatal(err)
		}
		if d.err != nil {
			t.Fatal(d.err)
		}
		for _, data := range d.all {
			got.received(t, data)
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s is %q, want %q", key, got[key], value)
			}
		}
		for key, value := range got {
			if _, ok := want[key]; !ok {
				t.Errorf("%s is %q, which was not sent", key, value)
			}
		}
	})
}

// FuzzAnswers has a receiver answer anything.
func FuzzAnswers(f *testing.F) {
	for _, body := range [][]byte{partial(3, "no"), partial(0, "hm"), status("no"), {0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, {0x0d, 1}, {0x0b, 0x0c}} {
		f.Add(200, "application/x-protobuf", body)
		f.Add(400, "application/x-protobuf", body)
		f.Add(503, "text/plain", body)
	}
	c := these(with(newFamily("g", model.Gauge), model.Point{Has: model.PartValue}))
	f.Fuzz(func(t *testing.T, code int, kind string, body []byte) {
		answer := roundTrip(func(r *http.Request) (*http.Response, error) {
			h := http.Header{"Content-Type": {kind}}
			return &http.Response{StatusCode: code, Header: h, Body: http.MaxBytesReader(nil, closer{strings.NewReader(string(body))}, 1<<20), Request: r}, nil
		})
		target := must(otlp.NewTarget("localhost", otlp.WithClient(&http.Client{Transport: answer}), otlp.WithErrorHook(func(error) {})))
		err := target.Push(t.Context(), c)
		if (err == nil) && code/100 != 2 {
			t.Errorf("%d: no error", code)
		}
		if got := health(t, target, "points_total", ""); got != 1 {
			t.Errorf("%v points are counted", got)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type closer struct{ *strings.Reader }

func (closer) Close() error { return nil }

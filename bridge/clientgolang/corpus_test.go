package clientgolang_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// hostile are label values that escape, break or imitate the formats.
var hostile = []string{"", `quote " backslash \ feed` + "\n", "ünïcödé 🦊", `",le="1`, "}\n# EOF\n", "a,b=c", " "}

// corpus returns a registry of client_golang with metrics of each type.
func corpus(t testing.TB, seed uint64) *prometheus.Registry {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 1))
	reg := prometheus.NewRegistry()
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total", Help: "Requests.\nWith a \\ second line.", ConstLabels: prometheus.Labels{"zone": "a"}}, []string{"path", "code"})
	literal := prometheus.NewCounter(prometheus.CounterOpts{Name: "jobs", Help: "A counter without the suffix."})
	gauges := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "temperature_celsius", Unit: "celsius"}, []string{"room"})
	utf8 := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "queue.length", Help: "A name that needs quotes."}, []string{"queue.name"})
	classic := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "latency_seconds", Help: "Classic."}, []string{"path"})
	native := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "native_seconds", Help: "Native.", NativeHistogramBucketFactor: 1.1}, []string{"path"})
	both := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "both_seconds", Help: "Both.", NativeHistogramBucketFactor: 1.5, Buckets: []float64{-1, 0.5, 2}})
	summaries := prometheus.NewSummaryVec(prometheus.SummaryOpts{Name: "rpc_seconds", Help: "Summary.", Objectives: map[float64]float64{0.5: 0.05, 0.99: 0.001}}, []string{"path"})
	plain := prometheus.NewSummary(prometheus.SummaryOpts{Name: "plain_seconds", Help: "Without quantiles."})
	untyped := prometheus.NewUntypedFunc(prometheus.UntypedOpts{Name: "mystery", Help: "Untyped."}, func() float64 { return math.Inf(-1) })
	reg.MustRegister(counters, literal, gauges, utf8, classic, native, both, summaries, plain, untyped, timestamped{})
	for i, v := range hostile {
		counters.WithLabelValues(v, strconv.Itoa(i)).Add(rnd.Float64() * 1e9)
		counters.WithLabelValues("x", v).(prometheus.ExemplarAdder).AddWithExemplar(3, prometheus.Labels{"trace_id": v})
		gauges.WithLabelValues(v).Set([]float64{0, math.NaN(), math.Inf(1), -1e-300, 1e21, 7}[i%6])
		utf8.WithLabelValues(v).Set(float64(i))
		for range rnd.IntN(50) {
			x := rnd.NormFloat64() * 3
			classic.WithLabelValues(v).Observe(x)
			native.WithLabelValues(v).(prometheus.ExemplarObserver).ObserveWithExemplar(x, prometheus.Labels{"trace_id": v})
			both.(prometheus.ExemplarObserver).ObserveWithExemplar(x, prometheus.Labels{"span_id": "1"})
			summaries.WithLabelValues(v).Observe(x)
			plain.Observe(x)
		}
	}
	native.WithLabelValues("untouched")
	literal.Add(5)
	return reg
}

// timestamped emits constant metrics with timestamps.
type timestamped struct{}

var (
	gaugeDesc     = prometheus.NewDesc("exported_value", "Has timestamps.", []string{"at"}, nil)
	histogramDesc = prometheus.NewDesc("exported_histogram", "Has no buckets or few.", []string{"n"}, nil)
)

func (timestamped) Describe(ch chan<- *prometheus.Desc) { ch <- gaugeDesc; ch <- histogramDesc }

func (timestamped) Collect(ch chan<- prometheus.Metric) {
	for _, at := range []int64{-5, 0, 1, 1700000000123} {
		ch <- prometheus.NewMetricWithTimestamp(time.UnixMilli(at), prometheus.MustNewConstMetric(gaugeDesc, prometheus.GaugeValue, 1, strconv.FormatInt(at, 10)))
	}
	ch <- prometheus.MustNewConstHistogram(histogramDesc, 3, 4.5, nil, "0")
	ch <- prometheus.MustNewConstHistogram(histogramDesc, 3, 4.5, map[float64]uint64{1: 2}, "1")
	ch <- prometheus.MustNewConstHistogram(histogramDesc, 3, 4.5, map[float64]uint64{1: 2, math.Inf(1): 3}, "inf")
}

// spoiltFamilies are families with metrics that do not fit, beside one that does,
// x="good".
func spoiltFamilies() []*dto.MetricFamily {
	pair := func(n, v string) *dto.LabelPair { return &dto.LabelPair{Name: &n, Value: &v} }
	gauge := func(labels ...*dto.LabelPair) *dto.Metric {
		return &dto.Metric{Label: labels, Gauge: &dto.Gauge{Value: proto.Float64(1)}}
	}
	histogram := func(v string, h *dto.Histogram) *dto.Metric {
		return &dto.Metric{Label: []*dto.LabelPair{pair("x", v)}, Histogram: h}
	}
	bucket := func(upper float64, n uint64) *dto.Bucket {
		return &dto.Bucket{UpperBound: &upper, CumulativeCount: &n}
	}
	var many []*dto.LabelPair
	for i := range 40 {
		many = append(many, pair("l"+strconv.Itoa(i%39), "v"))
	}
	unknown := dto.MetricType(77)
	return []*dto.MetricFamily{
		{Name: proto.String("gauges"), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{
			gauge(pair("x", "a"), pair("x", "b")), gauge(pair("", "b")), gauge(pair("\xff", "b")), gauge(nil), nil, {}, gauge(many...),
			{Label: []*dto.LabelPair{pair("x", "c")}, Counter: &dto.Counter{}}, gauge(pair("x", "good")), gauge(pair("x", "a"), pair("x", "b")),
		}},
		{Name: proto.String("histograms"), Type: dto.MetricType_HISTOGRAM.Enum(), Metric: []*dto.Metric{
			histogram("1", &dto.Histogram{Bucket: []*dto.Bucket{bucket(2, 1), bucket(1, 2)}}),
			histogram("2", &dto.Histogram{Bucket: []*dto.Bucket{bucket(math.NaN(), 1)}}),
			histogram("3", &dto.Histogram{Bucket: []*dto.Bucket{nil, nil}}),
			histogram("4", &dto.Histogram{Schema: proto.Int32(9), ZeroThreshold: proto.Float64(1)}),
			histogram("5", &dto.Histogram{ZeroThreshold: proto.Float64(-1)}),
			histogram("6", &dto.Histogram{PositiveSpan: []*dto.BucketSpan{{Length: proto.Uint32(math.MaxUint32)}}}),
			histogram("7", &dto.Histogram{PositiveSpan: []*dto.BucketSpan{nil, {Offset: proto.Int32(-3), Length: proto.Uint32(1)}}, PositiveDelta: []int64{1}}),
			histogram("8", &dto.Histogram{PositiveSpan: []*dto.BucketSpan{{Length: proto.Uint32(1)}}, PositiveDelta: []int64{1}, PositiveCount: []float64{1}}),
			{Label: []*dto.LabelPair{pair("le", "1")}, Histogram: &dto.Histogram{}},
			histogram("good", &dto.Histogram{SampleCount: proto.Uint64(2), Bucket: []*dto.Bucket{bucket(1, 1)}}),
		}},
		{Name: proto.String("summaries"), Type: dto.MetricType_SUMMARY.Enum(), Metric: []*dto.Metric{
			{Summary: &dto.Summary{Quantile: []*dto.Quantile{{Quantile: proto.Float64(0.5)}, {Quantile: proto.Float64(0.5)}}}},
			{Summary: &dto.Summary{Quantile: []*dto.Quantile{{Quantile: proto.Float64(math.NaN())}}}},
			{Label: []*dto.LabelPair{pair("quantile", "1")}, Summary: &dto.Summary{}},
			{Label: []*dto.LabelPair{pair("x", "good")}, Summary: &dto.Summary{Quantile: []*dto.Quantile{nil}}},
		}},
		{Name: proto.String("unknown"), Type: &unknown, Metric: []*dto.Metric{gauge()}},
		{Name: proto.String("empty"), Type: dto.MetricType_GAUGE.Enum()},
		nil,
	}
}

// errHalf is an error of a part.
var errHalf = errors.New("half of it is missing")

package otlp_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"telltale/model"
)

// patience bounds waits for what is certain to come. It ends what hangs and decides nothing
// else.
const patience = 4 * time.Minute

// farewell is how long a server may take to be told that a client is gone. It is shorter
// than a sender waits for an answer.
const farewell = 8 * time.Second

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func fail(err error) {
	if err != nil {
		panic(err)
	}
}

// await waits until a condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}

// backend is a receiver that keeps what it is sent, and answers as a test has it.
type backend struct {
	*httptest.Server
	answer func(n int) action

	mu      sync.Mutex
	n       int
	points  map[string][]point // by series
	refused map[string][]point
	all     []*metrics.MetricsData // that were kept
	sizes   []int                  // of all requests, before compression
	headers []http.Header
	faults  []string
}

// action is what a backend does with a request.
type action struct {
	status int    // 0: 200
	kind   string // of the body: a message of the protocol by default
	body   []byte
	keep   bool // beside an error
	half   bool // keep every other point, and say so
	reset  bool
	header http.Header
	wait   func()
}

// point is a number as it was received.
type point struct {
	at, start uint64
	value     float64
}

func newBackend(t testing.TB) *backend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newBackendAt(t, l)
}

func newBackendAt(t testing.TB, l net.Listener) *backend {
	b := &backend{points: map[string][]point{}, refused: map[string][]point{}}
	b.Server = &httptest.Server{Listener: l, Config: &http.Server{Handler: b}} //nolint:gosec // as httptest has it
	b.Start()
	t.Cleanup(b.Close)
	return b
}

func unpacked(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Content-Encoding") == "" {
		return body, err
	}
	if r.Header.Get("Content-Encoding") != "gzip" {
		return nil, fmt.Errorf("the encoding is %q", r.Header.Get("Content-Encoding"))
	}
	zip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zip)
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := unpacked(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Context().Err() != nil {
		return // the sender waits for it no more, and may have sent newer ones
	}
	b.headers = append(b.headers, r.Header.Clone())
	b.sizes = append(b.sizes, len(body))
	var data metrics.MetricsData
	if err == nil {
		err = proto.Unmarshal(body, &data)
	}
	if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Method != http.MethodPost || r.Header.Get("User-Agent") == "" {
		b.faults = append(b.faults, fmt.Sprintf("%v: %s with %v", err, r.Method, r.Header))
	}
	var a action
	if b.answer != nil {
		a = b.answer(b.n)
	}
	b.n++
	if a.wait != nil {
		b.mu.Unlock()
		a.wait()
		b.mu.Lock()
	}
	overtaken := false
	eachNumber(&data, func(series string, p point) { overtaken = overtaken || b.overtaken(series, p) })
	if overtaken && b.givenUp(r) {
		return
	}
	failed := a.status/100 > 2 || a.reset
	if !failed {
		b.all = append(b.all, &data)
	}
	rejected := b.keep(&data, a, failed)
	if a.reset {
		panic(http.ErrAbortHandler)
	}
	if a.kind == "" {
		a.kind = "application/x-protobuf"
	}
	w.Header().Set("Content-Type", a.kind)
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	if a.half {
		a.body = partial(rejected, "not these")
	}
	_, _ = w.Write(a.body)
}

// overtaken reports whether a newer point of the series was kept.
func (b *backend) overtaken(series string, p point) bool {
	kept := b.points[series]
	if len(kept) == 0 {
		return false
	}
	last := kept[len(kept)-1]
	return last != p && last.at >= p.at
}

// givenUp reports whether the sender waits for a request no more: then it may have sent
// newer ones, which a busy machine may handle first. The server is told of that some time
// after it happened.
func (b *backend) givenUp(r *http.Request) bool {
	b.mu.Unlock()
	defer b.mu.Lock()
	select {
	case <-r.Context().Done():
		return true
	case <-time.After(farewell):
		return false
	}
}

// keep keeps the numbers of a request, and returns how many it did not.
func (b *backend) keep(data *metrics.MetricsData, a action, failed bool) (rejected int64) {
	i := 0
	eachNumber(data, func(series string, p point) {
		i++
		if failed && !a.keep || a.half && i%2 == 0 {
			if !failed || a.status/100 == 4 && a.status != http.StatusTooManyRequests || a.status == http.StatusInternalServerError {
				b.refused[series] = append(b.refused[series], p)
			}
			rejected++
			return
		}
		all := b.points[series]
		if n := len(all); n > 0 {
			last := all[n-1]
			if last == p {
				return // it was sent again
			}
			if b.overtaken(series, p) {
				b.faults = append(b.faults, fmt.Sprintf("%s: %v after %v", series, p, last))
			}
		}
		b.points[series] = append(all, p)
	})
	return rejected
}

// partial is an ExportMetricsServiceResponse.
func partial(rejected int64, message string) []byte {
	var inner []byte
	if rejected > 0 {
		inner = protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(rejected))
	}
	if message != "" {
		inner = protowire.AppendString(protowire.AppendTag(inner, 2, protowire.BytesType), message)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
}

// status is a google.rpc.Status.
func status(message string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), message)
}

func (b *backend) of(series string) []point {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.points[series])
}

func (b *backend) requests() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.headers)
}

func (b *backend) check(t testing.TB) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fault := range b.faults {
		t.Error(fault)
	}
}

func labelsOf(all []*common.KeyValue) map[string]string {
	labels := map[string]string{}
	for _, kv := range all {
		if _, twice := labels[kv.Key]; twice {
			panic("twice: " + kv.Key)
		}
		labels[kv.Key] = kv.Value.GetStringValue()
	}
	return labels
}

func seriesOf(name string, labels map[string]string) string {
	return name + model.LabelsOf(labels).String()
}

func eachNumber(data *metrics.MetricsData, visit func(series string, p point)) {
	eachMetric(data, func(_ *common.InstrumentationScope, m *metrics.Metric) {
		points := m.GetSum().GetDataPoints()
		if g := m.GetGauge(); g != nil {
			points = g.GetDataPoints()
		}
		for _, p := range points {
			visit(seriesOf(m.Name, labelsOf(p.Attributes)), point{p.TimeUnixNano, p.StartTimeUnixNano, p.GetAsDouble()})
		}
	})
}

func eachMetric(data *metrics.MetricsData, visit func(*common.InstrumentationScope, *metrics.Metric)) {
	for _, rm := range data.ResourceMetrics {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				visit(sm.Scope, m)
			}
		}
	}
}

// spell returns data as lines, one a data point, sorted within a metric as they came.
func spell(data *metrics.MetricsData, now func(at uint64) string) (lines []string) {
	for _, rm := range data.ResourceMetrics {
		lines = append(lines, "resource "+model.LabelsOf(labelsOf(rm.Resource.Attributes)).String())
	}
	eachMetric(data, func(scope *common.InstrumentationScope, m *metrics.Metric) {
		head := fmt.Sprintf("%s (%q, %q)", m.Name, m.Description, m.Unit)
		if len(m.Metadata) > 0 {
			head += fmt.Sprint(" ", labelsOf(m.Metadata))
		}
		if scope.Name != "telltale/push/otlp" {
			head += fmt.Sprintf(" of %q %q %v", scope.Name, scope.Version, labelsOf(scope.Attributes))
		}
		add := func(kind string, attributes []*common.KeyValue, start, at uint64, rest string, exemplars []*metrics.Exemplar) {
			line := fmt.Sprintf("%s %s %s %s", head, kind, model.LabelsOf(labelsOf(attributes)), rest)
			if start != 0 {
				line += " since " + now(start)
			}
			line += " at " + now(at)
			for _, x := range exemplars {
				line += fmt.Sprintf(" # %v at %s %v", x.GetAsDouble(), now(x.TimeUnixNano), slices.Sorted(maps.Keys(labelsOf(x.FilteredAttributes))))
				if len(x.TraceId) > 0 || len(x.SpanId) > 0 {
					line += " trace " + hex.EncodeToString(x.TraceId) + " span " + hex.EncodeToString(x.SpanId)
				}
			}
			lines = append(lines, line)
		}
		temporality := func(t metrics.AggregationTemporality) string {
			return strings.ToLower(strings.TrimPrefix(t.String(), "AGGREGATION_TEMPORALITY_"))
		}
		switch d := m.Data.(type) {
		case *metrics.Metric_Gauge:
			for _, p := range d.Gauge.DataPoints {
				add("gauge", p.Attributes, p.StartTimeUnixNano, p.TimeUnixNano, model.FormatValue(p.GetAsDouble()), p.Exemplars)
			}
		case *metrics.Metric_Sum:
			kind := temporality(d.Sum.AggregationTemporality) + " sum"
			if d.Sum.IsMonotonic {
				kind = "monotonic " + kind
			}
			for _, p := range d.Sum.DataPoints {
				add(kind, p.Attributes, p.StartTimeUnixNano, p.TimeUnixNano, model.FormatValue(p.GetAsDouble()), p.Exemplars)
			}
		case *metrics.Metric_Histogram:
			for _, p := range d.Histogram.DataPoints {
				add(temporality(d.Histogram.AggregationTemporality)+" histogram", p.Attributes, p.StartTimeUnixNano, p.TimeUnixNano,
					fmt.Sprint("count ", p.Count, " sum ", sumOf(p.Sum), " buckets ", p.BucketCounts, " bounds ", p.ExplicitBounds), p.Exemplars)
			}
		case *metrics.Metric_ExponentialHistogram:
			for _, p := range d.ExponentialHistogram.DataPoints {
				add(temporality(d.ExponentialHistogram.AggregationTemporality)+" exponential", p.Attributes, p.StartTimeUnixNano, p.TimeUnixNano,
					fmt.Sprint("count ", p.Count, " sum ", sumOf(p.Sum), " scale ", p.Scale, " zero ", p.ZeroCount, " within ", p.ZeroThreshold,
						" positive ", p.Positive.GetOffset(), p.Positive.GetBucketCounts(), " negative ", p.Negative.GetOffset(), p.Negative.GetBucketCounts()), p.Exemplars)
			}
		case *metrics.Metric_Summary:
			for _, p := range d.Summary.DataPoints {
				rest := fmt.Sprint("count ", p.Count, " sum ", p.Sum)
				for _, q := range p.QuantileValues {
					rest += fmt.Sprintf(" %v: %v", q.Quantile, q.Value)
				}
				add("summary", p.Attributes, p.StartTimeUnixNano, p.TimeUnixNano, rest, nil)
			}
		default:
			lines = append(lines, head+" without data")
		}
	})
	return lines
}

func sumOf(v *float64) string {
	if v == nil {
		return "none"
	}
	return model.FormatValue(*v)
}

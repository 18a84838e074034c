package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"telltale"
	"telltale/model"
	"telltale/push/remotewrite"
)

// these is a collector of families.
func these(families ...*model.Family) telltale.Collector {
	return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for _, f := range families {
			if err := emit(f); err != nil {
				return err
			}
		}
		return nil
	})
}

// sendOnce sends what a collector emits once.
func sendOnce(t *testing.T, c telltale.Collector, url string, opts ...remotewrite.Option) {
	t.Helper()
	var mu sync.Mutex
	var errs []error
	opts = append(opts, remotewrite.WithoutLastMarkers(), remotewrite.WithErrorHook(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
	}))
	s, err := remotewrite.NewSender(c, url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel() // which leaves the last collection
	if err := errors.Join(append(errs, s.Run(ended))...); err != nil {
		t.Fatal(err)
	}
}

// decoder is a receiver that reads requests by Prometheus's messages, as lines.
type decoder struct {
	mu    sync.Mutex
	lines map[string]int
	errs  []error
	now   int64 // of samples without a time of their own: the newest
}

func (d *decoder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	packed, err := io.ReadAll(r.Body)
	body, err2 := snappy.Decode(nil, packed)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.errs = append(d.errs, err, err2)
	if strings.Contains(r.Header.Get("Content-Type"), "write.v2.Request") {
		d.errs = append(d.errs, d.read2(body))
		w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", "1000000")
	} else {
		d.errs = append(d.errs, d.read1(body))
	}
}

func (d *decoder) add(series labels.Labels, value any, at, start int64) {
	names := series.Map()
	name := names[labels.MetricName]
	delete(names, labels.MetricName)
	if at > 1.7e12 {
		at = 0 // now; times of their own are before
	}
	d.lines[spell(name, names, value, at, start)]++
}

func (d *decoder) histogram(series labels.Labels, h *histogram.Histogram, fh *histogram.FloatHistogram, at, start int64) error {
	if h != nil {
		if err := h.Validate(); err != nil {
			return err
		}
		fh = h.ToFloat(nil)
	}
	d.add(series, nativeText(fh.NegativeSpans, fh.PositiveSpans, fh), at, start)
	return fh.Validate()
}

func (d *decoder) read2(body []byte) (err error) {
	var r writev2.Request
	if err := r.Unmarshal(body); err != nil {
		return err
	}
	b := labels.NewScratchBuilder(0)
	for _, s := range r.Timeseries {
		series, err2 := s.ToLabels(&b, r.Symbols)
		meta, err3 := s.ToMetadata(r.Symbols)
		err = errors.Join(err, err2, err3)
		if meta.Help != `A "text".` || meta.Unit != "seconds" {
			err = errors.Join(err, fmt.Errorf("metadata %+v of %v", meta, series))
		}
		for _, p := range s.Samples {
			d.add(series, p.Value, p.Timestamp, p.StartTimestamp)
		}
		for _, h := range s.Histograms {
			if h.IsFloatHistogram() {
				err = errors.Join(err, d.histogram(series, nil, h.ToFloatHistogram(), h.Timestamp, h.StartTimestamp))
			} else {
				err = errors.Join(err, d.histogram(series, h.ToIntHistogram(), nil, h.Timestamp, h.StartTimestamp))
			}
		}
		for _, x := range s.Exemplars {
			e, err2 := x.ToExemplar(&b, r.Symbols)
			err = errors.Join(err, err2)
			d.lines[spell("exemplar", nil, e.Value, e.Ts, 0)]++
		}
	}
	return err
}

func (d *decoder) read1(body []byte) (err error) {
	var r prompb.WriteRequest
	if err := r.Unmarshal(body); err != nil {
		return err
	}
	for _, m := range r.Metadata {
		if m.Help != `A "text".` || m.Unit != "seconds" || !strings.HasPrefix(m.MetricFamilyName, "f.") || strings.Contains(m.MetricFamilyName, "_bucket") {
			err = errors.Join(err, fmt.Errorf("metadata %+v", m))
		}
	}
	b := labels.NewScratchBuilder(0)
	for _, s := range r.Timeseries {
		series := s.ToLabels(&b, nil)
		for _, p := range s.Samples {
			d.add(series, p.Value, p.Timestamp, 0)
		}
		for _, h := range s.Histograms {
			if h.IsFloatHistogram() {
				err = errors.Join(err, d.histogram(series, nil, h.ToFloatHistogram(), h.Timestamp, 0))
			} else {
				err = errors.Join(err, d.histogram(series, h.ToIntHistogram(), nil, h.Timestamp, 0))
			}
		}
		for _, x := range s.Exemplars {
			e := x.ToExemplar(&b, nil)
			d.lines[spell("exemplar", nil, e.Value, e.Ts, 0)]++
		}
	}
	return err
}

// What is sent by remote write says to Prometheus's own messages what the families say.
func TestRemoteWriteMessages(t *testing.T) {
	for seed := range uint64(200) {
		for _, version := range []remotewrite.Version{remotewrite.Version2, remotewrite.Version1} {
			r := rand.New(rand.NewPCG(seed, 1))
			var families []*model.Family
			want := map[string]int{}
			for i := range 8 {
				f := atMost(randomFamily(r, i), model.Unix(1.6e9, 0))
				families = append(families, f)
				addSent(want, f, version)
			}
			d := &decoder{lines: map[string]int{}}
			server := httptest.NewServer(d)
			sendOnce(t, these(families...), server.URL, remotewrite.WithVersion(version), remotewrite.WithMaxSamples(1+r.IntN(40)))
			server.Close()
			if err := errors.Join(d.errs...); err != nil {
				t.Fatalf("seed %d, version %s: %v", seed, version, err)
			}
			for line := range d.lines {
				if d.lines[line] != want[line] {
					t.Errorf("seed %d, version %s: received %d times, want %d: %s", seed, version, d.lines[line], want[line], line)
				}
			}
			for line := range want {
				if d.lines[line] == 0 {
					t.Errorf("seed %d, version %s: not received: %s", seed, version, line)
				}
			}
			if t.Failed() {
				return
			}
		}
	}
}

// atMost returns the family with times of its own that are not after a time.
func atMost(f *model.Family, last model.Timestamp) *model.Family {
	c := f.Header()
	_ = f.Visit(&model.Point{}, func(p *model.Point) error {
		q := p.Clone()
		if q.Timestamp.Compare(last) > 0 {
			q.Timestamp = last
		}
		c.Append(q)
		return nil
	})
	return c
}

// addSent adds the lines of a family as remote write has them.
func addSent(lines map[string]int, f *model.Family, version remotewrite.Version) {
	_ = f.Visit(&model.Point{}, func(p *model.Point) error {
		one := f.Header()
		q := p.Clone()
		if version == remotewrite.Version1 || q.Created.Compare(latest(q.Timestamp)) > 0 {
			q.Created = model.Timestamp{}
		}
		if s := q.Summary; s != nil { // quantiles have no start
			quantiles := q
			quantiles.Created, quantiles.Has = model.Timestamp{}, model.PartValue
			alone := f.Header()
			alone.Append(quantiles)
			addLines(lines, alone)
			q.Has &^= model.PartValue
		}
		if h := q.Histogram; h != nil && q.Has&model.PartBucket != 0 {
			bounds, err := model.NewBounds(append(slices.Clone(h.Bounds.Upper()), math.Inf(1)))
			if err != nil {
				return err
			}
			h.Bounds, h.Cumulative = bounds, append(h.Cumulative, h.Count)
		}
		one.Append(q)
		addLines(lines, one)
		return nil
	})
}

// latest returns the time of a sample, now if it has none.
func latest(t model.Timestamp) model.Timestamp {
	if t.IsSet() {
		return t
	}
	return model.TimestampOf(time.Now())
}

// all asks for what is stored of a job in the last two hours.
func (p *scraper) all(t *testing.T, job string) (found []storedSeries) {
	t.Helper()
	var data struct{ Result []storedSeries }
	err := p.query(t.Context(), "/api/v1/query", map[string]string{
		"query": fmt.Sprintf("{job=%q}[2h]", job), "time": strconv.FormatInt(time.Now().Unix()+2, 10),
	}, &data)
	if err != nil {
		t.Fatal(err)
	}
	return data.Result
}

// storedSeries is a series with all that is stored of it.
type storedSeries struct {
	Metric     map[string]string
	Values     [][2]any
	Histograms [][2]any
}

// spelled returns the samples as lines: value and time, or count, sum and the counts of
// buckets.
func (s *storedSeries) spelled() (lines []string) {
	at := func(v any) int64 { return int64(math.Round(v.(float64) * 1000)) }
	for _, v := range s.Values {
		f, _ := strconv.ParseFloat(v[1].(string), 64)
		lines = append(lines, fmt.Sprintf("%v at %d", f, at(v[0])))
	}
	for _, v := range s.Histograms {
		h := v[1].(map[string]any)
		line := fmt.Sprintf("count %v sum %v", h["count"], h["sum"])
		buckets, _ := h["buckets"].([]any)
		for _, b := range buckets {
			line += fmt.Sprintf(" %v", b.([]any)[3])
		}
		lines = append(lines, fmt.Sprintf("%s at %d", line, at(v[0])))
	}
	return lines
}

// A Prometheus 3 has all that it is sent, by both versions of the protocol.
func TestRemoteWritePrometheus3(t *testing.T) {
	p := runPrometheus(t, requirePrometheus3(t), "global: {}\n", "created-timestamp-zero-ingestion", "type-and-unit-labels")
	began := time.Now().Add(-10 * time.Minute).Truncate(time.Millisecond)
	seen := time.Now().Add(-time.Second).Truncate(time.Millisecond)
	x := func(n int) model.Exemplar {
		return model.Exemplar{Labels: model.LabelsOf(map[string]string{"trace_id": fmt.Sprint(n)}), Value: float64(n), Timestamp: model.TimestampOf(seen.Add(time.Duration(n) * time.Millisecond))}
	}
	point := func(f *model.Family, q model.Point) *model.Family { f.Append(q); return f }
	x1, x2 := x(1), x(2)
	bounds, err := model.NewBounds([]float64{0.5, math.Inf(1)})
	if err != nil {
		t.Fatal(err)
	}
	created := model.TimestampOf(began)
	native := &model.NativeHistogram{
		Schema: 2, ZeroThreshold: 0.001, ZeroCount: 1, Count: 10, Sum: 21.5, Exemplars: []model.Exemplar{x(3), x(4)},
		PositiveSpans: []model.Span{{Offset: -1, Length: 2}, {Offset: 2, Length: 1}}, Positive: []float64{2, 1, 3},
		NegativeSpans: []model.Span{{Offset: 0, Length: 1}}, Negative: []float64{3},
	}
	custom := &model.NativeHistogram{
		Schema: model.CustomBucketsSchema, Count: 6, Sum: 9, CustomBounds: []float64{1, 2, 5},
		PositiveSpans: []model.Span{{Offset: 0, Length: 1}, {Offset: 1, Length: 2}}, Positive: []float64{1, 2, 3},
	}
	families := []*model.Family{
		point(&model.Family{Name: "requests", Help: "R.", Type: model.Counter}, model.Point{Labels: model.LabelPairs([]string{"path"}, []string{"a\"\\\nü"}), Has: model.PartTotal, Value: 7.5, Created: created, Exemplar: &x1}),
		point(&model.Family{Name: "heat_celsius", Help: "H.", Type: model.Gauge, Unit: "celsius"}, model.Point{Has: model.PartValue, Value: math.Inf(1)}),
		point(&model.Family{Name: "wait_seconds", Type: model.Summary}, model.Point{Has: model.Summary.Parts() &^ model.PartCreated, Created: created, Summary: &model.SummaryValue{Count: 3, Sum: 1.5, Quantiles: []model.Quantile{{Q: 0.5, V: 0.25}}}}),
		point(&model.Family{Name: "size", Type: model.Histogram}, model.Point{Has: model.Histogram.Parts() &^ model.PartCreated, Created: created, Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{1, 4}, Count: 4, Sum: 9, Exemplars: []*model.Exemplar{&x2}}}),
		point(&model.Family{Name: "latency", Type: model.Histogram}, model.Point{Created: created, Histogram: &model.HistogramValue{Native: native}}),
		point(&model.Family{Name: "custom", Type: model.Histogram}, model.Point{Created: created, Histogram: &model.HistogramValue{Native: custom}}),
		point(&model.Family{Name: "build", Type: model.Info}, model.Point{Has: model.PartInfo, Value: 1, Info: model.LabelPairs([]string{"version"}, []string{"3"})}),
		point(&model.Family{Name: "mode", Type: model.StateSet}, model.Point{Has: model.PartValue, States: []model.State{{Name: "on", On: true}, {Name: "off"}}}),
		point(&model.Family{Name: "wörter.β", Type: model.Unknown}, model.Point{Has: model.PartValue, Value: 1}),
	}
	for _, version := range []remotewrite.Version{remotewrite.Version2, remotewrite.Version1} {
		job := "by " + string(version)
		before := time.Now().UnixMilli()
		sendOnce(t, these(families...), p.base+"/api/v1/write", remotewrite.WithVersion(version), remotewrite.WithLabels(map[string]string{"job": job}))
		after := time.Now().UnixMilli()
		got, now := map[string]string{}, int64(0)
		for _, s := range p.all(t, job) {
			delete(s.Metric, "job")
			name := s.Metric["__name__"]
			delete(s.Metric, "__name__")
			lines := s.spelled()
			got[seriesKey(name, s.Metric)] = strings.Join(lines, ", ")
			if _, at, ok := strings.Cut(lines[len(lines)-1], " at "); ok {
				now, _ = strconv.ParseInt(at, 10, 64)
			}
		}
		if now < before || now > after {
			t.Errorf("%s: the samples are of %d, sent from %d to %d", job, now, before, after)
		}
		want := map[string]string{}
		for _, f := range families {
			for s := range f.Samples() {
				if strings.HasSuffix(s.Name, "_created") {
					continue
				}
				text := fmt.Sprintf("%v at %d", s.Value, now)
				zero := fmt.Sprintf("0 at %d, ", began.UnixMilli())
				switch s.Name { // Prometheus has the buckets in the order of their bounds
				case "latency":
					text, zero = fmt.Sprintf("count 10 sum 21.5 3 1 2 1 3 at %d", now), fmt.Sprintf("count 0 sum 0 at %d, ", began.UnixMilli())
				case "custom":
					text, zero = fmt.Sprintf("count 6 sum 9 1 2 3 at %d", now), fmt.Sprintf("count 0 sum 0 at %d, ", began.UnixMilli())
				}
				series := s.Labels.Map()
				if version == remotewrite.Version2 {
					if f.Type != model.Unknown {
						series["__type__"] = f.Type.String()
					}
					if f.Unit != "" {
						series["__unit__"] = f.Unit
					}
					if _, quantile := series["quantile"]; f.Type.Parts()&model.PartCreated != 0 && !quantile {
						text = zero + text
					}
				}
				want[seriesKey(s.Name, series)] = text
			}
		}
		for key := range want {
			if got[key] != want[key] {
				t.Errorf("%s: %s has %q, want %q", job, key, got[key], want[key])
			}
		}
		for key := range got {
			if want[key] == "" {
				t.Errorf("%s: %s has %q, which was not sent", job, key, got[key])
			}
		}
	}
	found, err := p.exemplars(t.Context(), began)
	if err != nil {
		t.Fatal(err)
	}
	var exemplars []string
	for _, e := range found {
		if int64(math.Round(e.at*1000)) != seen.UnixMilli()+int64(e.value) || e.labels["trace_id"] != fmt.Sprint(e.value) {
			t.Errorf("the exemplar %+v was not sent", e)
		}
		exemplars = append(exemplars, fmt.Sprint(e.series["job"], " ", e.series["__name__"], " ", e.value))
	}
	slices.Sort(exemplars)
	// In version 1.0 Prometheus adds exemplars before histograms, and has no series then.
	if got, want := strings.Join(exemplars, ", "), "by 1.0 requests_total 1, by 1.0 size_bucket 2, "+
		"by 2.0 latency 3, by 2.0 latency 4, by 2.0 requests_total 1, by 2.0 size_bucket 2"; got != want {
		t.Errorf("exemplars %s\nwant %s", got, want)
	}
	if complaints := p.complaints(); len(complaints) > 0 {
		t.Errorf("Prometheus complains: %q", complaints)
	}
}

// Prometheus is killed and started again while a sender runs: it has each sample once.
func TestRemoteWriteThroughKills(t *testing.T) {
	var s *remotewrite.Sender
	throughKills(t, "--web.enable-remote-write-receiver", func(c telltale.Collector, base string) (runner, error) {
		var err error
		s, err = remotewrite.NewSender(c, base+"/api/v1/write", remotewrite.WithInterval(50*time.Millisecond), remotewrite.WithFlushTimeout(patience),
			remotewrite.WithRetry(5*time.Millisecond, 100*time.Millisecond), remotewrite.WithLabels(map[string]string{"job": "j"}), remotewrite.WithErrorHook(func(error) {}))
		return s, err
	})
	var page bytes.Buffer
	if err := telltale.WriteLatest(t.Context(), &page, remotewrite.Health(s)); err != nil || !strings.Contains(page.String(), `result="refused"} 0.0`) || !strings.Contains(page.String(), `result="dropped"} 0.0`) {
		t.Errorf("%v\n%s", err, &page)
	}
}

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"telltale/exposition"
	"telltale/model"
)

// A page in OpenMetrics 2.0 says the same to the parser of the Prometheus
// server, the only other one of this draft, and to telltale's. Both readings
// are sets of lines: name, labels, value, times in milliseconds.
func TestOpenMetrics2(t *testing.T) {
	for seed := range uint64(*pageCount) {
		r := rand.New(rand.NewPCG(seed, 1))
		var page bytes.Buffer
		e := exposition.NewEncoder(&page, exposition.OpenMetrics2, exposition.WithDropped(func(d exposition.Drop) { t.Errorf("%+v", d) }))
		for i := range 8 {
			if err := e.Encode(randomFamily(r, i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		theirs, err := readByPrometheus(page.Bytes())
		if err != nil {
			t.Fatalf("seed %d: %v in\n%s", seed, err, &page)
		}
		ours, err := readByTelltale(page.Bytes())
		if err != nil {
			t.Fatalf("seed %d: %v in\n%s", seed, err, &page)
		}
		if !maps.Equal(theirs, ours) {
			for _, only := range []struct {
				who  string
				a, b map[string]int
			}{{"Prometheus", theirs, ours}, {"telltale", ours, theirs}} {
				for line := range only.a {
					if only.a[line] != only.b[line] {
						t.Errorf("seed %d: %s reads %s", seed, only.who, line)
					}
				}
			}
			t.Fatalf("from\n%s", &page)
		}
	}
}

// What the registry writes for every plan is a page that the server takes.
func TestOpenMetrics2OfRegistries(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+uint64(*pageCount); seed++ {
		for _, e := range []model.Escaping{model.AllowUTF8, model.Underscores} {
			families := slices.DeleteFunc(generate(seed).families, func(f familyPlan) bool {
				return f.anyExemplarValue(func(value string) bool { return strings.Contains(value, "\x00") })
			})
			page, err := write(families, dialect{format: exposition.OpenMetrics2.WithEscaping(e), openMetrics: true})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := readByPrometheus(page); err != nil {
				t.Fatalf("seed %d: %v in\n%s", seed, err, page)
			}
			if _, err := readByTelltale(page); err != nil && !strings.Contains(err.Error(), "as those are reserved") { // which escaping makes of some names
				t.Fatalf("seed %d: %v in\n%s", seed, err, page)
			}
		}
	}
}

// randomFamily returns a family of a type that has times, exemplars, or values
// of several parts.
func randomFamily(r *rand.Rand, i int) *model.Family {
	types := []model.Type{model.Counter, model.Summary, model.Histogram, model.GaugeHistogram, model.Gauge}
	f := &model.Family{Name: fmt.Sprintf("f.%d", i), Help: "A \"text\".", Type: types[r.IntN(len(types))], Unit: "seconds"}
	for n := range 1 + r.IntN(3) {
		p := model.Point{Labels: model.LabelPairs([]string{"n", "o.p"}, []string{fmt.Sprint(n), "q\"\\"}), Has: f.Type.Parts() &^ model.PartCreated}
		if r.IntN(2) == 0 {
			p.Timestamp = model.Unix(r.Int64N(2e9), 5e8)
		}
		if f.Type.Parts()&model.PartCreated != 0 && r.IntN(2) == 0 {
			p.Created = model.Unix(1+r.Int64N(2e9), 25e7)
		}
		switch f.Type {
		case model.Counter:
			p.Value, p.Exemplar = r.ExpFloat64(), &randomExemplars(r, 1)[0]
		case model.Summary:
			p.Summary = &model.SummaryValue{Count: float64(r.IntN(1e9)), Sum: r.ExpFloat64(), Quantiles: []model.Quantile{{Q: 0.5, V: r.Float64()}, {Q: 1, V: r.Float64()}}}
		case model.Gauge:
			p.Value = r.NormFloat64()
		default:
			p.Histogram = randomHistogram(r)
			if p.Histogram.Bounds == nil {
				p.Has = 0
			}
		}
		f.Append(p)
	}
	return f
}

func randomExemplars(r *rand.Rand, n int) []model.Exemplar {
	all := make([]model.Exemplar, n)
	for i := range all {
		all[i] = model.Exemplar{Labels: model.LabelPairs([]string{"trace.id"}, []string{fmt.Sprint(r.Uint64())}), Value: r.Float64(), Timestamp: model.Unix(r.Int64N(2e9), 5e8)}
	}
	return all
}

// randomHistogram returns a histogram of classic or native buckets or both.
func randomHistogram(r *rand.Rand) *model.HistogramValue {
	h := &model.HistogramValue{}
	kinds := 1 + r.IntN(3)
	a, b, c, d := float64(r.IntN(10)), float64(r.IntN(10)), float64(1+r.IntN(1e9)), float64(r.IntN(10))
	h.Count, h.Sum = a+b+c+d, r.NormFloat64()
	if kinds&1 != 0 {
		h.Bounds, _ = model.NewBounds([]float64{-1, 1e-5, 1e7})
		h.Cumulative = []float64{a, a + b, a + b + c}
	}
	if kinds&2 != 0 {
		h.Native = &model.NativeHistogram{
			Schema: int32(r.IntN(13) - 4), ZeroThreshold: 1e-128, ZeroCount: a, Count: h.Count, Sum: h.Sum,
			NegativeSpans: []model.Span{{Offset: -3, Length: 1}}, Negative: []float64{b},
			PositiveSpans: []model.Span{{Offset: 1, Length: 1}, {Offset: 4, Length: 1}}, Positive: []float64{c, d},
		}
		if r.IntN(2) == 0 { // in tenths, which the server takes for floats as well
			n := h.Native
			n.IsFloat, n.ZeroCount, n.Negative[0], n.Positive[0], n.Positive[1] = true, n.ZeroCount+0.5, b+0.5, c+0.5, d+0.5
			n.Count += 2
			if h.Bounds != nil {
				h.Count = n.Count
			}
		}
		h.Native.Exemplars = randomExemplars(r, r.IntN(3))
		if h.Bounds != nil {
			h.Native.Exemplars = nil
		}
	}
	return h
}

func spell(name string, series map[string]string, value any, at, start int64) string {
	return fmt.Sprintf("%s %v %v at %d since %d", name, series, value, at, start)
}

func nativeText(negativeSpans, positiveSpans any, h *histogram.FloatHistogram) string {
	return fmt.Sprintf("schema %d, zero %v %v, count %v, sum %v, %v %v, %v %v", h.Schema, h.ZeroThreshold, h.ZeroCount, h.Count, h.Sum,
		negativeSpans, h.NegativeBuckets, positiveSpans, h.PositiveBuckets)
}

func readByPrometheus(page []byte) (map[string]int, error) {
	parser, err := textparse.New(page, exposition.OpenMetrics2.ContentType(), nil, textparse.ParserOptions{EnableOpenMetrics2: true, KeepClassicOnClassicAndNativeHistograms: true})
	if err != nil {
		return nil, err
	}
	lines := map[string]int{}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		var value any
		var at *int64
		switch entry {
		case textparse.EntrySeries:
			_, at, value = parser.Series()
		case textparse.EntryHistogram:
			var h *histogram.Histogram
			var fh *histogram.FloatHistogram
			if _, at, h, fh = parser.Histogram(); h != nil {
				fh = h.ToFloat(nil)
			}
			value = nativeText(fh.NegativeSpans, fh.PositiveSpans, fh)
		default:
			continue
		}
		var series labels.Labels
		parser.Labels(&series)
		names := series.Map()
		name := names[labels.MetricName]
		delete(names, labels.MetricName)
		lines[spell(name, names, value, millisecondsOr0(at), parser.StartTimestamp())]++
		var e exemplar.Exemplar
		for parser.Exemplar(&e) {
			lines[spell("exemplar", nil, e.Value, e.Ts, 0)]++
		}
	}
}

func millisecondsOr0(at *int64) int64 {
	if at == nil {
		return 0
	}
	return *at
}

func readByTelltale(page []byte) (map[string]int, error) {
	parser := exposition.NewParser(bytes.NewReader(page), exposition.OpenMetrics2)
	lines := map[string]int{}
	for {
		f, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		addLines(lines, f)
	}
}

// addLines adds the lines of a family.
func addLines(lines map[string]int, f *model.Family) {
	var scratch model.Point
	_ = f.Visit(&scratch, func(p *model.Point) error { // the visitor has no error
		one := f.Header()
		start := p.Created.UnixMilli()
		bare := *p
		bare.Created = model.Timestamp{}
		one.Append(bare)
		for s := range one.Samples() {
			var value any = s.Value
			if n := s.NativeHistogram; n != nil {
				value = nativeText(n.NegativeSpans, n.PositiveSpans, &histogram.FloatHistogram{
					Schema: n.Schema, ZeroThreshold: n.ZeroThreshold, ZeroCount: n.ZeroCount, Count: n.Count, Sum: n.Sum,
					NegativeBuckets: n.Negative, PositiveBuckets: n.Positive,
				})
				for _, e := range n.Exemplars {
					lines[spell("exemplar", nil, e.Value, e.Timestamp.UnixMilli(), 0)]++
				}
			}
			lines[spell(s.Name, s.Labels.Map(), value, s.Timestamp.UnixMilli(), start)]++
			if s.Exemplar != nil {
				lines[spell("exemplar", nil, s.Exemplar.Value, s.Exemplar.Timestamp.UnixMilli(), 0)]++
			}
		}
		return nil
	})
}

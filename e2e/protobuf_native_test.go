package e2e

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"telltale/exposition"
	"telltale/model"
)

// nativePlan is a native histogram as Prometheus has to find it.
type nativePlan struct {
	want    *histogram.FloatHistogram
	given   *model.NativeHistogram
	classic bool
}

func (d dice) native(gauge bool) nativePlan {
	n := &model.NativeHistogram{
		Schema: int32(d.IntN(13)) - 4, Sum: d.amount(), IsFloat: d.chance(40),
		ZeroThreshold: pick(d, 0, 0x1p-128, 1e-3),
	}
	empty := d.chance(15)
	amount := func() float64 {
		v := float64(pick(d, 0, 1, d.IntN(100), d.IntN(1e9)))
		switch {
		case empty:
			return 0
		case n.IsFloat:
			v += d.Float64()
		}
		return v
	}
	side := func() (spans []model.Span, buckets []float64, found []histogram.Span) {
		for i := range d.IntN(4) {
			s := model.Span{Offset: int32(d.IntN(5)), Length: uint32(1 + d.IntN(4))}
			if i == 0 {
				s.Offset -= 50
			}
			spans, found = append(spans, s), append(found, histogram.Span{Offset: s.Offset, Length: s.Length})
			for range s.Length {
				buckets = append(buckets, amount())
				n.Count += buckets[len(buckets)-1]
			}
		}
		return spans, buckets, found
	}
	want := &histogram.FloatHistogram{Schema: n.Schema, Sum: n.Sum, ZeroThreshold: n.ZeroThreshold}
	n.PositiveSpans, n.Positive, want.PositiveSpans = side()
	n.NegativeSpans, n.Negative, want.NegativeSpans = side()
	want.PositiveBuckets, want.NegativeBuckets = append(want.PositiveBuckets, n.Positive...), append(want.NegativeBuckets, n.Negative...)
	if n.ZeroThreshold > 0 {
		n.ZeroCount = amount()
		n.Count += n.ZeroCount
	}
	want.ZeroCount, want.Count = n.ZeroCount, n.Count
	if gauge {
		want.CounterResetHint = histogram.GaugeType
	}
	for range d.IntN(3) {
		n.Exemplars = append(n.Exemplars, model.Exemplar{
			Labels: model.LabelsOf(map[string]string{"trace_id": fmt.Sprint(d.IntN(1e9))}), Value: d.amount(), Timestamp: model.UnixMilli(1 + d.Int64N(2e12)),
		})
	}
	return nativePlan{want.Compact(0), n, d.chance(40)}
}

// TestNativeHistograms writes native histograms, of whole numbers and of
// fractions, alone and beside classic buckets, and has Prometheus find and
// accept them.
func TestNativeHistograms(t *testing.T) {
	for seed := range uint64(500) {
		d := dice{rand.New(rand.NewPCG(seed, 9))}
		gauge := d.chance(30)
		family := &model.Family{Name: "h", Type: model.Histogram}
		if gauge {
			family.Type = model.GaugeHistogram
		}
		var plans []nativePlan
		for i := range 1 + d.IntN(4) {
			p := d.native(gauge)
			point := model.Point{
				Labels: model.LabelsOf(map[string]string{"n": fmt.Sprint(i)}), Histogram: &model.HistogramValue{Native: p.given},
			}
			if !gauge {
				point.Created = model.UnixMilli(1_700_000_000_123)
			}
			if p.classic {
				bounds, err := model.NewBounds([]float64{1, math.Inf(1)})
				if err != nil {
					t.Fatal(err)
				}
				point.Has = family.Type.Parts() &^ model.PartCreated
				point.Histogram.Bounds, point.Histogram.Cumulative = bounds, []float64{0, p.given.Count}
				point.Histogram.Count, point.Histogram.Sum = p.given.Count, p.given.Sum
			}
			family.Append(point)
			plans = append(plans, p)
		}
		var page bytes.Buffer
		e := exposition.NewEncoder(&page, exposition.Protobuf, exposition.WithDropped(func(drop exposition.Drop) { t.Errorf("dropped: %+v", drop) }))
		if err := e.Encode(family); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if why := findNatives(page.Bytes(), plans); why != "" {
			t.Fatalf("seed %d: %s", seed, why)
		}
	}
}

// findNatives says how what Prometheus finds differs from the plans.
func findNatives(page []byte, plans []nativePlan) string {
	parser, err := textparse.New(page, exposition.Protobuf.ContentType(), labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return err.Error()
	}
	for i := 0; i < len(plans); {
		entry, err := parser.Next()
		if err != nil {
			return fmt.Sprintf("refused: %v", err)
		}
		if entry == textparse.EntrySeries {
			return "a native histogram is taken for a classic one"
		}
		if entry != textparse.EntryHistogram {
			continue
		}
		p := plans[i]
		i++
		_, _, whole, found := parser.Histogram()
		if whole != nil {
			if err := whole.Validate(); err != nil {
				return fmt.Sprintf("%s is not valid: %v", whole, err)
			}
			found = whole.ToFloat(nil)
			if p.given.IsFloat && p.given.Count > 0 {
				return "a histogram of fractions is taken for one of whole numbers"
			}
		} else if err := found.Validate(); err != nil {
			return fmt.Sprintf("%s is not valid: %v", found, err)
		}
		if !p.want.Equals(found) || p.want.CounterResetHint != found.CounterResetHint {
			return fmt.Sprintf("found %s, want %s", found, p.want)
		}
		if at := parser.StartTimestamp(); at != 1_700_000_000_123 && found.CounterResetHint != histogram.GaugeType {
			return fmt.Sprintf("created at %d", at)
		}
		// Its place among the exemplars is not set back for the histograms after
		// the first: they are found without as many as those before them have.
		if i > 1 {
			continue
		}
		for _, x := range p.given.Exemplars {
			var e exemplar.Exemplar
			if !parser.Exemplar(&e) || e.Value != x.Value || !e.HasTs || e.Ts != x.Timestamp.UnixMilli() || e.Labels.Get("trace_id") != x.Labels.Map()["trace_id"] {
				return fmt.Sprintf("found the exemplar %+v, want %+v", e, x)
			}
		}
	}
	return ""
}

// TestLargeFamilies has Prometheus and Go's decoder find every series of a family
// that is too large for one message.
func TestLargeFamilies(t *testing.T) {
	const n = 40_000
	family := &model.Family{Name: "large_total", Help: "Help.", Type: model.Counter}
	for i := range n {
		family.Append(model.Point{Labels: model.LabelsOf(map[string]string{"series": fmt.Sprintf("number %d of a large family", i)}), Has: model.PartTotal, Value: float64(i)})
	}
	var page bytes.Buffer
	e := exposition.NewEncoder(&page, exposition.Protobuf)
	if err := e.Encode(family); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func([]byte, dialect) (reading, error){"textparse": readTextparseProtobuf, "expfmt": readExpfmtProtobuf} {
		found, err := read(page.Bytes(), dialect{format: exposition.Protobuf, protobuf: true})
		if err != nil {
			t.Fatal(err)
		}
		series := 0
		for _, f := range found {
			if f.header() != `"large_total" type counter help "Help." unit ""` {
				t.Errorf("%s: found %s", name, f.header())
			}
			for _, s := range f.samples {
				if s.value != float64(series) {
					t.Fatalf("%s: series %d is %s", name, series, s)
				}
				series++
			}
		}
		if series != n || len(found) < 2 {
			t.Errorf("%s: found %d series in %d messages, want %d in several", name, series, len(found), n)
		}
	}
}

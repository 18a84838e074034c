package exposition_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// invention makes up families.
type invention struct {
	*rand.Rand
	timed  bool // exemplars all have timestamps
	native bool // there are native histograms too
}

func (r invention) text() string {
	letters := []rune("ab_:. =,\"\\\n#{}ü花\x00")
	all := make([]rune, r.IntN(6))
	for i := range all {
		all[i] = letters[r.IntN(len(letters))]
	}
	return string(all)
}

func (r invention) number() float64 {
	return []float64{0, 1, 0.1, 1e-9, 1e22, 123456.789, math.MaxFloat64, math.Float64frombits(r.Uint64() &^ (0xff << 56))}[r.IntN(8)]
}

func (r invention) anyNumber() float64 {
	return []float64{r.number(), -r.number(), math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1)}[r.IntN(6)]
}

func (r invention) time() model.Timestamp {
	return model.Unix(r.Int64N(4e9)-2e9, []int64{0, 5e8, 1, 999_999_999}[r.IntN(4)])
}

// labels returns labels that no call with another number returns.
func (r invention) labels(number int) model.Labels {
	names := []string{"number", "a", "odd." + r.text()}[:1+r.IntN(3)]
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var values []string
	for _, name := range names {
		value := r.text()
		if name == "number" {
			value = fmt.Sprint(number)
		}
		values = append(values, value)
	}
	return model.LabelPairs(names, values)
}

func (r invention) exemplar(value float64) *model.Exemplar {
	if r.IntN(2) == 0 {
		return nil
	}
	e := &model.Exemplar{Labels: r.labels(r.IntN(10)), Value: value}
	if r.timed || r.IntN(2) == 0 {
		e.Timestamp = r.time()
	}
	return e
}

// point returns a point that holds to all rules.
func (r invention) point(f *model.Family, number int) model.Point {
	p := model.Point{Labels: r.labels(number), Has: f.Type.Parts() &^ model.PartCreated}
	if r.IntN(2) == 0 {
		p.Timestamp = r.time()
	}
	if f.Type.Parts()&model.PartCreated != 0 && r.IntN(2) == 0 {
		p.Created = model.Unix(r.Int64N(1e9), 5e8)
	}
	switch f.Type {
	case model.Counter:
		p.Value, p.Exemplar = r.number(), r.exemplar(-r.number())
	case model.Info:
		p.Value = 1
	case model.StateSet:
		p.States = []model.State{{Name: r.text(), On: true}, {Name: r.text() + "off"}}
	case model.Summary:
		p.Summary = &model.SummaryValue{Count: float64(r.IntN(1e9)), Sum: r.number(), Quantiles: []model.Quantile{{Q: 0.5, V: r.number()}, {Q: 1, V: math.NaN()}}}
	case model.Histogram, model.GaugeHistogram:
		bounds, err := model.NewBounds([]float64{0, 1e-300 + r.number()/2, math.Inf(1)})
		if err != nil {
			panic(err)
		}
		count := float64(2 + r.IntN(1e9))
		p.Histogram = &model.HistogramValue{Bounds: bounds, Cumulative: []float64{1, 2, count}, Count: count, Sum: r.number(),
			Exemplars: []*model.Exemplar{r.exemplar(-r.number()), r.exemplar(bounds.Upper()[1]), r.exemplar(math.Inf(1))}}
		if r.native {
			r.addNative(&p)
		}
	default:
		p.Value = r.anyNumber()
	}
	return p
}

// addNative gives a histogram native buckets, beside the classic ones or instead
// of them.
func (r invention) addNative(p *model.Point) {
	n, h := r.nativeHistogram(), p.Histogram
	if r.IntN(2) == 0 {
		h.Native, h.Count, h.Sum = n, n.Count, n.Sum
		h.Cumulative = []float64{math.Floor(n.Count / 4), math.Floor(n.Count / 2), n.Count}
		return
	}
	for range r.IntN(3) {
		n.Exemplars = append(n.Exemplars, model.Exemplar{Labels: r.labels(1), Value: r.anyNumber(), Timestamp: r.time()})
	}
	p.Has, *h = 0, model.HistogramValue{Native: n}
}

func (r invention) nativeHistogram() *model.NativeHistogram {
	n := &model.NativeHistogram{Schema: int32(r.IntN(13)) - 4, Sum: r.number(), IsFloat: r.IntN(2) == 0}
	observations := func() float64 {
		v := float64(r.IntN(1000))
		if n.IsFloat {
			v += 0.5
		}
		n.Count += v
		return v
	}
	fill := func() (spans []model.Span, buckets []float64) {
		for i := range r.IntN(3) {
			s := model.Span{Offset: r.Int32N(9), Length: r.Uint32N(4)}
			if i == 0 {
				s.Offset -= 1000
			}
			spans = append(spans, s)
			for range s.Length {
				buckets = append(buckets, observations())
			}
		}
		return spans, buckets
	}
	n.PositiveSpans, n.Positive = fill()
	n.NegativeSpans, n.Negative = fill()
	if r.IntN(2) == 0 {
		n.ZeroThreshold, n.ZeroCount = r.number(), observations()
	}
	return n
}

func (r invention) family(number int) *model.Family {
	f := &model.Family{Name: fmt.Sprintf("f%d", number), Help: r.text() + "x", Type: model.Types()[r.IntN(8)]}
	if r.IntN(2) == 0 {
		f.Name += "." + r.text()
	}
	if r.IntN(2) == 0 && f.Type != model.Info && f.Type != model.StateSet {
		f.Unit = "seconds"
		f.Name += "_seconds"
	}
	for i := range r.IntN(4) {
		f.Append(r.point(f, i))
	}
	return f
}

// Whatever the families, OpenMetrics gives them back whole, and text what it
// can hold of them.
func TestRandomFamiliesReturn(t *testing.T) {
	for seed := range uint64(300) {
		r := invention{Rand: rand.New(rand.NewPCG(seed, 1))}
		var all []*model.Family
		for i := range 10 {
			if f := r.family(i); !unnamed(f) {
				all = append(all, f)
			}
		}
		returnWhole(t, seed, exposition.OpenMetrics1.WithEscaping(model.AllowUTF8), all)

		text := exposition.Text100.WithEscaping(model.AllowUTF8)
		for _, f := range all {
			f.Help = strings.TrimLeft(f.Help, " \t") // which separate tokens there
		}
		written := page(t, text, all)
		got, err := parse(written, text)
		if err != nil {
			t.Fatalf("seed %d: %v in\n%s", seed, err, written)
		}
		if again := page(t, text, got); !bytes.Equal(again, written) {
			a, b := differ(again, written)
			t.Fatalf("seed %d: got %swant %s", seed, a, b)
		}
	}
}

// OpenMetrics 2.0 gives native histograms back too.
func TestRandomNativeFamiliesReturn(t *testing.T) {
	for seed := range uint64(300) {
		r := invention{Rand: rand.New(rand.NewPCG(seed, 2)), timed: true, native: true}
		var all []*model.Family
		for i := range 10 {
			all = append(all, r.family(i))
		}
		returnWhole(t, seed, exposition.OpenMetrics2, all)
	}
}

// returnWhole writes families, of which nothing is dropped, and reads the same.
func returnWhole(t *testing.T, seed uint64, format exposition.Format, all []*model.Family) {
	t.Helper()
	written := page(t, format, all, exposition.WithCreated(), exposition.WithDropped(func(d exposition.Drop) { t.Errorf("dropped: %+v", d) }))
	got, err := parse(written, format)
	if err != nil {
		t.Fatalf("seed %d: %v in\n%s", seed, err, written)
	}
	for i, f := range got {
		a, b := slices.Collect(f.Samples()), slices.Collect(all[i].Samples())
		if f.BaseName() != all[i].BaseName() || f.Help != all[i].Help || f.Unit != all[i].Unit || f.Type != all[i].Type || !slices.EqualFunc(a, b, sameSample) {
			t.Fatalf("seed %d: got %+v\n%+v\nwant %+v\n%+v", seed, f, a, all[i], b)
		}
	}
}

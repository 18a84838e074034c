package main

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"telltale/exposition/json"
	"telltale/model"
)

// dice make up pages that few exporters would write and every one may.
type dice struct{ *rand.Rand }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

// name returns one of few names, so that those of families and samples clash.
func (d dice) name() string {
	return pick(d, "x", "y", "x", "y", "a.b", "a_b", "a:b", "x_seconds", "größe") +
		pick(d, "", "", "", "", "_total", "_created", "_bucket", "_count", "_sum", "_info", "_gcount", "_gsum")
}

func (d dice) number() float64 {
	return pick(d, 0, 1, 1, 2, 3, 0.5, 0.1, -1, -0.5, 1e6, 1<<53, 1e300, math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1), d.NormFloat64())
}

// count returns a number of observations, mostly.
func (d dice) count() float64 {
	if d.chance(10) {
		return d.number()
	}
	return float64(d.IntN(100))
}

func (d dice) time() (t model.Timestamp) {
	switch {
	case d.chance(70):
	case d.chance(70):
		t = model.UnixMilli(pick[int64](d, 0, 1, 1500, -1500, 1_700_000_000_123))
	case d.chance(70):
		t = model.Unix(pick[int64](d, 0, -2, 3, 1_700_000_000), pick[int64](d, 1, 847_116_000, 999_999_999))
	default:
		t, _ = model.UnixSeconds(pick(d, 1e300, -1e19, 1e-10, 5e-324, 1.0000000019))
	}
	return t
}

func (d dice) labels() model.Labels {
	labels := map[string]string{}
	for range d.IntN(3) {
		labels[pick(d, "l", "m", "c.d", "c_d", "x", "zone")] = pick(d, "", "v", "w", "\"\\\n", "ü,{}#=")
	}
	return model.LabelsOf(labels)
}

func (d dice) exemplars(value float64) (newest *model.Exemplar) {
	for d.chance(25) {
		x := &model.Exemplar{Labels: d.labels(), Value: pick(d, value, value, d.number()), Older: newest}
		if d.chance(80) {
			x.Timestamp = model.Unix(d.Int64N(1e9), pick[int64](d, 0, 5e8, 1))
		}
		if d.chance(5) {
			x.Labels = model.LabelPairs([]string{"trace_id"}, []string{strings.Repeat("a", 130)})
		}
		newest = x
	}
	return newest
}

func (d dice) point(f *model.Family) model.Point {
	labels := d.labels().Map()
	if f.Type == model.StateSet {
		delete(labels, f.Name) // which is for its states
	}
	p := model.Point{Labels: model.LabelsOf(labels), Has: f.Type.Parts() &^ model.PartCreated, Timestamp: d.time()}
	if f.Type.Parts()&model.PartCreated != 0 && d.chance(30) {
		p.Created = model.Unix(d.Int64N(2e9), pick[int64](d, 0, 5e8, 123_456_789))
	}
	switch f.Type {
	case model.Counter:
		p.Value = d.count()
		p.Exemplar = d.exemplars(1)
	case model.Info:
		p.Value, p.Info = 1, model.LabelPairs([]string{"version"}, []string{pick(d, "1", "2")})
		if d.chance(10) {
			p.Value = d.number()
		}
	case model.StateSet:
		p.States = []model.State{{Name: "on", On: d.chance(50)}, {Name: "off", On: d.chance(50)}}
	case model.Summary:
		p.Summary = &model.SummaryValue{Count: d.count(), Sum: math.Abs(d.number()), Quantiles: []model.Quantile{{Q: 0.5, V: d.count()}, {Q: pick[float64](d, 1, 1, 1, 2), V: math.NaN()}}}
		if d.chance(20) {
			p.Summary.Sum = d.number()
		}
		p.Has &^= pick(d, 0, 0, 0, 0, model.PartSum, model.PartCount, model.PartValue)
	case model.Histogram, model.GaugeHistogram:
		d.histogram(&p)
	default:
		p.Value = d.number()
	}
	return p
}

func (d dice) histogram(p *model.Point) {
	upper := pick(d, []float64{1, 2, math.Inf(1)}, []float64{1, 2, math.Inf(1)}, []float64{-1, 2, math.Inf(1)}, []float64{math.Inf(1)}, []float64{1, 2}, nil)
	bounds, err := model.NewBounds(upper)
	if err != nil {
		panic(err)
	}
	h := &model.HistogramValue{Bounds: bounds, Sum: math.Abs(d.number())}
	for i := range upper {
		h.Count += float64(d.IntN(10))
		if d.chance(3) {
			h.Count = d.number()
		}
		h.Cumulative = append(h.Cumulative, h.Count)
		h.Exemplars = append(h.Exemplars, d.exemplars(upper[i]-0.25))
	}
	if d.chance(20) {
		h.Sum = d.number()
	}
	p.Histogram = h
	p.Has &^= pick(d, 0, 0, 0, 0, 0, model.PartSum|model.PartGSum, model.PartCount|model.PartGCount, model.PartCount|model.PartGCount|model.PartSum|model.PartGSum)
	if len(upper) == 0 {
		p.Has &^= model.PartBucket
	}
	if d.chance(25) {
		n := &model.NativeHistogram{
			Schema: pick[int32](d, 0, 3, 8, 9), Count: 7, Sum: pick(d, 2.5, math.NaN(), -1), ZeroThreshold: 0.001, ZeroCount: 2,
			PositiveSpans: []model.Span{{Offset: -1, Length: 2}}, Positive: []float64{1, pick[float64](d, 4, 4, 4, 5)}, IsFloat: d.chance(30),
		}
		if d.chance(30) {
			n.Exemplars = []model.Exemplar{{Labels: d.labels(), Value: 1, Timestamp: model.Unix(5, 0)}}
		}
		h.Native = n
		if d.chance(50) {
			p.Has, *h = 0, model.HistogramValue{Native: n}
		}
	}
}

func (d dice) family() *model.Family {
	f := &model.Family{Name: d.name(), Help: pick(d, "", "help", "say \"hi\"\\\n", " a "), Type: pick(d, model.Types()...)}
	if d.chance(15) {
		f.Unit = pick(d, "seconds", "bytes")
	}
	if f.Type == model.Info || f.Type == model.StateSet {
		f.Unit = ""
	}
	if d.chance(10) && (f.Type == model.Counter || f.Type == model.Info) {
		name := f.Name
		f = f.Literal()
		f.Name = name
	}
	for range d.IntN(4) {
		f.Append(d.point(f))
	}
	if d.chance(10) {
		f.AddSample(pick(d, f.Name, f.Name+"_bucket", f.Name+"_max"), map[string]string{"le": "wide"}, d.number())
	}
	return f
}

// source returns a page of generated families in JSON, which holds everything.
func (d dice) source(t *testing.T) string {
	t.Helper()
	var page bytes.Buffer
	enc := json.NewEncoder(&page)
	used := map[string]bool{}
	for range 1 + d.IntN(6) {
		f := d.family()
		if used[f.Name] && !d.chance(5) {
			continue
		}
		used[f.Name] = true
		if err := enc.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := enc.Close(); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

var (
	firstSeed = flag.Uint64("seed", 1, "the seed of the first page that is converted")
	seedCount = flag.Uint64("seeds", 8, "how many pages are converted, at most 3 with -short")
)

// Whatever convert writes from whatever families, check takes: for every pair of
// formats. A strict conversion that succeeds loses nothing, there and back.
func TestWhatIsConvertedIsRight(t *testing.T) {
	strict, end := map[string]int{}, *firstSeed+*seedCount
	if testing.Short() {
		end = min(end, *firstSeed+3)
	}
	for seed := *firstSeed; seed < end; seed++ {
		source := dice{rand.New(rand.NewPCG(seed, 11))}.source(t)
		for _, from := range readable {
			page, why := converted(t, "json", from, source)
			if why != "" {
				t.Fatalf("seed %d: from json to %s: %s\n%s", seed, from, why, source)
			}
			right(t, seed, "json", from, source, page)
			for _, to := range readable {
				there, why := converted(t, from, to, page)
				if why != "" {
					t.Fatalf("seed %d: from %s to %s: %s\n%s", seed, from, to, why, page)
				}
				right(t, seed, from, to, page, there)
				whole, why := converted(t, from, to, page, "--strict")
				if why != "" {
					continue
				}
				strict[from+" to "+to]++
				back, why := converted(t, to, from, whole)
				if why != "" || !slices.Equal(linesOf(t, from, back), linesOf(t, from, page)) {
					t.Fatalf("seed %d: strictly from %s to %s and back: %s, got\n%s\nof\n%s\nwant\n%s", seed, from, to, why, back, whole, page)
				}
			}
		}
	}
	for _, format := range readable {
		if strict[format+" to json"] == 0 || strict[format+" to "+format] == 0 {
			t.Errorf("nothing of %s is converted strictly: %v", format, strict)
		}
	}
}

func converted(t *testing.T, from, to, page string, flags ...string) (converted, why string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args := append([]string{"convert", "--from", from, "--to", to}, flags...)
	if status := run(t.Context(), append(args, file(t, page)), &stdout, &stderr); status != 0 {
		return "", fmt.Sprintf("status %d, %s", status, &stderr)
	}
	return stdout.String(), ""
}

func right(t *testing.T, seed uint64, from, to, source, page string) {
	t.Helper()
	d := document{name: to, content: []byte(page), format: formatOfName(t, to)}
	if _, err := d.families(false); err != nil {
		t.Fatalf("seed %d: from %s to %s: %v\n%s\nfrom\n%s", seed, from, to, err, page, source)
	}
}

func formatOfName(t *testing.T, name string) (f pageFormat) {
	t.Helper()
	if err := f.UnmarshalText([]byte(name)); err != nil {
		t.Fatal(err)
	}
	return f
}

// linesOf returns what a page says, in whatever order its families and series are.
func linesOf(t *testing.T, format, page string) (all []string) {
	t.Helper()
	d := document{name: format, content: []byte(page), format: formatOfName(t, format)}
	families, err := d.families(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		all = append(all, fmt.Sprintf("%s %s %q %q", f.SampleName(), f.Type, f.Help, f.Unit))
		all = append(all, samplesOf(f)...)
	}
	slices.Sort(all)
	return all
}

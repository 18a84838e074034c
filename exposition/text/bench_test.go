package text_test

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"testing"

	"telltale/exposition/text"
	"telltale/model"
)

// The benchmarks stand beside floors: the same lines out of prepared text in
// one arena, by nothing but append. Read the ratio of both, in one run:
//
//	go test -run '^$' -bench . -count 5 ./exposition/text

// arena is a source as instruments are: the label text of all series in one
// piece, in their order, beside their cells.
type arena struct {
	text      string
	ends      []int
	cells     []uint64 // for each series one, or one for each bucket
	bounds    *model.Bounds
	histogram model.HistogramValue
}

func newArena(series int) *arena {
	a := &arena{}
	var text []byte
	for i := range series {
		label := func(name, value string) { text = append(append(text, name+`="`+value...), '"') }
		label("method", []string{"GET", "POST", "PUT", "DELETE"}[i%4])
		label(",handler", fmt.Sprintf("/api/v1/resource/%05d", i/20))
		label(",status", []string{"200", "201", "400", "404", "500"}[i/4%5])
		a.ends = append(a.ends, len(text))
		a.cells = append(a.cells, uint64(i)*7919%1_000_000+1)
	}
	a.text = string(text)
	return a
}

func newHistograms(series int) *arena {
	a := newArena(series)
	a.bounds, _ = model.NewBounds([]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, math.Inf(1)})
	a.cells = nil
	for i := range series * a.bounds.Len() {
		a.cells = append(a.cells, uint64(i)%5)
	}
	a.histogram.Cumulative = make([]float64, a.bounds.Len())
	a.histogram.Bounds = a.bounds
	return a
}

func (a *arena) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	*p = model.Point{Has: model.PartTotal}
	if a.bounds != nil {
		*p = model.Point{Has: model.PartBucket | model.PartCount | model.PartSum, Histogram: &a.histogram}
	}
	start := 0
	for i, end := range a.ends {
		p.Labels = model.LabelsFromText(a.text[start:end])
		start = end
		if a.bounds == nil {
			p.Value = float64(a.cells[i])
		} else {
			a.observe(i)
		}
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}

func (a *arena) LegacyLabels() bool { return true }

func (a *arena) observe(i int) {
	h := &a.histogram
	n, count := len(h.Cumulative), uint64(0)
	for j, c := range a.cells[i*n : (i+1)*n] {
		count += c
		h.Cumulative[j] = float64(count)
	}
	h.Count, h.Sum = float64(count), float64(count)*0.3
}

// foreign is an arena that vouches for nothing.
type foreign struct{ a *arena }

func (f foreign) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	return f.a.VisitPoints(p, visit)
}

func benchmark(b *testing.B, name string, typ model.Type, series int, source model.Source) {
	family, err := model.NewFamily(name, "What the benchmark writes.", typ, model.WithSource(source))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e := text.NewEncoder(io.Discard)
		if err := e.Encode(family); err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
	perSeries(b, series)
}

func perSeries(b *testing.B, series int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(series), "ns/series")
}

func BenchmarkCounters(b *testing.B) {
	benchmark(b, "http_requests_total", model.Counter, 100_000, newArena(100_000))
}

// Points that no source vouches for are looked at one by one.
func BenchmarkCountersForeign(b *testing.B) {
	benchmark(b, "http_requests_total", model.Counter, 100_000, foreign{newArena(100_000)})
}

func BenchmarkHistograms(b *testing.B) {
	benchmark(b, "http_request_duration_seconds", model.Histogram, 10_000, newHistograms(10_000))
}

// fraction is the least cell that the floor takes for the bits of a float, as
// sums are.
const fraction = 1 << 53

// floor writes lines whose beginnings are in one arena.
func floor(b *testing.B, series int, arena string, ends []int, cells []uint64) {
	buf := make([]byte, 0, 64<<10)
	for b.Loop() {
		buf = buf[:0]
		start := 0
		for i, end := range ends {
			buf = append(buf, arena[start:end]...)
			if v := cells[i]; v < fraction {
				buf = strconv.AppendUint(buf, v, 10)
			} else {
				buf = strconv.AppendFloat(buf, math.Float64frombits(v), 'g', -1, 64)
			}
			buf = append(buf, '\n')
			start = end
			if len(buf) >= 32<<10 {
				_, _ = io.Discard.Write(buf)
				buf = buf[:0]
			}
		}
		_, _ = io.Discard.Write(buf)
	}
	perSeries(b, series)
}

func BenchmarkCountersFloor(b *testing.B) {
	a := newArena(100_000)
	var text []byte
	var ends []int
	start := 0
	for _, end := range a.ends {
		text = append(text, "http_requests_total{"+a.text[start:end]+"} "...)
		ends = append(ends, len(text))
		start = end
	}
	floor(b, len(a.ends), string(text), ends, a.cells)
}

func BenchmarkHistogramsFloor(b *testing.B) {
	a := newHistograms(10_000)
	var text []byte
	var ends []int
	var cells []uint64
	start := 0
	line := func(value uint64, parts ...string) {
		for _, part := range parts {
			text = append(text, part...)
		}
		ends = append(ends, len(text))
		cells = append(cells, value)
	}
	for i, end := range a.ends {
		labels, name := a.text[start:end], "http_request_duration_seconds"
		a.observe(i)
		for j, v := range a.histogram.Cumulative {
			line(uint64(v), name, "_bucket{", labels, ",", a.bounds.Label(j), "} ")
		}
		line(uint64(a.histogram.Count), name, "_count{", labels, "} ")
		line(math.Float64bits(a.histogram.Sum), name, "_sum{", labels, "} ")
		start = end
	}
	floor(b, len(a.ends), string(text), ends, cells)
}

package protobuf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	"telltale/exposition/protobuf"
	"telltale/model"
)

// series is a source whose labels lie in one piece of text, as a registry's do.
type series struct {
	labels    []string
	histogram *model.HistogramValue // nil for counters
}

func newSeries(n int, h *model.HistogramValue) *series {
	s := &series{histogram: h}
	var text []byte
	var ends []int
	for i := range n {
		text = fmt.Appendf(text, `method=%q,handler="/api/v1/resource/%05d",status=%q`,
			[]string{"GET", "POST", "PUT", "DELETE"}[i%4], i/20, []string{"200", "201", "400", "404", "500"}[i/4%5])
		ends = append(ends, len(text))
	}
	whole, start := string(text), 0
	for _, end := range ends {
		s.labels = append(s.labels, whole[start:end])
		start = end
	}
	return s
}

func (s *series) LegacyLabels() bool { return true }

func (s *series) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	created := model.Unix(1_700_000_000, 123_456_789)
	for i, text := range s.labels {
		*p = model.Point{Labels: model.LabelsFromText(text), Created: created, Has: model.PartTotal, Value: float64(i * 7919 % 1_000_000)}
		if s.histogram != nil {
			p.Has, p.Histogram = model.PartBucket|model.PartCount|model.PartSum, s.histogram
		}
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}

func counters(b testing.TB, n int) *model.Family {
	return source(b, "http_requests_total", model.Counter, newSeries(n, nil))
}

func histograms(b testing.TB, n int) *model.Family {
	upper := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	bounds, err := model.NewBounds(upper)
	if err != nil {
		b.Fatal(err)
	}
	h := &model.HistogramValue{Bounds: bounds, Count: 3000, Sum: 42.5}
	for i := range upper {
		h.Cumulative = append(h.Cumulative, float64(i*i*20))
	}
	return source(b, "http_request_duration_seconds", model.Histogram, newSeries(n, h))
}

func source(b testing.TB, name string, typ model.Type, s *series) *model.Family {
	f, err := model.NewFamily(name, "What the benchmark writes.", typ, model.WithSource(s))
	if err != nil {
		b.Fatal(err)
	}
	return f
}

func encode(w io.Writer, f *model.Family) error {
	e := protobuf.NewEncoder(w)
	return errors.Join(e.Encode(f), e.Close())
}

func BenchmarkEncode(b *testing.B) {
	for name, test := range map[string]struct {
		family *model.Family
		n      int
	}{"counters": {counters(b, 100_000), 100_000}, "histograms": {histograms(b, 10_000), 10_000}} {
		b.Run(name, func(b *testing.B) {
			each(b, test.n, func() error { return encode(io.Discard, test.family) })
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for name, test := range map[string]struct {
		family *model.Family
		n      int
	}{"counters": {counters(b, 100_000), 100_000}, "histograms": {histograms(b, 10_000), 10_000}} {
		var page bytes.Buffer
		if err := encode(&page, test.family); err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/families", func(b *testing.B) {
			each(b, test.n, func() error {
				_, err := protobuf.NewParser(bytes.NewReader(page.Bytes())).Next()
				return err
			})
		})
		b.Run(name+"/series", func(b *testing.B) {
			each(b, test.n, func() error {
				s := protobuf.NewScanner(bytes.NewReader(page.Bytes()))
				for {
					if _, err := s.Next(); errors.Is(err, io.EOF) {
						return nil
					} else if err != nil {
						return err
					}
				}
			})
		})
	}
}

// each measures work on n series.
func each(b *testing.B, n int, work func() error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := work(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/series")
}

// What the encoder takes does not grow with the series of a family.
func TestMemory(t *testing.T) {
	allocs := func(f *model.Family) float64 {
		least := math.Inf(1)
		for range 3 {
			least = min(least, testing.AllocsPerRun(1, func() {
				if err := encode(io.Discard, f); err != nil {
					t.Fatal(err)
				}
			}))
		}
		return least
	}
	const slack = 20 // the race detector and the garbage collector empty pools at random
	if few, many := allocs(counters(t, 15_000)), allocs(counters(t, 60_000)); many > few+slack {
		t.Errorf("%v allocations for 15000 series, %v for 60000", few, many)
	}
}

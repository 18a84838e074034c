package multiprocess_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"telltale/internal/cell"
	"telltale/internal/exact"
	"telltale/model"
	"telltale/multiprocess/internal/segment"
)

// Rows of whole numbers, of fractions, with lanes, with sums beyond 64 bits, infinite, NaN
// and removed ones lie side by side, in any order: each counts as if it were alone.
func TestRowsOfAllKindsSideBySide(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r, dir := rand.New(rand.NewPCG(seed, 0)), t.TempDir()
	const series, writers = 150, 3
	sums := make(map[string][]float64) // what is added up, by sample
	least, greatest := make(map[string]float64), make(map[string]float64)
	whole := func() uint64 { return r.Uint64() >> r.IntN(64) }
	float := func() float64 {
		kinds := []float64{0, math.Copysign(0, -1), 3, 0.1, -2.5, 1e300, 5e-324, math.Inf(1), math.Inf(-1), math.NaN()}
		if r.IntN(3) > 0 {
			return kinds[2]
		}
		return kinds[r.IntN(len(kinds))]
	}
	add := func(sample string, v float64) { sums[sample] = append(sums[sample], v) }
	addWhole := func(sample string, n uint64) {
		add(sample, float64(n>>32<<32))
		add(sample, float64(n&math.MaxUint32))
	}
	choose := func(of map[string]float64, sample string, v float64, than func(a, b float64) bool) {
		if had, ok := of[sample]; !ok || math.IsNaN(had) || than(v, had) {
			of[sample] = v
		}
	}
	for n := range writers {
		w := begin(t, dir, segment.Header{Start: int64(n), PID: uint64(n + 1)})
		counters := w.family(segment.Family{Name: "c", Type: model.Counter})
		summaries := w.family(segment.Family{Name: "s", Type: model.Summary})
		histograms := w.family(segment.Family{Name: "h", Type: model.Histogram, Bounds: []float64{1, math.Inf(1)}})
		gauges := make(map[string]rows)
		for mode, name := range modeNames[1:4] {
			gauges[name] = w.family(segment.Family{Name: name, Type: model.Gauge, Mode: uint8(mode + 1)})
		}
		for i := range series {
			labels, gone := fmt.Sprintf(`a="%d"`, i), r.IntN(8) == 0
			a, b, f := whole(), whole(), float()
			c, s := counters.add(labels, a, math.Float64bits(math.Abs(f))), summaries.add(labels, math.Float64bits(f), a)
			h := histograms.add(labels, math.Float64bits(f), a, b)
			if gone {
				counters.Remove(c)
				summaries.Remove(s)
				histograms.Remove(h)
			} else {
				addWhole("c"+labels, a)
				add("c"+labels, math.Abs(f))
				addWhole("s_count"+labels, a)
				add("s_sum"+labels, f)
				addWhole("h_below"+labels, a)
				addWhole("h_above"+labels, b)
				add("h_sum"+labels, f)
			}
			if lanes := whole(); !gone && r.IntN(8) == 0 {
				made, err := counters.Lanes(c, 2)
				if err != nil {
					t.Fatal(err)
				}
				made.Mine().Add(lanes)
				addWhole("c"+labels, lanes)
			}
			for name, family := range gauges {
				v := float()
				g := family.add(labels)
				cell.PutLevel(g, v)
				switch {
				case r.IntN(8) == 0:
					family.Remove(g)
					continue
				case r.IntN(8) == 0 && v-v == 0:
					family.spread(g)
				}
				add(name+labels, v)
				choose(least, name+labels, v, func(a, b float64) bool { return a < b })
				choose(greatest, name+labels, v, func(a, b float64) bool { return a > b })
			}
		}
	}
	c := collector(t, dir)
	for pass := range 3 { // the second maps the files
		seen := 0
		check := func(what string, got, want float64) {
			if seen++; got != want && (got == got || want == want) { // NaN or not
				t.Errorf("pass %d: %s is %v, want %v", pass, what, got, want)
			}
		}
		for _, f := range collect(t, c) {
			err := f.Visit(new(model.Point), func(p *model.Point) error {
				labels := p.Labels.Text()
				switch f.Name {
				case "c", "sum":
					check(f.Name+labels, p.Value, exact.Sum(sums[f.Name+labels]))
				case "min":
					check("min"+labels, p.Value, least["min"+labels])
				case "max":
					check("max"+labels, p.Value, greatest["max"+labels])
				case "s":
					check("s_count"+labels, p.Summary.Count, exact.Sum(sums["s_count"+labels]))
					check("s_sum"+labels, p.Summary.Sum, exact.Sum(sums["s_sum"+labels]))
				case "h":
					check("h_below"+labels, p.Histogram.Cumulative[0], exact.Sum(sums["h_below"+labels]))
					check("h_above"+labels, p.Histogram.Cumulative[1], exact.Sum(sums["h_below"+labels])+exact.Sum(sums["h_above"+labels]))
					check("h_sum"+labels, p.Histogram.Sum, exact.Sum(sums["h_sum"+labels]))
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if want := len(sums); seen != want {
			t.Errorf("pass %d: %d values, want %d", pass, seen, want)
		}
	}
}

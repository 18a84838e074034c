package multiprocess_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// exactly is what samples should be: sums of more bits than any of them has.
type exactly map[string]*big.Float

func (e exactly) add(sample string, v *big.Float) {
	if e[sample] == nil {
		e[sample] = new(big.Float).SetPrec(2400)
	}
	e[sample].Add(e[sample], v)
}

func (e exactly) float(sample string, v float64) uint64 {
	e.add(sample, big.NewFloat(v))
	return math.Float64bits(v)
}

func (e exactly) whole(sample string, n uint64) uint64 {
	e.add(sample, new(big.Float).SetPrec(64).SetUint64(n))
	return n
}

// check compares samples bit by bit.
func (e exactly) check(t *testing.T, what string, families []*model.Family) {
	t.Helper()
	checked := 0
	for _, f := range families {
		for s := range f.Samples() {
			sum, ok := e[s.Name+s.Labels.String()]
			if !ok {
				continue
			}
			checked++
			if want, _ := sum.Float64(); math.Float64bits(s.Value) != math.Float64bits(want) {
				t.Errorf("%s: %s%s is %v (%#x), want %v (%#x)", what, s.Name, s.Labels, s.Value, math.Float64bits(s.Value), want, math.Float64bits(want))
			}
		}
	}
	if checked != len(e) {
		t.Errorf("%s: %d samples of %d are there", what, checked, len(e))
	}
}

// contribute makes the segment of a writer that counts, in words and in lanes.
func (e exactly) contribute(t *testing.T, dir string, r *rand.Rand, draw func() float64, whole func() uint64) *writer {
	t.Helper()
	const a = `a="1"`
	w := begin(t, dir, segment.Header{Start: 1, PID: r.Uint64N(1e9)})
	c := w.family(segment.Family{Name: "c", Type: model.Counter})
	first := c.add(a, e.whole(`c_total{a="1"}`, whole()), e.float(`c_total{a="1"}`, draw()))
	if r.IntN(2) == 0 {
		lanes, err := c.Lanes(first, 2)
		if err != nil {
			t.Fatal(err)
		}
		lanes.Mine().Add(e.whole(`c_total{a="1"}`, whole()>>1))
		lanes.AddFloat(1, math.Float64frombits(e.float(`c_total{a="1"}`, draw())))
	}
	g := w.family(segment.Family{Name: "g", Type: model.Gauge, Mode: 3})
	first = g.add(a, e.float(`g{a="1"}`, draw()))
	if r.IntN(2) == 0 {
		words, stride := g.spread(first).Words()
		for lane := range 3 { // the first has what was there before
			words[(1+lane)*stride].Store(e.float(`g{a="1"}`, draw()))
		}
	}
	w.family(segment.Family{Name: "s", Type: model.Summary}).add(a, e.float(`s_sum{a="1"}`, draw()), e.whole(`s_count{a="1"}`, whole()))
	bounds := []float64{1, math.Inf(1)}
	h := w.family(segment.Family{Name: "h", Type: model.Histogram, Bounds: bounds})
	first = h.add(a, e.float(`h_sum{a="1"}`, draw()), e.whole(`h_bucket{a="1",le="1.0"}`, whole()))
	if r.IntN(2) == 0 {
		lanes, err := h.Lanes(first, 3)
		if err != nil {
			t.Fatal(err)
		}
		lanes.AddFloat(0, math.Float64frombits(e.float(`h_sum{a="1"}`, draw())))
		cell.At(lanes.Mine(), 1).Add(e.whole(`h_bucket{a="1",le="1.0"}`, whole()))
	}
	f := w.family(segment.Family{Name: "f", Type: model.Histogram, Layout: segment.LayoutFloats, Bounds: bounds})
	f.add(a, e.float(`f_sum{a="1"}`, draw()), e.float(`f_bucket{a="1",le="1.0"}`, draw()))
	return w
}

// contributeInPython makes files of Python's client of a process that is dead.
func (e exactly) contributeInPython(t *testing.T, dir string, pid int, draw func() float64) {
	t.Helper()
	v := func(sample string) float64 { return math.Float64frombits(e.float(sample, draw())) }
	const rest = `{"a": "1"}, "Help."]`
	put(t, dir, fmt.Sprintf("counter_%d.db", pid), entry{`["c", "c_total", ` + rest, v(`c_total{a="1"}`), 0})
	put(t, dir, fmt.Sprintf("gauge_sum_%d.db", pid), entry{`["g", "g", ` + rest, v(`g{a="1"}`), 0})
	put(t, dir, fmt.Sprintf("histogram_%d.db", pid), entry{`["f", "f_sum", ` + rest, v(`f_sum{a="1"}`), 0},
		entry{`["f", "f_bucket", {"a": "1", "le": "1.0"}, "Help."]`, v(`f_bucket{a="1",le="1.0"}`), 0},
		entry{`["f", "f_bucket", {"a": "1", "le": "+Inf"}, "Help."]`, 0, 0})
}

// What many processes count adds up to the same number, to the last bit, however it
// lies in segments, lanes, archives and files of Python's client.
func TestSumsAreExactWhateverWasFolded(t *testing.T) {
	for name, draw := range map[string]func(r *rand.Rand) float64{
		"tenths":          func(*rand.Rand) float64 { return 0.1 },
		"seconds":         func(r *rand.Rand) float64 { return r.ExpFloat64() },
		"any magnitude":   func(r *rand.Rand) float64 { return math.Ldexp(r.Float64(), r.IntN(2000)-1000) },
		"both signs":      func(r *rand.Rand) float64 { return math.Ldexp(r.NormFloat64(), r.IntN(200)-100) },
		"beyond integers": func(r *rand.Rand) float64 { return float64(r.Uint64()) + r.Float64() },
	} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			one := func() float64 { return draw(r) }
			whole := func() uint64 { return r.Uint64() >> (4 + r.IntN(60)) }
			dir, p, want := t.TempDir(), newProc(t), make(exactly)
			running := collector(t, dir)
			var living []*writer
			for step := range 30 {
				switch n := r.IntN(8); {
				case n < 4:
					living = append(living, want.contribute(t, dir, r, one, whole))
				case n < 5:
					want.contributeInPython(t, dir, 1000+step, one)
				case n < 7 && len(living) > 0:
					i := r.IntN(len(living))
					living[i].die()
					living = append(living[:i], living[i+1:]...)
				default:
					opts := []multiprocess.FoldOption{p.option()}
					if r.IntN(2) == 0 {
						opts = append(opts, multiprocess.WithPythonFiles())
					}
					fold(t, dir, opts...)
				}
				want.check(t, fmt.Sprintf("step %d, a reader that ran", step), collect(t, running))
				want.check(t, fmt.Sprintf("step %d, a new reader", step), collect(t, collector(t, dir)))
				if t.Failed() {
					return
				}
			}
		})
	}
}

// NaN stays, as does one infinity, and both become NaN, wherever they lie.
func TestSumsOfInfinitiesAndNaN(t *testing.T) {
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		values []float64
		want   string
	}{
		"one infinity":         {[]float64{1, inf, math.MaxFloat64}, "+Inf"},
		"both infinities":      {[]float64{inf, 1, -inf}, "NaN"},
		"NaN":                  {[]float64{inf, math.NaN(), 1}, "NaN"},
		"too much":             {[]float64{math.MaxFloat64, math.MaxFloat64}, "+Inf"},
		"too much for a while": {[]float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64}, model.FormatValue(math.MaxFloat64)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for i, v := range c.values {
				w := begin(t, dir, segment.Header{Start: int64(i + 1), PID: uint64(i + 1)})
				w.family(segment.Family{Name: "g", Type: model.Gauge, Mode: 3}).value("", v)
				if w.die(); i%2 == 1 {
					fold(t, dir)
				}
			}
			for range 2 {
				sameSamples(t, name, collect(t, collector(t, dir)), []string{"g{} " + c.want})
				fold(t, dir)
			}
		})
	}
}

// Whole numbers that no float64 holds stay whole in archives, and may add up to more
// than a word holds.
func TestWholeSumsInArchives(t *testing.T) {
	for _, first := range []uint64{1 << 53, 1<<63 - 1, 1 << 63, math.MaxUint64 - 1024, math.MaxUint64 - 1, math.MaxUint64} {
		dir, want := t.TempDir(), make(exactly)
		for i, n := range []uint64{first, 1, 204, 205, 205, 205, 205, first, 3} {
			w := begin(t, dir, segment.Header{Start: int64(i + 1), PID: uint64(i + 1)})
			w.family(segment.Family{Name: "c", Type: model.Counter}).add("", want.whole("c_total{}", n))
			w.family(segment.Family{Name: "s", Type: model.Summary}).add("", 0, want.whole("s_count{}", n))
			w.die()
			fold(t, dir)
			want.check(t, fmt.Sprintf("%d and %d more", first, i), collect(t, collector(t, dir)))
		}
	}
}

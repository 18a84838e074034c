package model_test

import (
	"math"
	"slices"
	"testing"

	"telltale/model"
)

// FuzzAddSample adds samples of a small world, picked by bytes, to a family:
// nothing may be lost, invented or changed, in whatever order they come.
func FuzzAddSample(f *testing.F) {
	f.Add(byte(4), []byte{3, 0, 1, 0, 3, 2, 2, 0, 4, 0, 3, 0, 5, 0, 9, 0})
	f.Add(byte(3), []byte{0, 6, 1, 0, 0, 7, 2, 0, 4, 0, 1, 0, 4, 0, 1, 0})
	f.Add(byte(1), []byte{0, 0, 1, 0, 1, 0, 1, 0, 2, 0, 3, 0})
	f.Add(byte(7), []byte{0, 8, 1, 0, 0, 9, 0, 0, 0, 8, 1, 0})
	names := []string{"x", "x_total", "x_created", "x_bucket", "x_count", "x_sum", "x_gcount", "x_gsum", "x_info", "y"}
	sets := []labels{
		nil, {"a": "1"}, {"le": "0.5"}, {"le": "+Inf"}, {"a": "1", "le": "1.0"}, {"a": "1", "le": "+Inf"},
		{"quantile": "0.5"}, {"quantile": "1.0"}, {"x": "on"}, {"x": "off"}, {"a": "1", "x": "on"}, {"le": "x"}, {"a": `",le="1.0`},
	}
	values := []float64{0, 1, 2, -1, 0.5, 1e9, inf, math.NaN()}
	extras := [][]model.SampleOption{nil, {moment}, {model.WithExemplar(trace)}, {moment, model.WithExemplar(trace)},
		{model.WithNativeHistogram(&model.NativeHistogram{Sum: 5})}}
	f.Fuzz(func(t *testing.T, typ byte, program []byte) {
		fam := family(t, "x", model.Types()[int(typ)%len(model.Types())])
		var want []string
		for ; len(program) >= 4; program = program[4:] {
			s := add{
				names[int(program[0])%len(names)], sets[int(program[1])%len(sets)],
				values[int(program[2])%len(values)], extras[int(program[3])%len(extras)],
			}
			native := len(s.opts) == 1 && int(program[3])%len(extras) == 4
			fam.AddSample(s.name, s.labels, s.value, s.opts...)
			one := family(t, "nothing fits", model.Gauge)
			one.AddSample(s.name, s.labels, s.value, s.opts...)
			for kept := range one.Samples() {
				if native {
					kept.Value = 0 // a folded one has its own count
				}
				want = append(want, line(kept))
			}
		}
		var got []string
		for s := range fam.Samples() {
			s.Labels = s.Labels.Sorted()
			if s.NativeHistogram != nil {
				s.Value = 0
			}
			got = append(got, line(s))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: added\n%q\ncame back as\n%q", fam.Type, want, got)
		}
		clone := fam.Clone()
		if !slices.Equal(flat(clone), flat(fam)) {
			t.Errorf("%s: the clone says\n%q\nwant\n%q", fam.Type, flat(clone), flat(fam))
		}
	})
}

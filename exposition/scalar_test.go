package exposition_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// runs is a family's points, handed out as scalars where they are.
type runs struct {
	points []model.Point
	legacy bool
	most   int // of a run
}

func (r *runs) LegacyLabels() bool { return r.legacy }

func (r *runs) VisitPoints(_ *model.Point, visit func(*model.Point) error) error {
	for i := range r.points {
		if err := visit(&r.points[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *runs) VisitScalars(_ *model.Point, scalars func([]model.Scalar) error, visit func(*model.Point) error) error {
	var run []model.Scalar
	pass := func() error {
		defer func() { run = run[:0] }()
		return scalars(run) // which may be none
	}
	for i := range r.points {
		p := &r.points[i]
		if p.Exemplar != nil || p.Timestamp.IsSet() || p.Has == 0 {
			if err := errors.Join(pass(), visit(p)); err != nil {
				return err
			}
			continue
		}
		run = append(run, model.Scalar{Labels: p.Labels, Created: p.Created, Value: p.Value})
		if len(run) >= r.most {
			if err := pass(); err != nil {
				return err
			}
		}
	}
	return pass()
}

// pointsAlone hides that a source has scalars.
type pointsAlone struct{ model.LegacySource }

// randomLabels returns labels of all kinds, a few of them so large that they fill
// chunks.
func randomLabels(random *rand.Rand, legacy bool) model.Labels {
	names := []string{"method", "handler", "a_name_that_is_longer_than_thirty_two_bytes", "x"}
	if !legacy {
		names = append(names, "with.dot", "ünïcode", `quote"d`, "new\nline")
	}
	pieces := []string{"", "GET", `say "hi"`, "a\nb", `\`, "\x00", "\xff", "世界", "/api/v1/resource/00042", `\"`, "=", ",", `",x="`}
	labels := map[string]string{}
	for range random.IntN(5) {
		var value strings.Builder
		for range random.IntN(4) {
			value.WriteString(pieces[random.IntN(len(pieces))])
		}
		if random.IntN(200) == 0 {
			value.WriteString(strings.Repeat("v", 1<<random.IntN(18)))
		}
		labels[names[random.IntN(len(names))]] = value.String()
	}
	return model.LabelsOf(labels)
}

func randomValue(random *rand.Rand) float64 {
	special := []float64{
		0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64,
		1 << 53, 1<<53 + 2, 999_999, 1e6, 1e15, -1.7976931348623157e+308, 0.1 + 0.2,
	}
	switch random.IntN(4) {
	case 0:
		return special[random.IntN(len(special))]
	case 1:
		return math.Float64frombits(random.Uint64())
	case 2:
		return float64(random.IntN(1e6)) / 100
	}
	return float64(random.Int64N(1 << random.IntN(40)))
}

func randomRuns(random *rand.Rand, t model.Type, n int) *runs {
	r := &runs{legacy: random.IntN(2) == 0, most: 1 + random.IntN(40)}
	for range n {
		s := model.Scalar{Labels: randomLabels(random, r.legacy), Value: randomValue(random)}
		if random.IntN(3) > 0 {
			s.Created = model.Unix(random.Int64N(1<<40)-1<<20, random.Int64N(1e9)>>random.IntN(31))
		}
		p := s.Point(t)
		switch random.IntN(20) {
		case 0:
			p.Exemplar = &model.Exemplar{Labels: randomLabels(random, false), Value: randomValue(random), Timestamp: s.Created}
		case 1:
			p.Timestamp = model.UnixMilli(random.Int64N(1 << 42))
		case 2:
			p.Has = 0
		}
		r.points = append(r.points, p)
	}
	return r
}

// Scalars are written as the points that they are, in every format, whatever they
// look like and wherever chunks end.
func TestScalarsArePoints(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	for range rounds {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		var families, points []*model.Family
		for range 3 {
			names := []string{"x", "requests_total", "with.dot", "a_long_name_" + strings.Repeat("y", random.IntN(100)), `q"uote`, "_total"}
			name, typ := names[random.IntN(len(names))], []model.Type{model.Counter, model.Gauge, model.Unknown}[random.IntN(3)]
			source := randomRuns(random, typ, random.IntN(1+1<<random.IntN(11)))
			f, err := model.NewFamily(name, "help", typ, model.WithSource(source))
			if err != nil {
				t.Fatal(err)
			}
			switch random.IntN(6) {
			case 0:
				f = f.Literal()
			case 1:
				f, _ = f.Restrict(func(name string) bool { return strings.HasSuffix(name, "_created") })
			}
			families, points = append(families, f), append(points, f.WithPoints(pointsAlone{source}))
		}
		for _, f := range formats {
			for _, scheme := range []model.Escaping{model.AllowUTF8, model.Underscores, model.Dots, model.Values} {
				f := f.WithEscaping(scheme)
				var opts []exposition.EncoderOption
				if random.IntN(2) == 0 {
					opts = append(opts, exposition.WithCreated())
				}
				if got, want := page(t, f, families, opts...), page(t, f, points, opts...); !bytes.Equal(got, want) {
					at := 0
					for at < min(len(got), len(want)) && got[at] == want[at] {
						at++
					}
					from := max(0, at-100)
					t.Fatalf("seed %d, %s: from byte %d on the page is\n%.300q\nwant\n%.300q", seed, f, at, got[from:], want[from:])
				}
			}
		}
	}
}

// failingAt is a writer that fails at its n-th write, having counted those before.
type failingAt struct {
	n      int
	writes int
}

var errWriter = errors.New("the writer's error")

func (w *failingAt) Write(p []byte) (int, error) {
	if w.writes++; w.writes == w.n {
		return 0, errWriter
	}
	return len(p), nil
}

// A writer's error ends a walk at once, in the middle of a run too.
func TestScalarsWriterError(t *testing.T) {
	source := &runs{legacy: true, most: 1 << 20}
	for range 20_000 {
		s := model.Scalar{Labels: model.LabelPairs([]string{"path"}, []string{"/some/path"}), Value: 42}
		source.points = append(source.points, s.Point(model.Gauge))
	}
	family, err := model.NewFamily("large", "", model.Gauge, model.WithSource(source))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range formats {
		w := &failingAt{n: 2}
		enc := exposition.NewEncoder(w, f)
		if err := enc.Encode(family); !errors.Is(err, errWriter) {
			t.Errorf("%s: Encode returns %v", f, err)
		}
		if err := enc.Close(); !errors.Is(err, errWriter) || w.writes != 2 {
			t.Errorf("%s: Close returns %v after %d writes", f, err, w.writes)
		}
	}
}

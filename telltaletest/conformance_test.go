package telltaletest_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/collectors"
	"telltale/model"
	"telltale/telltaletest"
)

func gauge(t *testing.T, name string, values ...float64) *model.Family {
	t.Helper()
	f, err := model.NewFamily(name, "Help.", model.Gauge)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		f.Append(model.Point{Has: model.PartValue, Value: v})
	}
	return f
}

// describer emits, describes and restricts as its fields say.
type describer struct {
	telltale.Collector
	describes  []*model.Family
	restricted func(names ...string) telltale.Collector
}

func (d describer) Describe() []*model.Family { return d.describes }

func (d describer) Restricted(names ...string) telltale.Collector { return d.restricted(names...) }

func emitting(families ...*model.Family) telltale.Collector {
	return telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		for _, f := range families {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := emit(f); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestCollectorsThatKeepTheContract(t *testing.T) {
	a, b := gauge(t, "a", 1), gauge(t, "b", 2)
	for name, c := range map[string]telltale.Collector{
		"nothing":         emitting(),
		"two families":    emitting(a, b),
		"an empty family": emitting(gauge(t, "a")),
		"registry":        shop(t),
		"view":            telltale.Restrict(shop(t), "orders"),
		"Go":              collectors.NewGo(),
		"process":         collectors.NewProcess(),
		"build":           collectors.NewBuildInfo(),
		"described": describer{
			Collector: emitting(a, b), describes: []*model.Family{a.Header(), b.Header()},
			restricted: func(names ...string) telltale.Collector { return telltale.Restrict(emitting(a, b), names...) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := telltaletest.TestCollector(c); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBrokenCollectors(t *testing.T) {
	a, b := gauge(t, "a", 1), gauge(t, "b", 2)
	restrict := func(names ...string) telltale.Collector { return telltale.Restrict(emitting(a, b), names...) }
	negative, err := model.NewFamily("c", "Help.", model.Counter)
	if err != nil {
		t.Fatal(err)
	}
	negative.Append(model.Point{Has: model.PartTotal, Value: -1})
	falling, err := model.NewFamily("h", "Help.", model.Histogram)
	if err != nil {
		t.Fatal(err)
	}
	bounds, err := model.NewBounds([]float64{1, inf})
	if err != nil {
		t.Fatal(err)
	}
	falling.Append(model.Point{Has: model.PartBucket, Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{2, 1}}})
	var runs atomic.Int64
	for name, c := range map[string]struct {
		collector telltale.Collector
		want      string
	}{
		"nil": {nil, "is nil"},
		"an error": {telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
			return errors.New("the database is down")
		}), "the database is down"},
		"a panic": {telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
			panic("out of range")
		}), "out of range"},
		"a nil family":       {emitting(nil), "nil family"},
		"a name twice":       {emitting(a, gauge(t, "a", 2)), `"a" is emitted twice`},
		"no name":            {emitting(&model.Family{Type: model.Gauge}), "name"},
		"a series twice":     {emitting(gauge(t, "a", 1, 2)), "a{} is emitted twice"},
		"a negative counter": {emitting(negative), "has the value -1"},
		"falling buckets":    {emitting(falling), `bucket le="+Inf" counts 1`},
		"another order": {telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
			if runs.Add(1)%2 == 0 {
				return emitting(a, b).Collect(ctx, emit)
			}
			return emitting(b, a).Collect(ctx, emit)
		}), "fixed order"},
		"emit's error is lost": {telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			_ = emit(a)
			return nil
		}), "Collect returned nil"},
		"emit's error is passed over": {telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			return errors.Join(emit(a), emit(b))
		}), "called 1 times more"},
		"an error in place of the context's": {telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			return emit(a)
		}), "not the context's error"},
		"not described":          {describer{emitting(a, b), []*model.Family{a.Header()}, restrict}, `"b" is emitted and not described`},
		"described otherwise":    {describer{emitting(a), []*model.Family{{Name: "a", Help: "Help.", Type: model.Unknown}}, restrict}, `"a" is described with type unknown`},
		"described with samples": {describer{emitting(a), []*model.Family{a}, restrict}, "described with a sample a"},
		"not restricted":         {describer{emitting(a, b), nil, func(...string) telltale.Collector { return emitting(a, b) }}, "it emits a sample"},
		"restricted too much":    {describer{emitting(a), nil, func(...string) telltale.Collector { return emitting() }}, "emits no sample"},
	} {
		t.Run(name, func(t *testing.T) {
			err := telltaletest.TestCollector(c.collector)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the verdict is %v, which lacks %q", err, c.want)
			}
		})
	}
}

// A rule that one collection breaks after its end is found by a later one.
func TestLateEmitsAreFound(t *testing.T) {
	a := gauge(t, "a", 1)
	var late func(*model.Family) error
	err := telltaletest.TestCollector(&once{func(emit func(*model.Family) error) error {
		if late != nil {
			_ = late(a)
		}
		late = emit
		return emit(a)
	}})
	if err == nil || !strings.Contains(err.Error(), "after Collect has returned") {
		t.Errorf("the verdict is %v", err)
	}
}

// once runs one collection at a time.
type once struct {
	collect func(emit func(*model.Family) error) error
}

var running = make(chan struct{}, 1)

func (o *once) Collect(_ context.Context, emit func(*model.Family) error) error {
	running <- struct{}{}
	defer func() { <-running }()
	return o.collect(emit)
}

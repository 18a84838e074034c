package apitest

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"

	"telltale"
	"telltale/model"
)

// only returns a copy of the one point of a collector of one family.
func only(t *testing.T, c telltale.Collector) (p model.Point) {
	t.Helper()
	n := 0
	err := c.Collect(t.Context(), func(f *model.Family) error {
		var scratch model.Point
		return f.Visit(&scratch, func(point *model.Point) error {
			p = point.Clone()
			n++
			return nil
		})
	})
	if err != nil || n != 1 {
		t.Fatalf("%d points, error %v; want one point", n, err)
	}
	return p
}

// together runs f on several goroutines at once and waits for them.
func together(goroutines int, f func(i int)) {
	var done sync.WaitGroup
	for i := range goroutines {
		done.Go(func() { f(i) })
	}
	done.Wait()
}

func TestCounterNames(t *testing.T) {
	type opts = []telltale.CounterOption
	for _, tt := range []struct {
		name string
		opts opts
		want string // its only line; "" for an error
	}{
		{"requests", nil, "requests_total 0.0"},
		{"requests_total", nil, "requests_total 0.0"},
		{"requests_total", opts{telltale.WithNamespace("app"), telltale.WithSubsystem("http")}, "app_http_requests_total 0.0"},
		{"total", opts{telltale.WithNamespace("app")}, "app_total 0.0"},
		{"requests", opts{telltale.WithUnit("bytes")}, "requests_bytes_total 0.0"},
		{"requests_bytes_total", opts{telltale.WithUnit("bytes")}, "requests_bytes_total 0.0"},
		{"requests_total", opts{telltale.WithUnit("bytes")}, "requests_bytes_total 0.0"},
		{"requests", opts{telltale.WithConstLabels(map[string]string{"b": "2", "a": "1"})}, `requests_total{a="1",b="2"} 0.0`},
		{"", nil, ""},
		{"\xff", nil, ""},
		{"", opts{telltale.WithNamespace("app")}, ""},
		{"requests", opts{telltale.WithUnit("total")}, ""},
		{"requests", opts{telltale.WithConstLabels(map[string]string{"__a": "1"})}, ""},
		{"requests", opts{telltale.In(nil)}, ""},
	} {
		c, err := telltale.NewCounter(tt.name, "", append(opts{telltale.Unregistered()}, tt.opts...)...)
		if tt.want == "" {
			if err == nil || c != nil {
				t.Errorf("NewCounter(%q): %v, %v; want an error", tt.name, c, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("NewCounter(%q): %v", tt.name, err)
			continue
		}
		name, _, _ := strings.Cut(tt.want, "_total")
		wantPage(t, c, "# TYPE "+name+"_total counter\n"+tt.want+"\n")
	}
}

// The ways of giving a counter's whole name all lead to the same counter.
func TestCounterNameIsOne(t *testing.T) {
	reg := telltale.NewRegistry()
	app := telltale.WithNamespace("app")
	a := telltale.Must(telltale.NewCounter("app_total", "", telltale.In(reg)))
	for _, b := range []*telltale.Counter{
		telltale.Must(telltale.NewCounter("app", "", telltale.In(reg))),
		telltale.Must(telltale.NewCounter("total", "", telltale.In(reg), app)),
	} {
		if a != b {
			t.Error("the same name gives another counter")
		}
	}
}

func TestCounterRefuses(t *testing.T) {
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	c.Add(2)
	for _, v := range []float64{-1, -0.5, -5e-324, math.Inf(-1), math.NaN()} {
		c.Add(v)
	}
	if c.Value() != 2 {
		t.Errorf("the counter is at %v, want 2", c.Value())
	}
	n := telltale.ReasonNegative
	w.want(t, n, n, n, n, telltale.ReasonNaN)
	if faults := reg.Stats().Faults; faults[n] != 4 || faults[telltale.ReasonNaN] != 1 {
		t.Errorf("counted %v", faults)
	}
	unheard := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered()))
	unheard.Add(-1)
	if unheard.Value() != 0 {
		t.Error("a counter without a registry takes a negative value")
	}
}

func TestCounterRefusesStrictly(t *testing.T) {
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(telltale.NewRegistry(telltale.WithStrict()))))
	defer func() {
		fault, ok := recover().(*telltale.Fault)
		if !ok || fault.Reason != telltale.ReasonNegative || fault.Family != "c" {
			t.Errorf("panicked with %v", fault)
		}
	}()
	c.Add(-1)
	t.Error("strict mode does not panic")
}

func TestCounterExemplar(t *testing.T) {
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	if err := c.AddWithExemplar(1, map[string]string{"trace_id": "first"}); err != nil {
		t.Error(err)
	}
	if err := c.AddWithExemplar(0.5, map[string]string{"trace_id": "a\"b"}); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		v      float64
		labels map[string]string
	}{
		{1, map[string]string{"trace_id": strings.Repeat("x", 121)}},
		{1, map[string]string{"": "x"}},
		{-1, map[string]string{"trace_id": "x"}},
		{math.NaN(), nil},
	} {
		if err := c.AddWithExemplar(tt.v, tt.labels); err == nil {
			t.Errorf("AddWithExemplar(%v, %q): no error", tt.v, tt.labels)
		}
	}
	w.want(t, telltale.ReasonExemplar, telltale.ReasonExemplar, telltale.ReasonNegative, telltale.ReasonNaN)
	p := only(t, c)
	if p.Value != 1.5 {
		t.Errorf("the counter is %v after refused additions, want 1.5", p.Value)
	}
	if e := p.Exemplar; e == nil || e.Labels.Text() != `trace_id="a\"b"` || e.Value != 0.5 || !e.Timestamp.IsSet() {
		t.Errorf("the exemplar is %+v", e)
	}
}

func TestCountErrors(t *testing.T) {
	newOne := func() *telltale.Counter { return telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered())) }
	wrapped := fmt.Errorf("reading: %w", io.EOF)
	for _, tt := range []struct {
		name    string
		err     error
		targets []error
		want    float64
	}{
		{"no error", nil, nil, 0},
		{"any error", wrapped, nil, 1},
		{"a target", wrapped, []error{io.ErrClosedPipe, io.EOF}, 1},
		{"another error", wrapped, []error{io.ErrClosedPipe}, 0},
		{"no error with targets", nil, []error{io.EOF}, 0},
	} {
		c := newOne()
		if err := c.CountErrors(func() error { return tt.err }, tt.targets...); !errors.Is(err, tt.err) || c.Value() != tt.want {
			t.Errorf("%s: returned %v and counted %v, want %v and %v", tt.name, err, c.Value(), tt.err, tt.want)
		}
	}
	c := newOne()
	func() {
		defer func() {
			if p := recover(); p != "at the disco" || c.Value() != 1 {
				t.Errorf("panicked with %v, counted %v", p, c.Value())
			}
		}()
		_ = c.CountErrors(func() error { panic("at the disco") })
	}()
}

func TestZeroCounter(t *testing.T) {
	var c telltale.Counter
	c.Inc()
	c.Add(3)
	c.Add(0.5)
	c.Add(-1)
	c.Reset()
	if err := c.AddWithExemplar(1.5, nil); err != nil {
		t.Error(err)
	}
	if c.Value() != 0 {
		t.Errorf("the zero Counter counts: %v", c.Value())
	}
	wantPage(t, &c, "")
	if err := telltale.NewRegistry().Register(&c); err == nil {
		t.Error("the zero Counter can be registered")
	}
	for _, c := range []telltale.Collector{&telltale.CounterVec{}, &telltale.CounterOf[route]{}, (*telltale.CounterVec)(nil)} {
		if err := telltale.NewRegistry().Register(c); err == nil {
			t.Errorf("a zero %T can be registered", c)
		}
	}
}

func TestCounterBeyondItsWord(t *testing.T) {
	c := telltale.Must(telltale.NewCounter("bytes", "", telltale.Unregistered()))
	const step = 1<<53 - 1
	want := 0.0
	for range 2050 { // 2^64 lies before the last
		before := c.Value()
		c.Add(step)
		if c.Value() < before {
			t.Fatalf("the counter fell from %v to %v", before, c.Value())
		}
		want += step
	}
	if got := c.Value(); got < want*(1-1e-9) || got > want*(1+1e-9) {
		t.Errorf("the counter is at %v, want about %v", got, want)
	}
}

package apitest

import (
	"errors"
	"math"
	"strings"
	"testing"

	"telltale"
)

func TestRegisterOrReuse(t *testing.T) {
	t.Run("plain, the name spelled either way", func(t *testing.T) {
		reg := telltale.NewRegistry()
		a := telltale.Must(telltale.NewCounter("requests", "Requests.", telltale.In(reg)))
		b := telltale.Must(telltale.NewCounter("requests_total", "Requests.", telltale.In(reg)))
		if a != b {
			t.Error("the same definition gave two counters")
		}
	})
	t.Run("the name composed or spelled out", func(t *testing.T) {
		reg := telltale.NewRegistry()
		a := telltale.Must(telltale.NewGauge("size", "", telltale.In(reg), telltale.WithNamespace("app"), telltale.WithSubsystem("cache"), telltale.WithUnit("bytes")))
		b := telltale.Must(telltale.NewGauge("app_cache_size_bytes", "", telltale.WithUnit("bytes"), telltale.In(reg)))
		if a != b {
			t.Error("the same definition gave two gauges")
		}
	})
	t.Run("by position and by struct", func(t *testing.T) {
		reg := telltale.NewRegistry()
		vec := telltale.Must(telltale.NewCounterVec("jobs", "", []string{"queue"}, telltale.In(reg)))
		of := telltale.Must(telltale.NewCounterOf[byQueue]("jobs", "", telltale.In(reg)))
		if vec.With("a") != of.With(byQueue{"a"}) {
			t.Error("the same labels gave two series")
		}
	})
	t.Run("default buckets and the same spelled out", func(t *testing.T) {
		reg := telltale.NewRegistry()
		a := telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg), telltale.WithBuckets(1, 2)))
		b := telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg), telltale.WithBuckets(1, 2, math.Inf(1))))
		if a != b {
			t.Error("the same buckets gave two histograms")
		}
	})
	t.Run("enum", func(t *testing.T) {
		reg := telltale.NewRegistry()
		a := telltale.Must(telltale.NewEnum("e", "", []string{"on", "off"}, telltale.In(reg)))
		b := telltale.Must(telltale.NewEnum("e", "", []string{"on", "off"}, telltale.In(reg)))
		if a != b {
			t.Error("the same states gave two enums")
		}
	})
	t.Run("not when unregistered", func(t *testing.T) {
		a := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered()))
		b := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered()))
		if a == b {
			t.Error("unregistered instruments are not to be shared")
		}
	})
	t.Run("not after it was unregistered", func(t *testing.T) {
		reg := telltale.NewRegistry()
		a := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
		if err := reg.Unregister(a); err != nil {
			t.Fatal(err)
		}
		if b := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg))); a == b {
			t.Error("an unregistered counter came back")
		}
	})
}

func TestOtherDefinitionsAreNotReused(t *testing.T) {
	labels := []string{"a", "b"}
	tests := []struct {
		name          string
		first, second func(in telltale.Option) error
		both          []string // texts of both sides in the error
	}{
		{
			"another help", newCounter("c", "one"), newCounter("c", "two"),
			[]string{"one", "two"},
		},
		{
			"another type", newCounter("m", ""), newGauge("m", ""),
			[]string{`counter "m"`, `gauge "m"`},
		},
		{
			"other labels",
			func(in telltale.Option) error {
				_, err := telltale.NewGaugeVec("g", "", labels, in)
				return err
			},
			func(in telltale.Option) error {
				_, err := telltale.NewGaugeVec("g", "", []string{"b", "a"}, in)
				return err
			},
			[]string{`["a" "b"]`, `["b" "a"]`},
		},
		{
			"labels and none", newGauge("g", ""),
			func(in telltale.Option) error {
				_, err := telltale.NewGaugeVec("g", "", labels, in)
				return err
			},
			[]string{`["a" "b"]`},
		},
		{
			"another unit", newGauge("g_bytes", ""), newGauge("g_bytes", "", telltale.WithUnit("bytes")),
			[]string{`unit "bytes"`},
		},
		{
			"another mode", newGauge("g", ""), newGauge("g", "", telltale.WithGaugeMode(telltale.ModeMax)),
			[]string{"mode max"},
		},
		{
			"other constant labels", newGauge("g", "", telltale.WithConstLabels(map[string]string{"x": "1"})), newGauge("g", "", telltale.WithConstLabels(map[string]string{"y": "2"})),
			[]string{`x="1"`, `y="2"`},
		},
		{
			"other buckets",
			func(in telltale.Option) error {
				_, err := telltale.NewHistogram("h", "", in, telltale.WithBuckets(1, 2))
				return err
			},
			func(in telltale.Option) error {
				_, err := telltale.NewHistogram("h", "", in, telltale.WithBuckets(1, 3))
				return err
			},
			[]string{"[1 2]", "[1 3]"},
		},
		{
			"other states",
			func(in telltale.Option) error {
				_, err := telltale.NewEnum("e", "", []string{"on", "off"}, in)
				return err
			},
			func(in telltale.Option) error {
				_, err := telltale.NewEnum("e", "", []string{"off", "on"}, in)
				return err
			},
			[]string{`["on" "off"]`, `["off" "on"]`},
		},
		{
			"another limit of label values", newCounter("c", ""),
			func(in telltale.Option) error {
				_, err := telltale.NewCounter("c", "", in, telltale.WithLabelValueLimit(7))
				return err
			},
			[]string{"7"},
		},
		{"two callbacks", newGaugeFunc("f"), newGaugeFunc("f"), []string{"f"}},
		{"a callback and an instrument", newGaugeFunc("f"), newGauge("f", ""), []string{"f"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reg := telltale.NewRegistry()
			if err := tt.first(telltale.In(reg)); err != nil {
				t.Fatal(err)
			}
			err := tt.second(telltale.In(reg))
			var duplicate *telltale.DuplicateError
			if !errors.As(err, &duplicate) {
				t.Fatalf("got error %v, want a DuplicateError", err)
			}
			for _, want := range tt.both {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %s: %v", want, err)
				}
			}
		})
	}
}

func newCounter(name, help string) func(telltale.Option) error {
	return func(in telltale.Option) error {
		_, err := telltale.NewCounter(name, help, in)
		return err
	}
}

func newGauge(name, help string, opts ...telltale.GaugeOption) func(telltale.Option) error {
	return func(in telltale.Option) error {
		_, err := telltale.NewGauge(name, help, append(opts, in)...)
		return err
	}
}

func newGaugeFunc(name string) func(telltale.Option) error {
	return func(in telltale.Option) error {
		_, err := telltale.NewGaugeFunc(name, "", nil, telltale.SingleValue(func() float64 { return 1 }), in)
		return err
	}
}

func TestConstructorsNeedOneRegistry(t *testing.T) {
	constructors := map[string]func(opts ...telltale.Option) error{
		"instrument": func(opts ...telltale.Option) error {
			_, err := telltale.NewGauge("g", "", gaugeOptions(opts)...)
			return err
		},
		"callback": func(opts ...telltale.Option) error {
			_, err := telltale.NewGaugeFunc("g", "", nil, telltale.SingleValue(func() float64 { return 1 }), gaugeOptions(opts)...)
			return err
		},
	}
	for name, construct := range constructors {
		t.Run(name, func(t *testing.T) {
			if construct(telltale.In(nil)) == nil {
				t.Error("In(nil) was accepted")
			}
			if construct(telltale.In(telltale.NewRegistry()), telltale.Unregistered()) == nil {
				t.Error("In(reg) with Unregistered() was accepted")
			}
		})
	}
}

func gaugeOptions(opts []telltale.Option) []telltale.GaugeOption {
	var all []telltale.GaugeOption
	for _, o := range opts {
		all = append(all, o)
	}
	return all
}

func TestFailedConstructionLeavesNothing(t *testing.T) {
	tests := map[string]func(in telltale.Option) error{
		"buckets out of order": func(in telltale.Option) error {
			_, err := telltale.NewHistogram("m", "", in, telltale.WithBuckets(2, 1))
			return err
		},
		"a reserved label": func(in telltale.Option) error {
			_, err := telltale.NewHistogramVec("m", "", []string{"le"}, in)
			return err
		},
		"a label twice": func(in telltale.Option) error {
			_, err := telltale.NewCounterVec("m", "", []string{"a", "a"}, in)
			return err
		},
		"no states": func(in telltale.Option) error {
			_, err := telltale.NewEnum("m", "", nil, in)
			return err
		},
	}
	for name, construct := range tests {
		t.Run(name, func(t *testing.T) {
			reg := telltale.NewRegistry()
			if construct(telltale.In(reg)) == nil {
				t.Fatal("it was accepted")
			}
			register(t, reg, described(gauge("m", 1)))
		})
	}
}

package apitest

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"telltale"
	served "telltale/internal/patience"
	"telltale/model"
)

var errNoConnection = errors.New("no connection")

// between returns a registry with the collector between two that work, and a
// witness of its faults.
func between(t *testing.T, c telltale.Collector, opts ...telltale.RegistryOption) (*telltale.Registry, *witness) {
	t.Helper()
	var w witness
	reg := telltale.NewRegistry(append(opts, telltale.WithErrorHook(w.hear))...)
	telltale.Must(telltale.NewGauge("before", "", telltale.In(reg)))
	register(t, reg, c, nameless(gauge("after", 1)))
	return reg, &w
}

// around returns the page of such a registry.
func around(middle string) string {
	return gaugePage("before", "0.0") + middle + gaugePage("after", "1.0")
}

// fails returns a Collect that emits a family and then does something else.
func fails(then func(emit func(*model.Family) error) error) collectFunc {
	return func(_ context.Context, emit func(*model.Family) error) error {
		if err := emit(gauge("part", 1)); err != nil {
			return err
		}
		return then(emit)
	}
}

func TestFailureIsLocal(t *testing.T) {
	partial := gaugePage("part", "1.0")
	repeatedSeries := gauge("s", 1)
	repeatedSeries.AddSample("s", labelMap{"l": "v"}, 2)
	repeatedSeries.AddSample("s", nil, 3)
	tests := []struct {
		name    string
		then    func(emit func(*model.Family) error) error
		page    string
		reasons []telltale.Reason
		says    string // in the fault
	}{
		{"nothing", func(func(*model.Family) error) error { return nil }, partial, nil, ""},
		{"an error", func(func(*model.Family) error) error { return errNoConnection }, partial, []telltale.Reason{telltale.ReasonError}, "no connection"},
		{"a panic", func(func(*model.Family) error) error { panic("at the disco") }, partial, []telltale.Reason{telltale.ReasonPanic}, "at the disco"},
		{"a panic with nil", func(func(*model.Family) error) error { panic(errors.Join()) }, partial, []telltale.Reason{telltale.ReasonPanic}, "nil"},
		{"a panic with an error", func(func(*model.Family) error) error { panic(errNoConnection) }, partial, []telltale.Reason{telltale.ReasonPanic}, "no connection"},
		{"the end of its goroutine", func(func(*model.Family) error) error { runtime.Goexit(); return nil }, partial, []telltale.Reason{telltale.ReasonPanic}, "Goexit"},
		{"a nil family", func(emit func(*model.Family) error) error { return errors.Join(emit(nil), emit(gauge("more", 2))) },
			partial + gaugePage("more", "2.0"), []telltale.Reason{telltale.ReasonInvalidFamily}, "nil family"},
		{"a family without a name", func(emit func(*model.Family) error) error {
			return errors.Join(emit(&model.Family{}), emit(gauge("more", 2)))
		}, partial + gaugePage("more", "2.0"), []telltale.Reason{telltale.ReasonInvalidFamily}, "empty"},
		{"a family whose name is not UTF-8", func(emit func(*model.Family) error) error { return emit(&model.Family{Name: "a\xff"}) },
			partial, []telltale.Reason{telltale.ReasonInvalidFamily}, "UTF-8"},
		{"a family of no type", func(emit func(*model.Family) error) error { return emit(&model.Family{Name: "a", Type: 99}) },
			partial, []telltale.Reason{telltale.ReasonInvalidFamily}, "type"},
		{"an info with a unit", func(emit func(*model.Family) error) error {
			return emit(&model.Family{Name: "a", Type: model.Info, Unit: "seconds"})
		}, partial, []telltale.Reason{telltale.ReasonInvalidFamily}, "unit"},
		{"a family twice", func(emit func(*model.Family) error) error {
			return errors.Join(emit(gauge("part", 2)), emit(gauge("more", 3)))
		}, partial + gaugePage("more", "3.0"), []telltale.Reason{telltale.ReasonRepeatedFamily}, `"part"`},
		{"the family of an instrument", func(emit func(*model.Family) error) error { return emit(gauge("before", 2)) },
			partial, []telltale.Reason{telltale.ReasonRepeatedFamily}, `"before"`},
		{"a sample name of another family", func(emit func(*model.Family) error) error {
			return errors.Join(emit(family("h", model.Histogram)), emit(gauge("h_sum", 1)))
		}, partial + "# TYPE h histogram\n", []telltale.Reason{telltale.ReasonRepeatedFamily}, `"h_sum"`},
		{"a series twice", func(emit func(*model.Family) error) error { return emit(repeatedSeries) },
			partial + "# TYPE s gauge\ns 1.0\ns{l=\"v\"} 2.0\n", []telltale.Reason{telltale.ReasonRepeatedSeries}, `"s"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			collector := telltale.CollectorFunc(fails(tt.then))
			reg, w := between(t, collector)
			wantPage(t, reg, around(tt.page))
			counted := map[telltale.Reason]uint64{}
			for _, fault := range w.want(t, tt.reasons...) {
				counted[fault.Reason]++
				if fault.Collector == "" || !strings.Contains(fault.Error(), tt.says) {
					t.Errorf("the fault does not name the collector and %q: %+v", tt.says, fault)
				}
			}
			wantFaults(t, reg, counted)
			wantPage(t, reg, around(tt.page)) // it is called again

			strict, _ := between(t, collector, telltale.WithStrict())
			_, err := telltale.GenerateLatest(strict)
			if (err != nil) != (len(tt.reasons) > 0) {
				t.Errorf("strict mode returned %v", err)
			}
			var fault *telltale.Fault
			if err != nil && (!errors.As(err, &fault) || fault.Reason != tt.reasons[0]) {
				t.Errorf("strict mode returned %v, want a Fault with the reason %q", err, tt.reasons[0])
			}
		})
	}
}

func TestFaultsUnwrap(t *testing.T) {
	reg, w := between(t, telltale.CollectorFunc(fails(func(func(*model.Family) error) error { return errNoConnection })))
	page(t, reg)
	if fault := w.want(t, telltale.ReasonError)[0]; !errors.Is(fault, errNoConnection) {
		t.Errorf("the fault %v does not wrap the collector's error", fault)
	}
}

// Callbacks all have one type, so a fault must name the metric.
func TestFaultsNameTheMetric(t *testing.T) {
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	telltale.Must(telltale.NewGaugeFunc("queue_depth", "", nil, func(context.Context, telltale.Observe) error { return errNoConnection }, telltale.In(reg)))
	telltale.Must(telltale.NewGauge("speed", "", telltale.In(reg))).SetFunc(func() float64 { panic("at the disco") })
	page(t, reg)
	said := map[telltale.Reason]string{}
	for _, fault := range w.heard() {
		said[fault.Reason] = fault.Error()
	}
	if !strings.Contains(said[telltale.ReasonError], "queue_depth") || !strings.Contains(said[telltale.ReasonPanic], "speed") {
		t.Errorf("the faults do not name the metrics: %q", said)
	}
}

// The order of labels does not distinguish series; parts of a series, and times,
// do.
func TestRepeatedSeries(t *testing.T) {
	ab := model.LabelPairs([]string{"a", "b"}, []string{"1", "2"})
	ba := model.LabelPairs([]string{"b", "a"}, []string{"2", "1"})
	swapped := model.LabelPairs([]string{"a", "b"}, []string{"2", "1"})
	add := func(typ model.Type, points ...model.Point) *model.Family {
		f := family("m", typ)
		for _, p := range points {
			f.Append(p)
		}
		return f
	}
	value := func(l model.Labels) model.Point { return model.Point{Labels: l, Has: model.PartValue} }
	samples := func(typ model.Type, names ...string) *model.Family {
		f := family("m", typ)
		for _, name := range names {
			name, le, _ := strings.Cut(name, " ")
			labels := labelMap{}
			switch {
			case le != "" && typ == model.Summary:
				labels["quantile"] = le
			case le != "" && typ == model.StateSet:
				labels["m"] = le
			case le != "":
				labels["le"] = le
			}
			f.AddSample(name, labels, 1)
		}
		return f
	}
	tests := []struct {
		name    string
		family  *model.Family
		repeats uint64
		lines   int // samples left
	}{
		{"other labels", add(model.Gauge, value(ab), value(swapped), value(model.Labels{})), 0, 3},
		{"the same labels", add(model.Gauge, value(ab), value(ab), value(ab)), 2, 1},
		{"the same labels in another order", add(model.Gauge, value(ab), value(ba)), 1, 1},
		{"two moments", add(model.Gauge, model.Point{Has: model.PartValue, Timestamp: model.Unix(1, 0)}, model.Point{Has: model.PartValue, Timestamp: model.Unix(1, 1)}), 0, 2},
		{"info labels count", add(model.Info, model.Point{Has: model.PartInfo, Info: ab}, model.Point{Has: model.PartInfo, Info: swapped}), 0, 2},
		{"the same info", add(model.Info, model.Point{Has: model.PartInfo, Info: ab}, model.Point{Has: model.PartInfo, Info: ba}), 1, 1},
		{"a whole histogram", samples(model.Histogram, "m_bucket 1", "m_bucket +Inf", "m_count", "m_sum", "m_bucket 1", "m_bucket +Inf", "m_count", "m_sum"), 1, 4},
		{"a histogram in parts", samples(model.Histogram, "m_bucket 1", "m_bucket +Inf", "m_count", "m_sum"), 0, 4},
		{"a histogram's count alone", samples(model.Histogram, "m_count", "m_bucket +Inf", "m_count"), 1, 2},
		{"a bucket", samples(model.Histogram, "m_bucket 1", "m_bucket 2", "m_bucket 2", "m_bucket +Inf"), 1, 2},
		{"a quantile", samples(model.Summary, "m 0.5", "m 0.9", "m 0.9"), 1, 2},
		{"a state", samples(model.StateSet, "m on", "m off", "m off"), 1, 2},
		{"a loose sample", samples(model.Gauge, "m", "odd", "odd", "even"), 1, 3},
		{"a loose sample with other labels", samples(model.Gauge, "m", "odd 1", "odd 2"), 0, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reg := telltale.NewRegistry()
			register(t, reg, nameless(tt.family))
			got := page(t, reg)
			if n := strings.Count(got, "\n") - 1; n != tt.lines {
				t.Errorf("%d samples are left, want %d:\n%s", n, tt.lines, got)
			}
			wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonRepeatedSeries: tt.repeats})
		})
	}
}

// hang is a collector that emits a family, then waits for release without
// watching its context, then emits another.
type hang struct {
	begun   chan struct{}
	release chan struct{}
	late    chan error // what emit returned after the release
}

func newHang() *hang {
	return &hang{make(chan struct{}, 100), make(chan struct{}), make(chan error, 100)}
}

func (h *hang) Collect(_ context.Context, emit func(*model.Family) error) error {
	err := emit(gauge("part", 1))
	h.begun <- struct{}{}
	if err != nil {
		return err
	}
	<-h.release
	h.late <- emit(gauge("rest", 2))
	return nil
}

// scrapeUntilHung collects the registry, for a server with the least patience,
// with a deadline that passes when the named family has come, and returns the
// page.
func scrapeUntilHung(t *testing.T, reg *telltale.Registry, last string) string {
	t.Helper()
	ctx := newAlarm(served.With(t.Context(), 1))
	var got []*model.Family
	err := reg.Collect(ctx, func(f *model.Family) error {
		got = append(got, f.Clone())
		if f.Name == last {
			ctx.ring()
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Collect past its deadline returned %v", err)
	}
	return page(t, nameless(got...))
}

// impatientPage is the page of a server for which every run that started before
// is hung, without HELP lines.
func impatientPage(t *testing.T, c telltale.Collector) string {
	t.Helper()
	var b bytes.Buffer
	if err := telltale.WriteLatest(served.With(t.Context(), 1), &b, c); err != nil {
		t.Fatal(err)
	}
	return withoutHelp(b.String())
}

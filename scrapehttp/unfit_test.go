package scrapehttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	"telltale"
	"telltale/exposition"
	"telltale/model"
	"telltale/scrapehttp"
)

// No observation makes a page that a strict reader refuses: sums and quantiles that
// OpenMetrics forbids (1.0, "Histogram": "Sum, and buckets values are counters so
// MUST NOT be NaN or negative"; "Summary": "Quantile values MUST NOT be negative")
// are left out there. The hook hears of each once, however many scrapes there are.
func TestNoObservationSpoilsThePage(t *testing.T) {
	values := []float64{0, 1.5, -1, -5, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5e-324, -5e-324, math.MaxFloat64, -math.MaxFloat64}
	accepts := []string{"text/plain", "application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=2.0.0",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"}
	for i, first := range values {
		for _, second := range values[i:] {
			reg := telltale.NewRegistry()
			in := telltale.In(reg)
			telltale.Must(telltale.NewGauge("gauge", "", in)).Set(first)
			observers := []interface{ Observe(float64) }{
				telltale.Must(telltale.NewHistogram("classic", "", in, telltale.WithBuckets(1, 2))),
				telltale.Must(telltale.NewHistogram("negative", "", in, telltale.WithBuckets(-1, 2))),
				telltale.Must(telltale.NewHistogram("native", "", in, telltale.WithNativeBuckets(1.1))),
				telltale.Must(telltale.NewHistogram("both", "", in, telltale.WithNativeBuckets(1.1), telltale.WithBuckets(1, 2))),
				telltale.Must(telltale.NewSummary("summary", "", in)),
				telltale.Must(telltale.NewSummary("quantiles", "", in, telltale.WithQuantiles(0, 0.5, 1))),
			}
			for _, o := range observers {
				o.Observe(first)
				o.Observe(second)
			}
			heard := map[string]int{}
			h := scrapehttp.Handler(reg, scrapehttp.WithCreated(), scrapehttp.WithErrorHook(func(err error) { heard[err.Error()]++ }))
			for range 2 {
				for _, accept := range accepts {
					if err := parses(h, accept); err != nil {
						t.Errorf("after observations of %v and %v: %s: %v", first, second, accept, err)
					}
				}
			}
			for told, times := range heard {
				if times != 1 {
					t.Errorf("heard %d times: %s", times, told)
				}
			}
			if sum := first + second; !(sum >= 0) && len(heard) == 0 {
				t.Errorf("after observations of %v and %v the hook heard nothing", first, second)
			}
		}
	}
}

// parses reads a page strictly.
func parses(h http.Handler, accept string) error {
	w := answer(h, request("GET", "/metrics", "Accept", accept))
	format, ok := exposition.FormatOf(w.Header().Get("Content-Type"))
	if !ok {
		return fmt.Errorf("content type %q", w.Header().Get("Content-Type"))
	}
	page := w.Body.String()
	p := exposition.NewParser(w.Body, format)
	for {
		_, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w in\n%s", err, page)
		}
	}
}

// Names that OpenMetrics reserves (1.0, "Label" and "Name": "beginning with
// underscores are RESERVED") are on the page, as the hook hears once.
func TestReservedNamesAreToldOnce(t *testing.T) {
	reg := telltale.NewRegistry()
	if _, err := telltale.NewGauge("_a", "", telltale.In(reg)); err == nil {
		t.Error("a constructor takes a name that begins with an underscore")
	}
	if _, err := telltale.NewGaugeVec("a", "", []string{"_b"}, telltale.In(reg)); err == nil {
		t.Error("a constructor takes a label name that begins with an underscore")
	}
	const page = "# HELP _a \n# TYPE _a gauge\n_a{_b=\"c\",d=\"e\"} 1.0\n# HELP b \n# TYPE b gauge\nb{d=\"x\\\",_y=\"} 1.0\n# EOF\n"
	if err := reg.Register(emitting(t, "_a", map[string]string{"_b": "c", "d": "e"}, "b", map[string]string{"d": `x",_y=`})); err != nil {
		t.Fatal(err)
	}
	var heard []string
	h := scrapehttp.Handler(reg, scrapehttp.WithErrorHook(func(err error) { heard = append(heard, err.Error()) }))
	for range 3 {
		if got := answer(h, request("GET", "/metrics", "Accept", "application/openmetrics-text")).Body.String(); got != page {
			t.Errorf("got\n%s\nwant\n%s", got, page)
		}
		answer(h, request("GET", "/metrics"))
	}
	want := []string{
		`scrapehttp: family "_a" is on a page in ` + exposition.OpenMetrics1.String() + `: its name begins with an underscore, which the format reserves`,
		`scrapehttp: family "_a" is on a page in ` + exposition.OpenMetrics1.String() + `: a label's name begins with an underscore, which the format reserves`,
	}
	if fmt.Sprint(heard) != fmt.Sprint(want) {
		t.Errorf("heard\n%q\nwant\n%q", heard, want)
	}
}

// However many drops there are, a handler remembers a bounded number.
func TestDropsToldAreBounded(t *testing.T) {
	reg := telltale.NewRegistry()
	var args []any
	for i := range 1500 {
		args = append(args, fmt.Sprintf("_%d", i), map[string]string{})
	}
	if err := reg.Register(emitting(t, args...)); err != nil {
		t.Fatal(err)
	}
	heard := 0
	h := scrapehttp.Handler(reg, scrapehttp.WithErrorHook(func(error) { heard++ }))
	for range 3 {
		answer(h, request("GET", "/metrics", "Accept", "application/openmetrics-text"))
	}
	if heard != 1000 {
		t.Errorf("the hook heard of %d drops", heard)
	}
}

// Only the beginning of long names is reported.
func TestDropsOfLongNames(t *testing.T) {
	reg := telltale.NewRegistry()
	if err := reg.Register(emitting(t, "_"+strings.Repeat("x", 1<<20), map[string]string{}, "_"+strings.Repeat("\n", 1<<20), map[string]string{})); err != nil {
		t.Fatal(err)
	}
	heard := 0
	h := scrapehttp.Handler(reg, scrapehttp.WithErrorHook(func(err error) {
		if heard++; len(err.Error()) > 4<<10 {
			t.Errorf("the error of a drop has %d bytes", len(err.Error()))
		}
	}))
	answer(h, request("GET", "/metrics", "Accept", "application/openmetrics-text"))
	if heard == 0 {
		t.Error("nothing was reported")
	}
}

// emitting returns a collector of gauges, whose names and labels are given in turn.
func emitting(t *testing.T, namesAndLabels ...any) telltale.Collector {
	t.Helper()
	var families []*model.Family
	for i := 0; i < len(namesAndLabels); i += 2 {
		name, labels := namesAndLabels[i].(string), namesAndLabels[i+1].(map[string]string)
		f, err := model.NewFamily(name, "", model.Gauge)
		if err != nil {
			t.Fatal(err)
		}
		f.AddSample(name, labels, 1)
		families = append(families, f)
	}
	return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for _, f := range families {
			if err := emit(f); err != nil {
				return err
			}
		}
		return nil
	})
}

package scrapehttp_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/scrapehttp"
)

// asUnderscores and asTheyAre are Accept headers of all formats, with names escaped by
// underscores and without escaping.
var (
	asUnderscores = []string{
		"", "text/plain", "text/plain;version=1.0.0;escaping=underscores",
		"application/openmetrics-text;version=0.0.1", "application/openmetrics-text;version=1.0.0",
		"application/openmetrics-text;version=1.0.0;escaping=underscores", "application/openmetrics-text;version=2.0.0;escaping=underscores",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=underscores",
	}
	asTheyAre = []string{
		"text/plain;version=1.0.0;escaping=allow-utf-8", "text/plain;version=1.0.0;escaping=dots", "text/plain;version=1.0.0;escaping=values",
		"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8", "application/openmetrics-text;version=1.0.0;escaping=values",
		"application/openmetrics-text;version=2.0.0;escaping=allow-utf-8",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8",
	}
)

// clashing are collectors of names that underscores make equal, each with the reason that
// the program is told.
func clashing(t *testing.T) map[string]func(*telltale.Registry) telltale.Collector {
	custom := func(namesAndLabels ...any) func(*telltale.Registry) telltale.Collector {
		return func(reg *telltale.Registry) telltale.Collector {
			if err := reg.Register(emitting(t, namesAndLabels...)); err != nil {
				t.Fatal(err)
			}
			return reg
		}
	}
	return map[string]func(*telltale.Registry) telltale.Collector{
		"its escaped name belongs to another family": func(reg *telltale.Registry) telltale.Collector {
			telltale.Must(telltale.NewGauge("a.b", "", telltale.In(reg))).Set(1)
			telltale.Must(telltale.NewGauge("a_b", "", telltale.In(reg))).Set(2)
			return reg
		},
		"its escaped name belongs to another family: of collectors": custom("a_b", map[string]string{}, "a.b", map[string]string{}),
		"its escaped labels are those of another series": func(reg *telltale.Registry) telltale.Collector {
			f, err := model.NewFamily("a", "", model.Gauge)
			if err != nil {
				t.Fatal(err)
			}
			f.AddSample("a", map[string]string{"x.y": "1"}, 1)
			f.AddSample("a", map[string]string{"x_y": "1"}, 2)
			telltale.Must(0, reg.Register(telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error { return emit(f) })))
			return reg
		},
		"two labels of a series have the same name, or get it by escaping": custom("a", map[string]string{"x.y": "1", "x_y": "2"}),
		"two labels of a series have the same name, or get it by escaping: of a view": func(reg *telltale.Registry) telltale.Collector {
			telltale.Must(telltale.NewGaugeVec("a", "", []string{"x.y"}, telltale.In(reg))).With("1").Set(1)
			return telltale.Must(telltale.Labelled(reg, map[string]string{"x_y": "2"}))
		},
	}
}

// logged returns what the default logger gets while f runs.
func logged(f func()) string {
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	f()
	return log.String()
}

// What escaping makes equal is never lost in silence: the registry counts it at each
// scrape, and the handler's hook, the registry's hook or the log is told.
func TestClashesByEscapingAreTold(t *testing.T) {
	for reason, register := range clashing(t) {
		reason, _, _ = strings.Cut(reason, ": of ")
		tells := func(err error) bool { return strings.Contains(err.Error(), reason) }
		for _, accept := range asUnderscores {
			scrape := request("GET", "/metrics", "Accept", accept)
			for _, hooks := range []string{"none", "registry", "handler", "both"} {
				reg := telltale.NewRegistry()
				shown := register(reg)
				var heardByRegistry, heardByHandler int
				if hooks == "registry" || hooks == "both" {
					reg.SetErrorHook(func(err error) {
						var fault *telltale.Fault
						if !errors.As(err, &fault) || fault.Reason != telltale.ReasonFormat || !tells(err) {
							t.Errorf("%s: %s: the registry's hook heard %v", reason, accept, err)
						}
						heardByRegistry++
					})
				}
				var opts []scrapehttp.Option
				if hooks == "handler" || hooks == "both" {
					opts = append(opts, scrapehttp.WithErrorHook(func(err error) {
						var drop *scrapehttp.DropError
						if !errors.As(err, &drop) || !tells(err) {
							t.Errorf("%s: %s: the handler's hook heard %v", reason, accept, err)
						}
						heardByHandler++
					}))
				}
				h := scrapehttp.Handler(shown, opts...)
				log := logged(func() {
					for range 2 {
						wantStatus(t, answer(h, scrape), 200)
					}
				})
				if n := reg.Stats().Faults[telltale.ReasonFormat]; n != 2 {
					t.Errorf("%s: %s: %d faults are counted after two scrapes", reason, accept, n)
				}
				want := map[string][3]int{"none": {0, 0, 1}, "registry": {2, 0, 0}, "handler": {0, 1, 0}, "both": {0, 1, 0}}[hooks]
				if got := [3]int{heardByRegistry, heardByHandler, strings.Count(log, reason)}; got != want {
					t.Errorf("%s: %s: hooks %s: told the registry's hook, the handler's hook and the log %d times, want %d; the log has\n%s", reason, accept, hooks, got, want, log)
				}
			}
		}
		for _, accept := range asTheyAre {
			reg := telltale.NewRegistry()
			h := scrapehttp.Handler(register(reg))
			log := logged(func() { wantStatus(t, answer(h, request("GET", "/metrics", "Accept", accept)), 200) })
			if n := reg.Stats().Faults[telltale.ReasonFormat]; n != 0 || log != "" {
				t.Errorf("%s: %s: %d faults are counted of a page that has all; the log has\n%s", reason, accept, n, log)
			}
		}
	}
}

// An operator sees it on the page, and a page that lost something in another way too.
func TestWhatAFormatCannotHoldIsCountedOnThePage(t *testing.T) {
	reg := telltale.NewRegistry()
	telltale.Must(0, reg.Register(reg.Health()))
	telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg))).Observe(-1)
	h := scrapehttp.Handler(reg)
	var last string
	logged(func() {
		for range 2 {
			last = answer(h, request("GET", "/metrics", "Accept", "application/openmetrics-text")).Body.String()
		}
	})
	if !strings.Contains(last, "telltale_faults_total{reason=\"format\"} 1.0\n") {
		t.Errorf("after a scrape that lost the sum of a histogram, the page has\n%s", last)
	}
}

// Names that a format reserves are on the page; nothing is lost.
func TestReservedNamesAreNoFaults(t *testing.T) {
	reg := telltale.NewRegistry()
	if err := reg.Register(emitting(t, "_a", map[string]string{"_b": "c"})); err != nil {
		t.Fatal(err)
	}
	h := scrapehttp.Handler(reg)
	log := logged(func() { answer(h, request("GET", "/metrics", "Accept", "application/openmetrics-text")) })
	if faults := reg.Stats().Faults; len(faults) > 0 || log != "" {
		t.Errorf("faults %v; the log has\n%s", faults, log)
	}
}

// loggedInNoRegistry is set once a process has run the test below: the log has each kind of
// fault once a minute, and all of them in no registry are told apart by the collector's type.
var loggedInNoRegistry atomic.Bool

// A collector in no registry has nobody who counts: the log has it.
func TestClashesInNoRegistryAreLogged(t *testing.T) {
	if loggedInNoRegistry.Swap(true) {
		t.Skip("this process has logged it before")
	}
	h := scrapehttp.Handler(emitting(t, "in_no_registry", map[string]string{}, "in.no.registry", map[string]string{}))
	var page string
	log := logged(func() { page = answer(h, request("GET", "/metrics")).Body.String() })
	if !strings.Contains(page, "in_no_registry 1.0\n") || !strings.Contains(log, "reason=format") || !strings.Contains(log, "its escaped name belongs to another family") {
		t.Errorf("the page is\n%s\nthe log has\n%s", page, log)
	}
}

// In strict mode it is an error, as other faults of collecting are.
func TestClashesFailStrictScrapes(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStrict())
	telltale.Must(telltale.NewGauge("a.b", "", telltale.In(reg))).Set(1)
	telltale.Must(telltale.NewGauge("a_b", "", telltale.In(reg))).Set(2)
	h := scrapehttp.Handler(reg)
	wantStatus(t, answer(h, request("GET", "/metrics")), 500)
	wantStatus(t, answer(h, request("GET", "/metrics", "Accept", "text/plain;version=1.0.0;escaping=allow-utf-8")), 200)
}

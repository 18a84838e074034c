package rules_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/exposition"
	"telltale/model"
	"telltale/rules"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func samples(t testing.TB, c telltale.Collector) string {
	t.Helper()
	text, err := telltale.GenerateLatest(c)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "# HELP") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// shop returns a registry with an instrument of each kind that rules treat in its own
// way.
func shop(t testing.TB) *telltale.Registry {
	t.Helper()
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(err error) { t.Logf("fault: %v", err) }))
	in := telltale.In(reg)
	requests := must(telltale.NewCounterVec("requests_total", "Requests.", []string{"method", "code"}, in))
	requests.With("GET", "200").Add(3)
	requests.With("GET", "500").Inc()
	requests.With("POST", "200").Inc()
	must(telltale.NewGauge("queue", "Waiting.", in)).Set(7)
	h := must(telltale.NewHistogramVec("latency_seconds", "Latency.", []string{"method"}, in, telltale.WithBuckets(0.1, 1)))
	h.With("GET").Observe(0.5)
	h.With("POST").Observe(2)
	return reg
}

func TestRules(t *testing.T) {
	const (
		queue    = "# TYPE queue gauge\nqueue 7.0\n"
		requests = "# TYPE requests_total counter\nrequests_total{method=\"GET\",code=\"200\"} 3.0\nrequests_total{method=\"GET\",code=\"500\"} 1.0\nrequests_total{method=\"POST\",code=\"200\"} 1.0\n"
	)
	all := samples(t, shop(t))
	latency := strings.TrimPrefix(all, requests+queue)
	if !strings.HasPrefix(latency, "# TYPE latency_seconds histogram\n") {
		t.Fatal(all)
	}
	for _, test := range []struct {
		name  string
		rules []rules.Rule
		want  string
	}{
		{"none", nil, all},
		{"keep by name", []rules.Rule{rules.Keep("queue")}, queue},
		{"the regex is anchored", []rules.Rule{rules.Drop("que"), rules.Drop("ueue")}, all},
		{"a counter is known by its sample", []rules.Rule{rules.Drop("requests|latency.*")}, requests + queue},
		{"drop by label", []rules.Rule{rules.Drop("latency.*|queue"), rules.Drop("5..", "code")},
			strings.Replace(requests, "requests_total{method=\"GET\",code=\"500\"} 1.0\n", "", 1)},
		{"drop by name and label", []rules.Rule{rules.Drop("latency.*"), rules.Drop("requests_total;POST", "__name__", "method")},
			strings.Replace(requests, "requests_total{method=\"POST\",code=\"200\"} 1.0\n", "", 1) + queue},
		{"a label that is missing is empty", []rules.Rule{rules.Keep("", "code"), rules.Drop("latency.*")}, "# TYPE requests_total counter\n" + queue},
		{"replace", []rules.Rule{rules.Keep("requests_total"), rules.Replace("class", "${1}xx", "(.)..", "code"), rules.LabelDrop("code"), rules.Drop("POST", "method")},
			"# TYPE requests_total counter\nrequests_total{method=\"GET\",class=\"2xx\"} 3.0\nrequests_total{method=\"GET\",class=\"5xx\"} 1.0\n"},
		{"labeldrop that makes series equal", []rules.Rule{rules.Keep("requests_total"), rules.LabelDrop("code")},
			"# TYPE requests_total counter\nrequests_total{method=\"GET\"} 3.0\nrequests_total{method=\"POST\"} 1.0\n"},
		{"labelkeep", []rules.Rule{rules.Keep("requests_total"), rules.LabelKeep("method")},
			"# TYPE requests_total counter\nrequests_total{method=\"GET\"} 3.0\nrequests_total{method=\"POST\"} 1.0\n"},
		{"labelmap", []rules.Rule{rules.Keep("requests_total"), rules.LabelMap("(c.*)", "http_$1"), rules.Keep("POST", "method")},
			"# TYPE requests_total counter\nrequests_total{method=\"POST\",code=\"200\",http_code=\"200\"} 1.0\n"},
		{"labels for later rules", []rules.Rule{rules.Keep("queue"), rules.Replace("__tmp", "x", ".*"), rules.Replace("from", "$1", "(.*)", "__tmp")},
			"# TYPE queue gauge\nqueue{from=\"x\"} 7.0\n"},
		{"rename", []rules.Rule{rules.Keep("queue|requests_total"), rules.Rename("queue", "waiting"), rules.Rename("requests(_.*)", "http_requests$1")},
			strings.ReplaceAll(requests, "requests", "http_requests") + strings.ReplaceAll(queue, "queue", "waiting")},
		{"rename and keep the old name", []rules.Rule{rules.Keep("queue"), rules.Rename("queue", "waiting").KeepingOld()},
			queue + strings.ReplaceAll(queue, "queue", "waiting")},
		{"rename without the suffix", []rules.Rule{rules.Keep("requests_total"), rules.Rename("requests_total", "requests_made"), rules.Drop("2..", "code")},
			"# TYPE requests_made counter\nrequests_made{method=\"GET\",code=\"500\"} 1.0\n"},
		{"rename a histogram by its name", []rules.Rule{rules.Keep("latency.*"), rules.Rename("latency_seconds", "duration_seconds")},
			strings.ReplaceAll(latency, "latency", "duration")},
		{"rename a histogram by a sample", []rules.Rule{rules.Keep("latency.*"), rules.Rename("latency_seconds_count", "duration_seconds_count")},
			strings.ReplaceAll(latency, "latency", "duration")},
		{"a later rule knows the new name", []rules.Rule{rules.Rename("queue", "waiting"), rules.Keep("waiting")},
			strings.ReplaceAll(queue, "queue", "waiting")},
		{"drop a histogram's buckets", []rules.Rule{rules.Keep("latency.*"), rules.Drop("latency_seconds_bucket"), rules.Drop("POST", "method")},
			"# TYPE latency_seconds histogram\nlatency_seconds_count{method=\"GET\"} 1.0\nlatency_seconds_sum{method=\"GET\"} 0.5\n"},
		{"drop a bucket, and +Inf", []rules.Rule{rules.Keep("latency.*"), rules.Drop(`latency_seconds_bucket;(0\.1|\+Inf)`, "__name__", "le"), rules.Drop("POST", "method")},
			"# TYPE latency_seconds histogram\nlatency_seconds_bucket{method=\"GET\",le=\"1.0\"} 1.0\nlatency_seconds_bucket{method=\"GET\",le=\"+Inf\"} 1.0\nlatency_seconds_count{method=\"GET\"} 1.0\nlatency_seconds_sum{method=\"GET\"} 0.5\n"},
		{"le is not a label to drop or write", []rules.Rule{rules.Keep("latency.*"), rules.LabelDrop("le"), rules.Replace("le", "x", ".*")}, latency},
		{"replace by a sample of a histogram", []rules.Rule{rules.Keep("latency.*"), rules.Drop("latency_seconds_(bucket|sum)"), rules.Replace("n", "$1", "latency_seconds_(.*)", "__name__"), rules.Drop("POST", "method")},
			"# TYPE latency_seconds histogram\nlatency_seconds_count{method=\"GET\",n=\"count\"} 1.0\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			reg := shop(t)
			v := must(rules.New(reg, test.rules...))
			for i := range 3 { // the second scrape remembers the first
				if got := samples(t, v); got != test.want {
					t.Fatalf("scrape %d:\n%swant\n%s", i+1, got, test.want)
				}
			}
		})
	}
}

func TestInvalidRules(t *testing.T) {
	for _, test := range []struct {
		name string
		rule rules.Rule
		want string
	}{
		{"no action", rules.Rule{}, "no action"},
		{"unknown action", rules.Rule{Action: "hashmod"}, `"hashmod" is not known`},
		{"regex", rules.Drop("("), "missing closing )"},
		{"replace of the name", rules.Replace("__name__", "x", ".*"), "rename can"},
		{"labelmap of the name", rules.LabelMap(".*", "__name__"), "rename can"},
		{"reserved", rules.Replace("_x", "x", ".*"), "reserves"},
		{"reserved name", rules.Rename("x", "_x"), "reserves"},
		{"long", rules.Drop(strings.Repeat("a", rules.MaxRegexLength+1)), "more than 4096"},
		{"no target", rules.Replace("", "x", ".*"), "no target label"},
		{"target of drop", rules.Rule{Action: rules.ActionDrop, TargetLabel: "x"}, "takes no target label"},
		{"sources of labeldrop", rules.Rule{Action: rules.ActionLabelDrop, SourceLabels: []string{"x"}}, "takes no source labels"},
		{"keep_old of drop", rules.Drop("x").KeepingOld(), "keeps no old name"},
		{"invalid UTF-8", rules.Replace("x", "\xff", ".*"), "not valid UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := must(rules.New(shop(t), rules.Keep("queue")))
			err := v.Set(rules.Keep("x"), test.rule)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "rule 2") {
				t.Fatalf("error %v, want one of rule 2 with %q", err, test.want)
			}
			if got := samples(t, v); !strings.Contains(got, "queue 7.0") {
				t.Errorf("the old rules are gone: %s", got)
			}
		})
	}
	if err := rules.Check(make([]rules.Rule, rules.MaxRules+1)...); err == nil || !strings.Contains(err.Error(), "more than 1000") {
		t.Error(err)
	}
}

// What is dropped by name is not walked, and a collector that describes nothing else
// is not called.
func TestDroppedIsNotCollected(t *testing.T) {
	reg := telltale.NewRegistry()
	family := must(model.NewFamily("dear", "", model.Gauge))
	var called atomic.Int64
	if err := reg.Register(telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		called.Add(1)
		return emit(family)
	}, family)); err != nil {
		t.Fatal(err)
	}
	must(telltale.NewGaugeFunc("asked", "", nil, telltale.SingleValue(func() float64 { called.Add(1); return 1 }), telltale.In(reg)))
	v := must(rules.New(reg, rules.Drop("dear|asked")))
	if got := samples(t, v); got != "" || called.Load() != 0 {
		t.Errorf("called %d times: %q", called.Load(), got)
	}
	if got := samples(t, must(rules.New(reg, rules.Rename("dear|asked", "new_$0")))); called.Load() != 2 || !strings.Contains(got, "new_asked 1.0") {
		t.Errorf("called %d times: %q", called.Load(), got)
	}
	if got := samples(t, must(rules.New(reg, rules.Rename("dear", "far"))).Restricted("far")); called.Load() != 3 || !strings.Contains(got, "far") {
		t.Errorf("called %d times: %q", called.Load(), got)
	}
}

// A format that looks at the first series before it writes all hides no fault.
func TestFaultsBehindTheFirstSeriesAreCounted(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	g := must(telltale.NewGaugeVec("g", "", []string{"a", "b"}, telltale.In(reg)))
	for _, b := range []string{"0", "1", "2", "3"} {
		g.With("a", b).Set(1)
	}
	v := must(rules.New(reg, rules.LabelDrop("b")))
	for _, format := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2, exposition.Protobuf} {
		before := reg.Stats().Faults[telltale.ReasonRepeatedSeries]
		e := exposition.NewEncoder(io.Discard, format, exposition.WithDropped(func(exposition.Drop) {}))
		if err := errors.Join(v.Collect(t.Context(), e.Encode), e.Close()); err != nil {
			t.Fatal(err)
		}
		if n := reg.Stats().Faults[telltale.ReasonRepeatedSeries] - before; n != 3 {
			t.Errorf("%s: %d repeated series were counted, want 3", format, n)
		}
	}
}

func TestRepeatsAreCounted(t *testing.T) {
	reg := shop(t)
	v := must(rules.New(reg, rules.Keep("requests_total"), rules.LabelDrop(".*")))
	for range 2 {
		if got := samples(t, v); !strings.HasSuffix(got, "\nrequests_total 3.0\n") {
			t.Error(got)
		}
	}
	if n := reg.Stats().Faults[telltale.ReasonRepeatedSeries]; n != 4 {
		t.Errorf("%d repeated series were counted in two scrapes, want 4", n)
	}
}

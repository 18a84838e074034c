package e2e

import (
	"context"
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/scrapehttp"
)

// scrapeProtocols are those that Prometheus 3 knows, and what they carry.
var scrapeProtocols = []struct {
	name                       string
	created, native, exemplars bool
}{
	{"PrometheusProto", true, true, true},
	{"OpenMetricsText2.0.0", true, true, true},
	{"OpenMetricsText1.0.0", true, false, true},
	{"OpenMetricsText0.0.1", true, false, true},
	{"PrometheusText1.0.0", false, false, false},
	{"PrometheusText0.0.4", false, false, false},
}

// TestPrometheus3 has a current Prometheus scrape the same instruments with each
// of its protocols, one job for each, and asks it for what was observed.
func TestPrometheus3(t *testing.T) {
	program := requirePrometheus3(t)
	begun := time.Now()
	registry := telltale.NewRegistry()
	in := telltale.In(registry)
	requests := telltale.Must(telltale.NewCounter("requests", "Requests.", in))
	both := telltale.Must(telltale.NewHistogram("latency", "Time.", in, telltale.WithUnit("seconds"),
		telltale.WithBuckets(0.1, 1, 10), telltale.WithNativeSchema(5)))
	alone := telltale.Must(telltale.NewHistogram("size", "Bytes.", in, telltale.WithUnit("bytes"), telltale.WithNativeSchema(8)))
	quantiles := telltale.Must(telltale.NewSummary("wait", "Time.", in, telltale.WithUnit("seconds"), telltale.WithQuantiles(0.5)))
	const n, sum = 1000, 500.5
	requests.Add(n)
	for i := range n {
		v := float64(i+1) / n
		if err := both.ObserveWithExemplar(v, map[string]string{"trace_id": fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
		alone.Observe(v)
		quantiles.Observe(v)
	}
	time.Sleep(time.Until(begun.Add(50 * time.Millisecond))) // the start is before the first scrape
	server := httptest.NewServer(scrapehttp.Handler(registry, scrapehttp.WithCreated()))
	defer server.Close()
	var config strings.Builder
	config.WriteString("global: {scrape_interval: 5s, scrape_timeout: 5s}\nscrape_configs:\n")
	for _, protocol := range scrapeProtocols {
		fmt.Fprintf(&config, `  - job_name: %s
    scrape_protocols: [%s]
    scrape_native_histograms: true
    always_scrape_classic_histograms: true
    static_configs:
      - targets: [%q]
`, protocol.name, protocol.name, strings.TrimPrefix(server.URL, "http://"))
	}
	p := runPrometheus(t, program, config.String(), "created-timestamp-zero-ingestion", "openmetrics2")
	is := func(expression string, want, within float64) {
		t.Helper()
		got, found := math.NaN(), false
		p.await(t, fmt.Sprintf("to have %v for %s", want, expression), func(ctx context.Context) bool {
			got, found = p.number(ctx, expression)
			return found && math.Abs(got-want) <= within*math.Abs(want)
		})
	}
	for _, protocol := range scrapeProtocols {
		of := fmt.Sprintf("{job=%q}", protocol.name)
		is("requests_total"+of, n, 0)
		is("latency_seconds_count"+of, n, 0)
		is("latency_seconds_sum"+of, sum, 1e-9)
		is(fmt.Sprintf("latency_seconds_bucket{job=%q,le=\"0.1\"}", protocol.name), 100, 0)
		is("histogram_quantile(0.5, latency_seconds_bucket"+of+")", 0.5, 0.01) // between 0.1 and 1, interpolated
		is("wait_seconds"+fmt.Sprintf("{job=%q,quantile=\"0.5\"}", protocol.name), 0.5, 0.01)
		is("wait_seconds_count"+of, n, 0)
		if protocol.created {
			// From the first scrape on: what had been counted before counts too.
			is("increase(requests_total"+of+"[1h]) >= bool 1000", 1, 0)
		}
		if !protocol.native {
			is("size_bytes_count"+of, n, 0)
			continue
		}
		for _, h := range []string{"latency_seconds", "size_bytes"} {
			is("histogram_count("+h+of+")", n, 0)
			is("histogram_sum("+h+of+")", sum, 1e-9)
			is("histogram_quantile(0.9, "+h+of+")", 0.9, 0.02)
			is("histogram_fraction(0, 0.5, "+h+of+")", 0.5, 0.02)
			is("histogram_count(increase("+h+of+"[1h])) >= bool 1000", 1, 0)
		}
	}
	found, err := p.exemplars(t.Context(), begun)
	if err != nil {
		t.Fatal(err)
	}
	has := make(map[string]bool)
	for _, e := range found {
		if e.labels["trace_id"] == fmt.Sprint(int(math.Round(e.value*n))-1) {
			has[e.series["job"]] = true
		}
	}
	for _, protocol := range scrapeProtocols {
		if has[protocol.name] != protocol.exemplars {
			t.Errorf("%s: exemplars %v, want %v", protocol.name, has[protocol.name], protocol.exemplars)
		}
	}
	if complaints := p.complaints(); len(complaints) > 0 {
		t.Errorf("Prometheus complains: %q", complaints)
	}
}

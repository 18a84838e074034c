package e2e

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/exposition"
)

var pageURL = regexp.MustCompile(`http://(127\.0\.0\.1:[1-9][0-9]*)(/metrics)`)

// buildCommand builds cmd/telltale and returns where it is.
func buildCommand(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "telltale")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/telltale")
	build.Dir = ".."
	// The command is a module that go.work joins to the main one. As .ci/run compiles it,
	// which has it in the cache.
	build.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOWORK=") }), "GOFLAGS=-trimpath")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building cmd/telltale: %v\n%s", err, output)
	}
	return binary
}

// startDemo starts `telltale demo`, with its own load, and returns where its metrics
// are.
func startDemo(t *testing.T) (demo *process, address, path string) {
	t.Helper()
	binary := buildCommand(t)
	// The demo is stopped by the test; --for ends it if the test dies.
	demo = start(t, "telltale demo", exec.CommandContext(t.Context(), binary, "demo", "--listen", "127.0.0.1:0", "--for", "5m"))
	found := demo.says(t, pageURL)
	return demo, found[1], found[2]
}

// pageOf reads the demo's own page in OpenMetrics.
func pageOf(t *testing.T, address, path string) reading {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	page, err := get(ctx, "http://"+address+path, exposition.OpenMetrics1.ContentType())
	if err != nil {
		t.Fatal(err)
	}
	found, err := readTextparse(page, dialect{format: exposition.OpenMetrics1, openMetrics: true})
	if err != nil {
		t.Fatalf("the demo's page: %v\n%s", err, page)
	}
	return found
}

// cumulative returns the samples of a page that can only grow, by series.
func cumulative(page reading) map[string]float64 {
	grows := map[string][]string{"counter": {"_total"}, "summary": {"_count"}, "histogram": {"_count", "_bucket"}}
	found := map[string]float64{}
	everySample(page, func(f *readFamily, s *readSample) {
		if slices.Contains(grows[f.typ], strings.TrimPrefix(s.name, f.name)) {
			found[seriesKey(s.name, s.labels)] = s.value
		}
	})
	return found
}

// TestPrometheusScrapesDemo starts a real Prometheus that scrapes a real program
// under load.
func TestPrometheusScrapesDemo(t *testing.T) {
	began := time.Now()
	demo, address, path := startDemo(t)
	p := startPrometheus(t, address, path)
	p.await(t, "to scrape three times", func(ctx context.Context) bool {
		n, ok := p.number(ctx, fmt.Sprintf("count_over_time(up{job=%q}[5m])", scrapeJob))
		return ok && n >= 3
	})

	t.Run("counters", func(t *testing.T) { checkCounters(t, p, address, path) })
	t.Run("exemplars", func(t *testing.T) { checkExemplars(t, p, pageOf(t, address, path), began) })
	t.Run("health", func(t *testing.T) { checkHealth(t, p) })

	scraped := p.scrapeAt(t, p.scrapeAfter(t, time.Now()))
	if err := demo.stop(os.Interrupt); err != nil {
		t.Errorf("the demo, interrupted: %v", err)
	}
	checkLastWords(t, demo, scraped)
}

// checkCounters compares one scrape as Prometheus stored it with the program's
// own page just before and just after: what only grows lies between the two.
func checkCounters(t *testing.T, p *scraper, address, path string) {
	before := cumulative(pageOf(t, address, path))
	at := p.scrapeAfter(t, time.Now())
	stored := p.scrapeAt(t, at)
	after := cumulative(pageOf(t, address, path))
	if len(before) == 0 {
		t.Fatal("the demo counts nothing")
	}
	counted, grown := 0.0, 0
	for key, low := range before {
		v, ok := stored[key]
		high := after[key]
		if !ok || v < low || v > high {
			t.Errorf("%s: Prometheus has %v (%v), the program had %v before and %v after", key, v, ok, low, high)
		}
		counted += v
		if high > low {
			grown++
		}
	}
	if counted == 0 || grown == 0 {
		t.Errorf("of %d counters, which come to %v, %d grew: the demo is not under load", len(before), counted, grown)
	}
	if up, ok := stored["up{}"]; !ok || up != 1 {
		t.Errorf("up is %v (%v)", up, ok)
	}
	// Of every scrape Prometheus stores five series of its own.
	own := 0
	for key := range stored {
		if key == "up{}" || strings.HasPrefix(key, "scrape_") {
			own++
		}
	}
	scraped, kept := stored["scrape_samples_scraped{}"], stored["scrape_samples_post_metric_relabeling{}"]
	if found := float64(len(stored) - own); own != 5 || scraped != found || kept != found || found < float64(len(before)) {
		t.Errorf("%v samples were scraped, %v kept, %v stored beside %d of Prometheus's own", scraped, kept, found, own)
	}
}

// checkExemplars checks the exemplars that Prometheus has stored from the page.
func checkExemplars(t *testing.T, p *scraper, page reading, began time.Time) {
	onPage := map[string]bool{}
	everySample(page, func(_ *readFamily, s *readSample) {
		if s.exemplar != nil {
			onPage[s.name] = true
		}
	})
	if len(onPage) == 0 {
		t.Fatal("the demo's page has no exemplars")
	}
	var stored []storedExemplar
	p.await(t, "to store exemplars", func(ctx context.Context) bool {
		var err error
		stored, err = p.exemplars(ctx, began)
		return err == nil && len(stored) > 0
	})
	names := map[string]bool{}
	for _, e := range stored {
		names[e.series["__name__"]] = true
		if len(e.labels) == 0 {
			t.Errorf("an exemplar of %v has no labels", e.series)
		}
		if le, ok := e.series["le"]; ok {
			if bound, err := strconv.ParseFloat(le, 64); err != nil || e.value > bound || math.IsNaN(e.value) {
				t.Errorf("the exemplar %v of %v is not in its bucket", e.value, e.series)
			}
		}
		if now := float64(time.Now().UnixMilli()) / 1000; e.at < float64(began.UnixMilli()-1)/1000 || e.at > now {
			t.Errorf("the exemplar of %v is of %v, the test began at %v", e.series, e.at, began)
		}
	}
	for name := range names {
		if !onPage[name] {
			t.Errorf("exemplars are stored for %s, the page has none there", name)
		}
	}
}

// checkHealth makes sure that no scrape failed and that nothing was refused.
func checkHealth(t *testing.T, p *scraper) {
	ctx := t.Context()
	if low, ok := p.number(ctx, fmt.Sprintf("min_over_time(up{job=%q}[5m])", scrapeJob)); !ok || low != 1 {
		t.Errorf("up was %v (%v)", low, ok)
	}
	page, err := get(ctx, p.base+"/metrics", exposition.Text004.ContentType())
	if err != nil {
		t.Fatal(err)
	}
	own, err := readTextparse(page, dialect{format: exposition.Text004})
	if err != nil {
		t.Fatal(err)
	}
	// What Prometheus counts for samples that it refuses.
	unwanted := map[string]bool{
		"prometheus_target_scrapes_sample_duplicate_timestamp_total": false,
		"prometheus_target_scrapes_sample_out_of_bounds_total":       false,
		"prometheus_target_scrapes_sample_out_of_order_total":        false,
		"prometheus_target_scrapes_exceeded_sample_limit_total":      false,
		"prometheus_target_scrapes_exceeded_body_size_limit_total":   false,
		"prometheus_target_scrapes_exemplar_out_of_order_total":      false,
		"prometheus_target_scrape_pool_exceeded_label_limits_total":  false,
		"prometheus_tsdb_exemplar_out_of_order_exemplars_total":      false,
		"prometheus_tsdb_out_of_order_samples_total":                 false,
	}
	everySample(own, func(_ *readFamily, s *readSample) {
		if _, ok := unwanted[s.name]; ok {
			unwanted[s.name] = true
			if s.value != 0 {
				t.Errorf("Prometheus has %s", s)
			}
		}
	})
	for name, seen := range unwanted {
		if !seen {
			t.Errorf("this Prometheus does not say %s", name)
		}
	}
	for _, line := range p.complaints() {
		t.Errorf("Prometheus logged: %s", line)
	}
}

var lastWords = regexp.MustCompile(`(?m)^(\d+) requests were made and answered; shop_http_requests_total says (\d+)\.$`)

// checkLastWords compares the demo's last line, in which its customers say how
// many requests they made, with what it says it counted and with what was
// scraped before.
func checkLastWords(t *testing.T, demo *process, scraped map[string]float64) {
	found := lastWords.FindStringSubmatch(demo.output.String())
	if found == nil {
		t.Fatalf("the demo's last line is not %s:\n%s", lastWords, demo.output.String())
	}
	made, _ := strconv.ParseFloat(found[1], 64) // digits
	counted, _ := strconv.ParseFloat(found[2], 64)
	before := 0.0
	for key, v := range scraped {
		if strings.HasPrefix(key, "shop_http_requests_total{") {
			before += v
		}
	}
	if made != counted || before == 0 || before > counted {
		t.Errorf("%v requests were made, %v counted, %v scraped shortly before", made, counted, before)
	}
}

package telltaletest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"telltale"
	"telltale/auto"
	"telltale/lint"
	"telltale/scrapehttp"
	"telltale/telltaletest"
)

// outcome runs a test, which prints nothing of its own under "go test -v" either, and
// returns whether it passes.
func outcome(test func(t *testing.T)) bool {
	verbose := flag.Lookup("test.v").Value
	was := verbose.String()
	_ = verbose.Set("false")
	defer func() { _ = verbose.Set(was) }()
	return testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "", F: test}})
}

// How is a whole page compared with a file? "go test -update" writes the file.
func ExampleGolden() {
	reg := telltale.NewRegistry()
	auto.In(reg).Gauge("queue_depth", "Jobs that wait.").Set(12)

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "page.txt") // in a test: "testdata/page.txt"
	page := "# HELP queue_depth Jobs that wait.\n# TYPE queue_depth gauge\nqueue_depth 12.0\n"
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(outcome(func(t *testing.T) { telltaletest.Golden(t, reg, file) }))
	// Output: true
}

// How does a test see that a family was renamed, before dashboards do?
func ExampleCatalogue() {
	reg := telltale.NewRegistry()
	auto.In(reg).GaugeVec("queue_depth", "Jobs that wait.", []string{"queue"})

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "metrics.json") // in a test: "testdata/metrics.json"
	list := `{"families": [{"name": "queue_depth", "type": "gauge", "help": "Jobs that wait.", "labels": ["queue"]}]}`
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(outcome(func(t *testing.T) { telltaletest.Catalogue(t, reg, file) }))
	// Output: true
}

func ExampleLint() {
	reg := telltale.NewRegistry()
	auto.In(reg).Gauge("uptime_h", "How long the service runs.")
	fmt.Println(outcome(func(t *testing.T) { telltaletest.Lint(t, reg, lint.Without(lint.AbbreviatedUnit)) }))
	// Output: true
}

// How is what an endpoint serves tested?
func ExampleFromHandler() {
	reg := telltale.NewRegistry()
	auto.In(reg).Counter("orders", "Orders placed.").Add(3)
	page := telltaletest.FromHandler(scrapehttp.Handler(reg), "/metrics")
	fmt.Println(outcome(func(t *testing.T) {
		fmt.Println(telltaletest.Value(t, page, "orders_total", nil))
	}))
	// Output:
	// 3
	// true
}

// How are the buckets of a histogram tested?
func ExampleClassicBuckets() {
	reg := telltale.NewRegistry()
	took := auto.In(reg).Histogram("took_seconds", "Time taken.", telltale.WithBuckets(0.1, 1, 10))
	took.Observe(0.5)
	took.Observe(0.7)
	fmt.Println(outcome(func(t *testing.T) {
		for _, b := range telltaletest.ClassicBuckets(telltaletest.Histogram(t, reg, "took_seconds", nil)) {
			fmt.Println(b.Count, "above", b.Lower, "and up to", b.Upper)
		}
	}))
	// Output:
	// 2 above 0.1 and up to 1
	// true
}

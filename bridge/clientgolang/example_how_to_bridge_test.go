package clientgolang_test

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"telltale"
	"telltale/bridge/clientgolang"
)

// What a third party has registered with client_golang is on telltale's page.
func ExampleFromGatherer() {
	theirs := prometheus.NewRegistry() // or prometheus.DefaultGatherer
	jobs := prometheus.NewCounter(prometheus.CounterOpts{Name: "jobs_total", Help: "Jobs done."})
	theirs.MustRegister(jobs)
	jobs.Add(3)

	reg := telltale.NewRegistry()
	if err := reg.Register(clientgolang.FromGatherer(theirs)); err != nil {
		fmt.Println(err)
		return
	}
	page, err := telltale.GenerateLatest(reg)
	fmt.Print(string(page), err)
	// Output:
	// # HELP jobs_total Jobs done.
	// # TYPE jobs_total counter
	// jobs_total 3.0
	// <nil>
}

func ExampleFromCollector() {
	depth := prometheus.NewGauge(prometheus.GaugeOpts{Name: "queue_depth", Help: "Items that wait."})
	depth.Set(12)

	reg := telltale.NewRegistry()
	if err := reg.Register(clientgolang.FromCollector(depth)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(reg.Sample("queue_depth", nil))
	// Output: 12 <nil>
}

// A telltale registry is served by promhttp, or tested with testutil.
func ExampleToGatherer() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("jobs", "Jobs done.", telltale.In(reg))).Add(3)

	want := "# HELP jobs_total Jobs done.\n# TYPE jobs_total counter\njobs_total 3\n"
	fmt.Println(testutil.GatherAndCompare(clientgolang.ToGatherer(reg), strings.NewReader(want)))
	// Output: <nil>
}

func ExampleToCollector() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("queue_depth", "Items that wait.", telltale.In(reg))).Set(12)

	theirs := prometheus.NewRegistry()
	theirs.MustRegister(clientgolang.ToCollector(reg))
	fmt.Println(testutil.GatherAndCount(theirs, "queue_depth"))
	// Output: 1 <nil>
}

// Packages that take a Registerer register with telltale.
func ExampleRegisterer() {
	reg := telltale.NewRegistry()
	registerer := prometheus.WrapRegistererWithPrefix("app_", clientgolang.Registerer(reg))

	jobs := promauto.With(registerer).NewCounter(prometheus.CounterOpts{Name: "jobs_total", Help: "Jobs done."})
	jobs.Add(3)
	fmt.Println(reg.Sample("app_jobs_total", nil))
	// Output: 3 <nil>
}

package telltale_test

import (
	"fmt"

	"telltale"
)

func printPage(c telltale.Collector) {
	page, err := telltale.GenerateLatest(c)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(string(page))
}

// Clients choose the label value, and there may be two series.
func ExampleWithSeriesLimit() {
	reg := telltale.NewRegistry()
	requests := telltale.Must(telltale.NewCounterVec("requests", "Requests by tenant.", []string{"tenant"},
		telltale.In(reg), telltale.WithSeriesLimit(2)))
	for _, tenant := range []string{"ann", "bob", "mallory1", "mallory2", "mallory3", "ann"} {
		requests.With(tenant).Inc()
	}
	printPage(reg)
	fmt.Println(reg.Stats().Overflows["requests"], "requests found no series of their own")
	// Output:
	// # HELP requests_total Requests by tenant.
	// # TYPE requests_total counter
	// requests_total{tenant="ann"} 2.0
	// requests_total{tenant="bob"} 1.0
	// requests_total{tenant="overflow"} 3.0
	// 3 requests found no series of their own
}

// Rates see the first event of every method, and invented methods make one series.
func ExampleWithLabelValues() {
	reg := telltale.NewRegistry()
	requests := telltale.Must(telltale.NewCounterVec("requests", "Requests by method.", []string{"method"},
		telltale.In(reg), telltale.WithLabelValues("method", "GET", "POST"), telltale.WithInitialSeries()))
	requests.With("GET").Inc()
	requests.With("BREW").Inc()
	printPage(reg)
	// Output:
	// # HELP requests_total Requests by method.
	// # TYPE requests_total counter
	// requests_total{method="GET"} 1.0
	// requests_total{method="POST"} 0.0
	// requests_total{method="other"} 1.0
}

// Size is a label with few values.
type Size string

// LabelValues declares them.
func (Size) LabelValues() []string { return []string{"small", "large"} }

func ExampleLabelValuer() {
	reg := telltale.NewRegistry()
	orders := telltale.Must(telltale.NewCounterOf[struct{ Size Size }]("orders", "Orders by size.", telltale.In(reg)))
	orders.With(struct{ Size Size }{"large"}).Inc()
	orders.With(struct{ Size Size }{"huge"}).Inc()
	printPage(reg)
	// Output:
	// # HELP orders_total Orders by size.
	// # TYPE orders_total counter
	// orders_total{size="large"} 1.0
	// orders_total{size="other"} 1.0
}

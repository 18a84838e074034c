package telltale_test

import (
	"fmt"

	"telltale"
)

// How do I count something and see it as Prometheus would?
func ExampleNewCounter() {
	registry := telltale.NewRegistry()
	counter := telltale.Must(telltale.NewCounter("test_counter", "Test counter", telltale.In(registry)))
	counter.Add(42)

	page, err := telltale.GenerateLatest(registry)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(page))
	// Output:
	// # HELP test_counter_total Test counter
	// # TYPE test_counter_total counter
	// test_counter_total 42.0
}

// How do I count by labels whose names and types the compiler minds?
func ExampleNewCounterOf() {
	type request struct {
		Method string
		Code   int
	}
	registry := telltale.NewRegistry()
	requests := telltale.Must(telltale.NewCounterOf[request]("requests", "Requests served.", telltale.In(registry)))
	requests.With(request{"GET", 200}).Inc()
	requests.With(request{Method: "POST", Code: 500}).Add(2)

	page, err := telltale.GenerateLatest(registry)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(page))
	// Output:
	// # HELP requests_total Requests served.
	// # TYPE requests_total counter
	// requests_total{method="GET",code="200"} 1.0
	// requests_total{method="POST",code="500"} 2.0
}

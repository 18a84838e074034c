package telltaletest_test

import (
	"fmt"
	"testing"

	"telltale"
	"telltale/auto"
	"telltale/telltaletest"
)

func Example() {
	reg := telltale.NewRegistry()
	orders := auto.In(reg).CounterVec("orders", "Orders placed.", []string{"country"})
	place := func(country string) { orders.With(country).Inc() }

	// In a test of its own:
	test := func(t *testing.T) {
		germany := map[string]string{"country": "de"}
		if n := telltaletest.Delta(t, reg, "orders_total", germany, func() { place("de") }); n != 1 {
			t.Errorf("placing an order adds %v to orders_total", n)
		}
		telltaletest.Compare(t, reg, `
			# TYPE orders_total counter
			orders_total{country="de"} 1
		`, "orders_total")
	}
	fmt.Println(outcome(test))
	// Output: true
}

func ExampleTestCollector() {
	fmt.Println(telltaletest.TestCollector(telltale.NewRegistry()))
	// Output: <nil>
}

package auto_test

import (
	"fmt"

	"telltale"
	"telltale/auto"
)

// Metrics of a package are its variables.
var placed = auto.CounterVec("orders_placed", "Orders placed.", []string{"country"})

func Example() {
	placed.With("de").Inc()
	fmt.Println(telltale.Default.SampleValue("orders_placed_total", map[string]string{"country": "de"}))
	// Output: 1 true
}

func ExampleIn() {
	reg := telltale.NewRegistry()
	m := auto.In(reg, telltale.WithNamespace("shop"))
	orders := m.Counter("orders", "Orders placed.")
	orders.Inc()
	fmt.Println(reg.SampleValue("shop_orders_total", nil))
	// Output: 1 true
}

package rules_test

import (
	"fmt"

	"telltale"
	"telltale/rules"
)

// A view shows a registry through rules that may be replaced at any time.
func Example() {
	reg := telltale.NewRegistry()
	requests := telltale.Must(telltale.NewCounterVec("requests_total", "Requests.", []string{"method", "user"}, telltale.In(reg)))
	requests.With("GET", "ada").Add(3)
	telltale.Must(telltale.NewGauge("debug_depth", "Depth.", telltale.In(reg))).Set(9)

	view, err := rules.New(reg, rules.Drop("debug_.*"), rules.LabelDrop("user"))
	if err != nil {
		fmt.Println(err)
	}
	page, _ := telltale.GenerateLatest(view) // or scrapehttp.Handler(view)
	fmt.Print(string(page))

	// Others take their place, all or none.
	err = view.Set(rules.Keep("requests_.*"), rules.Replace("user", "$1", "(", "user"))
	fmt.Println(err)
	// Output:
	// # HELP requests_total Requests.
	// # TYPE requests_total counter
	// requests_total{method="GET"} 3.0
	// rules: rule 2: the regex "(" is not valid: missing closing )
}

// A metric gets another name, and keeps the old one until all dashboards know it.
func ExampleRename() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("queue_len", "Waiting orders.", telltale.In(reg))).Set(4)
	view, err := rules.New(reg, rules.Rename("queue_len", "shop_queue_orders").KeepingOld())
	if err != nil {
		fmt.Println(err)
	}
	page, _ := telltale.GenerateLatest(view)
	fmt.Print(string(page))
	// Output:
	// # HELP queue_len Waiting orders.
	// # TYPE queue_len gauge
	// queue_len 4.0
	// # HELP shop_queue_orders Waiting orders.
	// # TYPE shop_queue_orders gauge
	// shop_queue_orders 4.0
}

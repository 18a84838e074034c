package catalogue_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"telltale"
	"telltale/catalogue"
)

// How do I see what a release changes about the metrics of a program?
func Example() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounterVec("orders", "Orders placed.", []string{"country"}, telltale.In(reg)))

	var now catalogue.Catalogue
	if err := reg.Collect(context.Background(), now.Add); err != nil {
		panic(err)
	}
	before, err := catalogue.Read(strings.NewReader(
		`{"families": [{"name": "orders", "type": "counter", "help": "Orders placed.", "labels": ["country", "method"]}]}`))
	if err != nil {
		panic(err)
	}
	for _, d := range catalogue.Compare(before, &now) {
		fmt.Println(d)
	}
	_ = now.Write(os.Stdout)
	// Output:
	// orders: the label "method" is gone
	// {
	// 	"families": [
	// 		{
	// 			"name": "orders",
	// 			"type": "counter",
	// 			"help": "Orders placed.",
	// 			"labels": [
	// 				"country"
	// 			]
	// 		}
	// 	]
	// }
}

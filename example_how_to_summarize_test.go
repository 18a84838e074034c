package telltale_test

import (
	"fmt"

	"telltale"
)

// How do I have a sum and a count, from which Prometheus computes the average? It is the
// cheapest way to observe; quantiles come with WithQuantiles.
func ExampleNewSummary() {
	sizes := telltale.Must(telltale.NewSummary("response_size", "Size of responses.", telltale.Unregistered(), telltale.WithUnit("bytes")))
	sizes.Observe(100)
	sizes.Observe(300)
	fmt.Println(sizes.Count(), sizes.Sum())
	printPage(sizes)
	// Output:
	// 2 400
	// # HELP response_size_bytes Size of responses.
	// # TYPE response_size_bytes summary
	// response_size_bytes_count 2.0
	// response_size_bytes_sum 400.0
}

// How do I summarize by labels?
func ExampleNewSummaryVec() {
	sizes := telltale.Must(telltale.NewSummaryVec("message_size", "Size of messages.", []string{"topic"},
		telltale.Unregistered(), telltale.WithUnit("bytes")))
	sizes.With("orders").Observe(20)
	sizes.With("orders").Observe(40)
	sizes.With("mails").Observe(1000)
	printPage(sizes)
	// Output:
	// # HELP message_size_bytes Size of messages.
	// # TYPE message_size_bytes summary
	// message_size_bytes_count{topic="orders"} 2.0
	// message_size_bytes_sum{topic="orders"} 60.0
	// message_size_bytes_count{topic="mails"} 1.0
	// message_size_bytes_sum{topic="mails"} 1000.0
}

// The labels are the fields of a struct, which the compiler checks.
func ExampleNewSummaryOf() {
	type query struct {
		Table string
		Index bool
	}
	rows := telltale.Must(telltale.NewSummaryOf[query]("query_rows", "Rows read by a query.", telltale.Unregistered()))
	rows.With(query{Table: "orders", Index: true}).Observe(3)
	printPage(rows)
	// Output:
	// # HELP query_rows Rows read by a query.
	// # TYPE query_rows summary
	// query_rows_count{table="orders",index="true"} 1.0
	// query_rows_sum{table="orders",index="true"} 3.0
}

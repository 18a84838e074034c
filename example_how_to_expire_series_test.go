package telltale_test

import (
	"fmt"
	"time"

	"telltale"
)

// A session's series leaves the page and memory once it was not updated for long. The
// session that goes on after all brings it back through its handle.
func ExampleWithIdleExpiry() {
	const long = 5 * time.Millisecond // minutes, in a service
	reg := telltale.NewRegistry()
	queries := telltale.Must(telltale.NewCounterVec("queries", "Queries by session.", []string{"session"},
		telltale.In(reg), telltale.WithIdleExpiry(long)))
	ann := queries.With("ann")
	ann.Add(3)
	printPage(reg)
	time.Sleep(long)
	printPage(reg)
	ann.Inc()
	printPage(reg)
	fmt.Println(queries.Len(), "series")
	// Output:
	// # HELP queries_total Queries by session.
	// # TYPE queries_total counter
	// queries_total{session="ann"} 3.0
	// # HELP queries_total Queries by session.
	// # TYPE queries_total counter
	// # HELP queries_total Queries by session.
	// # TYPE queries_total counter
	// queries_total{session="ann"} 1.0
	// 1 series
}

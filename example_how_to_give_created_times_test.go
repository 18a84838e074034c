package telltale_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"telltale"
	"telltale/exposition/openmetrics"
)

// A proxy has counted since before this program began to ask it.
func ExampleWithCreated() {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	reg := telltale.NewRegistry()
	requests := telltale.Must(telltale.NewCounter("proxy_requests", "Requests of the proxy.", telltale.In(reg), telltale.WithCreated(began)))
	requests.Add(4200)

	page := openmetrics.NewEncoder(os.Stdout, openmetrics.WithCreated())
	for f, err := range reg.Families(context.Background()) {
		if err == nil {
			err = page.Encode(f)
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	if err := page.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # HELP proxy_requests Requests of the proxy.
	// # TYPE proxy_requests counter
	// proxy_requests_total 4200.0
	// proxy_requests_created 1.7723664e+09
	// # EOF
}

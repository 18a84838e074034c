package scrapehttp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"telltale"
	"telltale/scrapehttp"
)

// How do I serve metrics from a program that has no server yet? One call serves
// them until a context is done; in a real program the address is ":9464" or the
// like, and the context one of signal.NotifyContext.
func ExampleServe() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("jobs", "Jobs done.", telltale.In(reg))).Add(3)

	ctx, cancel := context.WithCancel(context.Background())
	listening := func(addr net.Addr) {
		go func() {
			defer cancel() // the program has nothing else to do
			response, err := http.Get("http://" + addr.String() + "/metrics")
			if err != nil {
				log.Print(err)
				return
			}
			defer func() { _ = response.Body.Close() }()
			page, _ := io.ReadAll(response.Body)
			fmt.Printf("%s", page)
		}()
	}
	if err := scrapehttp.Serve(ctx, "127.0.0.1:0", reg, scrapehttp.WithListening(listening)); err != nil {
		log.Print(err)
	}
	// Output:
	// # HELP jobs_total Jobs done.
	// # TYPE jobs_total counter
	// jobs_total 3.0
}

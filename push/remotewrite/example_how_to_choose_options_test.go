package remotewrite_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"telltale"
	"telltale/push/remotewrite"
)

// taker returns a receiver that takes all samples, and prints headers of what it is sent.
func taker(headers ...string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range headers {
			fmt.Printf("%s: %s\n", name, r.Header.Get(name))
		}
		w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", "1000000")
	}))
}

// A receiver of several tenants wants to know whose samples they are, and who sends them.
// The value of a header is in no error and no log.
func ExampleWithHeader() {
	server := taker("X-Scope-OrgID", "Authorization")
	defer server.Close()
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("orders_total", "Orders.", telltale.In(reg))).Add(3)

	target, err := remotewrite.NewTarget(server.URL,
		remotewrite.WithHeader("X-Scope-OrgID", "shop"),
		remotewrite.WithBearerToken("t0ken"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(target.Push(context.Background(), reg))
	// Output:
	// X-Scope-OrgID: shop
	// Authorization: Bearer t0ken
	// <nil>
}

// A receiver that is known to speak version 1.0 is not asked for 2.0.
func ExampleWithVersion() {
	server := taker("X-Prometheus-Remote-Write-Version")
	defer server.Close()
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("orders_total", "Orders.", telltale.In(reg))).Add(3)

	target, err := remotewrite.NewTarget(server.URL, remotewrite.WithVersion(remotewrite.Version1))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(target.Push(context.Background(), reg))
	// Output:
	// X-Prometheus-Remote-Write-Version: 0.1.0
	// <nil>
}

// A program with many series and a receiver that is often away keeps more in memory,
// collects less often, and hears of failures itself. Health says how the sender does.
func ExampleHealth() {
	server := taker()
	defer server.Close()
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("orders_total", "Orders.", telltale.In(reg))).Add(3)

	sender, err := remotewrite.NewSender(reg, server.URL,
		remotewrite.WithLabels(map[string]string{"job": "shop", "instance": "shop-7"}),
		remotewrite.WithInterval(time.Minute),
		remotewrite.WithTimeout(10*time.Second),
		remotewrite.WithShards(8),
		remotewrite.WithQueueBytes(256<<20),
		remotewrite.WithRetry(time.Second, time.Minute),
		remotewrite.WithoutLastMarkers(),
		remotewrite.WithErrorHook(func(err error) { fmt.Println(err) }))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // as at the end of main
	fmt.Println(sender.Run(ctx))

	health := telltale.NewRegistry()
	if err := health.Register(remotewrite.Health(sender)); err != nil {
		fmt.Println(err)
		return
	}
	for _, result := range []string{"delivered", "refused", "dropped"} {
		n, _ := health.SampleValue("telltale_remote_write_samples_total", map[string]string{"target": server.URL, "result": result})
		fmt.Println(result, n)
	}
	// Output:
	// <nil>
	// delivered 1
	// refused 0
	// dropped 0
}

package otlp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"telltale"
	"telltale/push/otlp"
)

// taker returns a receiver that takes all data points, and prints headers of what it is
// sent.
func taker(headers ...string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for _, name := range headers {
			fmt.Printf("%s: %q\n", name, r.Header.Get(name))
		}
	}))
}

// A backend wants a key of its own, and takes no compression. The value of a header is in
// no error and no log.
func ExampleWithHeader() {
	server := taker("Api-Key", "Content-Encoding")
	defer server.Close()
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("orders_total", "Orders.", telltale.In(reg))).Add(3)

	target, err := otlp.NewTarget(server.URL,
		otlp.WithHeader("Api-Key", "k3y"),
		otlp.WithoutGzip())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(target.Push(context.Background(), reg))
	// Output:
	// Api-Key: "k3y"
	// Content-Encoding: ""
	// <nil>
}

// What has more data points than a receiver takes in one request goes into several.
func ExampleWithMaxBytes() {
	server := taker("Content-Type")
	defer server.Close()
	reg := telltale.NewRegistry()
	orders := telltale.Must(telltale.NewCounterVec("orders_total", "Orders.", []string{"shop"}, telltale.In(reg)))
	for _, shop := range []string{"a", "b"} {
		orders.With(shop).Inc()
	}
	target, err := otlp.NewTarget(server.URL, otlp.WithMaxBytes(1)) // a data point each
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(target.Push(context.Background(), reg))
	// Output:
	// Content-Type: "application/x-protobuf"
	// Content-Type: "application/x-protobuf"
	// <nil>
}

// A program whose receiver is often away keeps more in memory, collects less often, and
// hears of failures itself. Health says how the sender does.
func ExampleHealth() {
	server := taker()
	defer server.Close()
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("orders_total", "Orders.", telltale.In(reg))).Add(3)

	sender, err := otlp.NewSender(reg, server.URL,
		otlp.WithResource(map[string]string{"service.name": "shop", "service.instance.id": "shop-7"}),
		otlp.WithInterval(time.Minute),
		otlp.WithTimeout(5*time.Second),
		otlp.WithQueueBytes(256<<20),
		otlp.WithRetry(time.Second, time.Minute),
		otlp.WithErrorHook(func(err error) { fmt.Println(err) }))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // as at the end of main
	fmt.Println(sender.Run(ctx))

	health := telltale.NewRegistry()
	if err := health.Register(otlp.Health(sender)); err != nil {
		fmt.Println(err)
		return
	}
	for _, result := range []string{"delivered", "refused", "dropped"} {
		n, _ := health.SampleValue("telltale_otlp_points_total", map[string]string{"target": server.URL + "/v1/metrics", "result": result})
		fmt.Println(result, n)
	}
	// Output:
	// <nil>
	// delivered 1
	// refused 0
	// dropped 0
}

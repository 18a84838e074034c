package otlp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"telltale"
	"telltale/push/otlp"
)

// A program sends its metrics for as long as it runs, and a last time at its end.
func ExampleSender_Run() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("orders_total", "Orders.", telltale.In(reg))).Add(3)

	sender, err := otlp.NewSender(reg, "http://localhost:1",
		otlp.WithResource(map[string]string{"service.name": "shop"}),
		otlp.WithFlushTimeout(100*time.Millisecond),
		otlp.WithErrorHook(func(error) {}))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // as at the end of main
	fmt.Println(sender.Run(ctx))
	// Output:
	// push/otlp: 1 points could not be sent to http://localhost:1/v1/metrics in 100ms
}

// A job sends what it did once, at its end. A receiver may take a part alone, and say why.
func ExampleTarget_Push() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path, r.Header.Get("Content-Type"))
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(partial(1, "no more series"))
	}))
	defer server.Close()
	reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"service.name": "backup"}))
	telltale.Must(telltale.NewGauge("backup_last_success_timestamp_seconds", "When.", telltale.In(reg))).Set(1764410000)

	target, err := otlp.NewTarget(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var part *otlp.PartialError
	if err := target.Push(ctx, reg); errors.As(err, &part) {
		fmt.Println(part)
	}
	// Output:
	// POST /v1/metrics application/x-protobuf
	// the receiver has rejected 1 of 1 data points: "no more series"
}

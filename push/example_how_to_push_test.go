package push_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"telltale"
	"telltale/push"
)

// A batch job sends what it did to a Pushgateway, once, at its end.
func ExampleGateway_Push() {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %s\n%s", r.Method, r.URL.Path, body)
	}))
	defer server.Close()

	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("backup_last_success_timestamp_seconds", "When.", telltale.In(reg))).Set(1764410000)

	gateway, err := push.NewGateway(server.URL, "backup", push.WithGrouping("instance", "db1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := gateway.Push(ctx, reg); err != nil {
		fmt.Println(err)
	}
	// Output:
	// PUT /metrics/job/backup/instance/db1
	// # HELP backup_last_success_timestamp_seconds When.
	// # TYPE backup_last_success_timestamp_seconds gauge
	// backup_last_success_timestamp_seconds 1.76441e+09
}

// A program that runs on pushes to several targets, and a last time at its end.
func ExampleEvery() {
	dir, err := os.MkdirTemp("", "push")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	reg := telltale.NewRegistry()
	orders := telltale.Must(telltale.NewCounter("orders_total", "Orders.", telltale.In(reg)))

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	file := filepath.Join(dir, "shop.prom")
	go func() { ended <- push.Every(ctx, time.Minute, reg, push.NewTextfile(file)) }()

	orders.Add(3)
	cancel() // as at the end of main
	fmt.Println(<-ended)
	text, _ := os.ReadFile(file)
	fmt.Print(string(text))
	// Output:
	// <nil>
	// # HELP orders_total Orders.
	// # TYPE orders_total counter
	// orders_total 3.0
}

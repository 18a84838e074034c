// Command service takes orders by HTTP, keeps them in SQLite and prices them in the
// background by the rates of another service. It shows what a program of that kind
// measures, and where:
//
//	service -listen 127.0.0.1:8080 -db orders.db -rates http://127.0.0.1:8081/rates
//	curl -d '{"item": "lamp", "cents": 1999, "currency": "EUR"}' http://127.0.0.1:8080/orders
//	curl http://127.0.0.1:8080/orders/1
//	curl http://127.0.0.1:8080/metrics
//
// Requests of its routes and of its client are counted by telltale/httpmetrics; the
// connections of the database, log records and the version by telltale/collectors;
// orders and jobs by instruments of its own (metrics.go).
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"telltale"
	"telltale/collectors"
	"telltale/scrapehttp"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to listen on")
	file := flag.String("db", "orders.db", "file of the database")
	rates := flag.String("rates", "http://127.0.0.1:8081/rates", "URL of the service that knows rates of currencies")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	if err := run(ctx, telltale.Default, listener, *file, *rates); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx is done.
func run(ctx context.Context, reg *telltale.Registry, listener net.Listener, file, rates string) error {
	handler, _, err := collectors.NewLogCounter(slog.NewJSONHandler(os.Stderr, nil), telltale.In(reg))
	if err != nil {
		return err
	}
	version, err := collectors.NewVersion("shop")
	if err != nil {
		return err
	}
	if err := errors.Join(collectors.Register(reg), reg.Register(version)); err != nil {
		return err
	}
	s, err := newService(reg, slog.New(handler), file, rates)
	if err != nil {
		return err
	}
	defer s.close()

	mux := http.NewServeMux()
	mux.Handle("/", s)
	mux.Handle("/metrics", scrapehttp.Handler(reg))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	s.log.Info("serving", "address", listener.Addr().String())
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return server.Shutdown(grace)
	}
}

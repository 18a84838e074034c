package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"telltale"
	"telltale/scrapehttp"
)

// A current Prometheus scrapes a page at a Unix socket, by the label that names it.
func TestPrometheus3ScrapesUnixSocket(t *testing.T) {
	program := requirePrometheus3(t)
	directory, err := os.MkdirTemp("", "s") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	socket := filepath.Join(directory, "metrics.sock")
	registry := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("requests", "Requests.", telltale.In(registry))).Add(7)
	ctx, stop := context.WithCancel(context.Background())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- scrapehttp.Serve(ctx, "unix:"+socket, registry, scrapehttp.WithListening(func(at net.Addr) { listening <- at }))
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-listening:
	case err := <-ended:
		ended <- err
		t.Fatal("it does not listen")
	}
	p := runPrometheus(t, program, fmt.Sprintf(`global: {scrape_interval: 5s, scrape_timeout: 5s}
scrape_configs:
  - job_name: socket
    static_configs:
      - targets: [shop]
        labels: {__unix_socket__: %q}
`, socket))
	p.await(t, "to scrape the socket", func(ctx context.Context) bool {
		v, ok := p.number(ctx, `requests_total{job="socket",instance="shop"}`)
		return ok && v == 7
	})
	if complaints := p.complaints(); len(complaints) > 0 {
		t.Errorf("Prometheus complains: %q", complaints)
	}
}

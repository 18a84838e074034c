package grpcmetrics_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	middleware "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"

	"telltale/grpcmetrics"
	"telltale/scrapehttp"
)

// samples returns the lines of a text page that mean the same here and there: not the
// times, the sums of them and what only one side has.
func samples(t *testing.T, h http.Handler) []string {
	t.Helper()
	rec := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/metrics", nil)
	req.Header.Set("Accept", "text/plain;version=0.0.4")
	h.ServeHTTP(rec, req)
	var all []string
	for lines := bufio.NewScanner(rec.Body); lines.Scan(); {
		line := lines.Text()
		if strings.Contains(line, "_in_flight_") || strings.Contains(line, "_panics") || strings.Contains(line, "_sum{") {
			continue
		}
		if strings.Contains(line, "_bucket{") {
			line, _, _ = strings.Cut(line, "} ") // the buckets are the same, the times are not
			line = strings.ReplaceAll(line, `.0"`, `"`)
		} else if !strings.HasPrefix(line, "#") {
			line = strings.TrimSuffix(line, ".0")
		}
		if name, labels, ok := strings.Cut(line, "{"); ok {
			parts := strings.Split(strings.TrimSuffix(labels, "}"), ",")
			value := ""
			if last := len(parts) - 1; strings.Contains(parts[last], "} ") {
				parts[last], value, _ = strings.Cut(parts[last], "} ")
			}
			slices.Sort(parts)
			line = name + "{" + strings.Join(parts, ",") + "} " + value
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

// With the option, the pages are those of go-grpc-middleware for the same calls, but
// for client streams with one answer, whose end it does not see.
func TestMiddlewareNames(t *testing.T) {
	served, called := prometheus.NewRegistry(), prometheus.NewRegistry()
	server := middleware.NewServerMetrics(middleware.WithServerHandlingTimeHistogram())
	client := middleware.NewClientMetrics(middleware.WithClientHandlingTimeHistogram())
	served.MustRegister(server)
	called.MustRegister(client)
	s := start(t, []grpcmetrics.Option{grpcmetrics.WithMiddlewareNames()},
		[]grpc.ServerOption{grpc.ChainUnaryInterceptor(server.UnaryServerInterceptor()), grpc.ChainStreamInterceptor(server.StreamServerInterceptor())},
		grpc.WithChainUnaryInterceptor(client.UnaryClientInterceptor()), grpc.WithChainStreamInterceptor(client.StreamClientInterceptor()))
	server.InitializeMetrics(s.server)
	for _, what := range []string{"ok", "missing", "plain"} {
		s.get(context.Background(), what)
		s.stream(t, context.Background(), "List", what)
		s.stream(t, context.Background(), "Chat", "a", what)
	}
	s.idle(t)
	for side, c := range map[string]struct{ ours, theirs http.Handler }{
		"server": {scrapehttp.Handler(s.served), promhttp.HandlerFor(served, promhttp.HandlerOpts{})},
		"client": {scrapehttp.Handler(s.called), promhttp.HandlerFor(called, promhttp.HandlerOpts{})},
	} {
		got, want := samples(t, c.ours), samples(t, c.theirs)
		if len(want) < 40 {
			t.Errorf("the %s's page to compare with has only %d lines", side, len(want))
		}
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("%s: %s is not there", side, line)
			}
		}
		for _, line := range got {
			if !slices.Contains(want, line) {
				t.Errorf("%s: %s is there", side, line)
			}
		}
	}
}

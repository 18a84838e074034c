package remotewrite_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"telltale/push/remotewrite"
)

// Each shard keeps a connection between collections, also with certificates, and none is
// left open when Run has returned.
func TestConnectionsAreKept(t *testing.T) {
	const shards, wanted = 8, 400
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			var opened, open, requests atomic.Int64
			enough := make(chan struct{})
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", "1000000")
				if requests.Add(1) == wanted {
					close(enough)
				}
			}))
			server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				switch s {
				case http.StateNew:
					opened.Add(1)
					open.Add(1)
				case http.StateClosed:
					open.Add(-1)
				}
			}
			opts := []remotewrite.Option{remotewrite.WithShards(shards), remotewrite.WithInterval(time.Millisecond)}
			if secure {
				server.StartTLS()
				pool := x509.NewCertPool()
				pool.AddCert(server.Certificate())
				opts = append(opts, remotewrite.WithTLS(&tls.Config{RootCAs: pool}))
			} else {
				server.Start()
			}
			defer server.Close()
			s, err := remotewrite.NewSender(many(1000), server.URL, opts...)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			go func() {
				select {
				case <-enough:
				case <-ctx.Done():
				}
				cancel()
			}()
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
			if n := requests.Load(); n < wanted || opened.Load() > wanted/10 {
				t.Errorf("%d connections for %d requests", opened.Load(), n)
			}
			for deadline := time.Now().Add(patience); open.Load() > 0; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d connections are left open", open.Load())
				}
			}
		})
	}
}

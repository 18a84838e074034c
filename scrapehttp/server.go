package scrapehttp

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"telltale"
)

// Limits of a server for which there are no options. Requests to it are short
// and have no body. The read timeout is for requests that net/http answers
// itself; it does not bound scrapes, because it ends when a request is read.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	idleTimeout       = 2 * time.Minute // longer than the usual scrape interval of one
	maxHeaderBytes    = 128 << 10
)

// landingPage returns the page at /, which links to the metrics and to mounts.
func landingPage(mounts []mount) string {
	var links strings.Builder
	for _, m := range mounts {
		path := m.pattern[strings.LastIndexByte(m.pattern, ' ')+1:] // behind the method
		if strings.HasPrefix(path, "/") && strings.HasSuffix(path, "/") && path != "/" && !strings.Contains(path, "{") {
			path = html.EscapeString(path[1:])
			fmt.Fprintf(&links, "<p><a href=\"%s\">%s</a></p>", path, strings.TrimSuffix(path, "/"))
		}
	}
	return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Metrics</title></head>
<body><p><a href="metrics">Metrics</a></p>` + links.String() + `</body></html>
`
}

// NewServer returns an [http.Server], not yet started, with the metrics of c at
// /metrics, "OK" at /-/healthy without collecting, and a page that links to the metrics
// at /, and to what [WithMount] adds. Its fields may be changed before it is started,
// for example TLSConfig, or Handler to wrap it. NewServer panics if c is nil.
func NewServer(addr string, c telltale.Collector, opts ...ServerOption) *http.Server {
	return newServer(addr, c, serverSettingsOf(opts))
}

func serverSettingsOf(opts []ServerOption) serverSettings {
	s := serverSettings{
		settings: defaults(), listen: listenSettings{socketMode: DefaultSocketMode},
		maxConnections: DefaultMaxConnections, grace: DefaultGrace,
	}
	for _, o := range opts {
		o.applyServer(&s)
	}
	return s
}

func newServer(addr string, c telltale.Collector, s serverSettings) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("/metrics", newHandler(c, s.settings))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "OK")
	})
	taken := false
	for _, m := range s.mounts {
		mux.Handle(m.pattern, m.handler)
		taken = taken || m.pattern == "/{$}" || m.pattern == "GET /{$}"
	}
	if !taken {
		landing := landingPage(s.mounts)
		mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, landing)
		})
	}
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	server := &http.Server{
		Addr:              addr,
		Handler:           bodiless{answerPings(mux), s.bodyTimeout},
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      max(s.writeTimeout, 0),
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,

		DisableGeneralOptionsHandler: true, // it waits for a body
	}
	open := newConnections(s.maxConnections)
	server.ConnState = open.note
	server.RegisterOnShutdown(open.shutDown)
	if s.listening != nil {
		server.BaseContext = func(l net.Listener) context.Context {
			if err := call(s.listening, l.Addr()); err != nil {
				_ = call(s.hook, err)
			}
			return context.Background()
		}
	}
	return server
}

// answerPings answers "OPTIONS *", which is for the server as a whole.
func answerPings(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions && r.RequestURI == "*" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

var errGoexit = errors.New("a hook has ended the server's goroutine by runtime.Goexit")

// Serve runs the server of [NewServer] on the TCP address, or on the Unix socket of an
// address such as "unix:/run/shop/metrics.sock" (see [Listen]), until ctx is done.
// Then it accepts no more requests, lets the scrapes in progress finish (see
// [WithGrace]) and returns nil, or an error if some had to be cut off. It
// returns an error at once if it cannot listen.
func Serve(ctx context.Context, addr string, c telltale.Collector, opts ...ServerOption) error {
	s := serverSettingsOf(opts)
	server := newServer(addr, c, s)
	listener, err := listen(ctx, addr, s.listen)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		err := errGoexit
		defer func() { ended <- err }()
		err = server.Serve(listener)
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("scrapehttp: serving on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	if err = server.Shutdown(patience); err != nil {
		err = fmt.Errorf("scrapehttp: requests were cut off at the end: %w", err)
		_ = server.Close()
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

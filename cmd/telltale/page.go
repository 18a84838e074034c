package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"telltale"
	"telltale/live"
	"telltale/scrapehttp"
)

// page is the metrics page of a verb while it is served.
type page struct {
	at     []net.Addr
	web    webConfig
	server *http.Server
	ended  chan struct{}
	err    error // once ended
}

// startPage serves the metrics at the listeners until stop is called. It calls tell
// with errors of connections and of the web configuration.
func startPage(listeners []net.Listener, web webConfig, tell func(error), c telltale.Collector, opts ...scrapehttp.ServerOption) *page {
	p := &page{web: web, ended: make(chan struct{}), server: scrapehttp.NewServer("", c, opts...)}
	for _, l := range listeners {
		p.at = append(p.at, l.Addr())
	}
	go func() {
		defer close(p.ended)
		if err := web.serve(joinListeners(listeners), p.server, tell); !errors.Is(err, http.ErrServerClosed) {
			p.err = fmt.Errorf("serving the metrics on %s: %w", p.at[0], err)
		}
	}()
	return p
}

// urls are the addresses of the page.
func (p *page) urls() (all []string) {
	for _, at := range p.at {
		if at.Network() == "unix" {
			all = append(all, unixPrefix+printable(at.String()))
			continue
		}
		all = append(all, p.web.scheme()+"://"+reachable(at)+"/metrics")
	}
	return all
}

// url is the first of them.
func (p *page) url() string { return p.urls()[0] }

// livePath is where verbs mount the page of package live.
const livePath = "/live/"

// mountLive mounts the page that draws the metrics.
func mountLive(c telltale.Collector, opts ...live.Option) scrapehttp.ServerOption {
	return scrapehttp.WithMount(livePath, live.Handler(c, opts...))
}

// liveURL returns the address of that page beside the metrics at url.
func liveURL(url string) string { return strings.TrimSuffix(url, "/metrics") + livePath }

// stop lets the scrapes in progress finish. It returns why the page ended
// before, if it did, or that some had to be cut off.
func (p *page) stop() error {
	patience, cancel := context.WithTimeout(context.Background(), scrapehttp.DefaultGrace)
	defer cancel()
	err := p.server.Shutdown(patience)
	if err != nil {
		err = fmt.Errorf("requests were cut off at the end: %w", err)
		_ = p.server.Close()
	}
	<-p.ended
	return errors.Join(p.err, err)
}

// reachable returns an address by which to reach a listener on addr, which may
// be all interfaces.
func reachable(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	return addr.String()
}

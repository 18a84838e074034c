package main

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"telltale"
	"telltale/scrapehttp"
)

// page is the metrics page of a verb while it is served.
type page struct {
	addr  net.Addr
	end   context.CancelFunc
	ended chan struct{}
	err   error // once ended
}

// startPage serves the metrics until stop is called; that ctx is done does not
// end it, so that the last numbers can be scraped.
func startPage(ctx context.Context, addr address, c telltale.Collector, opts ...scrapehttp.ServerOption) (*page, error) {
	p := &page{ended: make(chan struct{})}
	ctx, p.end = context.WithCancel(context.WithoutCancel(ctx))
	listening := make(chan net.Addr, 1)
	opts = append(opts[:len(opts):len(opts)], scrapehttp.WithListening(func(a net.Addr) { listening <- a }))
	go func() {
		defer close(p.ended)
		p.err = scrapehttp.Serve(ctx, string(addr), c, opts...)
	}()
	select {
	case p.addr = <-listening:
		return p, nil
	case <-p.ended:
		p.end()
		return nil, fmt.Errorf("cannot serve the metrics: %w", p.err)
	}
}

// url is the address of the page.
func (p *page) url() string { return "http://" + reachable(p.addr) + "/metrics" }

// stop lets the scrapes in progress finish. It returns why the page ended
// before, if it did.
func (p *page) stop() error {
	p.end()
	<-p.ended
	return p.err
}

// reachable returns an address by which to reach a listener on addr, which may
// be all interfaces.
func reachable(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	return addr.String()
}

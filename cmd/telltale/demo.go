package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"telltale"
	"telltale/cmd/telltale/internal/shop"
	"telltale/collectors"
	"telltale/scrapehttp"
)

// demo is the verb that shows the library in a running program: a shop with
// instruments, its customers, and its metrics.
type demo struct {
	Listen  address     `help:"Serve the metrics on this address (${default})." default:"127.0.0.1:9464" placeholder:"ADDR"`
	For     span        `help:"End after this time, such as 10s; without it on Ctrl-C." placeholder:"DURATION"`
	Workers workerCount `help:"Run the shop in N processes, all on that address, with one page of metrics." placeholder:"N"`
	steered
}

// The load is small enough for any machine, and large enough to see the numbers
// move.
const (
	requestsPerSecond = 50
	customersAtOnce   = 16
	mostWorkers       = 64
)

// workerCount is a number of worker processes, 0 for none but the first.
type workerCount int

// UnmarshalText is called by kong.
func (c *workerCount) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 || n > mostWorkers {
		return fmt.Errorf("%q is not a number from 0 to %d", text, mostWorkers)
	}
	*c = workerCount(n)
	return nil
}

// Run runs the shop until ctx is done or the time is over.
func (d *demo) Run(ctx context.Context, out output, diag diagnostics) error {
	if d.Workers > 0 {
		return d.runCrew(ctx, out, diag)
	}
	reg := telltale.NewRegistry()
	s := shop.New(reg)
	if err := collectors.Register(reg); err != nil {
		return err
	}
	watching, forget := context.WithCancel(context.WithoutCancel(ctx)) // as long as the page is served
	defer forget()
	shown, err := d.page(watching, reg, diag.warn)
	if err != nil {
		return err
	}
	listener, err := scrapehttp.Listen(ctx, string(d.Listen))
	if err != nil {
		return fmt.Errorf("cannot serve the metrics: %w", err)
	}
	page := startPage([]net.Listener{listener}, webConfig{}, nil, shown, mountLive(shown))
	closeShop, err := s.Open(context.WithoutCancel(ctx))
	if err != nil {
		return errors.Join(err, page.stop())
	}
	_, _ = fmt.Fprint(out, guide(page.url(), s.URL(), time.Duration(d.For)))

	ctx, cancel := d.opening(ctx)
	defer cancel()
	go func() { // without its page the demo is pointless
		<-page.ended
		cancel()
	}()
	tally := visit(ctx, s.URL())
	if err := errors.Join(closeShop(), page.stop()); err != nil {
		return err
	}
	counted, err := shop.RequestsCounted(context.WithoutCancel(ctx), reg)
	if err != nil {
		return err
	}
	return report(out, tally, counted, 0)
}

// opening returns a context that lasts as long as the shop is open.
func (d *demo) opening(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.For > 0 {
		return context.WithTimeout(ctx, time.Duration(d.For))
	}
	return context.WithCancel(ctx)
}

// visit sends customers until ctx is done.
func visit(ctx context.Context, url string) shop.Tally {
	return shop.Customers{URL: url, PerSecond: requestsPerSecond, AtOnce: customersAtOnce}.Visit(ctx)
}

// guide returns text that names the addresses to look at.
func guide(url, shopURL string, lasts time.Duration) string {
	return fmt.Sprintf(`A shop at %[1]s has %[2]d customers a second. Its metrics are at
  %[3]s
and drawn, in a browser, at
  %[5]s

Look at
  shop_http_requests_total            requests by method, route and status, counted by a typed struct
  shop_http_request_duration_seconds  how long they took, with trace ids as exemplars
  shop_queue_orders, shop_state       orders waiting to be packed, and whether the shop keeps up
  go_goroutines, process_open_fds     the process; telltale_scrapes_total: the registry itself
Try
  curl '%[3]s'
  curl -g '%[3]s?name[]=shop_http_requests_total&name[]=shop_queue_orders'
  curl -sH 'Accept: application/openmetrics-text' '%[3]s' | grep trace_id

%[4]s
`, shopURL, requestsPerSecond, url, ending(lasts), liveURL(url))
}

func ending(lasts time.Duration) string {
	if lasts > 0 {
		return fmt.Sprintf("It ends after %v, or on Ctrl-C.", lasts)
	}
	return "It ends on Ctrl-C."
}

// report compares what the customers saw with the metrics. A difference is a
// mistake of the library, except for requests in processes that were killed,
// whose outcome is not known.
func report(out io.Writer, tally shop.Tally, counted float64, killed int) error {
	answered := "answered"
	if tally.Failed > 0 {
		answered = fmt.Sprintf("%d of them not answered", tally.Failed)
	}
	_, _ = fmt.Fprintf(out, "%d requests were made and %s; shop_http_requests_total says %.0f.\n", tally.Answered+tally.Failed, answered, counted)
	switch {
	case tally.Failed > 0 && killed == 0:
		return fmt.Errorf("%d requests were not answered, the last because of: %w", tally.Failed, tally.LastError)
	case counted < float64(tally.Answered) || counted > float64(tally.Answered+tally.Failed):
		return errors.New("the metrics differ from what the customers saw")
	}
	return nil
}

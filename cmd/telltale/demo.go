package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"telltale"
	"telltale/cmd/telltale/internal/shop"
	"telltale/collectors"
)

// demo is the verb that shows the library at work: a shop with instruments, its
// customers, and its metrics.
type demo struct {
	Listen address       `help:"Serve the metrics on this address (${default})." default:"127.0.0.1:9464" placeholder:"ADDR"`
	For    time.Duration `help:"End after this time, such as 10s; without it on Ctrl-C." placeholder:"DURATION"`
}

// The load is small enough for any machine, and large enough to see the numbers
// move.
const (
	requestsPerSecond = 50
	customersAtOnce   = 16
)

// Validate is called by kong when it has parsed the flags.
func (d *demo) Validate() error {
	if d.For < 0 {
		return fmt.Errorf("--for: %v is negative", d.For)
	}
	return nil
}

// Run runs the shop until ctx is done or the time is over.
func (d *demo) Run(ctx context.Context, out output) error {
	reg := telltale.NewRegistry()
	s := shop.New(reg)
	if err := errors.Join(collectors.Register(reg), reg.Register(reg.Health())); err != nil {
		return err
	}
	page, err := startPage(ctx, d.Listen, reg)
	if err != nil {
		return err
	}
	closeShop, err := s.Open(context.WithoutCancel(ctx))
	if err != nil {
		return errors.Join(err, page.stop())
	}
	_, _ = fmt.Fprint(out, guide(page.url(), s.URL(), d.For))

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if d.For > 0 {
		ctx, cancel = context.WithTimeout(ctx, d.For)
		defer cancel()
	}
	go func() { // without its page the demo has nothing to show
		<-page.ended
		cancel()
	}()
	customers := shop.Customers{URL: s.URL(), PerSecond: requestsPerSecond, AtOnce: customersAtOnce}
	tally := customers.Visit(ctx)
	if err := errors.Join(closeShop(), page.stop()); err != nil {
		return err
	}
	return report(ctx, out, tally, reg)
}

// guide tells what to look at.
func guide(url, shopURL string, lasts time.Duration) string {
	end := "It ends on Ctrl-C."
	if lasts > 0 {
		end = fmt.Sprintf("It ends after %v, or on Ctrl-C.", lasts)
	}
	return fmt.Sprintf(`A shop at %[1]s has %[2]d customers a second. Its metrics are at
  %[3]s

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
`, shopURL, requestsPerSecond, url, end)
}

// report compares what the customers saw with what the metrics say. The two are
// the same, or the library is wrong.
func report(ctx context.Context, out io.Writer, tally shop.Tally, reg *telltale.Registry) error {
	counted, err := shop.RequestsCounted(context.WithoutCancel(ctx), reg)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "%d requests were made and answered; shop_http_requests_total says %.0f.\n", tally.Answered, counted)
	if tally.Failed > 0 {
		return fmt.Errorf("%d more requests were not answered, the last because of: %w", tally.Failed, tally.LastError)
	}
	if float64(tally.Answered) != counted {
		return errors.New("the metrics do not say what happened")
	}
	return nil
}

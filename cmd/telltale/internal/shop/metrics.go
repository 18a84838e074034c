package shop

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"telltale"
	"telltale/model"
)

// request holds the labels of a request. Its fields are the label names, so that
// a misspelt or forgotten label does not compile.
type request struct {
	Method string
	Route  string // the pattern, never the path: paths are without number
	Code   int
}

// metrics are the shop's instruments. Handles of series that are known from the
// start are kept, others are looked up.
type metrics struct {
	requests   *telltale.CounterOf[request]
	duration   *telltale.HistogramVec
	inProgress *telltale.Gauge
	responses  *telltale.Summary

	orders        *telltale.CounterVec
	orderValue    *telltale.Summary
	lastOrder     *telltale.Gauge
	paymentErrors *telltale.Counter
	stock         *telltale.GaugeVec

	packed  *telltale.CounterVec
	packing *telltale.Histogram
	state   *telltale.Enum
}

// The states of the shop.
const (
	stateOpen   = "open"
	stateBusy   = "busy"
	stateClosed = "closed"
)

// payments are the ways to pay.
var payments = []string{"card", "invoice"}

// newMetrics registers the shop's instruments with reg. Their definitions are
// constants, so that an error is a mistake in this file and panics.
func newMetrics(reg *telltale.Registry, s *Shop) *metrics {
	in, ns := telltale.In(reg), telltale.WithNamespace("shop")
	seconds := telltale.WithUnit("seconds")             // becomes part of the name
	now := telltale.WithGaugeMode(telltale.ModeLiveSum) // for several processes of one shop
	m := &metrics{
		requests: telltale.Must(telltale.NewCounterOf[request]("http_requests", "Requests answered.", in, ns)),
		duration: telltale.Must(telltale.NewHistogramVec("http_request_duration", "How long requests took.", []string{"route"},
			in, ns, seconds, telltale.WithBuckets(.002, .005, .01, .025, .05, .1, .25, .5))),
		inProgress: telltale.Must(telltale.NewGauge("http_requests_in_progress", "Requests being answered.", in, ns, now)),
		responses:  telltale.Must(telltale.NewSummary("http_response_size", "Size of response bodies.", in, ns, telltale.WithUnit("bytes"))),

		orders:     telltale.Must(telltale.NewCounterVec("orders", "Orders taken.", []string{"payment"}, in, ns)),
		orderValue: telltale.Must(telltale.NewSummary("order_value", "What orders were worth.", in, ns, telltale.WithUnit("euros"))),
		lastOrder: telltale.Must(telltale.NewGauge("last_order_timestamp", "When the last order was taken.", in, ns, seconds,
			telltale.WithGaugeMode(telltale.ModeMostRecent))),
		paymentErrors: telltale.Must(telltale.NewCounter("payment_errors", "Payments that failed.", in, ns)),
		stock:         telltale.Must(telltale.NewGaugeVec("stock_items", "Items in stock.", []string{"product"}, in, ns, now)),

		packed: telltale.Must(telltale.NewCounterVec("packed_orders", "Orders packed.", []string{"worker"}, in, ns)),
		packing: telltale.Must(telltale.NewHistogram("packing_duration", "How long packing an order took.",
			in, ns, seconds, telltale.WithBuckets(telltale.Must(telltale.LinearBuckets(.05, .05, 8))...))),
		state: telltale.Must(telltale.NewEnum("state", "Whether the shop keeps up with its orders.",
			[]string{stateClosed, stateOpen, stateBusy}, in, ns)),
	}
	for _, payment := range payments {
		m.orders.With(payment) // creates the series, with the value 0
	}
	// Values kept elsewhere are read at each scrape.
	telltale.Must(telltale.NewGaugeFunc("queue_orders", "Orders waiting to be packed.", nil,
		telltale.SingleValue(func() float64 { return float64(len(s.queue)) }), in, ns))
	telltale.Must(telltale.NewCounterFunc("running", "How long the shop has been running.", nil,
		telltale.SingleValue(func() float64 { return time.Since(s.started).Seconds() }), in, ns, seconds))
	about := telltale.Must(telltale.NewInfo("shop", "About the shop.", in))
	if err := about.Set(map[string]string{"currency": "EUR", "city": "Lisbon"}); err != nil {
		panic(err)
	}
	return m
}

// exemplar returns the labels of an exemplar for a request with that W3C
// traceparent header, or nil if it has none. The header comes from outside and
// is checked.
func exemplar(traceparent string) map[string]string {
	parts := strings.Split(traceparent, "-")
	if len(parts) != 4 || len(parts[1]) != 32 {
		return nil
	}
	if _, err := hex.DecodeString(parts[1]); err != nil {
		return nil
	}
	return map[string]string{"trace_id": parts[1]}
}

// RequestsCounted returns the number of requests that the shop counted, over all
// labels, as a scrape of reg shows it.
func RequestsCounted(ctx context.Context, reg *telltale.Registry) (float64, error) {
	sum := 0.0
	err := reg.Restricted("shop_http_requests_total").Collect(ctx, func(f *model.Family) error {
		for sample := range f.Samples() {
			if sample.Name == "shop_http_requests_total" {
				sum += sample.Value
			}
		}
		return nil
	})
	return sum, err
}

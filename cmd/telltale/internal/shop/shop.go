package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"telltale"
)

// product is something that the shop sells.
type product struct {
	name  string
	euros float64
}

var products = []product{{"teapot", 24.90}, {"kettle", 39}, {"cup", 6.50}, {"saucer", 3.20}, {"spoon", 1.75}}

const (
	stocked     = 40 // items of each product when the shelf is full
	queueLength = 50
	workers     = 3
)

// Shop is the service. Its methods are safe for concurrent use.
type Shop struct {
	metrics *metrics
	queue   chan order
	started time.Time
	url     string

	mu    sync.Mutex
	stock map[string]int
}

// New returns a closed shop with its instruments registered with reg. It panics
// if reg has other instruments with their names.
func New(reg *telltale.Registry) *Shop {
	s := &Shop{queue: make(chan order, queueLength), started: time.Now(), stock: make(map[string]int)}
	s.metrics = newMetrics(reg, s)
	for _, p := range products {
		s.restock(p.name)
	}
	return s
}

// URL returns the shop's address, once it is open.
func (s *Shop) URL() string { return s.url }

// Open serves the shop on a free port of the loopback interface and starts the
// workers. The function that it returns closes the shop once the requests in
// progress are answered; orders that are not packed by then are dropped.
func (s *Shop) Open(ctx context.Context) (closeShop func() error, err error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return s.OpenAt(ctx, listener, s.Handler())
}

// Limits of requests.
const (
	maxHeaderBytes = 64 << 10
	maxOrderBytes  = 64 << 10
)

// OpenAt is [Shop.Open] for an open listener, and for a handler that may add
// routes to the shop's own.
func (s *Shop) OpenAt(ctx context.Context, listener net.Listener, handler http.Handler) (closeShop func() error, err error) {
	s.url = "http://" + listener.Addr().String()
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 30 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	ctx, fire := context.WithCancel(ctx)
	var crew sync.WaitGroup
	for i := range workers {
		crew.Go(func() { s.work(ctx, fmt.Sprintf("worker-%d", i+1)) })
	}
	return func() error {
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
		defer cancel()
		err := server.Shutdown(patience)
		fire()
		crew.Wait()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return errors.Join(err, s.metrics.state.Set(stateClosed))
	}, s.metrics.state.Set(stateOpen)
}

// Handler returns the routes of the shop.
func (s *Shop) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		method, pattern string
		answer          http.HandlerFunc
	}{
		{"GET", "/products", s.listProducts},
		{"GET", "/products/{name}", s.showProduct},
		{"POST", "/orders", s.takeOrder},
		{"GET", "/report", s.report},
	} {
		mux.Handle(route.method+" "+route.pattern, s.measured(route.method, route.pattern, route.answer))
	}
	mux.Handle("/", s.measured("any", "other", http.NotFound))
	return mux
}

// measured counts and times the answers of a route.
func (s *Shop) measured(method, route string, answer http.HandlerFunc) http.Handler {
	duration := s.metrics.duration.With(route)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.metrics.inProgress.TrackInProgress()()
		start := time.Now()
		seen := &response{ResponseWriter: w, code: http.StatusOK}
		answer(seen, r)
		seconds := time.Since(start).Seconds()
		count := s.metrics.requests.With(request{Method: method, Route: route, Code: seen.code})
		s.metrics.responses.Observe(float64(seen.size))
		trace := exemplar(r.Header.Get("Traceparent"))
		if trace == nil {
			count.Inc()
			duration.Observe(seconds)
			return
		}
		// The labels of an exemplar are one label of 32 digits, which is always valid.
		_ = count.AddWithExemplar(1, trace)
		_ = duration.ObserveWithExemplar(seconds, trace)
	})
}

// response records the status that was answered.
type response struct {
	http.ResponseWriter
	code int
	size int
}

func (r *response) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

func (r *response) Write(p []byte) (int, error) {
	n, err := r.ResponseWriter.Write(p)
	r.size += n
	return n, err
}

// Unwrap makes the connection accessible to http.ResponseController.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// take sleeps for a random time between the two.
func take(least, most time.Duration) {
	time.Sleep(least + rand.N(most-least))
}

func (s *Shop) listProducts(w http.ResponseWriter, _ *http.Request) {
	take(time.Millisecond, 4*time.Millisecond)
	for _, p := range products {
		_, _ = fmt.Fprintf(w, "%s: %.2f euros\n", p.name, p.euros)
	}
}

func (s *Shop) showProduct(w http.ResponseWriter, r *http.Request) {
	take(time.Millisecond, 9*time.Millisecond)
	p, ok := find(r.PathValue("name"))
	if !ok {
		http.Error(w, "We do not have that.", http.StatusNotFound)
		return
	}
	_, _ = fmt.Fprintf(w, "%s: %.2f euros\n", p.name, p.euros)
}

func find(name string) (product, bool) {
	for _, p := range products {
		if p.name == name {
			return p, true
		}
	}
	return product{}, false
}

var errDeclined = errors.New("the payment was declined")

func (s *Shop) takeOrder(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxOrderBytes)
	p, ok := find(r.FormValue("product"))
	if !ok {
		http.Error(w, "We do not have that.", http.StatusBadRequest)
		return
	}
	err := s.metrics.paymentErrors.CountErrors(func() error {
		take(5*time.Millisecond, 40*time.Millisecond)
		if rand.IntN(20) == 0 {
			return errDeclined
		}
		return nil
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusPaymentRequired)
		return
	}
	payment := payments[rand.IntN(len(payments))]
	if !s.enqueue(order{product: p.name}) {
		http.Error(w, "We have too many orders.", http.StatusServiceUnavailable)
		return
	}
	s.metrics.orders.With(payment).Inc()
	s.metrics.orderValue.Observe(p.euros)
	s.metrics.lastOrder.SetToCurrentTime()
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, "Thank you.\n")
}

func (s *Shop) report(w http.ResponseWriter, _ *http.Request) {
	take(40*time.Millisecond, 200*time.Millisecond)
	if rand.IntN(10) == 0 {
		http.Error(w, "The bookkeeper is out.", http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(w, "Business is good.\n")
}

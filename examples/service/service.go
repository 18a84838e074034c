package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"telltale"
	"telltale/collectors"
	"telltale/httpmetrics"
)

// service takes, keeps and prices orders. Its routes are those of ServeHTTP.
type service struct {
	metrics *metrics
	log     *slog.Logger
	db      *sql.DB
	client  *http.Client
	rates   string // URL
	handler http.Handler
	queue   chan job
	workers sync.WaitGroup
}

// newService opens the database and starts the workers. All metrics are registered with
// reg. The service must be closed after its last request.
func newService(reg *telltale.Registry, log *slog.Logger, file, rates string) (*service, error) {
	server, err := httpmetrics.NewServer(httpmetrics.In(reg))
	if err != nil {
		return nil, err
	}
	transport, err := httpmetrics.NewTransport(nil, httpmetrics.In(reg))
	if err != nil {
		return nil, err
	}
	db, err := openOrders(file)
	if err != nil {
		return nil, err
	}
	pool, err := collectors.NewSQL("orders", db)
	if err == nil {
		err = reg.Register(pool)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &service{
		metrics: newMetrics(reg), log: log, db: db, rates: rates,
		client: &http.Client{Transport: transport, Timeout: jobTimeout},
		queue:  make(chan job, queueLength),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", s.postOrder)
	mux.HandleFunc("GET /orders/{id}", s.getOrder)
	s.handler = server.Wrap(mux)
	s.startWorkers()
	return s, nil
}

// ServeHTTP serves the routes and counts their requests.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// close finishes the jobs and closes the database.
func (s *service) close() {
	close(s.queue)
	s.workers.Wait()
	if err := s.db.Close(); err != nil {
		s.log.Error("the database", "error", err)
	}
}

const maxOrder = 1 << 16 // bytes

func (s *service) postOrder(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&o); err != nil || o.Item == "" || o.Currency == "" {
		s.answer(w, http.StatusBadRequest, "an order needs an item, cents and a currency")
		return
	}
	id, err := s.add(r.Context(), o)
	if err != nil {
		s.log.Error("an order is not kept", "error", err)
		s.answer(w, http.StatusInternalServerError, "the order is not kept")
		return
	}
	o.ID = id
	s.metrics.orders.With(byCurrency{o.Currency}).Inc()
	select {
	case s.queue <- job{o, time.Now()}:
		s.answer(w, http.StatusAccepted, o)
	default:
		s.log.Warn("the queue is full", "id", id)
		s.answer(w, http.StatusServiceUnavailable, "try again later")
	}
}

func (s *service) getOrder(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		s.answer(w, http.StatusBadRequest, "the number of an order is a number")
		return
	}
	switch o, err := s.find(r.Context(), id); {
	case errors.Is(err, sql.ErrNoRows):
		s.answer(w, http.StatusNotFound, "there is no such order")
	case err != nil:
		s.log.Error("an order is not read", "id", id, "error", err)
		s.answer(w, http.StatusInternalServerError, "the order is not read")
	default:
		s.answer(w, http.StatusOK, o)
	}
}

// answer writes JSON.
func (s *service) answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.Warn("an answer is not written", "error", err)
	}
}

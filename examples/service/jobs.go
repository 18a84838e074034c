package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// job is an order that waits for its price.
type job struct {
	order order
	since time.Time
}

const (
	workers     = 2
	queueLength = 100
	jobTimeout  = 10 * time.Second
)

// startWorkers starts the workers, which end when the queue is closed and empty.
func (s *service) startWorkers() {
	s.metrics.waiting.SetFunc(func() float64 { return float64(len(s.queue)) })
	for range workers {
		s.workers.Go(func() {
			for j := range s.queue {
				s.metrics.age.Observe(time.Since(j.since).Seconds())
				s.work(j)
			}
		})
	}
}

// work prices an order.
func (s *service) work(j job) {
	defer s.metrics.running.TrackInProgress()()
	defer s.metrics.duration.Start().Stop()
	ctx, cancel := context.WithTimeout(context.Background(), jobTimeout)
	defer cancel()
	rate, err := s.rate(ctx, j.order.Currency)
	if err == nil {
		err = s.price(ctx, j.order.ID, float64(j.order.Cents)/100*rate)
	}
	if err != nil {
		s.log.Error("an order has no price", "id", j.order.ID, "error", err)
		s.metrics.jobs.With(byResult{failed}).Inc()
		return
	}
	s.metrics.jobs.With(byResult{priced}).Inc()
}

// rate asks the other service how many euros a unit of a currency is.
func (s *service) rate(ctx context.Context, currency string) (float64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.rates+"?currency="+url.QueryEscape(currency), nil)
	if err != nil {
		return 0, err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the rate of %q: status %d", currency, resp.StatusCode)
	}
	var answer struct {
		Rate float64 `json:"rate"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return answer.Rate, err
}

package push

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"telltale"
	"telltale/model"
)

// record is how pushes to a target went.
type record struct {
	name string // without secrets

	mu        sync.Mutex
	succeeded uint64
	failed    uint64
	last      time.Time     // of the last success
	took      time.Duration // the last push
}

func (r *record) recorded() *record { return r }

// attempt makes a push and notes how it went.
func (r *record) attempt(push func() error) error {
	began := time.Now()
	err := push()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = time.Since(began)
	if err != nil {
		r.failed++
		return err
	}
	r.succeeded++
	r.last = time.Now()
	return nil
}

// health is a collector of records.
type health struct{ records []*record }

// Health returns a collector of how pushes to targets go: telltale_push_total by target
// and result, telltale_push_last_success_timestamp_seconds and
// telltale_push_duration_seconds, how long the last one took. It knows the targets of
// this package; others are left out. A target's label is its address, without a
// password, or its path.
func Health(targets ...Target) telltale.Collector {
	h := &health{}
	seen := make(map[*record]bool)
	for _, t := range targets {
		if known, ok := t.(interface{ recorded() *record }); ok && !seen[known.recorded()] {
			seen[known.recorded()] = true
			h.records = append(h.records, known.recorded())
		}
	}
	return h
}

// families returns builders of the families, empty.
func (h *health) families() (total *model.CounterFamily, last, took *model.GaugeFamily) {
	total, err := model.NewCounterFamily("telltale_push", "Pushes by target and result.", model.WithLabelNames("target", "result"))
	last, err2 := model.NewGaugeFamily("telltale_push_last_success_timestamp_seconds", "When the last push to the target succeeded.", model.WithLabelNames("target"))
	took, err3 := model.NewGaugeFamily("telltale_push_duration_seconds", "How long the last push to the target took.", model.WithLabelNames("target"))
	if err := errors.Join(err, err2, err3); err != nil {
		panic(err) // the names are constant
	}
	return total, last, took
}

// Describe returns the families without series.
func (h *health) Describe() []*model.Family {
	total, last, took := h.families()
	return []*model.Family{total.Family(), last.Family(), took.Family()}
}

// Collect emits the families.
func (h *health) Collect(_ context.Context, emit func(*model.Family) error) error {
	total, last, took := h.families()
	names := make(map[string]int)
	for _, r := range h.records {
		name := r.name
		if names[name]++; names[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, names[name])
		}
		r.mu.Lock()
		succeeded, failed, when, lasted := r.succeeded, r.failed, r.last, r.took
		r.mu.Unlock()
		err := errors.Join(total.Add([]string{name, "success"}, float64(succeeded)), total.Add([]string{name, "failure"}, float64(failed)))
		if !when.IsZero() {
			err = errors.Join(err, last.Add([]string{name}, float64(when.UnixNano())/1e9))
		}
		if succeeded+failed > 0 {
			err = errors.Join(err, took.Add([]string{name}, lasted.Seconds()))
		}
		if err != nil {
			return err
		}
	}
	for _, f := range []*model.Family{total.Family(), last.Family(), took.Family()} {
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

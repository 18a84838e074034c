// A program of prometheus_client (app.py), in Go: the program in docs/from-python.md.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"os"

	"telltale"
	"telltale/auto"
)

func main() {
	if err := write(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func write(w io.Writer) error {
	registry := telltale.NewRegistry()
	m := auto.In(registry)
	requests := m.CounterVec("http_requests", "Requests served.", []string{"method"}, telltale.WithNamespace("shop"))
	queue := m.Gauge("queue_jobs", "Jobs that wait.")
	latency := m.Histogram("latency_seconds", "Time to answer.", // with Python's buckets
		telltale.WithBuckets(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10))
	size := m.Summary("response_size_bytes", "Size of answers.")
	build := m.Info("build", "What runs here.")
	state := m.Enum("task_state", "What the task does.", []string{"starting", "running"})

	requests.With("GET").Inc()
	requests.WithLabels(map[string]string{"method": "POST"}).Add(2)
	queue.Set(12)
	func() {
		defer queue.TrackInProgress()()
		latency.Observe(0.07)
	}()
	size.Observe(512)
	if err := errors.Join(build.Set(map[string]string{"version": "1.4.2", "commit": "4f2a"}), state.Set("running")); err != nil {
		return err
	}

	return telltale.WriteLatest(context.Background(), w, registry)
}

package model_test

import (
	"errors"
	"fmt"
	"math"
	"time"

	"telltale/model"
)

// show prints the samples of a family, or why it could not be built.
func show(f interface{ Family() *model.Family }, errs ...error) {
	if err := errors.Join(errs...); err != nil {
		fmt.Println(err)
		return
	}
	for s := range f.Family().Samples() {
		fmt.Printf("%s%s %v\n", s.Name, s.Labels, s.Value)
	}
}

// A counter of two series, one with the time at which it began.
func ExampleNewCounterFamily() {
	jobs, err := model.NewCounterFamily("jobs", "Jobs done.", model.WithLabelNames("queue"))
	show(jobs, err,
		jobs.Add([]string{"mail"}, 7, model.WithCreated(time.Unix(1700000000, 0))),
		jobs.Add([]string{"print"}, 2))
	// Output:
	// jobs_total{queue="mail"} 7
	// jobs_created{queue="mail"} 1.7e+09
	// jobs_total{queue="print"} 2
}

func ExampleNewGaugeFamily() {
	depth, err := model.NewGaugeFamily("queue_depth", "Jobs that wait.")
	show(depth, err, depth.Add(nil, 12))
	// Output: queue_depth{} 12
}

func ExampleNewSummaryFamily() {
	size, err := model.NewSummaryFamily("size_bytes", "Sizes.")
	show(size, err, size.Add(nil, 3, 600, []model.Quantile{{Q: 0.5, V: 100}, {Q: 0.99, V: 400}}))
	// Output:
	// size_bytes{quantile="0.5"} 100
	// size_bytes{quantile="0.99"} 400
	// size_bytes_count{} 3
	// size_bytes_sum{} 600
}

// Buckets are cumulative: each counts what is at or below its bound.
func ExampleHistogramFamily_Add() {
	took, err := model.NewHistogramFamily("took_seconds", "Time taken.")
	show(took, err, took.Add(nil, []model.Bucket{{Upper: 0.1, Cumulative: 2}, {Upper: 1, Cumulative: 5}, {Upper: math.Inf(1), Cumulative: 6}}, model.WithSum(3.5)))
	// Output:
	// took_seconds_bucket{le="0.1"} 2
	// took_seconds_bucket{le="1.0"} 5
	// took_seconds_bucket{le="+Inf"} 6
	// took_seconds_count{} 6
	// took_seconds_sum{} 3.5
}

// A gauge histogram shows how things are now, such as the ages of the jobs that wait.
func ExampleNewGaugeHistogramFamily() {
	ages, err := model.NewGaugeHistogramFamily("queue_age_seconds", "Ages of jobs that wait.")
	show(ages, err, ages.Add(nil, []model.Bucket{{Upper: 60, Cumulative: 4}, {Upper: math.Inf(1), Cumulative: 5}}))
	// Output:
	// queue_age_seconds_bucket{le="60.0"} 4
	// queue_age_seconds_bucket{le="+Inf"} 5
	// queue_age_seconds_gcount{} 5
}

func ExampleNewInfoFamily() {
	build, err := model.NewInfoFamily("build", "What runs.")
	show(build, err, build.Add(nil, map[string]string{"version": "1.2.3"}))
	// Output: build_info{version="1.2.3"} 1
}

func ExampleNewStateSetFamily() {
	state, err := model.NewStateSetFamily("door", "Whether the door is open.")
	show(state, err, state.Add(nil, map[string]bool{"open": true, "closed": false}))
	// Output:
	// door{door="closed"} 0
	// door{door="open"} 1
}

func ExampleNewUnknownFamily() {
	value, err := model.NewUnknownFamily("legacy", "A value whose type nobody knows.")
	show(value, err, value.Add(nil, 1))
	// Output: legacy{} 1
}

// Cronjob is a job that lives for 50 ms. It ends before a scrape could reach it,
// but its counts stay in a directory and add up with those of all other runs. A
// process that lives longer serves the totals:
//
//	export PROMETHEUS_MULTIPROC_DIR=/dev/shm/jobs
//	mkdir -p $PROMETHEUS_MULTIPROC_DIR
//	go run ../../cmd/telltale serve &
//	go run . -job backup
//	curl http://127.0.0.1:9464/metrics
//
// A run leaves a file of 16 KiB. When there are 64 of them the next run, or the
// server, folds them into one.
package main

import (
	"errors"
	"flag"
	"log"
	"math/rand/v2"
	"time"

	"telltale"
	"telltale/multiprocess"
)

var (
	runs     = telltale.Must(telltale.NewCounterVec("job_runs", "Runs of jobs by result.", []string{"job", "result"}))
	duration = telltale.Must(telltale.NewHistogramVec("job_duration_seconds", "How long jobs took.", []string{"job"}))
	// Of all runs' values the newest is shown.
	lastSuccess = telltale.Must(telltale.NewGaugeVec("job_last_success_timestamp_seconds", "When jobs last succeeded.", []string{"job"},
		telltale.WithGaugeMode(telltale.ModeMostRecent)))
)

func main() {
	job := flag.String("job", "backup", "the name of the job")
	fails := flag.Bool("fail", false, "fail")
	flag.Parse()
	store, err := multiprocess.Open("") // the directory is in PROMETHEUS_MULTIPROC_DIR
	if err != nil {
		log.Fatal(err)
	}
	if err := telltale.Default.UseStore(store); err != nil { // before anything is counted
		log.Fatal(err)
	}
	err = measured(*job, func() error {
		time.Sleep(50*time.Millisecond + rand.N(5*time.Millisecond))
		if *fails {
			return errors.New("the job failed because of -fail")
		}
		return nil
	})
	if err := store.Close(); err != nil {
		log.Print(err)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// measured does a job and counts how it went.
func measured(job string, do func() error) error {
	timer := duration.With(job).Start()
	err := do()
	timer.Stop()
	if err != nil {
		runs.With(job, "failure").Inc()
		return err
	}
	runs.With(job, "success").Inc()
	lastSuccess.With(job).SetToCurrentTime()
	return nil
}

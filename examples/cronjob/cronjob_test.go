//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"telltale/examples/internal/program"
)

// TestRunsAddUp runs the job more often than files are left, and a server beside
// it all along.
func TestRunsAddUp(t *testing.T) {
	dir := t.TempDir()
	job := program.Build(t, ".")
	server := program.Start(t, program.Build(t, filepath.Join("..", "..", "cmd", "telltale")), "serve", "--dir", dir, "--listen", "127.0.0.1:0")
	url := "http://" + server.Says("http://")
	watch := program.Watch(t, url, "job_runs_total", "job_duration_seconds_count", "job_last_success_timestamp_seconds")

	before := time.Now()
	const total, failing = 100, 10
	turns := make(chan int)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range turns {
				cmd := exec.CommandContext(t.Context(), job, "-job", "backup")
				if i%(total/failing) == 0 {
					cmd.Args = append(cmd.Args, "-fail")
				}
				cmd.Env = append(os.Environ(), "PROMETHEUS_MULTIPROC_DIR="+dir)
				out, err := cmd.CombinedOutput()
				if fails := cmd.ProcessState.ExitCode() == 1; fails != (len(cmd.Args) == 4) {
					t.Errorf("%v: %v: %s", cmd, err, out)
				}
			}
		})
	}
	for i := range total {
		turns <- i
	}
	close(turns)
	all.Wait()

	page := program.Get(t, url)
	page.Check(t)
	for _, test := range []struct {
		name, labels string
		want         float64
	}{
		{"job_runs_total", `job="backup",result="success"`, total - failing},
		{"job_runs_total", `job="backup",result="failure"`, failing},
		{"job_duration_seconds_count", `job="backup"`, total},
	} {
		if got := page.Total(test.name, test.labels); got != test.want {
			t.Errorf("%s{%s}: %v, want %v", test.name, test.labels, got, test.want)
		}
	}
	last := page.Total("job_last_success_timestamp_seconds", `job="backup"`)
	if from, to := float64(before.Unix()), float64(time.Now().Unix()+1); last < from || last > to {
		t.Errorf("the last success was at %f, want %f to %f", last, from, to)
	}
	// Runs that found many files have folded them or, if they ended before that on a busy
	// machine, the server does so, a minute after it began.
	for {
		files, err := filepath.Glob(filepath.Join(dir, "*.seg"))
		if err == nil && len(files) < total && slices.Contains(files, filepath.Join(dir, "archive.seg")) {
			break
		}
		if time.Since(before) > 5*time.Minute {
			t.Errorf("%d runs have left %d files, %v", total, len(files), err)
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if failed := watch.Stop(); len(failed) > 0 {
		t.Errorf("the page could not be read: %v", failed)
	}
}

//go:build unix

package main

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"telltale/examples/internal/program"
)

// TestTotalsGoOnOverRestarts replaces the server three times under load: no
// request fails, and the page counts each once.
func TestTotalsGoOnOverRestarts(t *testing.T) {
	address := program.FreeAddress(t)
	p := program.Start(t, program.Build(t, "."), "-listen", address, "-dir", t.TempDir())
	serving := pid(t, p)
	t.Cleanup(func() { // before the program is waited for: its last process is no child of ours
		_ = signalTo(serving, syscall.SIGTERM)
	})
	url := "http://" + address + "/"
	watch := program.Watch(t, url+"metrics", "http_requests_total")
	answered := 0
	for range 3 {
		load := make(chan *program.Answers, 1)
		go func() { load <- program.Load(t.Context(), url, 400) }()
		old := serving
		if err := signalTo(old, syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		serving = pid(t, p)
		if old == p.PID() {
			if err := p.Wait(); err != nil {
				t.Errorf("the first process: %v", err)
			}
		}
		got := <-load
		if len(got.Failed) > 0 {
			t.Fatalf("requests failed: %v", got.Failed)
		}
		answered += got.Total()
		page := program.Await(t, url+"metrics", func(p program.Page) bool { return p.Total("server_processes", "") == 1 })
		if total := int(page.Total("http_requests_total", "")); total != answered {
			t.Errorf("%d requests were answered, the page says %d", answered, total)
		}
	}
	program.Get(t, url+"metrics").Check(t)
	last := program.Load(t.Context(), url, 20)
	if len(last.Answered) != 1 || last.Answered[strconv.Itoa(serving)] != 20 {
		t.Errorf("process %d serves, these answered: %v", serving, last.Answered)
	}
	if failed := watch.Stop(); len(failed) > 0 {
		t.Errorf("the page could not be read: %v", failed)
	}
}

// pid waits for a process to print that it serves, and returns its id.
func pid(t *testing.T, p *program.Process) int {
	t.Helper()
	n, err := strconv.Atoi(p.Says("pid="))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func signalTo(pid int, signal os.Signal) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return process.Signal(signal)
}

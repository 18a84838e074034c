//go:build unix

package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"telltale/examples/internal/program"
)

// TestWorkersShowOnePage kills a worker under load while the page is read.
func TestWorkersShowOnePage(t *testing.T) {
	address := program.FreeAddress(t)
	p := program.Start(t, program.Build(t, "."), "-listen", address, "-dir", t.TempDir(), "-workers", "3")
	for range 3 {
		p.Says("serves ")
	}
	url := "http://" + address + "/"
	watch := program.Watch(t, url+"metrics", "http_requests_total", "http_request_duration_seconds_count")

	// Without load the page equals the answers, whichever worker serves it.
	first := program.Load(t.Context(), url, 300)
	if len(first.Failed) > 0 || len(first.Answered) < 2 {
		t.Fatalf("%v failed; these workers answered: %v", first.Failed, first.Answered)
	}
	for range 10 {
		if total := program.Get(t, url+"metrics").Total("http_requests_total", ""); total != 300 {
			t.Fatalf("300 requests were answered, the page says %v", total)
		}
	}

	victim, err := strconv.Atoi(slices.Sorted(maps.Keys(first.Answered))[0])
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan *program.Answers, 1)
	go func() { second <- program.Load(t.Context(), url, 600) }()
	program.Kill(t, victim)
	p.Says("is started again")
	p.Says("serves ")
	under := <-second
	last := program.Load(t.Context(), url, 100)
	if len(last.Failed) > 0 || last.Answered[fmt.Sprint(victim)] > 0 {
		t.Errorf("process %d was killed; of the requests after that %v failed, and these answered: %v", victim, last.Failed, last.Answered)
	}
	// The victim's requests may have been counted and not answered.
	answered := first.Total() + under.Total() + last.Total()
	made := first.Made + under.Made + last.Made
	page := program.Get(t, url+"metrics")
	page.Check(t)
	if total := int(page.Total("http_requests_total", "")); total < answered || total > made {
		t.Errorf("%d requests were made and %d answered, the page says %d", made, answered, total)
	}
	if now := page.Total("http_requests_in_progress", ""); now != 0 {
		t.Errorf("%v requests are said to be under way", now)
	}
	// The victim may have been serving one scrape.
	if failed := watch.Stop(); len(failed) > 1 {
		t.Errorf("the page could not be read: %v", failed)
	}
}

package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/exposition/text"
	"telltale/internal/freeport"
	"telltale/lint"
	"telltale/model"
)

// client makes each request on a connection of its own, so that all listening
// processes get some.
var client = &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

// Fetch makes a request and returns the body of the answer.
func Fetch(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

// Page is a page of metrics in text.
type Page string

// Get reads a page of metrics.
func Get(t *testing.T, url string) Page {
	t.Helper()
	body, err := Fetch(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return Page(body)
}

// Total adds up the samples of that name whose label text contains the given
// text.
func (p Page) Total(name, labels string) (sum float64) {
	for line := range strings.SplitSeq(string(p), "\n") {
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			continue
		}
		series, value := line[:at], line[at+1:]
		found, rest, _ := strings.Cut(series, "{")
		if found == name && strings.Contains(rest, labels) {
			v, _ := strconv.ParseFloat(value, 64)
			sum += v
		}
	}
	return sum
}

// Await reads a page until the condition holds, and returns it.
func Await(t *testing.T, url string, wanted func(Page) bool) Page {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		p := Get(t, url)
		if wanted(p) {
			return p
		}
		if time.Now().After(end) {
			t.Fatalf("the page is still\n%s", p)
		}
	}
}

// Watcher reads a page repeatedly and checks it.
type Watcher struct {
	t      *testing.T
	end    context.CancelFunc
	ended  chan struct{}
	pages  int
	failed []error
}

// Watch begins to read a page repeatedly. It is a failure if the total of one of
// the names decreases.
func Watch(t *testing.T, url string, names ...string) *Watcher {
	ctx, cancel := context.WithCancel(t.Context())
	w := &Watcher{t: t, end: cancel, ended: make(chan struct{})}
	last := make([]float64, len(names))
	go func() {
		defer close(w.ended)
		for ; ctx.Err() == nil; time.Sleep(2 * time.Millisecond) {
			body, err := Fetch(t.Context(), url)
			if err != nil {
				w.failed = append(w.failed, err)
				continue
			}
			w.pages++
			for i, name := range names {
				now := Page(body).Total(name, "")
				if now < last[i] {
					t.Errorf("%s fell from %v to %v", name, last[i], now)
				}
				last[i] = now
			}
		}
	}()
	t.Cleanup(func() { w.Stop() })
	return w
}

// Stop ends the watch. It is a failure if no page was read; it returns the
// errors of reads that failed.
func (w *Watcher) Stop() (failed []error) {
	w.t.Helper()
	w.end()
	<-w.ended
	if w.pages == 0 {
		w.t.Error("no page was read")
	}
	return w.failed
}

// Answers is the outcome of many requests.
type Answers struct {
	Made     int
	Answered map[string]int // by the text of the answer
	Failed   []error
}

// Load makes n requests, some at a time.
func Load(ctx context.Context, url string, n int) *Answers {
	a := &Answers{Made: n, Answered: make(map[string]int)}
	turns := make(chan struct{})
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range turns {
				body, err := Fetch(ctx, url)
				mu.Lock()
				if err != nil {
					a.Failed = append(a.Failed, err)
				} else {
					a.Answered[strings.TrimSpace(body)]++
				}
				mu.Unlock()
			}
		})
	}
	for range n {
		turns <- struct{}{}
	}
	close(turns)
	all.Wait()
	return a
}

// Total returns the number of requests that were answered.
func (a *Answers) Total() (sum int) {
	for _, n := range a.Answered {
		sum += n
	}
	return sum
}

// FreeAddress returns an address of the loopback interface that stays free until the
// program listens there.
func FreeAddress(t *testing.T) string {
	t.Helper()
	return freeport.Address(t)
}

// Check checks the page against its format, and its names against the rules of
// package lint.
func (p Page) Check(t *testing.T) {
	t.Helper()
	parser := text.NewParser(strings.NewReader(string(p)), text.WithAllErrors())
	var families []*model.Family
	for {
		f, err := parser.Next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, text.ErrUnread):
			for _, found := range lint.Lint(families) {
				t.Error(found)
			}
			return
		case err != nil:
			t.Error(err)
		default:
			families = append(families, f)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/multiprocess"
)

// shaky is a target whose counter grows with each reading, and which may go away.
type shaky struct {
	count atomic.Int64
	away  atomic.Bool
	page  string // behind the counter
}

func (s *shaky) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if s.away.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	n := s.count.Add(10)
	_, _ = fmt.Fprintf(w, "# HELP orders_total Orders.\n# TYPE orders_total counter\norders_total{kind=\"a\"} %d\n# TYPE took histogram\ntook_bucket{le=\"1\"} %d\ntook_bucket{le=\"+Inf\"} %d\ntook_sum 3\ntook_count %d\n%s", n, n, n+5, n+5, s.page)
}

const hostile = "hostile{l=\"\x1b[2J\x1b]0;stolen\x07\u202e\"} 7\n"

func TestWatchInATerminal(t *testing.T) {
	source := &shaky{page: hostile + "# TYPE small gauge\nsmall 1\n"}
	server := httptest.NewServer(source)
	defer server.Close()
	tm := inTerminal(t, 100, 20, []string{"LC_ALL=C.UTF-8"}, program, "watch", "--interval=100ms", server.URL)
	tm.until("rates", func(s string) bool {
		return strings.Contains(s, "● "+server.URL+": 4 families, 4 series") && strings.Contains(s, "█") && strings.Contains(s, `hostile{l="\x1b[2J\x1b]0;stolen\a\u202e"}`)
	})
	if title := tm.tmux("display-message", "-p", "#{pane_title}"); strings.Contains(title, "stolen") {
		t.Errorf("the title is %q", title)
	}

	tm.types("/counter")
	tm.until("what passes the filter", func(s string) bool {
		return strings.Contains(s, "filter: counter") && strings.Contains(s, `orders_total{kind="a"}`) && !strings.Contains(s, "small")
	})
	tm.keys("Enter")
	tm.shows("1 series, by page, with counter")
	tm.keys("Enter")
	tm.shows("label      kind=a")
	tm.keys("Escape")
	tm.shows("SERIES")
	tm.keys("Escape")
	tm.shows("4 series, by page")
	tm.keys("s", "s")
	tm.until("the largest value first", func(s string) bool {
		return strings.Contains(s, "by value") && strings.Index(s, "took") < strings.Index(s, "small")
	})
	tm.keys("Home", "Enter")
	tm.until("the buckets", func(s string) bool {
		return strings.Contains(s, "observations since the reading before, up to") && strings.Contains(s, "+Inf")
	})
	tm.keys("w")
	tm.shows("no target is a directory")
	tm.keys("?")
	tm.shows("quit")
	tm.keys("Escape")

	source.away.Store(true)
	tm.until("that it is away, and its series", func(s string) bool {
		return strings.Contains(s, "✗ "+server.URL+": away for ") && strings.Contains(s, "503 Service Unavailable") && strings.Contains(s, "orders_total")
	})
	source.count.Store(0)
	source.away.Store(false)
	tm.shows("● " + server.URL)

	tm.keys("space")
	tm.shows("PAUSED")
	tm.tmux("resize-window", "-x", "40", "-y", "6")
	tm.keys("space")
	tm.endsBy("q")
}

// NO_COLOR leaves out colours.
func TestWatchWithoutColours(t *testing.T) {
	page := file(t, rightText)
	coloured := func(env ...string) string {
		tm := inTerminal(t, 80, 10, env, program, "watch", page)
		tm.shows("● ")
		return tm.tmux("capture-pane", "-p", "-e")
	}
	if screen := coloured("TERM=xterm-256color"); !strings.Contains(screen, "\x1b[32m") {
		t.Errorf("no green in %q", screen)
	}
	if screen := coloured("NO_COLOR=1"); strings.Contains(screen, "\x1b[32m") {
		t.Errorf("green in %q", screen)
	}
}

// Where there is no terminal, text is printed.
func TestWatchPrints(t *testing.T) {
	server := httptest.NewServer(&shaky{page: hostile})
	defer server.Close()
	stdout, stderr, status := outcome(t, "watch", "--once", "--sort=value", "--top=2", server.URL)
	first, rest, _ := strings.Cut(stdout, "\n")
	if status != 0 || stderr != "" || !strings.HasSuffix(first, server.URL+": 3 families, 3 series, 0 not shown") ||
		rest != "SERIES                  TYPE       VALUE  RATE/S\ntook                    histogram  15     -\norders_total{kind=\"a\"}  counter    10     -\n" {
		t.Errorf("status %d, stdout\n%s\nstderr %q", status, stdout, stderr)
	}
	stdout, stderr, status = outcome(t, "watch", "--filter=hostile", "--for=2s", "--interval=100ms", server.URL)
	if status != 0 || stderr != "" || strings.Count(stdout, `hostile{l="\x1b[2J\x1b]0;stolen\a\u202e"}`) < 2 {
		t.Errorf("status %d, stdout\n%s\nstderr %q", status, stdout, stderr)
	}
	none := filepath.Join(t.TempDir(), "none")
	stdout, stderr, status = outcome(t, "watch", "--once", none, server.URL)
	if status != 1 || !strings.Contains(stdout, none+": open "+none) || !strings.Contains(stdout, `2 orders_total{kind="a"}`) || !strings.Contains(stderr, "no such file") {
		t.Errorf("status %d, stdout\n%s\nstderr %q", status, stdout, stderr)
	}
}

// A directory that processes write to is watched like a page.
func TestWatchADirectory(t *testing.T) {
	dir := t.TempDir()
	store, err := multiprocess.Open(dir, multiprocess.WithWriterName("w1"))
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = store.Close() }()
	c := telltale.Must(telltale.NewCounter("jobs", "Jobs.", telltale.In(telltale.NewRegistry(telltale.WithStore(store)))))
	c.Add(3)
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := outcome(t, "watch", "--once", dir)
	if status != 0 || stderr != "" || !strings.Contains(stdout, "jobs_total  counter  3      -\n") {
		t.Errorf("status %d, stdout\n%s\nstderr %q", status, stdout, stderr)
	}
	if after, err := os.ReadDir(dir); err != nil || len(after) != len(before) {
		t.Errorf("%v, the directory had %v and has %v", err, before, after)
	}
	tm := inTerminal(t, 100, 12, nil, program, "watch", "--interval=100ms", dir)
	tm.shows("jobs_total")
	tm.keys("w")
	tm.until("the writer", func(s string) bool {
		return strings.Contains(s, "writer-") && strings.Contains(s, "yes") && strings.Contains(s, "good")
	})
	c.Inc()
	tm.keys("w")
	tm.until("the new value", func(s string) bool { return strings.Contains(s, "jobs_total") && strings.Contains(s, " 4 ") })
}

// A target that never answers does not keep the verb from ending.
func TestWatchEndsWhileItReads(t *testing.T) {
	stop := make(chan struct{})
	asked := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(stop)
	if stdout, stderr, status := outcome(t, "watch", "--for=200ms", "--timeout=1h", server.URL); status != 0 || stdout != "" || stderr != "" {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	tm := inTerminal(t, 100, 12, nil, program, "watch", "--timeout=1h", server.URL)
	tm.shows("being read")
	tm.endsBy("C-c")
}

func TestWatchRefusesUsage(t *testing.T) {
	for _, args := range []string{"", "-", "--interval=99ms x", "--interval=x x", "--sort=x x", "--top=-1 x", "--max-series=0 x", "--for=-1s x", "--web --once x"} {
		if stdout, stderr, status := outcome(t, append([]string{"watch"}, strings.Fields(args)...)...); status != statusWrongUsage || stdout != "" || stderr == "" {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

// Many series are drawn and sorted in time.
func TestWatchManySeries(t *testing.T) {
	var page strings.Builder
	page.WriteString("# TYPE a gauge\n")
	for i := range 60_000 {
		fmt.Fprintf(&page, "a{i=\"%d\"} %d\n", i, i)
	}
	var stdout, stderr strings.Builder
	status := run(context.Background(), []string{"watch", "--once", "--top=1", "--sort=value", file(t, page.String())}, &stdout, &stderr)
	if status != 0 || !strings.Contains(stdout.String(), "60000 series, 10000 not shown") || !strings.Contains(stdout.String(), "a{i=\"49999\"}  gauge  49999  -\n") {
		t.Errorf("status %d, stdout %s, stderr %s", status, &stdout, &stderr)
	}
}

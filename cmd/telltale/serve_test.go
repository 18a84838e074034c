package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale/multiprocess"
	"telltale/scrapehttp"
)

// workerFile writes a file as a worker with Python's client does: entries of a
// key and an 8-byte value behind the number of bytes used.
func workerFile(t *testing.T, path string, entries ...string) {
	t.Helper()
	data := make([]byte, 8)
	for i, key := range entries {
		data = binary.NativeEndian.AppendUint32(data, uint32(len(key)))
		data = append(data, key+strings.Repeat(" ", 8-(len(key)+4)%8)...)
		data = binary.NativeEndian.AppendUint64(data, math.Float64bits(float64(i+1)))
	}
	binary.NativeEndian.PutUint32(data, uint32(len(data)))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

const served = `["served", "served_total", {}, "Served."]`

// workers returns a directory of two workers who counted 1 each, and one whose
// file is no good.
func workers(t *testing.T) (dir, damaged string) {
	t.Helper()
	dir = t.TempDir()
	workerFile(t, filepath.Join(dir, "counter_1.db"), served)
	workerFile(t, filepath.Join(dir, "counter_2.db"), served)
	damaged = filepath.Join(dir, "counter_3.db")
	workerFile(t, damaged, `half of a ke`)
	return dir, damaged
}

func TestServe(t *testing.T) {
	needInterrupts(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		dir, damaged := workers(t)
		s := start(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0")
		page := scrape(t, s.url, "text/plain")
		for _, want := range []string{"\n# TYPE served_total counter\nserved_total 2.0\n", "\ntelltale_scrapes_total 1.0\n"} {
			if !strings.Contains(page, want) {
				t.Errorf("no %q on the page\n%s", want, page)
			}
		}
		for _, unwanted := range []string{"\nprocess_", "\ngo_"} { // they would pass for the workers'
			if strings.Contains(page, unwanted) {
				t.Errorf("%q is on the page\n%s", unwanted, page)
			}
		}
		workerFile(t, filepath.Join(dir, "counter_4.db"), served)
		if page := scrape(t, s.url+"?name[]=served_total", "text/plain"); page != "# HELP served_total Served.\n# TYPE served_total counter\nserved_total 3.0\n" {
			t.Errorf("one name gave %q", page)
		}
		rest, stderr, status := s.end(signal)
		if status != 0 || rest != "It ends on Ctrl-C.\n" {
			t.Errorf("%v: status %d, stdout %q", signal, status, rest)
		}
		if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "level=WARN") || !strings.Contains(stderr, damaged) || !strings.Contains(stderr, "reason=key") {
			t.Errorf("%v: one damaged file and three readings gave\n%s", signal, stderr)
		}
	}
}

func TestServeTellsWhatChanges(t *testing.T) {
	needInterrupts(t)
	dir, damaged := workers(t)
	s := start(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0")
	scrapes := func(want string) {
		t.Helper()
		for range 2 {
			if page := scrape(t, s.url, "text/plain"); strings.Contains(page, "\nserved_total ") != (want != "") || !strings.Contains(page, want) {
				t.Errorf("not %q:\n%s", want, page)
			}
		}
	}
	replaced := damaged + ".new" // as a whole: it is mapped
	workerFile(t, replaced, served)
	if err := os.Rename(replaced, damaged); err != nil {
		t.Fatal(err)
	}
	scrapes("\nserved_total 3.0\n")
	workerFile(t, replaced, "again")
	if err := os.Rename(replaced, damaged); err != nil {
		t.Fatal(err)
	}
	scrapes("\nserved_total 2.0\n")
	away := dir + ".away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	scrapes("")
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	scrapes("\nserved_total 2.0\n")
	_, stderr, status := s.end(os.Interrupt)
	if left, gone := strings.Count(stderr, damaged), strings.Count(stderr, "no such file"); status != 0 || left != 2 || gone != 1 {
		t.Errorf("status %d; the file was reported %d times, the directory %d times\n%s", status, left, gone, stderr)
	}
}

func TestServeByEnvironment(t *testing.T) {
	needInterrupts(t)
	dir, _ := workers(t)
	t.Setenv("PROMETHEUS_MULTIPROC_DIR", dir)
	s := start(t, "serve", "--listen", "127.0.0.1:0")
	if page := scrape(t, s.url, "application/openmetrics-text"); !strings.Contains(page, "\nserved_total 2.0\n") || !strings.HasSuffix(page, "# EOF\n") {
		t.Error(page)
	}
	s.end(os.Interrupt)
}

func TestServeCannot(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	dir, damaged := workers(t)
	missing := filepath.Join(dir, "none")
	for _, test := range []struct {
		dir, listen string
		stderr      []string
	}{
		{dir, l.Addr().String(), []string{"telltale: cannot serve the metrics: ", l.Addr().String()}},
		{missing, "127.0.0.1:0", []string{"telltale: cannot read the workers' files: ", missing}},
		{damaged, "127.0.0.1:0", []string{"telltale: cannot read the workers' files: ", damaged + " is not a directory"}},
	} {
		stdout, stderr, status := outcome(t, "serve", "--dir", test.dir, "--listen", test.listen)
		if status != 1 || stdout != "" {
			t.Errorf("%s, %s: status %d, stdout %q", test.dir, test.listen, status, stdout)
		}
		for _, want := range test.stderr {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s, %s: no %q in %q", test.dir, test.listen, want, stderr)
			}
		}
	}
}

func TestNews(t *testing.T) {
	told := 0
	n := newNews(newsLimit, func(error) { told++ })
	n.hear(errors.New("a"))
	n.hear(errors.New("a"))
	n.hear(errors.New("b"))
	if told != 2 {
		t.Errorf("told %d times, want 2", told)
	}
	now := time.Now()
	isNew := func(text string, now time.Time) bool { return n.sift(errors.New(text), now) != nil }
	for i, want := range []bool{true, false, false, true} {
		if got := isNew("c", now.Add(time.Duration(i*i)*time.Minute)); got != want { // 0, 1, 4, 9
			t.Errorf("after %d minutes: %v", i*i, got)
		}
	}
	floods := 0
	for i := range 2 * newsLimit {
		if err := n.sift(errors.New(fmt.Sprint(i)), now); err != nil && strings.HasPrefix(err.Error(), "more than 1000 different faults") {
			floods++
		}
	}
	if len(n.met) != newsLimit || floods != 1 {
		t.Errorf("%d are remembered, %d floods told", len(n.met), floods)
	}
	if !isNew("later", now.Add(time.Hour)) || len(n.met) != 1 {
		t.Errorf("%d are remembered an hour later", len(n.met))
	}
}

// Clients can make scrapes fail in as many ways as they have ports. What else is
// told is told all the same.
func TestFailedScrapesDrownNothing(t *testing.T) {
	var told []string
	tell := func(err error) { told = append(told, err.Error()) }
	news, failures := newNews(newsLimit, tell), newNews(failuresLimit, tell)
	hear := hearPage(news, failures)
	for port := range 2 * newsLimit {
		hear(fmt.Errorf("a scrape from 127.0.0.1:%d failed", port))
	}
	if len(told) != failuresLimit+1 {
		t.Errorf("%d of the failed scrapes were told, want %d and that there are more", len(told), failuresLimit)
	}
	told = nil
	hear(&scrapehttp.DropError{})
	news.hear(errors.New("a file is no good"))
	if len(told) != 2 {
		t.Errorf("then %q were told", told)
	}
}

// The limits of the server can be set, and can all be lifted.
func TestServeLimits(t *testing.T) {
	needInterrupts(t)
	dir, _ := workers(t)
	for _, limits := range [][]string{
		{"--timeout", "1m", "--max-in-flight", "1", "--max-per-peer", "1", "--max-connections", "2"},
		{"--timeout", "0", "--max-in-flight", "0", "--max-per-peer", "0", "--max-connections", "0"},
	} {
		s := start(t, append([]string{"serve", "--dir", dir, "--listen", "127.0.0.1:0"}, limits...)...)
		for range 3 {
			if page := scrape(t, s.url, "text/plain"); !strings.Contains(page, "\nserved_total 2.0\n") {
				t.Errorf("with %q the page is\n%s", limits, page)
			}
		}
		s.end(os.Interrupt)
	}
}

// A signal that comes before the page does ends the verb all the same.
func TestServeIsInterruptedEarly(t *testing.T) {
	dir, _ := workers(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, diag strings.Builder
	if status := run(ctx, []string{"serve", "--dir", dir, "--listen", "127.0.0.1:0"}, &out, &diag); status != 0 || out.String() != "" {
		t.Errorf("status %d, stdout %q, stderr %q", status, out.String(), diag.String())
	}
}

func TestWarn(t *testing.T) {
	for want, err := range map[string]error{
		"level=WARN msg=\"a scrape met with a fault\" error=else":                                                 errors.New("else"),
		"level=WARN msg=\"a file is left out\" path=p reason=corrupt error=why":                                   &multiprocess.FileError{Path: "p", Reason: multiprocess.ReasonCorrupt, Err: errors.New("why")},
		"level=INFO msg=\"a file is left out\" path=p reason=empty error=why":                                     &multiprocess.FileError{Path: "p", Reason: multiprocess.ReasonEmpty, Err: errors.New("why")},
		"level=WARN msg=\"workers disagree\" family=f about=type error=\"both sides\" files=\"[a \\x1b]\" more=3": &multiprocess.ConflictError{Family: "f", About: "type", Err: errors.New("both sides"), Files: []string{"a", "\x1b"}, More: 3},
	} {
		var told strings.Builder
		warn(slog.New(slog.NewTextHandler(&told, nil)), err)
		if !strings.HasSuffix(told.String(), want+"\n") {
			t.Errorf("%q, want %q", told.String(), want)
		}
	}
}

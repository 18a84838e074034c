package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"telltale"
	"telltale/internal/freeport"
	"telltale/scrapehttp"
)

// targetVariable makes the test program a target that listens there and counts from 1
// at each of its scrapes.
const targetVariable = "TELLTALE_TEST_TARGET"

func runTarget(at string) {
	var n atomic.Int64
	listener, err := net.Listen("tcp", at)
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprintf(w, "# TYPE scrapes_total counter\nscrapes_total %d\n", n.Add(1))
	})))
}

// child is a target in a process of its own.
type child struct {
	process *exec.Cmd
	addr    string
}

func startTarget(t *testing.T, at string) *child {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	c := &child{process: exec.CommandContext(ctx, os.Args[0])}
	c.process.Env = append(os.Environ(), targetVariable+"="+at)
	out, err := c.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the target does not say where it is")
	}
	c.addr = lines.Text()
	return c
}

func (c *child) kill() {
	_ = c.process.Process.Kill()
	_ = c.process.Wait()
}

// misbehaving are targets of which a page has nothing but that they failed, by reason.
var misbehaving = map[string]http.HandlerFunc{
	becauseTimeout: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	becauseSize: func(w http.ResponseWriter, r *http.Request) { // for ever
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("# x\n", 1000)); err != nil {
				return
			}
		}
	},
	becauseSyntax:  answer("text/plain; version=0.0.4", "n_total 1\nn_total one\n"),
	becauseContent: answer("text/html", "<!DOCTYPE html><html>Log in</html>"),
	becauseStatus: func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "n_total 1", http.StatusInternalServerError)
	},
	becauseCutOff: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "n_total 1\n")
	},
	becauseSeries: func(w http.ResponseWriter, _ *http.Request) {
		for i := range 200 {
			_, _ = fmt.Fprintf(w, "many{i=\"%d\"} 1\n", i)
		}
	},
}

func answer(contentType, content string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, content)
	}
}

func serveTarget(t *testing.T, h http.Handler) (addr string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// A target that does anything wrong costs itself, is told once, and is shown. The others
// have ten seconds to answer.
func TestBadTargetsCostThemselves(t *testing.T) {
	needInterrupts(t)
	const good = "# TYPE n_total counter\nn_total 1\n# TYPE many gauge\nmany 5\n"
	addrs := map[string]string{}
	args := []string{"serve", "--listen", "127.0.0.1:0", "--timeout", "5m", "--target-timeout", "10s", "--max-target-size", "64KiB", "--max-target-series", "100"}
	for reason, h := range misbehaving {
		addrs[reason] = serveTarget(t, h)
		args = append(args, "--scrape", "http://"+addrs[reason])
	}
	addrs[becauseUnreachable] = freeport.Address(t)
	fine, odd := serveTarget(t, answer("text/plain", good)), serveTarget(t, answer("application/octet-stream", good))
	lenient := serveTarget(t, answer("text/plain", "n_total 1\n\n# TYPE n_total counter\nmany 5 \r\n"))
	args = append(args, "--scrape", "http://"+addrs[becauseUnreachable], "--scrape", "http://"+fine, "--scrape", "http://"+odd, "--scrape", "http://"+lenient)
	s := start(t, args...)
	got := ""
	for range 2 {
		got = scrape(t, s.url, "text/plain")
		for _, addr := range []string{fine, odd, lenient} {
			for _, want := range []string{"\nn_total{instance=%q} 1.0\n", "\nmany{instance=%q} 5.0\n", "\ntelltale_target_up{instance=%q} 1.0\n", "\ntelltale_target_series{instance=%q} 2.0\n"} {
				if want = fmt.Sprintf(want, addr); !strings.Contains(got, want) {
					t.Errorf("no %q on the page\n%s", want, got)
				}
			}
		}
		if n := strings.Count(got, "\nn_total{") + strings.Count(got, "\nmany{"); n != 6 {
			t.Errorf("there are %d series\n%s", n, got)
		}
	}
	_, stderr, status := s.end(syscall.SIGTERM)
	for reason, addr := range addrs {
		for _, want := range []string{fmt.Sprintf("\ntelltale_target_up{instance=%q} 0.0\n", addr), fmt.Sprintf("\ntelltale_target_scrape_failures_total{instance=%q,reason=%q} 2.0\n", addr, reason)} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q on the page\n%s", want, got)
			}
		}
		if n := strings.Count(stderr, fmt.Sprintf("target=%s reason=%s ", addr, reason)); n != 1 {
			t.Errorf("%s was told %d times", reason, n)
		}
	}
	if status != 0 || strings.Count(stderr, "\n") != len(addrs) {
		t.Errorf("status %d, stderr\n%s", status, stderr)
	}
}

// Targets that hang do not make the page later than the scraper waits. A busy machine may
// take longer than the time that is left then, so that it is tried with more.
func TestPageComesInTime(t *testing.T) {
	needInterrupts(t)
	for _, seconds := range []int{3, 10, 60} {
		if got, err := pageInTime(t, seconds); err == nil {
			break
		} else if seconds == 60 {
			t.Errorf("%v\n%s", err, got)
		}
	}
}

// pageInTime returns the page of a target that answers and of five that hang, which is
// late if the scraper waits for seconds alone.
func pageInTime(t *testing.T, seconds int) (page string, late error) {
	t.Helper()
	hanging := serveTarget(t, misbehaving[becauseTimeout])
	fine := serveTarget(t, answer("text/plain", "x 1\n"))
	args := []string{"serve", "--listen", "127.0.0.1:0", "--target-timeout", "0", "--scrapes-at-once", "2", "--scrape", "http://" + fine}
	for i := range 5 {
		args = append(args, "--scrape", fmt.Sprintf("http://%s/%d", hanging, i))
	}
	s := start(t, args...)
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(seconds))
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	s.end(os.Interrupt)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(string(got), "\nx{instance=") || strings.Count(string(got), `reason="timeout"} 1.0`) != 5) {
		err = errors.New(response.Status)
	}
	return string(got), err
}

// sample returns the value of a sample, or what is there instead.
func sample(page, name string) string {
	for line := range strings.SplitSeq(page, "\n") {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return value
		}
	}
	return "nothing in " + page
}

// What a process had counted when it was killed stays, and what the next one counts is
// added.
func TestTotalsOfProcessesThatRestart(t *testing.T) {
	needInterrupts(t)
	first, second := startTarget(t, freeport.Address(t)), startTarget(t, freeport.Address(t)) // which stay theirs while they are away
	s := start(t, "serve", "--listen", "127.0.0.1:0", "--sum", "--scrape", "http://"+first.addr, "--scrape", "http://"+second.addr, "--timeout", "5m", "--target-timeout", "1m")
	total := func(want string) {
		t.Helper()
		if got := sample(scrape(t, s.url, "text/plain"), "scrapes_total"); got != want {
			t.Fatalf("the total is %s, want %s", got, want)
		}
	}
	total("2.0")
	total("4.0")
	total("6.0")
	first.kill()
	total("7.0")
	total("8.0")
	again := startTarget(t, first.addr)
	total("10.0")
	total("12.0")
	again.kill()
	second.kill()
	total("12.0")
	if rest, stderr, status := s.end(os.Interrupt); status != 0 {
		t.Errorf("status %d, %s, %s", status, rest, stderr)
	}
}

// The list of targets is read again when it changes and on HUP; one that cannot be read
// leaves it as it is.
func TestTargetsAreReadAgain(t *testing.T) {
	needInterrupts(t)
	a, b := serveTarget(t, answer("text/plain", "x 1\n")), serveTarget(t, answer("text/plain", "x 2\n"))
	file := filepath.Join(t.TempDir(), "targets.json")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write(fmt.Sprintf(`[{"targets": [%q], "labels": {"pool": "p"}}]`, a))
	s := start(t, "serve", "--listen", "127.0.0.1:0", "--targets", file)
	until := func(what string, done func(page string) bool) {
		t.Helper()
		eventually(t, func() bool { return done(scrape(t, s.url, "text/plain")) }, "%s", what)
	}
	hup := func() {
		t.Helper()
		if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	shows := func(addr, labels, value string) func(string) bool {
		return func(page string) bool {
			return strings.Contains(page, fmt.Sprintf("\nx{instance=%q%s} %s\n", addr, labels, value)) && strings.Count(page, "\nx{") == 1
		}
	}
	until("the first", shows(a, `,pool="p"`, "1.0"))
	write(fmt.Sprintf("- targets: [%q]\n", b))
	until("the second", shows(b, "", "2.0"))
	write("nonsense")
	hup()
	until("the second still", shows(b, "", "2.0"))
	write(fmt.Sprintf("- targets: [%q]\n", a))
	hup()
	until("the first again", shows(a, "", "1.0"))
	if _, stderr, status := s.end(os.Interrupt); status != 0 || strings.Count(stderr, "\n") > 2 || strings.Contains(stderr, "nonsense") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// Workers of a directory and pages of others are one page.
func TestDirectoryBesideTargets(t *testing.T) {
	needInterrupts(t)
	dir, _ := workers(t)
	other := serveTarget(t, answer("text/plain", "# TYPE served_total counter\nserved_total 5\n"))
	for flag, want := range map[string]string{"": fmt.Sprintf("\nserved_total{instance=%q} 5.0\nserved_total 2.0\n", other), "--sum": "\nserved_total 7.0\n"} {
		args := []string{"serve", "--dir", dir, "--scrape", "http://" + other, "--listen", "127.0.0.1:0"}
		if flag != "" {
			args = append(args, flag)
		}
		s := start(t, args...)
		if got := scrape(t, s.url, "text/plain"); !strings.Contains(got, want) || !strings.Contains(got, "\ntelltale_scrapes_total ") || !strings.Contains(got, "\ntelltale_writers_") {
			t.Errorf("%q: no %q in\n%s", flag, want, got)
		}
		s.end(os.Interrupt)
	}
}

// Native histograms pass where targets are shown apart, exemplars too.
func TestTargetsInProtobuf(t *testing.T) {
	needInterrupts(t)
	inner := start(t, "demo", "--listen", "127.0.0.1:0")
	outer := start(t, "serve", "--scrape", inner.url, "--listen", "127.0.0.1:0")
	for _, format := range []string{"text", "openmetrics", "protobuf"} {
		if stdout, stderr, status := outcome(t, "check", "--format", format, outer.url); status != 0 || stderr != "" {
			t.Errorf("check of %s: status %d, stdout %q, stderr %q", format, status, stdout, stderr)
		}
	}
	stdout, stderr, status := outcome(t, "convert", "--from", "protobuf", "--to", "json", outer.url)
	if status != 0 || !strings.Contains(stdout, "exemplars") || !strings.Contains(stdout, "telltale_target_up") {
		t.Errorf("status %d, %q: %.2000s", status, stderr, stdout)
	}
	outer.end(os.Interrupt)
	inner.end(os.Interrupt)
}

// With --sum native histograms are asked for, added up and served, and a target that
// restarts keeps what it had.
func TestNativeTotals(t *testing.T) {
	needInterrupts(t)
	args := []string{"serve", "--listen", "127.0.0.1:0", "--sum", "--timeout", "5m", "--target-timeout", "1m"}
	var reg atomic.Pointer[telltale.Registry]
	observe := func(values ...float64) *telltale.Registry {
		r := telltale.NewRegistry()
		h := telltale.Must(telltale.NewHistogram("size", "Sizes.", telltale.In(r), telltale.WithUnit("bytes"), telltale.WithNativeSchema(2)))
		for _, v := range values {
			h.Observe(v)
		}
		return r
	}
	reg.Store(observe(1, 2))
	for _, handler := range []http.Handler{
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { scrapehttp.Handler(reg.Load()).ServeHTTP(w, r) }),
		scrapehttp.Handler(observe(100)),
	} {
		args = append(args, "--scrape", "http://"+serveTarget(t, handler))
	}
	s := start(t, args...)
	total := func(want string) {
		t.Helper()
		stdout, stderr, status := outcome(t, "convert", "--from", "protobuf", "--to", "openmetrics2", s.url)
		if status != 0 || !strings.Contains(stdout, want) || !strings.Contains(stdout, ",schema:2,") {
			t.Fatalf("status %d, %s: no %s in\n%s", status, stderr, want, stdout)
		}
	}
	total("size_bytes {count:3")
	reg.Store(observe(1))
	total("size_bytes {count:4")
	if _, stderr, status := s.end(os.Interrupt); status != 0 || strings.Contains(stderr, "left out") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

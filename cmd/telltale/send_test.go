package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// takesAll is a server that takes what it is sent, and notes it.
type takesAll struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
}

func newTakesAll(t *testing.T) *takesAll {
	t.Helper()
	s := &takesAll{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *takesAll) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	text, _ := io.ReadAll(body)
	s.mu.Lock()
	s.got, s.bodies = append(s.got, r), append(s.bodies, string(text))
	s.mu.Unlock()
	w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", "1000000")
}

// await waits for a request, and returns the last one.
func (s *takesAll) await(t *testing.T) (*http.Request, string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		n := len(s.got)
		if n > 0 {
			defer s.mu.Unlock()
			return s.got[n-1], s.bodies[n-1]
		}
		s.mu.Unlock()
		if time.Now().After(end) {
			t.Fatal("nothing was sent")
		}
	}
}

// sending runs the verb and waits until it sends.
func sending(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{t: t, process: command(t, append([]string{"send"}, args...)...)}
	stdout, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.process.Stderr = &s.stderr
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	s.lines = bufio.NewScanner(stdout)
	for s.lines.Scan() {
		s.url += s.lines.Text() + "\n" // where it sends
		if s.lines.Text() == "It ends on Ctrl-C." {
			return s
		}
	}
	_ = s.process.Wait()
	t.Fatalf("it does not send; stderr %q", s.stderr.String())
	return nil
}

// identityOf returns the identity that a directory has.
func identityOf(t *testing.T, dir string) string {
	t.Helper()
	l, err := multiprocess.NewLeader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Identity()
}

// Each kind of destination gets the metrics of the directory, at once and at the end.
func TestSend(t *testing.T) {
	needInterrupts(t)
	dir, damaged := workers(t)
	if err := os.Remove(damaged); err != nil {
		t.Fatal(err)
	}
	identity := identityOf(t, dir)
	gateway, receiver, collector := newTakesAll(t), newTakesAll(t), newTakesAll(t)
	file := filepath.Join(t.TempDir(), "shop.prom")
	s := sending(t, "--dir", dir, "--every", "1h", "--job", "shop",
		"--to", "pushgateway+"+strings.Replace(gateway.URL, "http://", "http://u:geheim@", 1), "--to", "remotewrite+"+receiver.URL+"/write?token=geheim", "--to", "otlp+"+collector.URL+"?token=geheim", "--to", "textfile+"+file)
	if said := s.url; strings.Contains(said, "geheim") || !strings.Contains(said, "  remotewrite "+receiver.URL+"/write\n") || !strings.Contains(said, "  textfile "+file+"\n") {
		t.Errorf("it says %q", said)
	}
	r, page := gateway.await(t)
	if user, password, _ := r.BasicAuth(); r.URL.Path != "/metrics/job/shop/instance/"+identity || user != "u" || password != "geheim" || !strings.Contains(page, sentLine) {
		t.Errorf("the gateway has %s of %s:\n%s", r.URL, user, page)
	}
	if r, _ := receiver.await(t); r.Header.Get("X-Prometheus-Remote-Write-Version") != "2.0.0" || r.URL.Path != "/write" || r.URL.RawQuery != "token=geheim" {
		t.Errorf("the receiver has %s with %v", r.URL, r.Header)
	}
	if r, body := collector.await(t); r.URL.Path != "/v1/metrics" || r.URL.RawQuery != "token=geheim" ||
		!strings.Contains(body, "service.name\x12\x06\n\x04shop") || !strings.Contains(body, "service.instance.id\x12\"\n "+identity) || !strings.Contains(body, "served_total") {
		t.Errorf("the collector has %s: %q", r.URL, body)
	}
	if stdout, stderr, status := s.end(os.Interrupt); stdout != "" || stderr != "" || status != statusGood {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), sentLine) || !strings.Contains(string(text), "telltale_push_total{") || !strings.Contains(string(text), "telltale_remote_write_samples_total{") || !strings.Contains(string(text), "telltale_otlp_points_total{") {
		t.Errorf("%v\n%s", err, text)
	}
	gateway.mu.Lock()
	defer gateway.mu.Unlock()
	if len(gateway.got) < 2 {
		t.Error("the gateway was not sent to at the end")
	}
}

// sentLine is a sample of the workers' page.
const sentLine = "\nserved_total 2.0\n"

// Pages of other processes are sent too, and what is sent with is in a file.
func TestSendScraped(t *testing.T) {
	needInterrupts(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# TYPE x counter\nx_total 7\n")
	}))
	defer page.Close()
	receiver := newTakesAll(t)
	config := filepath.Join(t.TempDir(), "http.yml")
	if err := os.WriteFile(config, []byte("authorization: {credentials: geheim}\nhttp_headers: {X-Scope-OrgID: {values: [team]}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x.prom")
	s := sending(t, "--scrape", page.URL, "--to", "textfile+"+file, "--to", "remotewrite+"+receiver.URL, "--http-config", config, "--every=1h")
	if r, _ := receiver.await(t); r.Header.Get("Authorization") != "Bearer geheim" || r.Header.Get("X-Scope-OrgID") != "team" {
		t.Errorf("headers %v", r.Header)
	}
	if _, stderr, status := s.end(os.Interrupt); status != statusGood {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `x_total{instance="`+strings.TrimPrefix(page.URL, "http://")+`"} 7`) {
		t.Errorf("%v\n%s", err, text)
	}
}

// A second sender waits, says so, and ends when it is told to; after the first has been
// killed it sends.
func TestSendersTakeTurns(t *testing.T) {
	needInterrupts(t)
	dir, receiver := t.TempDir(), newTakesAll(t)
	args := []string{"--dir", dir, "--every=10ms", "--to", "remotewrite+" + receiver.URL}
	first := sending(t, args...)
	waits := command(t, append([]string{"send"}, args...)...)
	stderr, err := waits.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := waits.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil || !strings.Contains(line, "another process sends") {
		t.Errorf("%q, %v", line, err)
	}
	if err := waits.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := waits.Wait(); err != nil {
		t.Errorf("the one that waits ends with %v", err)
	}
	if err := first.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.process.Wait() // it was killed
	if _, stderr, status := sending(t, args...).end(os.Interrupt); status != statusGood {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
}

// A sender whose directory goes away ends, and at the end of any what it could not send
// is an error.
func TestSendFails(t *testing.T) {
	needInterrupts(t)
	t.Run("directory", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "shared")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		s := sending(t, "--dir", dir, "--every=10ms", "--to", "textfile+"+filepath.Join(t.TempDir(), "x.prom"))
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		for s.lines.Scan() { // until it ends
		}
		_ = s.process.Wait() // the status tells
		if status := s.process.ProcessState.ExitCode(); status != statusWrongInput || !strings.Contains(s.stderr.String(), "sends the metrics of "+dir+" no longer") {
			t.Errorf("status %d, stderr %q", status, s.stderr.String())
		}
	})
	t.Run("destination", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "none", "x.prom")
		if _, stderr, status := sending(t, "--dir", t.TempDir(), "--to", "textfile+"+file).end(os.Interrupt); status != statusWrongInput || !strings.Contains(stderr, "telltale: push: writing "+file) {
			t.Errorf("status %d, stderr %q", status, stderr)
		}
	})
	t.Run("usage", func(t *testing.T) {
		for _, args := range [][]string{
			{},
			{"--to", "remotewrite+http://u:geheim@h"},
			{"--dir=x"},
			{"--dir=x", "--to", "elsewhere+http://u:geheim@h"},
			{"--dir=x", "--to", "remotewrite"},
			{"--dir=x", "--to", "remotewrite+"},
			{"--dir=x", "--to", "remotewrite+ftp://u:geheim@h"},
			{"--dir=x", "--to", "otlp+ftp://u:geheim@h"},
			{"--dir=x", "--to", "pushgateway+http://u:geheim@h:x"},
			{"--dir=x", "--to", "textfile+x.prom", "--every=0s"},
			{"--dir=x", "--to", "textfile+x.prom", "--job="},
			{"--dir=x", "--to", "textfile+x.prom", "--sum"},
			{"--scrape=http://h", "--to", "otlp+http://h"},
			{"--scrape=http://h", "--to", "textfile+x.prom", "--max-native-buckets=9"},
			{"--scrape=http://h", "--to", "textfile+x.prom", "--gauge=x=sum"},
		} {
			c := command(t, append([]string{"send"}, args...)...)
			c.Env = append(c.Env, "PROMETHEUS_MULTIPROC_DIR=")
			text, _ := c.CombinedOutput() // the status tells
			if status := c.ProcessState.ExitCode(); status != statusWrongUsage || strings.Contains(string(text), "geheim") {
				t.Errorf("%q: status %d, %s", args, status, text)
			}
		}
	})
}

// What a server sends that nobody asked for is reported without what it says.
func TestSendReportsStrays(t *testing.T) {
	needInterrupts(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ended := make(chan struct{})
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_ = l.Close()
		in := bufio.NewReader(c)
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		time.Sleep(100 * time.Millisecond) // else it may come with the answer
		_, _ = io.WriteString(c, "you are "+r.Header.Get("Authorization"))
		_, _ = io.Copy(io.Discard, in)
		close(ended)
	}()
	s := sending(t, "--dir", t.TempDir(), "--every=1h", "--to", "pushgateway+http://u:geheim@"+l.Addr().String())
	<-ended
	if _, stderr, _ := s.end(os.Interrupt); !strings.Contains(stderr, "Unsolicited response") || strings.Contains(stderr, "you are") {
		t.Errorf("stderr %q", stderr)
	}
}

// Pages whose series have an instance go to a Pushgateway too.
func TestSendScrapedToGateway(t *testing.T) {
	needInterrupts(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# TYPE x counter\nx_total{job=\"shop\"} 7\n")
	}))
	defer page.Close()
	gateway := newTakesAll(t)
	s := sending(t, "--scrape", page.URL, "--to", "pushgateway+"+gateway.URL, "--every=1h", "--instance=i")
	if r, page := gateway.await(t); r.URL.Path != "/metrics/job/telltale/sender/i" || !strings.Contains(page, "x_total{exported_job=\"shop\",instance=") {
		t.Errorf("the gateway has %s:\n%s", r.URL, page)
	}
	if _, stderr, status := s.end(os.Interrupt); status != statusGood {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
}

// Who leads no longer pushes no more: another process may have pushed what is newer.
func TestLostLeadPushesNothing(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "x.prom")
	leader, err := multiprocess.NewLeader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer leader.Close()
	gateway := newTakesAll(t)
	o := outlets{
		of:    telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return nil }),
		every: time.Hour, leader: leader, label: instanceLabel,
	}
	if err := o.add([]destination{{byTextfile, file}, {byPushgateway, gateway.URL}}, "j", "i"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "send.lock")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.run(ctx); err == nil || !strings.Contains(err.Error(), "no longer") {
		t.Error(err)
	}
	gateway.mu.Lock()
	defer gateway.mu.Unlock()
	if _, err := os.Stat(file); err == nil || len(gateway.got) != 0 {
		t.Errorf("it pushed: %v, %d requests", err, len(gateway.got))
	}
}

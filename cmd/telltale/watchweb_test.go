package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
)

// watchWeb runs watch --web and returns the address of its page.
func watchWeb(t *testing.T, stderr io.Writer, targets ...string) (page string, end func()) {
	t.Helper()
	c := command(t, append([]string{"watch", "--web", "--interval=100ms"}, targets...)...)
	c.Stderr = stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for page == "" && lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "http://") {
			page = line
		}
	}
	if page == "" {
		t.Fatalf("it says no address and ends: %v", c.Wait())
	}
	return page, func() {
		if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(io.Discard, stdout)
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// looked is what the page's data has.
type looked struct {
	Index     []struct{ Name string }
	Series    []int
	Directory bool
	Points    []struct {
		Family int
		Points []struct {
			L []string
			V any
		}
	}
	Writers *struct{ Files []struct{ Kind string } }
}

func lookAt(t *testing.T, page, host, query string) (status int, d looked) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page+"data?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK {
		if err := json.NewDecoder(response.Body).Decode(&d); err != nil {
			t.Fatal(err)
		}
	}
	return response.StatusCode, d
}

func TestWatchWeb(t *testing.T) {
	needInterrupts(t)
	source := &shaky{page: hostile}
	server := httptest.NewServer(source)
	defer server.Close()
	page, end := watchWeb(t, nil, server.URL)
	defer end()
	status, d := lookAt(t, page, "", "family=took&family=orders_total")
	if status != http.StatusOK || len(d.Index) != 3 || d.Directory || len(d.Points) != 2 || d.Points[1].Points[0].V == 0.0 {
		t.Errorf("%d %+v", status, d)
	}
	at, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"localhost:" + at.Port(): http.StatusOK, "elsewhere.invalid:" + at.Port(): http.StatusMisdirectedRequest, "elsewhere.invalid": http.StatusMisdirectedRequest, "127.0.0.1": http.StatusOK,
	} {
		if got, _ := lookAt(t, page, host, ""); got != want {
			t.Errorf("asked as %s: %d", host, got)
		}
	}
	source.away.Store(true)
	for status == http.StatusOK { // until a collection finds it away
		status, _ = lookAt(t, page, "", "")
	}
	source.away.Store(false)
	for status != http.StatusOK {
		status, _ = lookAt(t, page, "", "")
	}
}

// Of several targets each has the label instance, and one that is away costs no other.
// A request whose header is too long is refused.
func TestWatchWebOfLongHeaders(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a 1\n") }))
	defer target.Close()
	page, end := watchWeb(t, io.Discard, target.URL)
	defer end()
	for bytes, want := range map[int]int{64 << 10: http.StatusOK, 256 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Long", strings.Repeat("a", bytes))
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%d bytes: %s", bytes, answer.Status)
		}
	}
}

func TestWatchWebOfSeveral(t *testing.T) {
	needInterrupts(t)
	here, away := file(t, "# TYPE x gauge\nx 1\n"), file(t, "# TYPE x gauge\nx{")
	page, end := watchWeb(t, nil, here, here, away)
	defer end()
	status, d := lookAt(t, page, "", "family=x&family=telltale_target_up")
	if status != http.StatusOK || len(d.Points) != 2 || len(d.Points[0].Points) != 2 {
		t.Fatalf("%d %+v", status, d)
	}
	var labels []string
	for _, p := range d.Points[0].Points {
		labels = append(labels, strings.Join(p.L, "="))
	}
	if got, want := strings.Join(labels, " "), "instance="+here+"#1 instance="+here+"#2"; got != want {
		t.Errorf("series of x: %s, want %s", got, want)
	}
	if up := d.Points[1].Points; len(up) != 3 || up[0].V != 1.0 || up[2].V != 0.0 {
		t.Errorf("telltale_target_up: %+v", up)
	}
}

// A password in a URL is on no page and in no message, a target that has the family of
// what is up costs none, and what keeps a target from being read is said once.
func TestWatchWebOfSecretsAndOfTargetsAlike(t *testing.T) {
	needInterrupts(t)
	server := httptest.NewServer(&shaky{page: "# TYPE telltale_target_up gauge\ntelltale_target_up{instance=\"inner\"} 0\n"})
	defer server.Close()
	missing := file(t, "") + ".missing"
	var stderr bytes.Buffer
	page, end := watchWeb(t, &stderr, strings.Replace(server.URL, "http://", "http://user:geheim@", 1), missing)
	status, d := lookAt(t, page, "", "family=telltale_target_up")
	for range 3 {
		lookAt(t, page, "", "")
	}
	end()
	if status != http.StatusOK || len(d.Points) != 1 || len(d.Points[0].Points) != 3 {
		t.Fatalf("%d %+v", status, d)
	}
	all := fmt.Sprint(d.Points)
	if strings.Contains(all, "geheim") || !strings.Contains(all, "user:xxxxx@") || !strings.Contains(all, "exported_instance inner") {
		t.Error(all)
	}
	if text := stderr.String(); strings.Count(text, missing) == 0 || strings.Count(text, "\n") != 1 || strings.Contains(text, "geheim") {
		t.Errorf("messages: %s", text)
	}
}

// Of a directory the page shows the writers.
func TestWatchWebOfADirectory(t *testing.T) {
	needInterrupts(t)
	dir, _ := workers(t)
	page, end := watchWeb(t, nil, dir)
	defer end()
	if status, d := lookAt(t, page, "", "writers"); status != http.StatusOK || !d.Directory || d.Writers == nil || len(d.Writers.Files) != 3 || len(d.Index) == 0 {
		t.Errorf("%d %+v", status, d)
	}
}

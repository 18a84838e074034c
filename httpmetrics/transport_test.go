package httpmetrics_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"telltale"
	"telltale/httpmetrics"
	"telltale/telltaletest"
)

func TestClientRequestsAreCounted(t *testing.T) {
	reg := telltale.NewRegistry()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "hello")
	}))
	defer server.Close()
	transport, err := httpmetrics.NewTransport(server.Client().Transport, httpmetrics.In(reg))
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: transport}
	resp, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if got := telltaletest.Value(t, reg, "http_client_in_flight_requests", nil); got != 1 {
		t.Errorf("%v requests in flight before the body was read", got)
	}
	if text, err := io.ReadAll(resp.Body); string(text) != "hello" || err != nil {
		t.Errorf("the answer is %q, error %v", text, err)
	}
	_ = resp.Body.Close()
	if resp, err = client.Post(server.URL+"/missing", "text/plain", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	telltaletest.Compare(t, reg, `
		http_client_in_flight_requests 0
		http_client_requests_total{method="GET",code="200"} 1
		http_client_requests_total{method="POST",code="404"} 1
	`, "http_client_in_flight_requests", "http_client_requests_total")
	for _, c := range []struct {
		name   string
		labels map[string]string
		want   float64
	}{
		{"http_client_response_size_bytes_sum", map[string]string{"method": "GET", "code": "200"}, 5},
		{"http_client_request_duration_seconds_count", map[string]string{"method": "GET", "code": "200"}, 1},
		{"http_client_phase_duration_seconds_count", map[string]string{"phase": "dns"}, 0},
		{"http_client_phase_duration_seconds_count", map[string]string{"phase": "connect"}, 1},
		{"http_client_phase_duration_seconds_count", map[string]string{"phase": "tls"}, 1},
		{"http_client_phase_duration_seconds_count", map[string]string{"phase": "first_byte"}, 2},
	} {
		if got := telltaletest.Value(t, reg, c.name, c.labels); got != c.want {
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	telltaletest.Lint(t, reg)
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("the network is down")
}

func TestFailedRequestsAreErrors(t *testing.T) {
	reg := telltale.NewRegistry()
	transport, err := httpmetrics.NewTransport(failing{}, httpmetrics.In(reg))
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: transport}
	if _, err := client.Get("http://127.0.0.1:1/"); err == nil {
		t.Fatal("no error")
	}
	telltaletest.Compare(t, reg, `
		http_client_in_flight_requests 0
		http_client_requests_total{method="GET",code="error"} 1
	`, "http_client_in_flight_requests", "http_client_requests_total")
}

// transportFunc is a transport that a program makes of a function.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A transport may leave out the body, and may panic.
func TestTransportsOfPrograms(t *testing.T) {
	reg := telltale.NewRegistry()
	answer := transportFunc(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 204}, nil })
	transport, err := httpmetrics.NewTransport(answer, httpmetrics.In(reg), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Get("http://127.0.0.1:1/")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(resp.Body); len(text) != 0 || err != nil || resp.Body.Close() != nil {
		t.Errorf("the body is %q, error %v", text, err)
	}
	broken, err := httpmetrics.NewTransport(transportFunc(func(*http.Request) (*http.Response, error) { panic("broken") }), httpmetrics.In(reg))
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = broken.RoundTrip(httptest.NewRequest("GET", "/", nil))
		t.Error("the panic did not go on")
	}()
	if got := telltaletest.Value(t, reg, "http_client_in_flight_requests", nil); got != 0 {
		t.Errorf("%v requests are in flight", got)
	}
}

// A connection that has switched protocols can still be written to.
func TestSwitchedProtocols(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, b, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close() //nolint:errcheck // it is loopback
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := b.ReadString('\n')
		_, _ = io.WriteString(c, line)
	}))
	defer server.Close()
	transport, err := httpmetrics.NewTransport(nil, httpmetrics.In(telltale.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", server.URL, nil)
	r.RequestURI = ""
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "echo")
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	both, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatalf("the body of status %d is a %T, which cannot be written to", resp.StatusCode, resp.Body)
	}
	if _, err := io.WriteString(both, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(both); string(text) != "hello\n" || err != nil {
		t.Errorf("the echo is %q, error %v", text, err)
	}
}

package scrapehttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/scrapehttp"
)

// client is bounded in time, so that a test that fails ends.
var client = &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{DisableCompression: true}}

// listen serves h on loopback.
func listen(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func get(t testing.TB, url string, headers ...string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// serve runs Serve on a free port of the loopback interface.
func serve(t testing.TB, c telltale.Collector, opts ...scrapehttp.ServerOption) (url string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	addr, ended := make(chan net.Addr, 1), make(chan error, 1)
	opts = append(opts, scrapehttp.WithListening(func(a net.Addr) { addr <- a }))
	go func() { ended <- scrapehttp.Serve(ctx, "127.0.0.1:0", c, opts...) }()
	stop = func() error {
		cancel()
		return <-ended
	}
	select {
	case a := <-addr:
		return "http://" + a.String(), stop
	case err := <-ended:
		t.Fatal(err)
		return "", nil
	}
}

func TestServe(t *testing.T) {
	c := &asked{name: "depth"}
	url, stop := serve(t, c)
	for _, test := range []struct {
		path, contentType, body string
		status                  int
	}{
		{"/-/healthy", "text/plain; charset=utf-8", "OK", 200},
		{"/favicon.ico", "", "", 204},
		{"/nowhere", "text/plain; charset=utf-8", "404 page not found\n", 404},
	} {
		response, body, err := get(t, url+test.path)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != test.status || response.Header.Get("Content-Type") != test.contentType || body != test.body {
			t.Errorf("%s: %s, %q, %q", test.path, response.Status, response.Header.Get("Content-Type"), body)
		}
	}
	response, body, err := get(t, url)
	if err != nil || response.StatusCode != 200 || !strings.Contains(body, `<a href="metrics">`) || strings.Contains(body, "depth") {
		t.Errorf("landing page: %v, %s, %q", err, response.Status, body)
	}
	if c.n > 0 {
		t.Errorf("collected %d times before anybody asked for metrics", c.n)
	}
	response, body, err = get(t, url+"/metrics")
	if err != nil || response.StatusCode != 200 || body != "# HELP depth \n# TYPE depth gauge\ndepth 7.0\n" {
		t.Errorf("metrics: %v, %s, %q", err, response.Status, body)
	}
	if err := stop(); err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if _, err := client.Get(url); err == nil {
		t.Error("it still listens")
	}
}

func TestServeWhoseHookEndsItsGoroutine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := scrapehttp.Serve(ctx, "127.0.0.1:0", shop(t), scrapehttp.WithListening(func(net.Addr) {
		cancel()
		runtime.Goexit()
	}))
	if err == nil || !strings.Contains(err.Error(), "Goexit") {
		t.Errorf("Serve returned %v", err)
	}
}

func TestServeGoesOnWhenItsHookPanics(t *testing.T) {
	addr, told := make(chan net.Addr, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- scrapehttp.Serve(ctx, "127.0.0.1:0", shop(t),
			scrapehttp.WithListening(func(a net.Addr) {
				addr <- a
				panic("x")
			}),
			scrapehttp.WithErrorHook(func(err error) { told <- err }))
	}()
	if _, page, err := get(t, "http://"+(<-addr).String()+"/metrics"); err != nil || page != shopPage {
		t.Errorf("%v, page %q", err, page)
	}
	if err := <-told; !strings.Contains(err.Error(), "a hook panicked: x") {
		t.Errorf("the error hook heard %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServeSaysThatThePortIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	err = scrapehttp.Serve(t.Context(), l.Addr().String(), telltale.NewRegistry())
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

// blocking is a registry whose collector waits to be released.
func blocking(t *testing.T) (reg *telltale.Registry, begun, release chan struct{}) {
	t.Helper()
	begun, release = make(chan struct{}), make(chan struct{})
	reg = shop(t)
	err := reg.Register(telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
		close(begun)
		<-release
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return reg, begun, release
}

func TestServeLetsScrapesFinish(t *testing.T) {
	reg, begun, release := blocking(t)
	url, stop := serve(t, reg, scrapehttp.WithTimeout(0), scrapehttp.WithGrace(time.Hour))
	page, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		_, body, err := get(t, url+"/metrics")
		page <- fmt.Sprint(body, err)
	}()
	<-begun
	go func() { ended <- stop() }()
	for { // until the listener is closed, so that the shutdown has begun
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	close(release)
	if got := <-page; got != shopPage+"<nil>" {
		t.Errorf("got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServeDoesNotWaitForEver(t *testing.T) {
	reg, begun, release := blocking(t)
	defer close(release)
	url, stop := serve(t, reg, scrapehttp.WithTimeout(0), scrapehttp.WithGrace(time.Millisecond))
	cut := make(chan error, 1)
	go func() {
		response, err := client.Get(url + "/metrics")
		if err == nil {
			defer func() { _ = response.Body.Close() }()
			_, err = io.ReadAll(response.Body)
		}
		cut <- err
	}()
	<-begun
	if err := stop(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := <-cut; err == nil || os.IsTimeout(err) {
		t.Errorf("the scrape was not cut off: %v", err)
	}
}

func TestNewServerIsAnOrdinaryServer(t *testing.T) {
	s := scrapehttp.NewServer("127.0.0.1:0", shop(t), scrapehttp.WithMaxInFlight(3))
	if s.Addr != "127.0.0.1:0" || s.ReadHeaderTimeout <= 0 || s.IdleTimeout <= 0 || s.WriteTimeout <= 0 || s.MaxHeaderBytes <= 0 {
		t.Errorf("got %+v", s)
	}
	w := answer(s.Handler, request("GET", "/metrics"))
	wantStatus(t, w, 200)
	w = answer(s.Handler, request("POST", "/-/healthy"))
	wantStatus(t, w, 405)
}

// Small pages leave in one piece, with their length, where the server sees to
// write deadlines.
func TestSmallPageHasLength(t *testing.T) {
	url, stop := serve(t, shop(t))
	response, _, err := get(t, url+"/metrics")
	if err != nil || response.ContentLength != int64(len(shopPage)) {
		t.Errorf("length %d, %v; want %d", response.ContentLength, err, len(shopPage))
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

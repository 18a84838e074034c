package scrapehttp_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/scrapehttp"
)

var errDatabase = errors.New("db is down")

// custom returns a collector that emits gauges and then returns an error.
func custom(err error, names ...string) telltale.Collector {
	return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for _, name := range names {
			f := &model.Family{Name: name, Type: model.Gauge}
			f.AddSample(name, nil, 1)
			if err := emit(f); err != nil {
				return err
			}
		}
		return err
	})
}

// large adds an instrument whose families take more than a chunk of the page.
func large(t *testing.T, reg *telltale.Registry) {
	t.Helper()
	vec := telltale.Must(telltale.NewCounterVec("large", "", []string{"i"}, telltale.In(reg)))
	for i := range 10_000 {
		vec.With(fmt.Sprint(i)).Inc()
	}
}

func TestFailOnFault(t *testing.T) {
	var heard error
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	large(t, reg)
	h := scrapehttp.Handler(reg, scrapehttp.WithFailOnFault(), scrapehttp.WithErrorHook(func(err error) { heard = err }))
	register := func(c telltale.Collector) {
		t.Helper()
		if err := reg.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	register(custom(nil, "fine"))
	w := answer(h, request(http.MethodGet, "/metrics"))
	wantStatus(t, w, http.StatusOK)
	if !strings.HasSuffix(w.Body.String(), "fine 1.0\n") || heard != nil {
		t.Errorf("the page ends in %q, and the hook heard %v", w.Body.String()[w.Body.Len()-20:], heard)
	}

	for _, tt := range []struct {
		name   string
		broken telltale.Collector
	}{
		{"an error", custom(errDatabase, "some")},
		{"a panic", telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { panic("at the disco") })},
		{"a nil family", telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error { return emit(nil) })},
		{"in a view", telltale.Must(telltale.Prefixed(custom(errDatabase, "some"), "p_"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			heard = nil
			register(tt.broken)
			w := answer(h, request(http.MethodGet, "/metrics", "Accept-Encoding", "gzip"))
			wantStatus(t, w, http.StatusInternalServerError)
			if body := w.Body.String(); strings.Contains(body, "fine") || strings.Contains(body, "db is down") {
				t.Errorf("the answer is %q", body)
			}
			var fault *telltale.Fault
			if !errors.As(heard, &fault) {
				t.Errorf("the hook heard %v", heard)
			}
			wantStatus(t, answer(h, request(http.MethodGet, "/metrics?name[]=p_some")), http.StatusInternalServerError) // it may have that name
			wantStatus(t, answer(scrapehttp.Handler(reg), request(http.MethodGet, "/metrics")), http.StatusOK)
			if err := reg.Unregister(tt.broken); err != nil {
				t.Fatal(err)
			}
			wantStatus(t, answer(h, request(http.MethodGet, "/metrics")), http.StatusOK)
		})
	}
}

// What only encoding shows is answered with 500 as long as nothing was sent, and
// then aborts the page.
func TestFailOnFaultOfEncoding(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	for range 2 {
		if err := reg.Register(custom(nil, "twice")); err != nil {
			t.Fatal(err)
		}
	}
	h := scrapehttp.Handler(reg, scrapehttp.WithFailOnFault())
	wantStatus(t, answer(h, request(http.MethodGet, "/metrics")), http.StatusInternalServerError)
	large(t, reg)
	if err := reg.Unregister(telltale.Must(telltale.NewCounterVec("large", "", []string{"i"}, telltale.In(reg)))); err != nil {
		t.Fatal(err)
	}
	outer := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	large(t, outer)
	if err := outer.Register(reg); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(scrapehttp.Handler(outer, scrapehttp.WithFailOnFault()))
	defer server.Close()
	response, err := http.Get(server.URL) //nolint:noctx // of a test
	if err != nil {
		return // aborted before the header was read
	}
	defer func() { _ = response.Body.Close() }()
	if n, err := response.Body.Read(make([]byte, 1<<20)); response.StatusCode == http.StatusOK && err == nil {
		for err == nil {
			n, err = response.Body.Read(make([]byte, 1<<20))
		}
		if err.Error() == "EOF" {
			t.Errorf("the page ended as if it were whole, with %d bytes", n)
		}
	}
}

// A collector that hangs fails the scrape when its time is over, and one that must
// lend its families fails none.
func TestFailOnFaultWaits(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}), telltale.WithRetention(0))
	if err := reg.Register(custom(nil, "a", "b")); err != nil {
		t.Fatal(err)
	}
	h := scrapehttp.Handler(reg, scrapehttp.WithFailOnFault(), scrapehttp.WithTimeout(100*time.Millisecond))
	w := answer(scrapehttp.Handler(reg, scrapehttp.WithFailOnFault()), request(http.MethodGet, "/metrics"))
	wantStatus(t, w, http.StatusOK)
	if want := "# HELP a \n# TYPE a gauge\na 1.0\n# HELP b \n# TYPE b gauge\nb 1.0\n"; w.Body.String() != want {
		t.Errorf("got %q", w.Body)
	}
	hangs := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
		<-release
		return nil
	})
	if err := reg.Register(hangs); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		wantStatus(t, answer(h, request(http.MethodGet, "/metrics")), http.StatusInternalServerError)
	}
}

// A run is shared by scrapes that want a whole page and others: what a collector
// collects itself does not fail for all of them.
func TestFailOnFaultWithinACollector(t *testing.T) {
	inner := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	for _, c := range []telltale.Collector{custom(nil, "kept"), custom(errDatabase)} {
		if err := inner.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	if err := reg.Register(telltale.CollectorFunc(inner.Collect)); err != nil {
		t.Fatal(err)
	}
	w := answer(scrapehttp.Handler(reg, scrapehttp.WithFailOnFault()), request(http.MethodGet, "/metrics"))
	wantStatus(t, w, http.StatusOK)
	if !strings.Contains(w.Body.String(), "kept 1.0\n") {
		t.Errorf("got %q", w.Body)
	}
}

// A collector that says that it is down costs a page without a word in the log on no
// registry.
func TestFailureOnTheDefaultRegistryIsLogged(t *testing.T) {
	var b strings.Builder
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&b, nil)))
	defer slog.SetDefault(before)
	down := custom(errDatabase)
	if err := telltale.Default.Register(down); err == nil {
		t.Fatal("describing a collector that is down gave no error")
	}
	name := fmt.Sprint("db_up_", time.Now().UnixNano()) // the log has each kind of fault once a minute, however often the test runs
	described := telltale.CollectorFunc(down.Collect, &model.Family{Name: name, Type: model.Gauge})
	if err := telltale.Default.Register(described); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = telltale.Default.Unregister(described) }()
	wantStatus(t, answer(scrapehttp.Handler(telltale.Default), request(http.MethodGet, "/metrics")), http.StatusOK)
	if got := b.String(); !strings.Contains(got, `level=ERROR msg="telltale: metrics are left out of the page" reason=error`) || !strings.Contains(got, `err="db is down"`) {
		t.Errorf("the log has %q", got)
	}
	wantStatus(t, answer(scrapehttp.Handler(telltale.Default, scrapehttp.WithFailOnFault()), request(http.MethodGet, "/metrics")), http.StatusInternalServerError)
}

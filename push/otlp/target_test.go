package otlp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/push"
	"telltale/push/otlp"
)

var _ push.Target = (*otlp.Target)(nil)

// listen listens on an address, which may just have been in use.
func listen(t *testing.T, address string) (l net.Listener) {
	t.Helper()
	await(t, "the address", func() (ok bool) {
		var err error
		l, err = net.Listen("tcp", address)
		return err == nil
	})
	return l
}

// What the specification calls temporary may be pushed again, and nothing else.
func TestStatuses(t *testing.T) {
	temporary := map[int]bool{429: true, 502: true, 503: true, 504: true}
	for _, code := range []int{301, 307, 400, 401, 403, 404, 408, 413, 429, 500, 501, 502, 503, 504, 505} {
		b := newBackend(t)
		b.answer = func(int) action {
			return action{status: code, body: status("it says why"), header: http.Header{"Retry-After": {"7"}, "Location": {"/elsewhere"}}}
		}
		target := must(otlp.NewTarget(b.URL))
		err := target.Push(t.Context(), &counting{series: 3})
		var refused *push.StatusError
		if !errors.As(err, &refused) || refused.Code != code || refused.Temporary() != temporary[code] || refused.RetryAfter != 7*time.Second || refused.Body != "it says why" {
			t.Errorf("%d: %v", code, err)
		}
		result, other := "refused", "dropped"
		if temporary[code] {
			result, other = other, result
		}
		if health(t, target, "points_total", result) != 3 || health(t, target, "points_total", other) != 0 {
			t.Errorf("%d: not counted as %s", code, result)
		}
		if b.requests() != 1 {
			t.Errorf("%d: %d requests", code, b.requests())
		}
	}
}

// After a refusal that may be over later the rest is not sent; after others it is.
func TestRefusalsOfSomeRequests(t *testing.T) {
	for _, code := range []int{503, 400} {
		b := newBackend(t)
		b.answer = func(n int) action {
			if n == 1 {
				return action{status: code}
			}
			return action{}
		}
		target := must(otlp.NewTarget(b.URL, otlp.WithMaxBytes(600), otlp.WithResource(map[string]string{"service.name": "s", "service.instance.id": "i"})))
		err := target.Push(t.Context(), &counting{series: 32})
		var refused *push.StatusError
		if !errors.As(err, &refused) || refused.Code != code {
			t.Errorf("%d: %v", code, err)
		}
		if (b.requests() == 2) != (code == 503) {
			t.Errorf("%d: %d requests", code, b.requests())
		}
		if got := health(t, target, "points_total", ""); got != 32 {
			t.Errorf("%d: %v points are counted", code, got)
		}
	}
}

// A partial success is told and never tried again; a warning is no failure.
func TestPartialSuccess(t *testing.T) {
	for _, test := range []struct {
		rejected int64
		message  string
		kind     string
		fails    bool
		warns    bool
	}{
		{2, "too many", "", true, false},
		{1 << 40, "", "application/x-protobuf; charset=utf-8", true, false},
		{0, "old version", "", false, true},
		{0, "", "", false, false},
		{2, "no message of the protocol", "text/plain", false, false},
		{3, strings.Repeat("long", 1000), "", true, false},
	} {
		b := newBackend(t)
		b.answer = func(int) action { return action{body: partial(test.rejected, test.message), kind: test.kind} }
		var warnings []error
		target := must(otlp.NewTarget(b.URL, otlp.WithErrorHook(func(err error) { warnings = append(warnings, err) })))
		err := target.Push(t.Context(), &counting{series: 3})
		var part *otlp.PartialError
		if errors.As(err, &part) != test.fails || (err != nil) != test.fails || test.fails && (part.Rejected != test.rejected || part.Sent != 3 || !strings.HasPrefix(test.message, part.Message)) {
			t.Errorf("%v: %v", test.rejected, err)
		}
		var refused *push.StatusError
		if test.fails && (!errors.As(err, &refused) || refused.Temporary()) {
			t.Errorf("%v: it would be tried again", test.rejected)
		}
		if (len(warnings) > 0) != test.warns {
			t.Errorf("%v: warnings %v", test.rejected, warnings)
		}
		if got, want := health(t, target, "points_total", "refused"), min(3, float64(test.rejected)); test.fails && got != want {
			t.Errorf("%v: %v counted as refused", test.rejected, got)
		}
	}
}

// Every pushes to a target, and a last time at its end; what is refused for good is not
// tried again before the next push is due.
func TestTargetByEvery(t *testing.T) {
	b, c := newBackend(t), &counting{series: 3}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- push.Every(ctx, 5*time.Millisecond, c, must(otlp.NewTarget(b.URL))) }()
	await(t, "points", func() bool { return len(b.of(ofCounting(0))) > 3 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	b.check(t)
	all := b.of(ofCounting(2))
	if last := all[len(all)-1].value; last != float64(c.n.Load()) {
		t.Errorf("the last value is %v of %d", last, c.n.Load())
	}

	old := log.Writer()
	log.SetOutput(io.Discard)
	defer log.SetOutput(old)
	b, c = newBackend(t), &counting{series: 1}
	b.answer = func(int) action { return action{status: 500} }
	ctx, cancel = context.WithCancel(t.Context())
	go func() { ended <- push.Every(ctx, time.Hour, c, must(otlp.NewTarget(b.URL))) }()
	await(t, "a request", func() bool { return b.requests() > 0 })
	time.Sleep(3 * push.FirstRetry / 2) // in which it would have been tried again
	cancel()
	if err := <-ended; err == nil || b.requests() != 2 {
		t.Errorf("%v after %d requests", err, b.requests())
	}
}

// No request is larger than the limit, unless it has a single point; all points come.
func TestLimitOfRequests(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"service.name": "shop", "about": strings.Repeat("x", 100)}))
	v := must(telltale.NewCounterVec("requests", strings.Repeat("Help ", 20), []string{"path", "otel_scope_name"}, telltale.In(reg)))
	for i := range 300 {
		v.With(fmt.Sprint("/", i, strings.Repeat("y", i%50)), []string{"", "a", "b"}[i%3]).Inc()
	}
	v.With(strings.Repeat("z", 2000), "").Inc()
	for i := range 50 {
		must(telltale.NewGauge(fmt.Sprint("gauge_", i), "G.", telltale.In(reg))).Set(1)
	}
	for _, limit := range []int{1, 400, 1000, 10_000} {
		b := newBackend(t)
		target := must(otlp.NewTarget(b.URL, otlp.WithMaxBytes(limit)))
		if err := target.Push(t.Context(), reg); err != nil {
			t.Fatal(err)
		}
		b.check(t)
		if len(b.points) != 351 {
			t.Errorf("%d: %d series", limit, len(b.points))
		}
		resource := ""
		for i, size := range b.sizes {
			n := 0
			eachNumber(b.all[i], func(string, point) { n++ })
			if size > limit && n > 1 {
				t.Errorf("a request of %d points has %d bytes, more than %d", n, size, limit)
			}
			got := fmt.Sprint(labelsOf(b.all[i].ResourceMetrics[0].Resource.Attributes))
			if resource != "" && got != resource {
				t.Errorf("the resource is %s after %s", got, resource)
			}
			resource = got
		}
	}
}

// resourceOf returns the resources of what a collector emits, one a request.
func resourcesOf(t *testing.T, c telltale.Collector, opts ...otlp.TargetOption) (all []map[string]string) {
	t.Helper()
	b := newBackend(t)
	target := must(otlp.NewTarget(b.URL, append(opts, otlp.WithMaxBytes(1))...))
	for range 2 {
		if err := target.Push(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for _, data := range b.all {
		for _, rm := range data.ResourceMetrics {
			all = append(all, labelsOf(rm.Resource.Attributes))
		}
	}
	return all
}

// The resource is made of target_info wherever it comes in a collection, and of options;
// without an instance it has one that only this process has.
func TestResources(t *testing.T) {
	info := func(values ...string) *model.Family {
		f := must(model.NewInfoFamily("target", "Target.", model.WithLabelNames("instance")))
		for _, v := range values {
			fail(f.Add([]string{v}, map[string]string{"service.name": "shop", "zone": "eu"}))
		}
		return f.Family()
	}
	plain := must(model.NewGaugeFamily("target_info", "", model.WithLabelNames("zone")))
	fail(plain.Add([]string{"us"}, 1))
	a, b := with(newFamily("a", model.Gauge), model.Point{Has: model.PartValue}), with(newFamily("b", model.Gauge), model.Point{Has: model.PartValue})
	own := otlp.WithResource(map[string]string{"service.name": "own", "service.instance.id": "i"})
	for name, test := range map[string]struct {
		c    telltale.Collector
		opts []otlp.TargetOption
		want map[string]string
		n    int
	}{
		"first":   {these(info("x"), a, b), nil, map[string]string{"service.name": "shop", "zone": "eu", "instance": "x"}, 4},
		"last":    {these(a, b, info("x")), nil, map[string]string{"service.name": "shop", "zone": "eu", "instance": "x"}, 4},
		"gauge":   {these(a, plain.Family(), b), nil, map[string]string{"zone": "us"}, 4},
		"options": {these(info("x"), a, b), []otlp.TargetOption{own}, map[string]string{"service.name": "own", "service.instance.id": "i", "zone": "eu", "instance": "x"}, 4},
		"none":    {these(a, b), nil, map[string]string{}, 4},
		"several": {these(a, b, info("x", "y")), []otlp.TargetOption{own}, map[string]string{"service.name": "own", "service.instance.id": "i"}, 8},
	} {
		all := resourcesOf(t, test.c, test.opts...)
		if len(all) != test.n {
			t.Errorf("%s: %d resources, want %d", name, len(all), test.n)
		}
		for _, got := range all {
			for key, value := range test.want {
				if got[key] != value {
					t.Errorf("%s: the resource is %v, want %v", name, got, test.want)
				}
			}
			if got["service.instance.id"] == "" || got["service.name"] == "" || got["service.instance.id"] != all[0]["service.instance.id"] {
				t.Errorf("%s: the resource is %v", name, got)
			}
			if test.want["service.name"] == "" && !strings.HasPrefix(got["service.name"], "unknown_service:") {
				t.Errorf("%s: the resource is %v", name, got)
			}
		}
	}
}

// A resource that changes is sent from then on.
func TestResourceThatChanges(t *testing.T) {
	b := newBackend(t)
	target := must(otlp.NewTarget(b.URL))
	reg := telltale.NewRegistry()
	must(telltale.NewGauge("g", "", telltale.In(reg))).Set(1)
	for i := range 3 {
		fail(reg.SetTargetInfo(map[string]string{"version": fmt.Sprint(i)}))
		if err := target.Push(t.Context(), reg); err != nil {
			t.Fatal(err)
		}
		if got := labelsOf(b.all[i].ResourceMetrics[0].Resource.Attributes)["version"]; got != fmt.Sprint(i) {
			t.Errorf("the version is %q", got)
		}
	}
}

// A collection that fails sends what it has; one that is cut off is an error.
func TestCollectionThatFails(t *testing.T) {
	b := newBackend(t)
	target := must(otlp.NewTarget(b.URL))
	broken := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		if err := emit(with(newFamily("g", model.Gauge), model.Point{Has: model.PartValue, Value: 3})); err != nil {
			return err
		}
		return errors.New("it broke")
	})
	_ = target.Push(t.Context(), broken) // the fault is told as that of every collection is
	if got := b.of("g{}"); len(got) != 1 || got[0].value != 3 {
		t.Errorf("received %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := target.Push(ctx, &counting{series: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if err := target.Push(t.Context(), nil); err == nil {
		t.Error("nil: no error")
	}
}

// TLS with certificates on both sides, tokens and headers come through; the path is added
// where there is none.
func TestConnections(t *testing.T) {
	b := newBackend(t)
	var path atomic.Value
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path.Store(r.URL.Path)
		if len(r.TLS.PeerCertificates) != 1 || r.Header.Get("Authorization") != "Bearer t0ken" || r.Header.Get("X-Scope-Orgid") != "7" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		b.ServeHTTP(w, r)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	config := &tls.Config{RootCAs: roots, Certificates: server.TLS.Certificates, MinVersion: tls.VersionTLS12}
	opts := []otlp.TargetOption{otlp.WithTLS(config), otlp.WithBearerToken("t0ken"), otlp.WithHeader("x-scope-orgid", "7")}
	for given, want := range map[string]string{"": "/v1/metrics", "/": "/v1/metrics", "/api/v1/otlp/v1/metrics": "/api/v1/otlp/v1/metrics"} {
		if err := must(otlp.NewTarget(server.URL+given, opts...)).Push(t.Context(), &counting{series: 1}); err != nil || path.Load() != want {
			t.Errorf("%q: %v at %v", given, err, path.Load())
		}
	}
	if err := must(otlp.NewTarget(server.URL, opts[:2]...)).Push(t.Context(), &counting{series: 1}); err == nil {
		t.Error("without the header: no error")
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if err := must(otlp.NewTarget(server.URL)).Push(t.Context(), &counting{series: 1}); err == nil {
		t.Error("without trust: no error")
	}
}

// Pushes of several goroutines are one after the other.
func TestConcurrentPushes(t *testing.T) {
	b, c := newBackend(t), &counting{series: 20}
	target := must(otlp.NewTarget(b.URL, otlp.WithMaxBytes(500)))
	ended := make(chan error)
	for range 8 {
		go func() { ended <- target.Push(t.Context(), c) }()
	}
	for range 8 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	b.check(t)
	if all := b.of(ofCounting(0)); len(all) != 8 {
		t.Errorf("received %v", all)
	}
}

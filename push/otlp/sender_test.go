package otlp_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/internal/freeport"
	"telltale/model"
	"telltale/push"
	"telltale/push/otlp"
)

// counting is a collector of series whose value is the number of the collection.
type counting struct {
	n      atomic.Int64
	series int
}

func (c *counting) Collect(_ context.Context, emit func(*model.Family) error) error {
	f, err := model.NewGaugeFamily("n", "Collections.", model.WithLabelNames("i"))
	if err != nil {
		return err
	}
	n := c.n.Add(1)
	for i := range c.series {
		if err := f.Add([]string{fmt.Sprint(i)}, float64(n)); err != nil {
			return err
		}
	}
	return emit(f.Family())
}

func ofCounting(i int) string { return fmt.Sprintf(`n{i="%d"}`, i) }

// running is a sender that runs.
type running struct {
	*otlp.Sender
	stop  context.CancelFunc
	ended chan error

	mu   sync.Mutex
	errs []error
}

// start starts a sender that collects every few milliseconds.
func start(t *testing.T, c telltale.Collector, url string, opts ...otlp.Option) *running {
	t.Helper()
	r := &running{ended: make(chan error, 1)}
	opts = append([]otlp.Option{
		otlp.WithInterval(5 * time.Millisecond),
		otlp.WithRetry(time.Millisecond, 10*time.Millisecond),
		otlp.WithFlushTimeout(patience),
		otlp.WithTimeout(patience),
		otlp.WithErrorHook(func(err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.errs = append(r.errs, err)
		}),
	}, opts...)
	s, err := otlp.NewSender(c, url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	r.Sender, r.stop = s, stop
	go func() { r.ended <- s.Run(ctx) }()
	return r
}

// end ends the sender and returns what Run returns.
func (r *running) end(t *testing.T) error {
	t.Helper()
	r.stop()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(2 * patience):
		t.Fatal("Run does not end")
		return nil
	}
}

func (r *running) errors() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]error(nil), r.errs...)
}

// consecutive returns what is wrong with the points of a counting collector: all values
// from 1 to the last in order and once, except those that were refused. The last value
// but one may be missing, since that collection was cut off.
func consecutive(all, refused []point, last int64) string {
	left := map[float64]bool{float64(last - 1): true}
	for _, p := range refused {
		left[p.value] = true
	}
	for v := 1.0; v <= float64(last); v++ {
		switch {
		case len(all) > 0 && all[0].value == v:
			all = all[1:]
		case !left[v]:
			return fmt.Sprintf("%v of %d is missing; then comes %v", v, last, all[:min(1, len(all))])
		}
	}
	if len(all) > 0 {
		return fmt.Sprintf("%d points too many: %v", len(all), all[0])
	}
	return ""
}

// The receiver fails in all ways at random. What it acknowledged it has, once and in
// order; nothing else is lost but what it refused for good.
func TestRandomFailures(t *testing.T) {
	for run := range 4 {
		seed := uint64(time.Now().UnixNano()) + uint64(run)
		t.Logf("seed %d", seed)
		random, answers := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
		b, c := newBackend(t), &counting{series: 1 + random.IntN(100)}
		b.answer = func(int) action { // under the backend's lock
			switch answers.IntN(12) {
			case 0:
				return action{status: 502}
			case 1:
				return action{status: 503, keep: true}
			case 2:
				return action{status: 429, header: http.Header{"Retry-After": {"0"}}}
			case 3:
				return action{status: 504}
			case 4:
				return action{reset: true}
			case 5:
				return action{reset: true, keep: true}
			case 6:
				return action{status: 400, body: status("no")}
			case 7:
				return action{status: 500}
			case 8:
				return action{half: true}
			}
			return action{}
		}
		s := start(t, c, b.URL, otlp.WithMaxBytes(400+random.IntN(8000)))
		want := 20 + random.Int64N(30)
		await(t, "collections", func() bool { return c.n.Load() >= want })
		if err := s.end(t); err != nil {
			t.Error(err)
		}
		b.check(t)
		for i := range c.series {
			if wrong := consecutive(b.of(ofCounting(i)), b.refused[ofCounting(i)], c.n.Load()); wrong != "" {
				t.Errorf("seed %d: series %d: %s", seed, i, wrong)
				return
			}
		}
	}
}

// While the receiver is away all is kept within the queue's bound; beyond it the oldest
// is dropped and counted.
func TestQueue(t *testing.T) {
	for _, bounded := range []bool{false, true} {
		away := atomic.Bool{}
		b, c := newBackend(t), &counting{series: 50}
		b.answer = func(int) action {
			if away.Load() {
				return action{status: 503}
			}
			return action{}
		}
		var opts []otlp.Option
		if bounded {
			opts = append(opts, otlp.WithQueueBytes(3000))
		}
		s := start(t, c, b.URL, opts...)
		await(t, "points", func() bool { return len(b.of(ofCounting(0))) > 2 })
		away.Store(true)
		before := c.n.Load()
		await(t, "collections", func() bool {
			if bounded {
				return health(t, s.Sender, "points_total", "dropped") > 100
			}
			return c.n.Load() > before+50
		})
		if bounded && health(t, s.Sender, "queued_bytes", "") > 3000 {
			t.Error("more than 3000 bytes are in the queue")
		}
		if health(t, s.Sender, "queued_points", "") == 0 || health(t, s.Sender, "delay_seconds", "") <= 0 {
			t.Error("health shows no queue")
		}
		away.Store(false)
		if err := s.end(t); err != nil {
			t.Error(err)
		}
		b.check(t)
		for i := range c.series {
			if wrong := consecutive(b.of(ofCounting(i)), nil, c.n.Load()); !bounded && wrong != "" {
				t.Error(wrong)
			}
		}
		if health(t, s.Sender, "queued_bytes", "") != 0 || health(t, s.Sender, "last_success_timestamp_seconds", "") == 0 {
			t.Error("health shows a queue, or no success, at the end")
		}
	}
}

// The receiver is gone and comes back at the same address.
func TestRestart(t *testing.T) {
	address := freeport.Address(t) // which stays free while nobody listens
	b, c := newBackendAt(t, listen(t, address)), &counting{series: 3}
	s := start(t, c, b.URL)
	await(t, "points", func() bool { return len(b.of(ofCounting(0))) > 2 })
	b.CloseClientConnections()
	b.Close()
	before := len(s.errors())
	await(t, "failures", func() bool { return len(s.errors()) > before+2 })
	listener := listen(t, address)
	again := &http.Server{Handler: b, ReadHeaderTimeout: patience}
	t.Cleanup(func() { _ = again.Close() })
	go func() { _ = again.Serve(listener) }()
	n := len(b.of(ofCounting(0)))
	await(t, "points after the restart", func() bool { return len(b.of(ofCounting(0))) > n+2 })
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	b.check(t)
	for i := range 3 {
		if wrong := consecutive(b.of(ofCounting(i)), nil, c.n.Load()); wrong != "" {
			t.Error(wrong)
		}
	}
}

// A hung receiver does not keep a program from ending, and what it has not taken is an
// error.
func TestEndsWithoutReceiver(t *testing.T) {
	release := make(chan struct{})
	b, c := newBackend(t), &counting{series: 5}
	b.answer = func(int) action { return action{wait: func() { <-release }} }
	t.Cleanup(func() { close(release) })
	s := start(t, c, b.URL, otlp.WithFlushTimeout(100*time.Millisecond))
	await(t, "collections", func() bool { return c.n.Load() > 3 })
	err := s.end(t)
	if err == nil || !strings.Contains(err.Error(), "could not be sent") {
		t.Error(err)
	}
	if health(t, s.Sender, "points_total", "dropped") < 15 {
		t.Error("what was left is not counted")
	}
}

// An answer that comes by a byte a second is an attempt that failed.
func TestSlowAnswers(t *testing.T) {
	b, c := newBackend(t), &counting{series: 5}
	slow := atomic.Bool{}
	slow.Store(true)
	b.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slow.Load() {
			b.ServeHTTP(w, r)
			return
		}
		h, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = h.Close() }()
		for _, letter := range "HTTP/1.1 200 OK\r\n" {
			if _, err := h.Write([]byte{byte(letter)}); err != nil {
				return
			}
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
				return
			}
		}
	})
	s := start(t, c, b.URL, otlp.WithTimeout(500*time.Millisecond))
	await(t, "failures", func() bool { return health(t, s.Sender, "requests_total", "postponed") > 2 })
	slow.Store(false)
	await(t, "points", func() bool { return len(b.of(ofCounting(0))) > 10 })
	if err := s.end(t); err != nil {
		t.Error(err)
	} // a request that was given up may be handled after newer ones
}

// What a server refuses, and what the network says, is told without secrets.
func TestSecrets(t *testing.T) {
	for _, kind := range []string{"text/plain", "application/x-protobuf"} {
		b, c := newBackend(t), &counting{series: 1}
		b.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			text := fmt.Sprintf("not you: %s %s %s %s", user, password, r.Header.Get("Api-Key"), r.URL.RawQuery)
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(http.StatusUnauthorized)
			if kind == "text/plain" {
				_, _ = fmt.Fprint(w, text)
			} else {
				_, _ = w.Write(status(text))
			}
		})
		address := strings.Replace(b.URL, "://", "://ada:s3cret@", 1) + "/write?key=k3y"
		s := start(t, c, address, otlp.WithHeader("api-key", "t3nant"), otlp.WithFlushTimeout(10*time.Millisecond))
		await(t, "errors", func() bool { return len(s.errors()) > 0 })
		b.Close()
		before := len(s.errors())
		await(t, "more errors", func() bool { return len(s.errors()) > before })
		_ = s.end(t) // which has what could not be sent
		var refused *push.StatusError
		errs := s.errors()
		if !errors.As(errs[0], &refused) || refused.Code != http.StatusUnauthorized || !strings.HasPrefix(refused.Body, "not you: ada <secret> <secret>") {
			t.Errorf("the error is %v", errs[0])
		}
		for _, err := range errs {
			for _, secret := range []string{"s3cret", "k3y", "t3nant"} {
				if strings.Contains(err.Error(), secret) {
					t.Fatalf("the error has a secret: %v", err)
				}
			}
		}
	}
}

func TestInvalidOptions(t *testing.T) {
	for name, opt := range map[string]otlp.Option{
		"interval":     otlp.WithInterval(0),
		"timeout":      otlp.WithTimeout(-1),
		"flush":        otlp.WithFlushTimeout(0),
		"retry":        otlp.WithRetry(2, 1),
		"queue":        otlp.WithQueueBytes(0),
		"bytes":        otlp.WithMaxBytes(-1),
		"many bytes":   otlp.WithMaxBytes(1<<30 + 1),
		"attribute":    otlp.WithResource(map[string]string{"": "x"}),
		"value":        otlp.WithResource(map[string]string{"x": "\xff"}),
		"header":       otlp.WithHeader("content-type", "x"),
		"header's end": otlp.WithHeader("x", "a\r\nb: c"),
		"header name":  otlp.WithHeader("x y", "a"),
		"header's é":   otlp.WithHeader("é", "a"),
		"control":      otlp.WithHeader("x", "a\x7f"),
		"token's zero": otlp.WithBearerToken("a\x00"),
		"client":       otlp.WithClient(nil),
		"TLS":          otlp.WithTLS(nil),
		"hook":         otlp.WithErrorHook(nil),
		"user's colon": otlp.WithBasicAuth("a:b", "c"),
		"token":        otlp.WithBearerToken("a\nb"),
	} {
		if _, err := otlp.NewSender(telltale.NewRegistry(), "localhost", opt); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, url := range []string{"", "ftp://x", "http://", "http://u:s3cret@a:b:c", "http://x#y"} {
		if _, err := otlp.NewSender(telltale.NewRegistry(), url); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := otlp.NewSender(nil, "localhost"); err == nil {
		t.Error("nil: no error")
	}
}

func TestRunsOnce(t *testing.T) {
	b, c := newBackend(t), &counting{series: 1}
	s := start(t, c, b.URL)
	await(t, "points", func() bool { return len(b.of(ofCounting(0))) > 0 })
	if err := s.Run(context.Background()); err == nil {
		t.Error("two at once")
	}
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	before := c.n.Load()
	if err := s.Run(ctx); err != nil || c.n.Load() != before+1 {
		t.Errorf("again: %v, %d collections", err, c.n.Load()-before)
	}
	b.check(t)
}

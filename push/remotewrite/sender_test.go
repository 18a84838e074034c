package remotewrite_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/push"
	"telltale/push/remotewrite"
)

const stale = 0x7ff0000000000002

// counting is a collector of series whose value is the number of the collection.
type counting struct {
	n      atomic.Int64
	series int
	live   atomic.Int64 // how many of them there are, if not 0
}

func (c *counting) Collect(_ context.Context, emit func(*model.Family) error) error {
	f, err := model.NewGaugeFamily("n", "Collections.", model.WithLabelNames("i"))
	if err != nil {
		return err
	}
	n := c.n.Add(1)
	series := c.series
	if live := c.live.Load(); live != 0 {
		series = int(live)
	}
	for i := range series {
		if err := f.Add([]string{fmt.Sprint(i)}, float64(n)); err != nil {
			return err
		}
	}
	return emit(f.Family())
}

func seriesOf(i int) string { return fmt.Sprintf(`__name__="n",i="%d"`, i) }

// running is a sender that runs.
type running struct {
	*remotewrite.Sender
	stop  context.CancelFunc
	ended chan error

	mu   sync.Mutex
	errs []error
}

// start starts a sender that collects every few milliseconds.
func start(t *testing.T, c telltale.Collector, url string, opts ...remotewrite.Option) *running {
	t.Helper()
	r := &running{ended: make(chan error, 1)}
	opts = append([]remotewrite.Option{
		remotewrite.WithInterval(5 * time.Millisecond),
		remotewrite.WithRetry(time.Millisecond, 10*time.Millisecond),
		remotewrite.WithFlushTimeout(patience),
		remotewrite.WithTimeout(patience),
		remotewrite.WithErrorHook(func(err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.errs = append(r.errs, err)
		}),
	}, opts...)
	s, err := remotewrite.NewSender(c, url, opts...)
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

// health returns the value of a family of the sender's health, by result or in all.
func (r *running) health(t *testing.T, name, result string) float64 {
	t.Helper()
	reg := telltale.NewRegistry()
	if err := reg.Register(remotewrite.Health(r.Sender)); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for f, err := range reg.Families(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for s := range f.Samples() {
			if v, _ := s.Labels.Get("result"); s.Name == "telltale_remote_write_"+name && (result == "" || v == result) {
				sum += s.Value
			}
		}
	}
	return sum
}

// consecutive returns what is wrong with the samples of a counting collector: all values
// from 1 to the last in order and once, and then a stale marker, except those that were
// refused. The last value but one may be missing, since that collection was cut off.
func consecutive(all, refused []point, last int64) string {
	left := map[uint64]bool{math.Float64bits(float64(last - 1)): true}
	for _, p := range refused {
		left[p.bits] = true
	}
	want := []uint64{}
	for v := int64(1); v <= last; v++ {
		want = append(want, math.Float64bits(float64(v)))
	}
	for i, bits := range append(want, stale) {
		switch {
		case len(all) > 0 && all[0].bits == bits:
			all = all[1:]
		case !left[bits]:
			return fmt.Sprintf("the sample %d of %d is missing; then comes %v", i+1, last, all[:min(1, len(all))])
		}
	}
	if len(all) > 0 {
		return fmt.Sprintf("%d samples too many: %v", len(all), all[0])
	}
	return ""
}

// A receiver that speaks 2.0, only 1.0, or only 2.0 gets all samples, in order, once,
// and a stale marker at the end.
func TestVersions(t *testing.T) {
	for name, test := range map[string]struct {
		set  func(*backend)
		opts []remotewrite.Option
		last string
		most int // requests of another version
	}{
		"both":            {func(*backend) {}, nil, "2.0.0", 0},
		"2.0 alone":       {func(b *backend) { b.speaks1 = false }, nil, "2.0.0", 0},
		"1.0, by 415":     {func(b *backend) { b.speaks2 = false }, nil, "0.1.0", 4},
		"1.0, by silence": {func(b *backend) { b.silent = true }, nil, "0.1.0", 4},
		"1.0, by choice":  {func(*backend) {}, []remotewrite.Option{remotewrite.WithVersion(remotewrite.Version1)}, "0.1.0", 0},
	} {
		t.Run(name, func(t *testing.T) {
			b, c := newBackend(t), &counting{series: 10}
			test.set(b)
			s := start(t, c, b.URL, test.opts...)
			await(t, "samples", func() bool { return len(b.of(seriesOf(9))) > 5 })
			if err := s.end(t); err != nil {
				t.Error(err)
			}
			b.check(t)
			for i := range 10 {
				all := b.of(seriesOf(i))
				if wrong := consecutive(all, nil, c.n.Load()); wrong != "" {
					t.Errorf("series %d: %s", i, wrong)
				}
			}
			others := 0
			for _, v := range b.versions {
				if v != test.last {
					others++
				}
			}
			if b.versions[len(b.versions)-1] != test.last || others > test.most {
				t.Errorf("versions %v", b.versions)
			}
			if errs := s.errors(); len(errs) > 0 {
				t.Error(errs)
			}
		})
	}
}

// A receiver of 1.0 that answers 400 to what it does not know is sent 1.0.
func TestVersion1ByBadRequest(t *testing.T) {
	old, c := newBackend(t), &counting{series: 1}
	old.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Content-Type"), "v2") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		old.ServeHTTP(w, r)
	})
	s := start(t, c, old.URL)
	await(t, "samples", func() bool { return len(old.of(seriesOf(0))) > 3 })
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	if wrong := consecutive(old.of(seriesOf(0)), nil, c.n.Load()); wrong != "" {
		t.Error(wrong)
	}
}

// The receiver fails in all ways at random. What it acknowledged it has, once and in
// order; nothing else is lost but what it refused for good.
func TestRandomFailures(t *testing.T) {
	for run := range 8 {
		seed := uint64(time.Now().UnixNano()) + uint64(run)
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 1))
		b, c := newBackend(t), &counting{series: 1 + random.IntN(200)}
		b.speaks2 = random.IntN(3) > 0
		steady, answers := atomic.Bool{}, rand.New(rand.NewPCG(seed, 2))
		b.answer = func(int) action { // under the backend's lock
			if steady.Load() {
				return action{}
			}
			switch answers.IntN(10) {
			case 0:
				return action{status: 500}
			case 1:
				return action{status: 503, keep: true}
			case 2:
				return action{status: 429, header: http.Header{"Retry-After": {"0"}}}
			case 3:
				return action{reset: true}
			case 4:
				return action{reset: true, keep: true}
			case 5:
				return action{status: 400, half: b.speaks2}
			}
			return action{}
		}
		s := start(t, c, b.URL, remotewrite.WithShards(1+random.IntN(5)), remotewrite.WithMaxSamples(10+random.IntN(100)))
		want := 30 + random.Int64N(50)
		await(t, "collections", func() bool { return c.n.Load() >= want })
		if random.IntN(2) == 0 {
			steady.Store(true)
		}
		if err := s.end(t); err != nil {
			t.Error(err)
		}
		b.check(t)
		kept, refused := 0, 0
		for i := range c.series {
			all, not := b.of(seriesOf(i)), b.refused[seriesOf(i)]
			kept, refused = kept+len(all), refused+len(not)
			if wrong := consecutive(all, not, c.n.Load()); wrong != "" {
				t.Errorf("seed %d: series %d: %s", seed, i, wrong)
			}
		}
		if got := s.health(t, "samples_total", "delivered"); int(got)+b.twice != kept {
			t.Errorf("seed %d: %v counted as delivered, %d kept, %d of them refused later", seed, got, kept, b.twice)
		}
		if got := s.health(t, "samples_total", "refused"); int(got) != refused+b.twice {
			t.Errorf("seed %d: %v counted as refused, %d were, and %d were kept before", seed, got, refused, b.twice)
		}
		if t.Failed() {
			return
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
		opts := []remotewrite.Option{remotewrite.WithShards(1)}
		if bounded {
			opts = append(opts, remotewrite.WithQueueBytes(3000))
		}
		s := start(t, c, b.URL, opts...)
		await(t, "samples", func() bool { return len(b.of(seriesOf(0))) > 2 })
		away.Store(true)
		before := c.n.Load()
		await(t, "collections", func() bool {
			if bounded {
				return s.health(t, "samples_total", "dropped") > 100
			}
			return c.n.Load() > before+50
		})
		if bounded && s.health(t, "queued_bytes", "") > 3000 {
			t.Errorf("%v bytes are in a queue of 3000", s.health(t, "queued_bytes", ""))
		}
		if s.health(t, "queued_samples", "") == 0 || s.health(t, "delay_seconds", "") <= 0 {
			t.Error("health shows no queue")
		}
		away.Store(false)
		if err := s.end(t); err != nil {
			t.Error(err)
		}
		b.check(t)
		dropped := 0
		for i := range c.series {
			all := b.of(seriesOf(i))
			if !bounded {
				if wrong := consecutive(all, nil, c.n.Load()); wrong != "" {
					t.Error(wrong)
				}
			}
			dropped += int(c.n.Load()) + 1 - len(all)
		}
		cut := dropped - int(s.health(t, "samples_total", "dropped")) // one collection may have been cut off
		if got := s.health(t, "samples_total", "dropped"); cut < 0 || cut > c.series || bounded == (got == 0) {
			t.Errorf("%v counted as dropped, %d are missing", got, dropped)
		}
		if s.health(t, "queued_bytes", "") != 0 || s.health(t, "last_success_timestamp_seconds", "") == 0 {
			t.Error("health shows a queue, or no success, at the end")
		}
	}
}

// Series that are there no more end, and begin anew.
func TestStaleMarkers(t *testing.T) {
	b, c := newBackend(t), &counting{series: 20}
	s := start(t, c, b.URL, remotewrite.WithoutLastMarkers())
	await(t, "samples", func() bool { return len(b.of(seriesOf(19))) > 2 })
	c.live.Store(10)
	marked := func(i int) bool {
		all := b.of(seriesOf(i))
		return len(all) > 0 && all[len(all)-1].bits == stale
	}
	await(t, "stale markers", func() bool { return marked(10) && marked(19) })
	c.live.Store(20)
	await(t, "samples after stale markers", func() bool { return !marked(10) && !marked(19) })
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	b.check(t)
	for i := range 20 {
		markers := 0
		for _, p := range b.of(seriesOf(i)) {
			if p.bits == stale {
				markers++
			}
		}
		if want := i / 10; markers != want {
			t.Errorf("series %d has %d stale markers, want %d", i, markers, want)
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
	s := start(t, c, b.URL, remotewrite.WithFlushTimeout(100*time.Millisecond))
	await(t, "collections", func() bool { return c.n.Load() > 3 })
	err := s.end(t)
	if err == nil || !strings.Contains(err.Error(), "could not be sent") {
		t.Error(err)
	}
	if s.health(t, "samples_total", "dropped") < 15 {
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
		for _, letter := range "HTTP/1.1 204 No Content\r\n" {
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
	s := start(t, c, b.URL, remotewrite.WithTimeout(time.Second))
	await(t, "failures", func() bool { return s.health(t, "requests_total", "postponed") > 3 })
	slow.Store(false)
	await(t, "samples", func() bool { return len(b.of(seriesOf(0))) > 10 })
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	b.check(t)
}

// A sample that has a time of its own is sent once, and older ones never.
func TestOwnTimes(t *testing.T) {
	b := newBackend(t)
	var at atomic.Int64
	at.Store(1000)
	var n atomic.Int64
	c := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		f := must(model.NewGaugeFamily("old", ""))
		n.Add(1)
		if err := f.Add(nil, float64(at.Load()), model.WithTimestamp(time.UnixMilli(at.Load()))); err != nil {
			return err
		}
		return emit(f.Family())
	})
	s := start(t, c, b.URL)
	for _, next := range []int64{1000, 3000, 2000, 4000} {
		at.Store(next)
		before := n.Load()
		await(t, "collections", func() bool { return n.Load() > before+2 })
	}
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	b.check(t)
	var times []int64
	for _, p := range b.of(`__name__="old"`) {
		times = append(times, p.at)
	}
	if fmt.Sprint(times) != "[1000 3000 4000]" || s.health(t, "skipped_total", "") == 0 {
		t.Errorf("sent %v", times)
	}
}

// What a server refuses, and what the network says, is told without secrets.
func TestSecrets(t *testing.T) {
	b, c := newBackend(t), &counting{series: 1}
	b.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, "not you: %s %s %s %s", user, password, r.Header.Get("X-Scope-OrgID"), r.URL.RawQuery)
	})
	address := strings.Replace(b.URL, "://", "://ada:s3cret@", 1) + "/write?key=k3y"
	s := start(t, c, address, remotewrite.WithHeader("X-Scope-OrgID", "t3nant"))
	await(t, "errors", func() bool { return len(s.errors()) > 0 })
	b.Close()
	before := len(s.errors())
	await(t, "more errors", func() bool { return len(s.errors()) > before })
	s.stop()
	var status *push.StatusError
	errs := s.errors()
	if !errors.As(errs[0], &status) || status.Code != http.StatusUnauthorized {
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

func TestInvalidOptions(t *testing.T) {
	for name, opt := range map[string]remotewrite.Option{
		"interval":     remotewrite.WithInterval(0),
		"timeout":      remotewrite.WithTimeout(-1),
		"flush":        remotewrite.WithFlushTimeout(0),
		"retry":        remotewrite.WithRetry(2, 1),
		"shards":       remotewrite.WithShards(0),
		"many shards":  remotewrite.WithShards(1 << 20),
		"queue":        remotewrite.WithQueueBytes(0),
		"samples":      remotewrite.WithMaxSamples(0),
		"bytes":        remotewrite.WithMaxBytes(-1),
		"many bytes":   remotewrite.WithMaxBytes(1<<30 + 1),
		"label":        remotewrite.WithLabels(map[string]string{"": "x"}),
		"name":         remotewrite.WithLabels(map[string]string{"__name__": "x"}),
		"value":        remotewrite.WithLabels(map[string]string{"x": "\xff"}),
		"header":       remotewrite.WithHeader("content-type", "x"),
		"version":      remotewrite.WithVersion("3.0"),
		"client":       remotewrite.WithClient(nil),
		"TLS":          remotewrite.WithTLS(nil),
		"hook":         remotewrite.WithErrorHook(nil),
		"user's colon": remotewrite.WithBasicAuth("a:b", "c"),
		"token":        remotewrite.WithBearerToken("a\nb"),
	} {
		if _, err := remotewrite.NewSender(telltale.NewRegistry(), "localhost", opt); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, url := range []string{"", "ftp://x", "http://", "http://u:s3cret@a:b:c", "http://x#y"} {
		if _, err := remotewrite.NewSender(telltale.NewRegistry(), url); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := remotewrite.NewSender(nil, "localhost"); err == nil {
		t.Error("nil: no error")
	}
}

func TestRunsOnce(t *testing.T) {
	b, c := newBackend(t), &counting{series: 1}
	s := start(t, c, b.URL)
	await(t, "samples", func() bool { return len(b.of(seriesOf(0))) > 0 })
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

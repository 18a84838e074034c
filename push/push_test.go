package push_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale"
	"telltale/exposition"
	"telltale/model"
	"telltale/push"
)

const patience = 2 * time.Minute

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// job returns a registry with a counter.
func job(t testing.TB) *telltale.Registry {
	t.Helper()
	reg := telltale.NewRegistry()
	must(telltale.NewCounter("rows_total", "Rows.", telltale.In(reg))).Add(7)
	return reg
}

const page = "# HELP rows_total Rows.\n# TYPE rows_total counter\nrows_total 7.0\n"

// request is what a gateway was sent.
type request struct {
	method, path, body string
	header             http.Header
}

// gateway is a server that takes pushes, and answers with the statuses in turn, then 200.
type gateway struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
	answers  []int
}

func newGateway(t testing.TB, answers ...int) *gateway {
	g := &gateway{answers: answers}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, request{r.Method, r.URL.EscapedPath(), string(body), r.Header.Clone()})
	if len(g.answers) == 0 {
		return
	}
	status := g.answers[0]
	g.answers = g.answers[1:]
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "no: "+r.Header.Get("Authorization"))
}

func (g *gateway) received() []request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]request(nil), g.requests...)
}

func TestMethods(t *testing.T) {
	server := newGateway(t)
	g := must(push.NewGateway(server.URL+"/", "batch", push.WithGrouping("instance", "a")))
	ctx := context.Background()
	if err := errors.Join(g.Push(ctx, job(t)), g.Add(ctx, job(t)), g.Adder().Push(ctx, job(t)), g.Delete(ctx)); err != nil {
		t.Fatal(err)
	}
	want := []request{{method: "PUT", body: page}, {method: "POST", body: page}, {method: "POST", body: page}, {method: "DELETE"}}
	for i, r := range server.received() {
		if r.method != want[i].method || r.body != want[i].body || r.path != "/metrics/job/batch/instance/a" {
			t.Errorf("request %d is %s %s %q", i+1, r.method, r.path, r.body)
		}
		if kind := r.header.Get("Content-Type"); r.body != "" && kind != exposition.Text004.ContentType() {
			t.Errorf("the content type is %q", kind)
		}
	}
}

func TestGroupingKeys(t *testing.T) {
	for _, test := range []struct{ job, value, want string }{
		{"a b", "ü", "/metrics/job/a%20b/x/%C3%BC"},
		{"a/b", "", "/metrics/job@base64/YS9i/x@base64/="},
		{".", "..", "/metrics/job@base64/Lg/x@base64/Li4"},
		{"100%?#", "+", "/metrics/job/100%25%3F%23/x/+"},
		{`a\b`, "a//", "/metrics/job@base64/YVxi/x@base64/YS8v"},
	} {
		server := newGateway(t)
		g := must(push.NewGateway(server.URL, test.job, push.WithGrouping("x", test.value)))
		if err := g.Push(context.Background(), job(t)); err != nil {
			t.Fatal(err)
		}
		if r := server.received()[0]; r.path != test.want {
			t.Errorf("job %q, x %q: path %s, want %s", test.job, test.value, r.path, test.want)
		}
	}
}

func TestSettings(t *testing.T) {
	server := newGateway(t)
	g := must(push.NewGateway(server.URL, "j", push.WithGzip(), push.WithBearerToken("t0ken"), push.WithFormat(exposition.Protobuf)))
	if err := g.Push(context.Background(), job(t)); err != nil {
		t.Fatal(err)
	}
	r := server.received()[0]
	body, err := gzip.NewReader(strings.NewReader(r.body))
	if err != nil || r.header.Get("Content-Encoding") != "gzip" || r.header.Get("Authorization") != "Bearer t0ken" {
		t.Fatalf("%v, header %v", err, r.header)
	}
	f, err := exposition.NewParser(body, exposition.Protobuf).Next()
	if err != nil || f.Name != "rows_total" {
		t.Errorf("%v, %v", f, err)
	}
}

func TestInvalidSettings(t *testing.T) {
	for name, err := range map[string]error{
		"job":             fail(push.NewGateway("http://a", "")),
		"scheme":          fail(push.NewGateway("ftp://a", "j")),
		"host":            fail(push.NewGateway("http://", "j")),
		"query":           fail(push.NewGateway("http://a?token=s3cret", "j")),
		"URL":             fail(push.NewGateway("http://u:s3cret@a:b:c", "j")),
		"grouping by job": fail(push.NewGateway("a", "j", push.WithGrouping("job", "x"))),
		"grouping label":  fail(push.NewGateway("a", "j", push.WithGrouping("a-b", "x"))),
		"grouping twice":  fail(push.NewGateway("a", "j", push.WithGrouping("a", "x"), push.WithGrouping("a", "y"))),
		"timeout":         fail(push.NewGateway("a", "j", push.WithTimeout(0))),
		"body":            fail(push.NewGateway("a", "j", push.WithMaxBody(0))),
		"client":          fail(push.NewGateway("a", "j", push.WithClient(nil))),
		"token":           fail(push.NewGateway("a", "j", push.WithBearerToken("s3cret\n"))),
		"no target":       push.Every(context.Background(), time.Second, telltale.NewRegistry()),
		"a nil target":    push.Every(context.Background(), time.Second, telltale.NewRegistry(), (*push.Textfile)(nil)),
		"no interval":     push.Every(context.Background(), 0, telltale.NewRegistry(), push.NewTextfile("x")),
		"a nil collector": push.Every(context.Background(), time.Second, nil, push.NewTextfile("x")),
	} {
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func fail(_ *push.Gateway, err error) error { return err }

// What a server says, and what the network says, is told without secrets.
func TestRefusals(t *testing.T) {
	for _, status := range []int{400, 401, 429, 500, 301, 307} {
		server := newGateway(t, status)
		address := strings.Replace(server.URL, "://", "://ada:s3cret@", 1)
		g := must(push.NewGateway(address, "j"))
		err := g.Push(context.Background(), job(t))
		var refused *push.StatusError
		if !errors.As(err, &refused) || refused.Code != status || refused.Temporary() != (status == 429 || status == 500) {
			t.Fatalf("status %d: %v", status, err)
		}
		r := server.received()
		if len(r) != 1 {
			t.Errorf("status %d: %d requests", status, len(r))
		}
		if user, password, _ := (&http.Request{Header: r[0].header}).BasicAuth(); user != "ada" || password != "s3cret" {
			t.Errorf("authorization %q", r[0].header.Get("Authorization"))
		}
		if told := err.Error(); strings.Contains(told, "s3cret") || strings.Contains(told, "YWRh") || !strings.Contains(told, server.URL) {
			t.Errorf("status %d is told as %s", status, told)
		}
		server.Close()
		if err := g.Push(context.Background(), job(t)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("without a server: %v", err)
		}
		health := string(must(telltale.GenerateLatest(push.Health(g, g.Adder()))))
		if strings.Contains(health, "s3cret") || !strings.Contains(health, `telltale_push_total{target="`+server.URL+`/metrics/job/j",result="failure"} 2.0`) {
			t.Error(health)
		}
	}
}

func TestWhatCannotBePushed(t *testing.T) {
	server := newGateway(t)
	g := must(push.NewGateway(server.URL, "j", push.WithGrouping("instance", "a"), push.WithMaxBody(1000)))
	for name, set := range map[string]func(*telltale.Registry){
		"label \"instance\"": func(reg *telltale.Registry) {
			must(telltale.NewGaugeVec("g", "", []string{"instance"}, telltale.In(reg))).With("x").Set(1)
		},
		"label \"job\"": func(reg *telltale.Registry) {
			_ = must(telltale.NewInfo("g", "", telltale.In(reg))).Set(map[string]string{"job": "x"})
		},
		"larger": func(reg *telltale.Registry) {
			must(telltale.NewGauge("g", strings.Repeat("x", 2000), telltale.In(reg)))
		},
	} {
		reg := telltale.NewRegistry()
		set(reg)
		if err := g.Push(context.Background(), reg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(server.received()) > 0 {
		t.Error("something was sent")
	}
}

func TestTimestampsAreNotSent(t *testing.T) {
	f := must(model.NewGaugeFamily("old", "Old.", model.WithLabelNames("a")))
	if err := f.Add([]string{"x"}, 1, model.WithTimestamp(time.Unix(1, 0))); err != nil {
		t.Fatal(err)
	}
	f.Family().AddSample("old_odd", nil, 2, model.WithTimestamp(time.Unix(1, 0)))
	path := filepath.Join(t.TempDir(), "a.prom")
	file := push.NewTextfile(path)
	c := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error { return emit(f.Family()) })
	if err := file.Push(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	if text := string(must(os.ReadFile(path))); !strings.Contains(text, "\nold{a=\"x\"} 1.0\n") || !strings.Contains(text, "\nold_odd 2.0\n") {
		t.Errorf("the file has %s", text)
	}
}

// What the format of a push cannot hold is counted and told like other faults.
func TestWhatAFormatCannotHoldIsTold(t *testing.T) {
	var told []string
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(err error) { told = append(told, err.Error()) }))
	must(telltale.NewGauge("a.b", "", telltale.In(reg))).Set(1)
	must(telltale.NewGauge("a_b", "", telltale.In(reg))).Set(2)
	if err := push.NewTextfile(filepath.Join(t.TempDir(), "a.prom")).Push(context.Background(), reg); err != nil {
		t.Fatal(err)
	}
	if n := reg.Stats().Faults[telltale.ReasonFormat]; n != 1 || len(told) != 1 || !strings.Contains(told[0], "its escaped name belongs to another family") {
		t.Errorf("%d faults are counted, the hook heard %q", n, told)
	}
}

func TestMutualTLS(t *testing.T) {
	requests := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if requests++; len(r.TLS.PeerCertificates) != 1 {
			t.Error("there is no client certificate")
		}
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	g := must(push.NewGateway(server.URL, "j", push.WithTLS(&tls.Config{RootCAs: roots, Certificates: server.TLS.Certificates})))
	if err := g.Push(context.Background(), job(t)); err != nil || requests != 1 {
		t.Error(err)
	}
	if err := must(push.NewGateway(server.URL, "j")).Push(context.Background(), job(t)); err == nil {
		t.Error("an unknown authority is trusted")
	}
}

func TestTextfile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "job.prom")
	file := push.NewTextfile(path)
	mode := func() os.FileMode { return must(os.Lstat(path)).Mode() }
	push1 := func() {
		t.Helper()
		if err := file.Push(context.Background(), job(t)); err != nil {
			t.Fatal(err)
		}
		if text := must(os.ReadFile(path)); string(text) != page {
			t.Errorf("the file has %q", text)
		}
		if entries := must(os.ReadDir(dir)); len(entries) != 1 {
			t.Errorf("the directory has %v", entries)
		}
	}
	push1()
	if runtime.GOOS == "windows" {
		return
	}
	if mode() != 0o644 {
		t.Errorf("a new file has the mode %v", mode())
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	// A file that a killed process has left long ago, and a link that waits for us.
	old := filepath.Join(dir, ".job.prom.123.tmp")
	if err := errors.Join(os.WriteFile(old, nil, 0o600), os.Chtimes(old, time.Unix(1, 0), time.Unix(1, 0))); err != nil {
		t.Fatal(err)
	}
	if push1(); mode() != 0o600 {
		t.Errorf("the mode became %v", mode())
	}
	precious := filepath.Join(t.TempDir(), "precious")
	if err := errors.Join(os.WriteFile(precious, []byte("x"), 0o600), os.Remove(path), os.Symlink(precious, path)); err != nil {
		t.Fatal(err)
	}
	push1()
	if text := must(os.ReadFile(precious)); string(text) != "x" {
		t.Error("a link was followed")
	}
}

func TestTextfileFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "job.prom")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	failing := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return errors.New("the database is gone") })
	if err := push.NewTextfile(path).Push(context.Background(), failing); err == nil || !strings.Contains(err.Error(), "the database is gone") || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if text, entries := must(os.ReadFile(path)), must(os.ReadDir(dir)); string(text) != "before" || len(entries) != 1 {
		t.Errorf("the file has %q, the directory %v", text, entries)
	}
	elsewhere := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
		return &os.PathError{Op: "open", Path: "/var/lib/database", Err: os.ErrPermission}
	})
	if err := push.NewTextfile(path).Push(context.Background(), elsewhere); err == nil || !strings.Contains(err.Error(), "open /var/lib/database") {
		t.Error(err)
	}
	inTheWay := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
		return errors.Join(os.Remove(path), os.Mkdir(path, 0o700))
	})
	if err := push.NewTextfile(path).Push(context.Background(), inTheWay); err == nil || !strings.Contains(err.Error(), "rename") {
		t.Error(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "absent", "a.prom")} {
		if err := push.NewTextfile(path).Push(context.Background(), job(t)); err == nil || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// targetFunc is a target of a test.
type targetFunc func(ctx context.Context, c telltale.Collector) error

func (f targetFunc) Push(ctx context.Context, c telltale.Collector) error { return f(ctx, c) }

func TestEvery(t *testing.T) {
	reg := telltale.NewRegistry()
	n := must(telltale.NewGauge("n", "", telltale.In(reg)))
	server := newGateway(t, 500, 400, 503)
	g := must(push.NewGateway(server.URL, "j"))
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	pushed := make(chan struct{}, 1000)
	go func() {
		ended <- push.Every(ctx, 50*time.Millisecond, reg, g, targetFunc(func(context.Context, telltale.Collector) error {
			pushed <- struct{}{}
			panic("of this target alone")
		}))
	}()
	for end := time.Now().Add(patience); len(server.received()) < 6 || len(pushed) < 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("pushes do not go on")
		}
	}
	n.Set(42)
	cancel()
	err := <-ended
	if err == nil || !strings.Contains(err.Error(), "of this target alone") {
		t.Errorf("the last pushes ended with %v", err)
	}
	// A push that was cut off may be handled after the last one.
	all := server.received()
	if !slices.ContainsFunc(all, func(r request) bool { return strings.HasSuffix(r.body, "\nn 42.0\n") }) {
		t.Errorf("the last push is not among %q", all)
	}
	if text := log.String(); strings.Count(text, "answered 500") != 1 || strings.Contains(text, "answered 400") || !strings.Contains(text, "pushes succeed again") {
		t.Errorf("the log says %s", text)
	}
	health := string(must(telltale.GenerateLatest(push.Health(g))))
	failures := regexp.MustCompile(`result="failure"} [34]\.0`) // the push before the last may have been cut off
	if !failures.MatchString(health) || !strings.Contains(health, "telltale_push_last_success_timestamp_seconds") {
		t.Error(health)
	}
}

// A target that never returns does not keep a program from ending.
func TestEveryEnds(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	ctx, cancel := context.WithCancel(context.Background())
	hung := targetFunc(func(context.Context, telltale.Collector) error {
		cancel()
		<-release
		return nil
	})
	if err := push.Every(ctx, time.Hour, job(t), hung); err == nil || !strings.Contains(err.Error(), "did not end in time") {
		t.Error(err)
	}
}

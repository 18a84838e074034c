package scrapehttp_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/scrapehttp"
)

// smallBuffers is a listener whose connections hold little in the kernel, so
// that a client that does not read is soon noticed.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return conn, err
}

// incompressible returns a registry whose page has more than n kilobytes in every
// coding.
func incompressible(t *testing.T, n int) *telltale.Registry {
	t.Helper()
	reg := telltale.NewRegistry()
	vec := telltale.Must(telltale.NewCounterVec("noise", "", []string{"text"}, telltale.In(reg)))
	random, text := rand.NewChaCha8([32]byte{}), make([]byte, 1000)
	for range n {
		_, _ = random.Read(text)
		vec.With(base64.StdEncoding.EncodeToString(text)).Inc()
	}
	return reg
}

func TestSlowClientsAreCutOff(t *testing.T) {
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		for name, serverTimeout := range map[string]time.Duration{"without server's deadline": 0, "with server's deadline": time.Hour} {
			t.Run(coding+" "+name, func(t *testing.T) {
				told := make(chan error, 1)
				s := httptest.NewUnstartedServer(scrapehttp.Handler(incompressible(t, 2_000),
					scrapehttp.WithWriteTimeout(20*time.Millisecond),
					scrapehttp.WithMaxInFlight(1),
					scrapehttp.WithErrorHook(func(err error) { told <- err })))
				s.Listener = smallBuffers{s.Listener}
				s.Config.WriteTimeout = serverTimeout
				s.Start()
				defer s.Close()
				conn, err := net.Dial("tcp", s.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = conn.Close() }()
				if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
					t.Fatal(err)
				}
				_, _ = fmt.Fprintf(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: %s\r\n\r\n", coding)
				if err := <-told; !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("the hook heard %v", err)
				}
				if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
					t.Fatal(err)
				}
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err == nil { // else not even the header came through
					_, err = io.Copy(io.Discard, response.Body)
				}
				if err == nil {
					t.Error("the page ended as if it were whole")
				}
			})
		}
	}
}

// deadlines is a response writer that remembers what becomes of write deadlines.
type deadlines struct {
	*httptest.ResponseRecorder
	now     time.Time
	atWrite []time.Time
	stayed  bool
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() && !d.now.IsZero() {
		d.stayed = true // between two chunks
	}
	d.now = t
	return nil
}

func (d *deadlines) Write(p []byte) (int, error) {
	d.atWrite = append(d.atWrite, d.now)
	return d.ResponseRecorder.Write(p)
}

// A page may take longer than the server's own write timeout, each chunk has a
// deadline of its own, and none is left behind that would hit the connection's
// next request.
func TestDeadlinesStayWithTheirChunks(t *testing.T) {
	for name, server := range map[string]*http.Server{"without server's deadline": {}, "with server's deadline": {WriteTimeout: time.Minute}} {
		for _, coding := range []string{"identity", "gzip", "zstd"} {
			t.Run(name+" "+coding, func(t *testing.T) {
				w := &deadlines{ResponseRecorder: httptest.NewRecorder(), now: time.Now()}
				c := telltale.Must(telltale.Merge(telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
					if !w.now.IsZero() {
						t.Error("there is a write deadline while nothing is written")
					}
					return nil
				}), filled(t, 2_000)))
				ctx := context.WithValue(t.Context(), http.ServerContextKey, server)
				before := time.Now()
				h := scrapehttp.Handler(c, scrapehttp.WithWriteTimeout(time.Hour))
				h.ServeHTTP(w, request("GET", "/metrics", "Accept-Encoding", coding).WithContext(ctx))
				for i, deadline := range w.atWrite {
					if deadline.Before(before.Add(time.Hour)) || deadline.After(time.Now().Add(time.Hour)) {
						t.Errorf("write %d has the deadline %v", i, deadline)
					}
				}
				if len(w.atWrite) == 0 || w.stayed {
					t.Errorf("%d writes; a deadline stayed while nothing was written: %v", len(w.atWrite), w.stayed)
				}
				// A server with a deadline sets it anew for each request.
				if keeps := server.WriteTimeout > 0; w.now.IsZero() == keeps || w.Flushed == keeps {
					t.Errorf("in the end the deadline is %v, and the page flushed: %v", w.now, w.Flushed)
				}
			})
		}
	}
	for _, server := range []*http.Server{{}, {WriteTimeout: time.Minute}} {
		fails := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return errors.New("x") })
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		ctx := context.WithValue(t.Context(), http.ServerContextKey, server)
		scrapehttp.Handler(fails).ServeHTTP(w, request("GET", "/metrics").WithContext(ctx))
		if w.Code != 500 || w.now.IsZero() != (server.WriteTimeout == 0) {
			t.Errorf("after an error %d the deadline is %v", w.Code, w.now)
		}
	}
	w := &deadlines{ResponseRecorder: httptest.NewRecorder(), now: time.Unix(1, 0)}
	scrapehttp.Handler(shop(t), scrapehttp.WithWriteTimeout(0)).ServeHTTP(w, request("GET", "/metrics"))
	if !w.now.Equal(time.Unix(1, 0)) || w.Flushed {
		t.Errorf("without a limit the deadline became %v", w.now)
	}
}

// What fails after something was sent must not look whole.
func TestFailureMidStreamAborts(t *testing.T) {
	fails := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for i := range 50 {
			f := telltale.Must(model.NewFamily(fmt.Sprintf("family%d", i), strings.Repeat("long ", 1000), model.Gauge))
			f.AddSample(f.Name, nil, 1)
			if err := emit(f); err != nil {
				return err
			}
		}
		return errors.New("out of order")
	})
	told := make(chan error, 1)
	page := scrapehttp.Handler(fails, scrapehttp.WithErrorHook(func(err error) { told <- err }))
	recovers := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { _ = recover() }() // as middlewares do
		page.ServeHTTP(w, r)
	})
	plain, recovering := listen(t, page), listen(t, recovers)
	overHTTP2 := httptest.NewUnstartedServer(recovers)
	overHTTP2.EnableHTTP2 = true
	overHTTP2.StartTLS()
	defer overHTTP2.Close()
	for _, s := range []*httptest.Server{plain, recovering, overHTTP2} {
		client := client
		if s == overHTTP2 {
			client = s.Client()
		}
		for _, accept := range []string{"text/plain", "application/openmetrics-text"} {
			for _, coding := range []string{"identity", "gzip", "zstd"} {
				r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Accept", accept)
				r.Header.Set("Accept-Encoding", coding)
				response, err := client.Do(r)
				if err == nil { // else the connection was closed before the header was sent
					var body []byte
					body, err = io.ReadAll(response.Body)
					_ = response.Body.Close()
					if strings.Contains(string(body), "# EOF") {
						t.Errorf("%s, %s: the page has its end", accept, coding)
					}
				}
				if err == nil {
					t.Errorf("%s, %s: the page ended as if it were whole", accept, coding)
				}
				if err := <-told; !strings.Contains(err.Error(), "out of order") {
					t.Errorf("%s, %s: the hook heard %v", accept, coding, err)
				}
			}
		}
	}
}

func TestClientThatGoesAwayEndsTheScrape(t *testing.T) {
	told, begun := make(chan error, 1), make(chan struct{})
	waits := telltale.CollectorFunc(func(ctx context.Context, _ func(*model.Family) error) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})
	s := listen(t, scrapehttp.Handler(waits, scrapehttp.WithTimeout(0), scrapehttp.WithErrorHook(func(err error) { told <- err })))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := client.Do(r); err == nil {
		_ = response.Body.Close()
		t.Error("there was an answer")
	}
	if err := <-told; !errors.Is(err, context.Canceled) {
		t.Errorf("the hook heard %v", err)
	}
}

// In HTTP/2 a client that does not read is cut off alone: other requests of its
// connection go on.
func TestSlowStreamsAreCutOff(t *testing.T) {
	told := make(chan error, 1)
	// A busy machine takes longer than a short timeout even to send the header.
	page := scrapehttp.Handler(incompressible(t, 5_000), scrapehttp.WithWriteTimeout(2*time.Second),
		scrapehttp.WithErrorHook(func(err error) { told <- err }))
	mux := http.NewServeMux()
	mux.Handle("/metrics", page)
	mux.Handle("/small", scrapehttp.Handler(shop(t)))
	s := httptest.NewUnstartedServer(mux)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	response, err := s.Client().Get(s.URL + "/metrics") // more than the client's window of 4 MiB
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := <-told; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the hook heard %v", err)
	}
	small, err := s.Client().Get(s.URL + "/small")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(small.Body)
	_ = small.Body.Close()
	if err != nil || string(body) != shopPage {
		t.Errorf("%v, %q", err, body)
	}
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("the page ended as if it were whole")
	}
}

package scrapehttp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/model"
	"telltale/scrapehttp"
)

const scrapeRequest = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

// scraped reads the answer of a connection and returns its status, whether the page is
// whole, and how long both took.
func scraped(conn net.Conn) (status int, whole bool, took time.Duration) {
	began := time.Now()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, false, time.Since(began)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err == nil, time.Since(began)
}

// heard is an error hook that keeps what it is told.
type heard struct {
	mu   sync.Mutex
	errs []error
}

func (h *heard) hook(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errs = append(h.errs, err)
}

// cutForOthers returns how many scrapes were cut off to make room for another.
func (h *heard) cutForOthers() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, err := range h.errs {
		if errors.Is(err, os.ErrDeadlineExceeded) && strings.Contains(err.Error(), "another scrape needed the place") {
			n++
		}
	}
	return n
}

// Clients that have vanished, so that nobody reads and no connection is closed, hold all
// slots. An honest scrape waits for a second at most, is never refused, and costs one of
// them its place.
func TestVanishedClientsMakeRoom(t *testing.T) {
	const limit = 4
	for _, after := range []time.Duration{0, 300 * time.Millisecond, time.Second, 5 * time.Second} {
		t.Run(fmt.Sprint("after ", after), func(t *testing.T) {
			var told heard
			server := scrapehttp.NewServer("", filled(t, 10_000), scrapehttp.WithMaxInFlight(limit), scrapehttp.WithErrorHook(told.hook))
			inBubble(t, server, func(t *testing.T, p *pipes) {
				for range limit {
					p.dial(t, scrapeRequest)
				}
				synctest.Wait()
				time.Sleep(after)
				for i := range 2 * limit {
					status, whole, took := scraped(p.dial(t, scrapeRequest))
					want := time.Duration(0)
					if i == 0 {
						want = max(0, time.Second-after)
					}
					if status != 200 || !whole || took != want {
						t.Errorf("scrape %d: status %d, whole: %v, after %v, want %v", i, status, whole, took, want)
					}
				}
				synctest.Wait()
				if n := told.cutForOthers(); n != 1 || len(told.errs) != 1 {
					t.Errorf("the hook heard %v", told.errs)
				}
			})
		})
	}
}

// Many scrapes at once find room, each for one of the vanished clients.
func TestManyScrapesMakeRoomAtOnce(t *testing.T) {
	const limit = 4
	var told heard
	server := scrapehttp.NewServer("", filled(t, 10_000), scrapehttp.WithMaxInFlight(limit), scrapehttp.WithErrorHook(told.hook))
	inBubble(t, server, func(t *testing.T, p *pipes) {
		for range limit {
			p.dial(t, scrapeRequest)
		}
		synctest.Wait()
		answers := make(chan string)
		for range 10 * limit {
			conn := p.dial(t, scrapeRequest)
			go func() {
				status, whole, _ := scraped(conn)
				answers <- fmt.Sprint(status, whole)
			}()
		}
		for range 10 * limit {
			if got := <-answers; got != "200 true" {
				t.Errorf("got the answer %s", got)
			}
		}
		if n := told.cutForOthers(); n != len(told.errs) || n > limit {
			t.Errorf("the hook heard %v", told.errs)
		}
	})
}

// A client that takes the page at the least rate keeps its place; one more scrape waits
// for it for two seconds.
func TestClientsOnTimeKeepTheirPlace(t *testing.T) {
	var told heard
	server := scrapehttp.NewServer("", filled(t, 30_000), scrapehttp.WithMaxInFlight(1), scrapehttp.WithErrorHook(told.hook))
	inBubble(t, server, func(t *testing.T, p *pipes) {
		page := make(chan []byte)
		conn := p.dial(t, scrapeRequest)
		go func() { page <- readSteadily(conn, 8<<10, time.Second/8) }()
		synctest.Wait()
		for i := range 3 {
			if status, _, took := scraped(p.dial(t, scrapeRequest)); status != 503 || took != 2*time.Second {
				t.Errorf("scrape %d: status %d after %v", i, status, took)
			}
		}
		if got := <-page; !strings.HasSuffix(string(got), "\r\n0\r\n\r\n") || len(told.errs) > 0 {
			t.Errorf("the page ends in %q; the hook heard %v", got[max(0, len(got)-20):], told.errs)
		}
		if status, whole, took := scraped(p.dial(t, scrapeRequest)); status != 200 || !whole || took != 0 {
			t.Errorf("status %d, whole: %v, after %v", status, whole, took)
		}
	})
}

// A thousand scrapes wait for a place, or as many as an option says; one more is refused
// at once.
func TestScrapesThatWaitAreBounded(t *testing.T) {
	t.Run("by default", func(t *testing.T) { testWaiting(t, 1000, 2*time.Second) })
	t.Run("three", func(t *testing.T) {
		testWaiting(t, 3, time.Second/2, scrapehttp.WithWaiting(3, time.Second/2))
	})
	t.Run("none", func(t *testing.T) { testWaiting(t, 0, time.Second, scrapehttp.WithWaiting(0, time.Second)) })
}

// testWaiting has twenty scrapes more than may wait for a place, and checks how long
// each was kept.
func testWaiting(t *testing.T, line int, longest time.Duration, opts ...scrapehttp.ServerOption) {
	const more = 20
	opts = append(opts, scrapehttp.WithMaxInFlight(1), scrapehttp.WithMaxConnections(0))
	server := scrapehttp.NewServer("", filled(t, 30_000), opts...)
	inBubble(t, server, func(t *testing.T, p *pipes) {
		conn := p.dial(t, scrapeRequest)
		ended := make(chan struct{})
		go func() {
			readSteadily(conn, 8<<10, time.Second/8)
			close(ended)
		}()
		synctest.Wait()
		answers := make(chan time.Duration)
		for range line + more {
			conn := p.dial(t, scrapeRequest)
			go func() {
				status, _, took := scraped(conn)
				if status != 503 {
					t.Errorf("status %d after %v", status, took)
				}
				answers <- took
			}()
		}
		after := map[time.Duration]int{}
		for range line + more {
			after[<-answers]++
		}
		if after[0] != more || after[longest] != line {
			t.Errorf("scrapes are refused after %v", after)
		}
		<-ended
	})
}

// The place of a peer's vanished connection is for the peer's next scrape; other peers
// keep theirs.
func TestVanishedConnectionsOfAPeerMakeRoom(t *testing.T) {
	var told heard
	page := scrapehttp.Handler(filled(t, 10_000), scrapehttp.WithMaxInFlightPerPeer(1), scrapehttp.WithErrorHook(told.hook))
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = r.Header.Get("Peer")
		page.ServeHTTP(w, r)
	})}
	of := func(peer string) string {
		return "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nPeer: " + peer + "\r\n\r\n"
	}
	inBubble(t, server, func(t *testing.T, p *pipes) {
		p.dial(t, of("192.0.2.2:1"))
		p.dial(t, of("192.0.2.1:1"))
		synctest.Wait()
		if status, whole, took := scraped(p.dial(t, of("192.0.2.1:2"))); status != 200 || !whole || took != time.Second {
			t.Errorf("status %d, whole: %v, after %v", status, whole, took)
		}
		synctest.Wait()
		if n := told.cutForOthers(); n != 1 || len(told.errs) != 1 || !strings.Contains(told.errs[0].Error(), "192.0.2.1:1") {
			t.Errorf("the hook heard %v", told.errs)
		}
	})
}

// Where no scrape has begun to send its page, one more is refused at once: none waits
// for its client. One that waits gives up when its client does.
func TestScrapesThatCollectKeepTheirPlace(t *testing.T) {
	release := make(chan struct{})
	collecting := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		<-release
		return nil
	})
	page := telltale.Must(telltale.Merge(collecting, filled(t, 10_000)))
	server := scrapehttp.NewServer("", page, scrapehttp.WithMaxInFlight(1), scrapehttp.WithTimeout(0))
	inBubble(t, server, func(t *testing.T, p *pipes) {
		release = make(chan struct{}) // of the bubble
		conn, first := p.dial(t, scrapeRequest), make(chan bool)
		go func() {
			_, whole, _ := scraped(conn)
			first <- whole
		}()
		synctest.Wait()
		if status, _, took := scraped(p.dial(t, scrapeRequest)); status != 503 || took != 0 {
			t.Errorf("status %d after %v", status, took)
		}
		close(release)
		if !<-first {
			t.Error("the page is not whole")
		}
		vanished := p.dial(t, scrapeRequest)
		synctest.Wait()
		gone := p.dial(t, scrapeRequest)
		synctest.Wait()
		_ = gone.Close()
		time.Sleep(time.Hour)
		if status, whole, took := scraped(p.dial(t, scrapeRequest)); status != 200 || !whole || took != 0 {
			t.Errorf("status %d, whole: %v, after %v", status, whole, took)
		}
		_ = vanished.Close()
	})
}

// A stream of HTTP/2 that nobody reads makes room, too, and its connection goes on.
func TestStreamsThatNobodyReadsMakeRoom(t *testing.T) {
	told := make(chan error, 1)
	s := httptest.NewUnstartedServer(scrapehttp.Handler(incompressible(t, 5_000), scrapehttp.WithMaxInFlight(1),
		scrapehttp.WithWaiting(1, time.Hour), scrapehttp.WithWriteTimeout(time.Hour), scrapehttp.WithErrorHook(func(err error) { told <- err })))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	unread, err := s.Client().Get(s.URL) // more than the client's window of 4 MiB
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unread.Body.Close() }()
	next, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = next.Body.Close() }()
	if _, err := io.Copy(io.Discard, next.Body); err != nil || next.StatusCode != 200 {
		t.Errorf("status %d, error %v", next.StatusCode, err)
	}
	if err := <-told; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the hook heard %v", err)
	}
	if _, err := io.Copy(io.Discard, unread.Body); err == nil {
		t.Error("the page ended as if it were whole")
	}
}

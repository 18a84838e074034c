package shop

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Customers visit a shop over HTTP, at a bounded rate, each request on a
// connection of its own, so that every process that listens gets some.
type Customers struct {
	URL       string
	PerSecond int
	AtOnce    int // requests that may wait for an answer at once; further ones wait their turn
	Requests  int // how many to make; zero means until the context is done
}

// Tally is what customers saw of their requests.
type Tally struct {
	Answered  int
	Failed    int // requests without an answer of any status
	LastError error
}

// answerWithin is how long a customer waits for an answer, which is far more than one takes.
const answerWithin = time.Minute

// Visit makes requests until ctx is done, or until the wanted number is made,
// and returns when all are answered.
func (c Customers) Visit(ctx context.Context) Tally {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: answerWithin}
	turns := make(chan struct{})
	var mu sync.Mutex
	var tally Tally
	var all sync.WaitGroup
	for range c.AtOnce {
		all.Go(func() {
			for range turns {
				err := c.request(client)
				mu.Lock()
				if err != nil {
					tally.Failed++
					tally.LastError = err
				} else {
					tally.Answered++
				}
				mu.Unlock()
			}
		})
	}
	c.pace(ctx, turns)
	close(turns)
	all.Wait()
	return tally
}

// pace sends turns at the wanted rate.
func (c Customers) pace(ctx context.Context, turns chan<- struct{}) {
	tick := time.NewTicker(time.Second / time.Duration(c.PerSecond))
	defer tick.Stop()
	for made := 0; c.Requests == 0 || made < c.Requests; made++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}

// request makes one request. It is not cancelled when ctx is done, so that both
// sides count it.
func (c Customers) request(client *http.Client) error {
	method, path, body := wish()
	r, err := http.NewRequest(method, c.URL+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Traceparent", fmt.Sprintf("00-%016x%016x-%016x-01", rand.Uint64(), rand.Uint64(), rand.Uint64()))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// wish returns a random request: mostly for a page, sometimes for a product that
// does not exist.
func wish() (method, path, body string) {
	some := products[rand.IntN(len(products))].name
	switch n := rand.IntN(100); {
	case n < 35:
		return http.MethodGet, "/products", ""
	case n < 70:
		return http.MethodGet, "/products/" + some, ""
	case n < 75:
		return http.MethodGet, "/products/unicorn", ""
	case n < 95:
		return http.MethodPost, "/orders", url.Values{"product": {some}}.Encode()
	case n < 99:
		return http.MethodGet, "/report", ""
	}
	return http.MethodGet, "/jobs", ""
}

package scrapehttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// errCodedTwice is the error if a middleware has replaced the Content-Encoding
// of a compressed page.
var errCodedTwice = errors.New("a middleware has replaced the Content-Encoding of a compressed page, so that clients would decode it once too few; leave the middleware out or use WithCodings()")

// wire writes the response to the client. Each write has a deadline: the
// client's credit, which is used up by waiting for the client and earned back by
// the bytes that it receives, at the least rate.
type wire struct {
	response http.ResponseWriter
	control  *http.ResponseController
	timeout  time.Duration // for each write; zero or less means no limits
	rate     int           // bytes a second; zero or less means no least rate
	keeps    bool          // the server sets the next request's write deadline
	coding   []string      // the Content-Encoding of the page, nil if none

	mu     sync.Mutex    // held to change the rest and, in other goroutines, to read it
	blind  bool          // there are no deadlines, so time is only measured
	credit time.Duration // time for the next write, at most the timeout
	since  time.Time     // when the write in progress began; zero if there is none
	begun  bool          // there was a write
	cut    bool          // the client was cut off
}

// errCutOff is the error of a scrape whose client was cut off by cutOff.
var errCutOff = fmt.Errorf("another scrape needed the place of this one, whose client was behind the least rate: %w", os.ErrDeadlineExceeded)

func newWire(w http.ResponseWriter, r *http.Request, s settings) *wire {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	c := &wire{
		response: w, control: http.NewResponseController(w),
		timeout: s.writeTimeout, rate: s.minWriteRate, credit: s.writeTimeout,
		keeps: ok && server.WriteTimeout > 0,
	}
	if c.timeout > 0 {
		c.deadline(time.Time{}) // the server's own deadline is too short for large pages
	}
	return c
}

// Write writes a part of the page.
func (c *wire) Write(chunk []byte) (int, error) {
	began := c.arm()
	n, err := c.response.Write(chunk)
	if err == nil && n < len(chunk) { // a middleware may report fewer bytes
		err = io.ErrShortWrite
	}
	if err == nil {
		err = c.codedTwice()
	}
	return n, c.settle(began, n, err)
}

// end sends everything that net/http has buffered while a deadline is set. Then
// the deadline is removed, or it would hit the connection's next request. A
// server that sets deadlines itself does both.
func (c *wire) end() error {
	if c.timeout <= 0 {
		return nil
	}
	if sends, err := c.lastDeadline(); !sends {
		return err
	}
	began := c.arm()
	err := c.control.Flush()
	if errors.Is(err, http.ErrNotSupported) {
		err = nil
	}
	return c.settle(began, 0, err)
}

// lastDeadline sets the deadline for what the server sends at the end, if it does. It
// reports whether end is to do that instead.
func (c *wire) lastDeadline() (sends bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.cut:
		return false, errCutOff
	case c.blind:
		return false, nil
	case c.keeps:
		c.deadline(time.Now().Add(c.credit))
		return false, nil
	}
	return true, nil
}

// arm sets the deadline for the next write.
func (c *wire) arm() (began time.Time) {
	if c.timeout <= 0 {
		return began
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	began = time.Now()
	c.since, c.begun = began, true
	c.deadline(began.Add(c.credit))
	return began
}

// behind returns for how long the client has kept the page waiting beyond the least
// rate, and whether the page has begun and its client can be cut off.
func (c *wire) behind() (behind time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.begun || c.blind {
		return 0, false
	}
	if !c.since.IsZero() {
		behind = time.Since(c.since)
	}
	return behind + c.timeout - c.credit, true
}

// cutOff makes the write in progress and all further ones fail.
func (c *wire) cutOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline(time.Unix(1, 0))
	c.cut = true
}

// settle updates the client's credit after a write of n bytes, and returns the
// write's error.
func (c *wire) settle(began time.Time, n int, err error) error {
	if c.timeout <= 0 {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Time{}
	if c.cut {
		return errCutOff
	}
	// Between writes there is no deadline, because in HTTP/2 one that passes
	// ends the stream although no client waits.
	c.deadline(time.Time{})
	left := c.credit - time.Since(began)
	if err == nil && c.blind && left < 0 {
		err = fmt.Errorf("writing to the client took too long: %w", os.ErrDeadlineExceeded)
	}
	if c.rate > 0 {
		earned := float64(n) / float64(c.rate) * float64(time.Second)
		c.credit = min(c.timeout, left+time.Duration(min(earned, float64(c.timeout))))
	}
	return err
}

// deadline sets the deadline of writes, none for the zero time, unless the client was
// cut off.
func (c *wire) deadline(t time.Time) {
	if c.blind || c.cut {
		return
	}
	// Other errors are those of a broken connection, which the next write has.
	err := c.control.SetWriteDeadline(t)
	c.blind = errors.Is(err, http.ErrNotSupported)
}

// announce sets the coding of the page.
func (c *wire) announce(coding Coding) {
	c.coding = []string{coding.String()}
	c.response.Header()["Content-Encoding"] = c.coding
}

// refusal is an answer instead of a page: a status, and a text without details
// of the program.
type refusal struct {
	status int
	text   string
}

// refuse answers with a refusal.
func (c *wire) refuse(r *refusal) {
	if c.coding != nil { // a coding that a middleware has set stays
		c.response.Header().Del("Content-Encoding")
		c.coding = nil
	}
	c.arm()
	http.Error(c.response, fmt.Sprintf("%d %s: %s", r.status, http.StatusText(r.status), r.text), r.status)
	_ = c.end()
}

// abort ends the response at this point. Neither buffered bytes nor a regular
// end must be sent, even if a middleware stops the panic.
func (c *wire) abort() {
	_ = c.control.SetWriteDeadline(time.Unix(1, 0))
	panic(http.ErrAbortHandler)
}

// codedTwice returns an error if the Content-Encoding was set by a middleware
// after the handler set it.
func (c *wire) codedTwice() error {
	if c.coding == nil {
		return nil
	}
	if now := c.response.Header()["Content-Encoding"]; len(now) != 1 || &now[0] != &c.coding[0] {
		return errCodedTwice
	}
	return nil
}

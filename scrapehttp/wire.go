package scrapehttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
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
	blind    bool          // there are no deadlines, so time is only measured

	credit time.Duration // time for the next write, at most the timeout
	coding []string      // the Content-Encoding of the page, nil if none
}

func newWire(w http.ResponseWriter, r *http.Request, s settings) *wire {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	c := &wire{
		response: w, control: http.NewResponseController(w),
		timeout: s.writeTimeout, rate: s.minWriteRate, credit: s.writeTimeout,
		keeps: ok && server.WriteTimeout > 0,
	}
	if c.timeout > 0 {
		c.disarm() // the server's own deadline is too short for large pages
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
	if c.timeout <= 0 || c.blind {
		return nil
	}
	began := c.arm()
	if c.keeps {
		return nil
	}
	err := c.control.Flush()
	if errors.Is(err, http.ErrNotSupported) {
		err = nil
	}
	return c.settle(began, 0, err)
}

// arm sets the deadline for the next write.
func (c *wire) arm() (began time.Time) {
	if c.timeout <= 0 {
		return began
	}
	began = time.Now()
	c.deadline(began.Add(c.credit))
	return began
}

// settle updates the client's credit after a write of n bytes, and returns the
// write's error.
func (c *wire) settle(began time.Time, n int, err error) error {
	if c.timeout <= 0 {
		return err
	}
	// Between writes there is no deadline, because in HTTP/2 one that passes
	// ends the stream although no client waits.
	c.disarm()
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

func (c *wire) disarm() { c.deadline(time.Time{}) }

func (c *wire) deadline(t time.Time) {
	if c.blind {
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

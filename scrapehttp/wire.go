package scrapehttp

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// errCodedTwice is told where a middleware sets the Content-Encoding of a page
// that is compressed already.
var errCodedTwice = errors.New("a middleware has replaced the Content-Encoding of a compressed page, so that clients would decode it once too few; leave the middleware out or use WithCodings()")

// wire is the response as the client takes it: each write has a deadline, and
// all of them together have a least rate.
type wire struct {
	response http.ResponseWriter
	control  *http.ResponseController
	timeout  time.Duration // for each write; zero or less means no limits
	rate     int           // bytes a second; zero or less means no least rate
	keeps    bool          // whether the server sets the next request's write deadline
	blind    bool          // there are no deadlines, so time is only measured

	written int64         // bytes that the client's side has taken
	waited  time.Duration // for it to take them
	coding  []string      // the Content-Encoding that the page has, nil if none
}

func newWire(w http.ResponseWriter, r *http.Request, s settings) *wire {
	server := serverOf(r)
	c := &wire{
		response: w, control: http.NewResponseController(w), timeout: s.writeTimeout, rate: s.minWriteRate,
		keeps: server != nil && server.WriteTimeout > 0,
	}
	if c.timeout > 0 {
		c.disarm() // the server's own deadline is not for pages that take their time
	}
	return c
}

// Write passes on some of the page.
func (c *wire) Write(chunk []byte) (int, error) {
	if c.timeout <= 0 {
		return c.pass(chunk)
	}
	began, allowed := c.arm()
	n, err := c.pass(chunk)
	return n, c.waitedSince(began, allowed, err)
}

func (c *wire) pass(chunk []byte) (int, error) {
	n, err := c.response.Write(chunk)
	c.written += int64(n)
	if err == nil {
		err = c.codedTwice()
	}
	return n, err
}

// end has everything that net/http has buffered sent while a deadline stands.
// Then the deadline has to go, or it would hit the connection's next request. A
// server that sets deadlines itself does both.
func (c *wire) end() error {
	if c.timeout <= 0 || c.blind {
		return nil
	}
	began, allowed := c.arm()
	if c.keeps || c.blind {
		return nil
	}
	err := c.control.Flush()
	if errors.Is(err, http.ErrNotSupported) {
		err = nil
	}
	return c.waitedSince(began, allowed, err)
}

// arm gives the client its time for what is written next.
func (c *wire) arm() (began time.Time, allowed time.Duration) {
	began, allowed = time.Now(), c.allowance()
	c.deadline(began.Add(allowed))
	return began, allowed
}

// waitedSince takes down how long a write took, and returns its error.
func (c *wire) waitedSince(began time.Time, allowed time.Duration, err error) error {
	waited := time.Since(began)
	c.waited += waited
	// Between writes there is no deadline, because in HTTP/2 one that passes
	// ends the stream though nobody is waiting.
	c.disarm()
	if err == nil && c.blind && waited > allowed {
		return fmt.Errorf("writing to the client took too long: %w", os.ErrDeadlineExceeded)
	}
	return err
}

// allowance is how long the next write may take: the timeout, or what the least
// rate leaves if that is less. The rate counts from one timeout on.
func (c *wire) allowance() time.Duration {
	if c.rate <= 0 {
		return c.timeout
	}
	bytesTime := time.Duration(float64(c.written) / float64(c.rate) * float64(time.Second))
	return min(c.timeout, c.timeout+bytesTime-c.waited)
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

// refuse answers with a status, and a text that says no more than a stranger may
// know, in the place of a page.
func (c *wire) refuse(status int, text string) {
	if c.coding != nil { // what a middleware has set stays
		c.response.Header().Del("Content-Encoding")
		c.coding = nil
	}
	http.Error(c.response, fmt.Sprintf("%d %s: %s", status, http.StatusText(status), text), status)
	_ = c.end()
}

// codedTwice returns an error if somebody else has set the coding since.
func (c *wire) codedTwice() error {
	if c.coding == nil {
		return nil
	}
	if now := c.response.Header()["Content-Encoding"]; len(now) != 1 || &now[0] != &c.coding[0] {
		return errCodedTwice
	}
	return nil
}

package scrapehttp

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// page is the body of one response. The encoder writes to it in chunks, which
// it passes on, compressed, each under a write deadline of its own.
type page struct {
	control  *http.ResponseController
	target   io.Writer // the compressor, if there is one, or the response
	coding   Coding
	zipped   compressor
	patience time.Duration // for each chunk; zero or less means no deadlines
	keeps    bool          // whether the server sets the next request's write deadline
	started  bool          // something was written
	err      error         // the first one, returned ever after
}

func newPage(w http.ResponseWriter, r *http.Request, coding Coding, patience time.Duration) *page {
	p := &page{control: http.NewResponseController(w), target: w, coding: coding, patience: patience}
	if z := coding.borrow(w); z != nil {
		p.zipped, p.target = z, z
	}
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	p.keeps = ok && server.WriteTimeout > 0
	p.disarm() // the server's own deadline is not for pages that take their time
	return p
}

// Write passes on a chunk.
func (p *page) Write(chunk []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	p.started = true
	p.arm()
	n, err := p.target.Write(chunk)
	p.err = err
	// Between chunks there is no deadline, because in HTTP/2 one that passes
	// ends the stream though nobody is waiting.
	p.disarm()
	return n, err
}

// finish writes what the compressor still has.
func (p *page) finish() error {
	if p.err != nil {
		return p.err
	}
	p.arm()
	if p.zipped != nil {
		p.started = true
		p.err = p.zipped.Close()
	}
	if p.err != nil || p.patience <= 0 || p.keeps {
		return p.err
	}
	// What net/http has buffered has to go out while the deadline stands, and
	// then the deadline has to go, or it would hit the connection's next request.
	if err := p.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		p.err = err
	}
	p.disarm()
	return p.err
}

// fail makes all further writes fail, so that an encoder that is closed to free
// its memory does not end the page as if it were whole.
func (p *page) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// release gives the compressor back.
func (p *page) release() {
	p.coding.giveBack(p.zipped)
	p.zipped = nil
}

// arm gives the client its time for what is written next.
func (p *page) arm() { p.deadline(time.Now().Add(p.patience)) }

func (p *page) disarm() { p.deadline(time.Time{}) }

func (p *page) deadline(t time.Time) {
	if p.patience <= 0 {
		return
	}
	// Other errors are those of a broken connection, which the next write has.
	if err := p.control.SetWriteDeadline(t); errors.Is(err, http.ErrNotSupported) {
		p.patience = 0
	}
}

// rearm puts a deadline in the place of the server's own, for a response that is
// not a page. Without one of the server's it would hit the next request.
func (p *page) rearm() {
	if p.keeps {
		p.arm()
	}
}

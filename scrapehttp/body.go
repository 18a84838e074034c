package scrapehttp

import (
	"net/http"
	"time"
)

// bodiless serves requests without reading their bodies: no answer needs one.
// net/http reads up to 256 KiB of an unread body so that the connection can be
// used again, and waits for it without limit, before the first byte of the
// answer and after the handler has returned. Here the connection is closed
// instead, and what net/http still reads has a deadline.
//
// An unread body does not delay HTTP/2.
type bodiless struct {
	next    http.Handler
	timeout time.Duration // zero or less means no deadline
}

// ServeHTTP answers the request with the wrapped handler.
func (b bodiless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !hasBody(r) || r.ProtoMajor >= 2 {
		b.next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Connection", "close")
	b.allow(w)
	b.next.ServeHTTP(w, r)
	// Once more, because closing a connection with unread data can cost an honest
	// client the end of a page that took longer than the timeout.
	b.allow(w)
}

// allow sets the deadline for the body. If the writer hides its connection, it
// can only have the connection closed.
func (b bodiless) allow(w http.ResponseWriter) {
	if b.timeout > 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(b.timeout))
	}
}

// hasBody reports whether a request announces a body, of known or unknown length.
func hasBody(r *http.Request) bool { return r.ContentLength != 0 }

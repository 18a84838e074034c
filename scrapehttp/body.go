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
// In HTTP/2 an unread body holds nothing up.
type bodiless struct {
	next    http.Handler
	timeout time.Duration // zero or less means no deadline
}

// ServeHTTP has the request answered.
func (b bodiless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor >= 2 {
		b.next.ServeHTTP(w, r)
		return
	}
	// Where the writer hides its connection there are no deadlines, and closing
	// the connection is all that can be done.
	control := http.NewResponseController(w)
	if !hasBody(r) {
		if server := serverOf(r); server != nil && server.ReadTimeout > 0 {
			// It is for reading the request, which is over. When it passes,
			// net/http takes the client for gone and ends the request's context.
			_ = control.SetReadDeadline(time.Time{})
		}
		b.next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Connection", "close")
	if b.timeout <= 0 {
		b.next.ServeHTTP(w, r)
		return
	}
	_ = control.SetReadDeadline(time.Now().Add(b.timeout))
	b.next.ServeHTTP(w, r)
	// Once more, because closing a connection with unread data can cost an honest
	// client the end of a page that took longer than the timeout.
	_ = control.SetReadDeadline(time.Now().Add(b.timeout))
}

// hasBody reports whether a request announces a body, be it of unknown length.
func hasBody(r *http.Request) bool { return r.ContentLength != 0 }

// serverOf returns the server that a request came through, nil if it is not
// known.
func serverOf(r *http.Request) *http.Server {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	return server
}

package httpmetrics

import (
	"io"
	"net/http"
	"time"

	"github.com/felixge/httpsnoop"
)

// writer returns the response writer for the handler: it notes what the handler
// answers, and has the optional interfaces of w. For those of net/http's server it
// allocates nothing.
func (a *answer) writer(w http.ResponseWriter) http.ResponseWriter {
	if r, ok := w.(http1Response); ok && !has[http.Pusher](w) && !has[deadlines](w) && !has[fullDuplex](w) {
		a.http1 = http1Writer{r, a}
		return &a.http1
	}
	if r, ok := w.(http2Response); ok && !has[http.Hijacker](w) && !has[io.ReaderFrom](w) {
		a.http2 = http2Writer{r, a}
		return &a.http2
	}
	return httpsnoop.Wrap(w, a.hooks())
}

// has reports whether a response writer has an optional interface.
func has[I any](w http.ResponseWriter) bool {
	_, ok := w.(I)
	return ok
}

type (
	// response has what the response writers of net/http's server have in common.
	response interface {
		http.ResponseWriter
		io.StringWriter
		http.Flusher
		http.CloseNotifier //nolint:staticcheck // handlers may ask for it still
		FlushError() error
	}
	deadlines interface {
		SetReadDeadline(time.Time) error
		SetWriteDeadline(time.Time) error
	}
	fullDuplex interface{ EnableFullDuplex() error }
	// http1Response is what a handler is given for a request by HTTP/1.
	http1Response interface {
		response
		http.Hijacker
		io.ReaderFrom
	}
	// http2Response is what a handler is given for a request by HTTP/2.
	http2Response interface {
		response
		http.Pusher
		deadlines
		fullDuplex
	}
)

// http1Writer notes what is answered by HTTP/1.
type http1Writer struct {
	http1Response
	answer *answer
}

func (w *http1Writer) Unwrap() http.ResponseWriter { return w.http1Response }
func (w *http1Writer) WriteHeader(code int)        { w.answer.writeHeader(w.http1Response, code) }
func (w *http1Writer) Write(p []byte) (int, error) { return w.answer.wrote(w.http1Response.Write(p)) }
func (w *http1Writer) WriteString(s string) (int, error) {
	return w.answer.wrote(w.http1Response.WriteString(s))
}
func (w *http1Writer) ReadFrom(src io.Reader) (int64, error) {
	n, err := w.http1Response.ReadFrom(src)
	w.answer.begin(http.StatusOK, n)
	return n, err
}
func (w *http1Writer) Flush()            { w.answer.flush(w.http1Response) }
func (w *http1Writer) FlushError() error { return w.answer.flushed(w.http1Response.FlushError()) }
func (w *http1Writer) Hijack() (conn, buffered, error) {
	return w.answer.hijacked(w.http1Response.Hijack())
}

// http2Writer notes what is answered by HTTP/2.
type http2Writer struct {
	http2Response
	answer *answer
}

func (w *http2Writer) Unwrap() http.ResponseWriter { return w.http2Response }
func (w *http2Writer) WriteHeader(code int)        { w.answer.writeHeader(w.http2Response, code) }
func (w *http2Writer) Write(p []byte) (int, error) { return w.answer.wrote(w.http2Response.Write(p)) }
func (w *http2Writer) WriteString(s string) (int, error) {
	return w.answer.wrote(w.http2Response.WriteString(s))
}
func (w *http2Writer) Flush()            { w.answer.flush(w.http2Response) }
func (w *http2Writer) FlushError() error { return w.answer.flushed(w.http2Response.FlushError()) }

// writeHeader writes a header and notes it, unless it only announces the answer.
func (a *answer) writeHeader(w http.ResponseWriter, code int) {
	w.WriteHeader(code)
	a.wroteHeader(code)
}

func (a *answer) wroteHeader(code int) {
	if code >= 200 || code == http.StatusSwitchingProtocols {
		a.begin(code, 0)
	}
}

func (a *answer) wrote(n int, err error) (int, error) {
	a.begin(http.StatusOK, int64(n))
	return n, err
}

func (a *answer) flush(w http.Flusher) {
	w.Flush()
	a.begin(http.StatusOK, 0)
}

func (a *answer) flushed(err error) error {
	a.begin(http.StatusOK, 0)
	return err
}

func (a *answer) hijacked(c conn, b buffered, err error) (conn, buffered, error) {
	if err == nil {
		a.begin(http.StatusSwitchingProtocols, 0)
	}
	return c, b, err
}

// hooks note what is answered through a writer with other interfaces.
func (a *answer) hooks() httpsnoop.Hooks {
	return httpsnoop.Hooks{
		WriteHeader: func(next httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc {
			return func(code int) {
				next(code)
				a.wroteHeader(code)
			}
		},
		Write: func(next httpsnoop.WriteFunc) httpsnoop.WriteFunc {
			return func(p []byte) (int, error) { return a.wrote(next(p)) }
		},
		WriteString: func(next httpsnoop.WriteStringFunc) httpsnoop.WriteStringFunc {
			return func(s string) (int, error) { return a.wrote(next(s)) }
		},
		ReadFrom: func(next httpsnoop.ReadFromFunc) httpsnoop.ReadFromFunc {
			return func(src io.Reader) (int64, error) {
				n, err := next(src)
				a.begin(http.StatusOK, n)
				return n, err
			}
		},
		Flush: func(next httpsnoop.FlushFunc) httpsnoop.FlushFunc {
			return func() {
				next()
				a.begin(http.StatusOK, 0)
			}
		},
		FlushError: func(next httpsnoop.FlushErrorFunc) httpsnoop.FlushErrorFunc {
			return func() error { return a.flushed(next()) }
		},
		Hijack: func(next httpsnoop.HijackFunc) httpsnoop.HijackFunc {
			return func() (conn, buffered, error) { return a.hijacked(next()) }
		},
	}
}

package httpmetrics_test

import (
	"io"
	"net/http"
)

// combinations returns response writers with every combination of the optional
// interfaces, which f implements.
func combinations(w http.ResponseWriter, f full) []http.ResponseWriter {
	return []http.ResponseWriter{
		struct{ http.ResponseWriter }{w},
		struct {
			http.ResponseWriter
			http.Flusher
		}{w, f},
		struct {
			http.ResponseWriter
			http.Hijacker
		}{w, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Pusher
		}{w, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			io.ReaderFrom
		}{w, f},
		struct {
			http.ResponseWriter
			http.Flusher
			io.ReaderFrom
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			io.ReaderFrom
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Pusher
			io.ReaderFrom
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
			io.ReaderFrom
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
			io.ReaderFrom
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
			io.ReaderFrom
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			io.StringWriter
		}{w, f},
		struct {
			http.ResponseWriter
			http.Flusher
			io.StringWriter
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			io.StringWriter
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			io.StringWriter
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Pusher
			io.StringWriter
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
			io.StringWriter
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
			io.StringWriter
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
			io.StringWriter
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			io.ReaderFrom
			io.StringWriter
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			io.ReaderFrom
			io.StringWriter
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			io.ReaderFrom
			io.StringWriter
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
			io.StringWriter
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Pusher
			io.ReaderFrom
			io.StringWriter
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
			io.ReaderFrom
			io.StringWriter
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
			io.ReaderFrom
			io.StringWriter
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
			io.ReaderFrom
			io.StringWriter
		}{w, f, f, f, f, f},
		struct {
			http.ResponseWriter
			http.CloseNotifier
		}{w, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.CloseNotifier
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			http.CloseNotifier
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.CloseNotifier
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Pusher
			http.CloseNotifier
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
			http.CloseNotifier
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
			http.CloseNotifier
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
			http.CloseNotifier
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			io.ReaderFrom
			http.CloseNotifier
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			io.ReaderFrom
			http.CloseNotifier
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			io.ReaderFrom
			http.CloseNotifier
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
			http.CloseNotifier
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Pusher
			io.ReaderFrom
			http.CloseNotifier
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
			io.ReaderFrom
			http.CloseNotifier
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
			io.ReaderFrom
			http.CloseNotifier
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
			io.ReaderFrom
			http.CloseNotifier
		}{w, f, f, f, f, f},
		struct {
			http.ResponseWriter
			io.StringWriter
			http.CloseNotifier
		}{w, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Pusher
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f, f},
		struct {
			http.ResponseWriter
			io.ReaderFrom
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			io.ReaderFrom
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			io.ReaderFrom
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Pusher
			io.ReaderFrom
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
			io.ReaderFrom
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
			io.ReaderFrom
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f, f},
		struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
			io.ReaderFrom
			io.StringWriter
			http.CloseNotifier
		}{w, f, f, f, f, f, f},
	}
}

package live

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale"
)

// Handler returns a handler that serves the page that looks at c, on a path that
// ends in a slash, and its files below that path. It is safe for concurrent use.
// Each handler collects for itself: programs that mount the page twice pass the
// same handler. It panics if c is nil, as [http.Handle] does without a handler.
//
// Only GET and HEAD are answered; a request's body is not read. A request that comes
// in on a loopback address for a host that is not this machine's is answered with 421
// ([WithHosts]). If c is a
// [telltale.Registry], the page also shows the registry's faults, overflows and
// custom collectors.
func Handler(c telltale.Collector, opts ...Option) http.Handler {
	s := settingsOf(opts)
	return &handler{feed: newFeed(c, s), files: readFiles(), slots: make(chan struct{}, s.maxInFlight)}
}

type handler struct {
	feed  *feed
	files map[string]file
	slots chan struct{} // one for each request for data that is being served
}

// policy allows the page its own files and its own data.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// ServeHTTP answers with the page, one of its files, or data.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if h.feed.misdirected(r) {
		http.Error(w, fmt.Sprintf("The page is at an address of this machine alone, which knows no name %q: open it by localhost or by the IP address, "+
			"or give the name to live.WithHosts (telltale serve: --live-host).", hostOf(r.Host)), http.StatusMisdirectedRequest)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "use GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	name := path.Base(r.URL.Path)
	if r.URL.Path == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = "index.html"
	}
	if name == "data" {
		h.serveData(w, r)
		return
	}
	f, ok := h.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h.allowWriting(w)
	f.serve(w, r)
}

// allowWriting sets the deadline for the answer.
func (h *handler) allowWriting(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.feed.writeTimeout))
}

func (h *handler) serveData(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if len(r.URL.RawQuery) > h.feed.maxQuery {
		http.Error(w, "the query is longer than "+strconv.Itoa(h.feed.maxQuery)+" bytes", http.StatusRequestURITooLong)
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, "the query cannot be read", http.StatusBadRequest)
		return
	}
	subjects, err := subjectsOf(query, h.feed.maxAsked)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// A page of another site cannot read the answer; it must not cause collections.
	if from := r.Header.Get("Sec-Fetch-Site"); from == "cross-site" || from == "same-site" {
		http.Error(w, "the data is for the page beside it", http.StatusForbidden)
		return
	}
	header.Set("Content-Type", "application/json")
	if r.Method == http.MethodHead {
		return
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		header.Set("Retry-After", "1")
		http.Error(w, "too many requests for data at once", http.StatusServiceUnavailable)
		return
	}
	// The server's own limit for writing must not end the wait for a collection.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2*(h.feed.interval+h.feed.timeout) + h.feed.writeTimeout))
	s, err := h.feed.read(r.Context(), subjects)
	if err != nil {
		http.Error(w, "the metrics could not be collected", http.StatusServiceUnavailable)
		return
	}
	h.allowWriting(w)
	writeCompressed(w, r, s.answer(query.Get("known"), subjects)...)
}

// subjectsOf returns what a query asks for beside the index, each once.
func subjectsOf(query url.Values, most int) ([]subject, error) {
	if len(query["family"])+len(query["labels"]) > most {
		return nil, fmt.Errorf("at most %d families can be asked for", most)
	}
	var all []subject
	add := func(s subject) {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	for _, name := range query["family"] {
		add(subject{ofPoints, name})
	}
	for _, name := range query["labels"] {
		add(subject{ofLabels, name})
	}
	if query.Has("writers") {
		all = append(all, subject{of: ofWriters})
	}
	return all, nil
}

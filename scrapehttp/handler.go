package scrapehttp

import (
	"fmt"
	"net/http"

	"telltale"
	"telltale/exposition"
)

const allowed = "GET, HEAD, OPTIONS"

// Handler returns a handler that serves the metrics of c: see the package's
// documentation for what it answers. A collector that is neither a registry nor
// a view of one is run as a registry would run it, contained, but its failure
// fails the scrape, since nothing else is on the page. The handler is safe for
// concurrent use; each handler has limits of its own. Handler panics
// if c is nil, as [http.Handle] does without a handler.
func Handler(c telltale.Collector, opts ...Option) http.Handler {
	s := defaults()
	for _, o := range opts {
		o.applyHandler(&s)
	}
	return newHandler(c, s)
}

// handler is the metrics page.
type handler struct {
	settings
	collector telltale.Collector
	slots     chan struct{} // one is taken by each scrape; nil means no limit
}

func newHandler(c telltale.Collector, s settings) *handler {
	h := &handler{settings: s, collector: contained(c)}
	if s.maxInFlight > 0 {
		h.slots = make(chan struct{}, s.maxInFlight)
	}
	return h
}

// contained returns a collector under which custom ones run side by side, with
// panics and deadlines taken care of.
func contained(c telltale.Collector) telltale.Collector {
	switch c := c.(type) {
	case nil:
		panic("scrapehttp: the collector is nil")
	case *telltale.Registry, *telltale.RestrictedRegistry:
		return c
	}
	merged, err := telltale.Merge(c)
	if err != nil { // it cannot be compared; a pointer can
		merged = telltale.Must(telltale.Merge(telltale.CollectorFunc(c.Collect)))
	}
	return merged
}

// ServeHTTP answers a scrape.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		header.Set("Allow", allowed)
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		header.Set("Allow", allowed)
		refuse(w, http.StatusMethodNotAllowed, "use GET, HEAD or OPTIONS")
		return
	}
	names, err := wantedNames(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	format := exposition.Negotiate(r.Header.Values("Accept")...)
	coding := negotiate(h.codings, r.Header.Values("Accept-Encoding"))
	header.Add("Vary", "Accept, Accept-Encoding")
	header.Set("Content-Type", format.ContentType())
	header.Set("X-Content-Type-Options", "nosniff") // label values may look like HTML
	if coding != identity {
		header.Set("Content-Encoding", coding.String())
	}
	if r.Method == http.MethodHead {
		return
	}
	if h.slots != nil {
		select {
		case h.slots <- struct{}{}:
			defer func() { <-h.slots }()
		default:
			header.Set("Retry-After", "1")
			refuse(w, http.StatusServiceUnavailable, "too many scrapes at once")
			return
		}
	}
	h.scrape(w, r, names, format, coding)
}

// scrape collects and writes the page.
func (h *handler) scrape(w http.ResponseWriter, r *http.Request, names []string, format exposition.Format, coding Coding) {
	c := h.collector
	if len(names) > 0 {
		c = telltale.Restrict(c, names...)
	}
	ctx, cancel := withDeadline(r, h.timeout)
	defer cancel()
	p := newPage(w, r, coding, h.writeTimeout)
	defer p.release()
	enc := exposition.NewEncoder(p, format, h.encoderOptions(format)...)
	err := c.Collect(ctx, enc.Encode)
	if err == nil {
		err = enc.Close()
	}
	if err == nil {
		err = p.finish()
	}
	if err == nil {
		return
	}
	p.fail(err)
	_ = enc.Close() // it has failed; this frees its memory
	if h.hook != nil {
		h.hook(fmt.Errorf("scrapehttp: a scrape from %s failed: %w", r.RemoteAddr, err))
	}
	if p.started {
		panic(http.ErrAbortHandler) // a piece must not be taken for the page
	}
	p.rearm()
	refuse(w, http.StatusInternalServerError, "the metrics could not be collected")
}

func (h *handler) encoderOptions(format exposition.Format) []exposition.EncoderOption {
	var opts []exposition.EncoderOption
	if h.created {
		opts = append(opts, exposition.WithCreated())
	}
	if h.hook != nil {
		opts = append(opts, exposition.WithDropped(func(d exposition.Drop) {
			h.hook(&DropError{Drop: d, Format: format})
		}))
	}
	return opts
}

// refuse answers with a status and a text that says no more than a stranger may
// know.
func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Del("Content-Encoding") // of the page there is not going to be
	http.Error(w, fmt.Sprintf("%d %s: %s", status, http.StatusText(status), text), status)
}

// DropError tells the error hook of something that a page in the format could
// not hold and was written without.
type DropError struct {
	Drop   exposition.Drop
	Format exposition.Format
}

// Error describes what was dropped.
func (e *DropError) Error() string {
	what := fmt.Sprintf("family %q", e.Drop.Family)
	if e.Drop.Sample != "" {
		what = fmt.Sprintf("sample %q of %s", e.Drop.Sample, what)
	}
	return fmt.Sprintf("scrapehttp: %s was left out of a page in %s: %s", what, e.Format, e.Drop.Reason)
}

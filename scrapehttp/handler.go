package scrapehttp

import (
	"fmt"
	"net/http"

	"telltale"
	"telltale/exposition"
	"telltale/internal/gather"
	"telltale/internal/lines"
)

const allowed = "GET, HEAD, OPTIONS"

// Handler returns a handler that serves the metrics of c; the package's
// documentation describes its answers. A collector that is neither a registry
// nor a view of one is run as in a registry, but its failure fails the scrape,
// since the page has nothing else. The handler is safe for concurrent use; each
// handler has limits of its own. Handler panics if c is nil, as [http.Handle]
// does without a handler.
func Handler(c telltale.Collector, opts ...Option) http.Handler {
	s := defaults()
	for _, o := range opts {
		o.applyHandler(&s)
	}
	return bodiless{newHandler(c, s), s.bodyTimeout}
}

// handler is the metrics page.
type handler struct {
	settings
	collector telltale.Collector
	slots     slots // each scrape takes one
	drops     told
}

func newHandler(c telltale.Collector, s settings) *handler {
	merged := telltale.Must(telltale.Merge(c)) // runs a custom collector as a registry does
	return &handler{settings: s, collector: merged, slots: slots{
		limit: s.maxInFlight, perPeer: s.maxPerPeer, longest: s.longestWait, line: s.maxWaiting,
	}}
}

// The refusals with a fixed text.
var (
	wrongMethod      = &refusal{http.StatusMethodNotAllowed, "use GET, HEAD or OPTIONS"}
	collectingFailed = &refusal{http.StatusInternalServerError, "the metrics could not be collected"}
)

// ServeHTTP answers a scrape.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := newWire(w, r, h.settings)
	header := w.Header()
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		header.Set("Allow", allowed)
		w.WriteHeader(http.StatusNoContent)
		_ = c.end()
		return
	default:
		header.Set("Allow", allowed)
		c.refuse(wrongMethod)
		return
	}
	asked, refused := h.read(r)
	if refused != nil {
		c.refuse(refused)
		return
	}
	if len(header.Values("Content-Encoding")) > 0 {
		asked.coding = identity // because a middleware compresses
	}
	header.Add("Vary", "Accept, Accept-Encoding")
	header.Set("Content-Type", asked.format.ContentType())
	header.Set("X-Content-Type-Options", "nosniff") // label values may look like HTML
	if asked.coding != identity {
		c.announce(asked.coding)
	}
	if r.Method == http.MethodHead {
		_ = c.end()
		return
	}
	place, refused := h.slots.take(r.Context(), c, peerOf(r))
	if refused != nil {
		header.Set("Retry-After", "1")
		c.refuse(refused)
		return
	}
	started, err := h.scrape(c, r, place, asked)
	if err == nil {
		return
	}
	_ = call(h.hook, fmt.Errorf("scrapehttp: a scrape from %s failed: %w", r.RemoteAddr, err))
	if started {
		c.abort() // a part must not be taken for the whole page
	}
	c.refuse(collectingFailed)
}

// scrape collects and writes the page, and gives the slot back. It reports whether
// anything was written.
func (h *handler) scrape(w *wire, r *http.Request, place *slot, asked request) (started bool, err error) {
	defer h.slots.giveBack(place)
	c := h.collector
	if len(asked.names) > 0 {
		c = telltale.Restrict(c, asked.names...)
	}
	ctx, cancel := h.withDeadline(r)
	defer cancel()
	if h.failsOnFault {
		ctx = gather.DemandWhole(ctx)
	}
	p := newPage(w, asked.coding)
	defer p.release()
	ctx, unwritten := gather.WithUnwritten(ctx)
	enc := exposition.NewEncoder(p, asked.format, h.encoderOptions(asked.format, unwritten)...)
	err = c.Collect(ctx, enc.Encode)
	if err == nil {
		err = enc.Close()
	}
	if err == nil {
		err = p.finish()
	}
	if err != nil {
		p.fail(err)
		_ = enc.Close() // the encoder has failed; this frees its memory
	}
	return p.started, err
}

func (h *handler) encoderOptions(format exposition.Format, unwritten *gather.Unwritten) []exposition.EncoderOption {
	opts := []exposition.EncoderOption{exposition.WithDropped(h.dropped(format, unwritten))}
	if h.created {
		opts = append(opts, exposition.WithCreated())
	}
	if h.shortBounds {
		opts = append(opts, exposition.WithShortBounds())
	}
	return opts
}

// dropped returns what the encoder calls for what it leaves out of a page, which the
// registry counts. The hook is told or, without one, the registry's hook or log.
func (h *handler) dropped(format exposition.Format, unwritten *gather.Unwritten) func(exposition.Drop) {
	count := lines.Passing(format.String(), h.hook == nil, unwritten.Report)
	if h.hook == nil {
		return count
	}
	return func(d exposition.Drop) {
		count(d)
		if e := (DropError{Drop: d, Format: format}); h.drops.isNew(e) {
			_ = call(h.hook, error(&e))
		}
	}
}

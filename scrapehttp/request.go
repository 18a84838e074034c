package scrapehttp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/exposition"
	"telltale/internal/patience"
)

// request is what a scraper asked for.
type request struct {
	names  []string // names to which the page is restricted; none for the full page
	format exposition.Format
	coding Coding
}

// read reads the scraper's request, or returns why it is refused.
func (h *handler) read(r *http.Request) (request, *refusal) {
	names, err := wantedNames(r, h.query)
	if err != nil {
		return request{}, &refusal{http.StatusBadRequest, err.Error()}
	}
	if err := checkAccept(r.Header, h.maxAccept); err != nil {
		return request{}, &refusal{http.StatusRequestHeaderFieldsTooLarge, err.Error()}
	}
	return request{
		names:  names,
		format: exposition.Negotiate(r.Header.Values("Accept")...),
		coding: negotiate(h.codings, r.Header.Values("Accept-Encoding")),
	}, nil
}

// QueryLimits are limits of a request's query. Zero means the default, a number
// below zero no limit.
type QueryLimits struct {
	Bytes      int // length of the whole query as sent; DefaultQueryBytes by default
	Parameters int // number of parameters of any name; DefaultQueryParameters by default
	NameBytes  int // length of one value of name[]; DefaultNameBytes by default
}

// effective returns the limits with defaults for zero, and the largest number
// for no limit.
func (l QueryLimits) effective() QueryLimits {
	return QueryLimits{
		Bytes:      limitOr(l.Bytes, DefaultQueryBytes),
		Parameters: limitOr(l.Parameters, DefaultQueryParameters),
		NameBytes:  limitOr(l.NameBytes, DefaultNameBytes),
	}
}

func limitOr(limit, otherwise int) int {
	switch {
	case limit == 0:
		return otherwise
	case limit < 0:
		return math.MaxInt
	}
	return limit
}

// wantedNames returns the names to which a request restricts the page, none for
// the full page. Its errors are sent to the client.
func wantedNames(r *http.Request, limits QueryLimits) ([]string, error) {
	if r.URL == nil || r.URL.RawQuery == "" {
		return nil, nil
	}
	query := r.URL.RawQuery
	switch {
	case len(query) > limits.Bytes:
		return nil, fmt.Errorf("the query is longer than %d bytes", limits.Bytes)
	case strings.Count(query, "&") >= limits.Parameters:
		return nil, fmt.Errorf("the query has more than %d parameters", limits.Parameters)
	}
	parameters, err := url.ParseQuery(query)
	if err != nil { // not answered with the full page
		return nil, fmt.Errorf("the query is malformed: %w", err)
	}
	names := parameters["name[]"]
	for _, name := range names {
		if len(name) > limits.NameBytes {
			return nil, fmt.Errorf("the query parameter name[] has a name longer than %d bytes", limits.NameBytes)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	slices.Sort(names)
	return slices.Compact(names), nil
}

// checkAccept returns an error, to be sent to the client, if a header used for
// negotiation is longer than limit, all its lines together.
func checkAccept(header http.Header, limit int) error {
	if limit <= 0 {
		return nil
	}
	for _, name := range [...]string{"Accept", "Accept-Encoding"} {
		size := 0
		for _, line := range header[name] {
			size += len(line)
		}
		if size > limit {
			return fmt.Errorf("the header %s is longer than %d bytes", name, limit)
		}
	}
	return nil
}

const (
	timeoutHeader      = "X-Prometheus-Scrape-Timeout-Seconds"
	timeoutHeaderBytes = 32 // longer than any sensible number
	longestMargin      = 500 * time.Millisecond
	noTimeout          = time.Duration(math.MaxInt64)
)

// withDeadline returns the request's context with the scrape's deadline, and
// with the handler's own limit, which does not depend on the scraper.
func (s *settings) withDeadline(r *http.Request) (context.Context, context.CancelFunc) {
	own := s.timeout
	if own <= 0 {
		own = noTimeout
	}
	ctx := patience.With(r.Context(), own)
	timeout := s.scrapeTimeout(own, r.Header[timeoutHeader])
	if timeout == noTimeout {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}

// scrapeTimeout returns how long collecting may take: the handler's own timeout,
// or the scraper's, within the bounds.
func (s *settings) scrapeTimeout(own time.Duration, header []string) time.Duration {
	asked, err := askedTimeout(header)
	if err != nil {
		return own
	}
	return max(min(asked, max(own, s.longestTimeout)), min(own, s.shortestTimeout))
}

var errNoTimeout = errors.New("the header is not one positive number")

// askedTimeout reads how long collecting may take so that the page arrives
// before the scraper gives up.
func askedTimeout(header []string) (time.Duration, error) {
	if len(header) != 1 || len(header[0]) > timeoutHeaderBytes {
		return 0, errNoTimeout
	}
	seconds, err := strconv.ParseFloat(header[0], 64)
	if err != nil || !(seconds > 0) || math.IsInf(seconds, 1) {
		return 0, errNoTimeout
	}
	if seconds >= noTimeout.Seconds() {
		return noTimeout, nil
	}
	timeout := time.Duration(seconds * float64(time.Second))
	return timeout - min(timeout/10, longestMargin), nil
}

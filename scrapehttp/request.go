package scrapehttp

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a query may have: enough for the longest list of names that anybody
// writes, and little enough to be looked through for a stranger.
const (
	maxQueryLength     = 64 << 10
	maxQueryParameters = 1024
)

var (
	errQueryLength     = errors.New("the query is longer than 65536 bytes")
	errQueryParameters = errors.New("the query has more than 1024 parameters")
	errQuerySyntax     = errors.New("the query is malformed")
)

// wantedNames returns the names that a request restricts the page to, none for
// the full page. The errors are for the client to read.
func wantedNames(r *http.Request) ([]string, error) {
	if r.URL == nil || r.URL.RawQuery == "" {
		return nil, nil
	}
	query := r.URL.RawQuery
	switch {
	case len(query) > maxQueryLength:
		return nil, errQueryLength
	case strings.Count(query, "&") >= maxQueryParameters:
		return nil, errQueryParameters
	}
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return nil, errQuerySyntax // the full page is not what was asked for
	}
	return slices.DeleteFunc(parameters["name[]"], func(name string) bool { return name == "" }), nil
}

const (
	timeoutHeader  = "X-Prometheus-Scrape-Timeout-Seconds"
	longestTimeout = 10 * time.Minute // so that a stranger cannot hold on to a scrape
	longestMargin  = 500 * time.Millisecond
)

// withDeadline returns the request's context with the scrape's deadline.
func withDeadline(r *http.Request, otherwise time.Duration) (context.Context, context.CancelFunc) {
	timeout := otherwise
	if asked, ok := scraperTimeout(r.Header.Get(timeoutHeader)); ok {
		timeout = asked
	}
	if timeout <= 0 {
		return context.WithCancel(r.Context())
	}
	return context.WithTimeout(r.Context(), timeout)
}

// scraperTimeout reads how long collecting may take so that the page arrives
// before the scraper gives up. A header that is not a positive number says
// nothing.
func scraperTimeout(header string) (time.Duration, bool) {
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || !(seconds > 0) || math.IsInf(seconds, 1) {
		return 0, false
	}
	timeout := longestTimeout
	if seconds < longestTimeout.Seconds() {
		timeout = max(time.Duration(seconds*float64(time.Second)), 1)
	}
	return timeout - min(timeout/10, longestMargin), true
}

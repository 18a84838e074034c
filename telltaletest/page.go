package telltaletest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"telltale"
	"telltale/exposition"
	"telltale/model"
)

// Bounds of a page that FromURL reads.
const (
	pageTimeout = 10 * time.Second
	pageBytes   = 256 << 20
)

// FromHandler returns a collector of the families on the page that a handler
// serves, such as scrapehttp.Handler's or a whole application's at /metrics. Each
// collection is a GET request of the path. The collector is safe for concurrent
// use if the handler is.
func FromHandler(h http.Handler, path string) telltale.Collector {
	return page(pageBytes, func(ctx context.Context) (*http.Response, error) {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result(), nil
	})
}

// FromURL returns a collector of the families on a page that a server serves. A
// collection takes 10 seconds and 256 MiB at most. It is safe for concurrent use.
func FromURL(url string) telltale.Collector {
	return page(pageBytes, func(ctx context.Context) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Accept", accept)
		client := http.Client{Timeout: pageTimeout}
		return client.Do(r)
	})
}

// accept asks for OpenMetrics, which keeps units, types and exemplars.
const accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"

// page is a collector of the answer to a request, of at most that many bytes.
func page(most int64, get func(context.Context) (*http.Response, error)) telltale.Collector {
	return telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		resp, err := get(ctx)
		if err != nil {
			return fmt.Errorf("telltaletest: the page cannot be had: %w", err)
		}
		defer resp.Body.Close() //nolint:errcheck // it was read
		if resp.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 1024))
			return fmt.Errorf("telltaletest: the page is answered with %s: %s", resp.Status, text)
		}
		format, ok := exposition.FormatOf(resp.Header.Get("Content-Type"))
		if !ok && resp.Header.Get("Content-Type") != "" {
			return fmt.Errorf("telltaletest: the page is %q, which is no format of metrics", resp.Header.Get("Content-Type"))
		}
		p := exposition.NewParser(resp.Body, format, exposition.WithLimits(exposition.Limits{Input: most}))
		for {
			f, err := p.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("telltaletest: the page is not valid: %w", err)
			}
			if err := emit(f); err != nil {
				return err
			}
		}
	})
}

package telltaletest

import (
	"context"
	"net/http"
	"net/http/httptest"

	"telltale"
)

// FromHandlerWithin is FromHandler with another limit of the page.
func FromHandlerWithin(most int64, h http.Handler) telltale.Collector {
	return page(most, func(context.Context) (*http.Response, error) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w.Result(), nil
	})
}

package httpmetrics

import (
	"context"
	"net/http"

	"telltale/internal/traceparent"
)

// exemplar returns the labels of a request's exemplar, nil for none.
func (s *settings) exemplar(ctx context.Context, header http.Header) map[string]string {
	if s.exemplars != nil {
		return s.exemplars(ctx)
	}
	return traceparent.Sampled(header["Traceparent"])
}

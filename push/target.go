package push

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"telltale"
)

// Target is where metrics can be pushed.
type Target interface {
	// Push collects c and sends what it emits, as the present state of all metrics. It
	// gives up when ctx is done. It may be called from several goroutines at once.
	Push(ctx context.Context, c telltale.Collector) error
}

// StatusError is the error of a push that a server has refused.
type StatusError struct {
	Code       int           // HTTP status
	RetryAfter time.Duration // which the server asked for; 0 if it did not
	Body       string        // the beginning of the answer, without secrets
	Final      bool          // the protocol forbids to send the same again, whatever the code
}

// Error returns the status and what the server said.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.Code, http.StatusText(e.Code))
	if e.Body != "" {
		text += fmt.Sprintf(": %q", e.Body)
	}
	return text
}

// Temporary reports whether the same push may succeed later: after a status of 408,
// 429 or from 500 on that is not final.
func (e *StatusError) Temporary() bool {
	if e.Final {
		return false
	}
	return e.Code == http.StatusRequestTimeout || e.Code == http.StatusTooManyRequests || e.Code >= 500
}

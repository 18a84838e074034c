package outbox

import (
	"errors"
	"sync"
	"time"

	"telltale/internal/forward"
)

// Clock gives the times of collections. Now is safe for concurrent use; Use is called before.
type Clock struct {
	given func() (time.Time, error) // in place of the machine's; nil without
	mu    sync.Mutex
	own   forward.Clock
}

// Use sets the function that gives the time in place of the machine's clock. It returns
// an error if that is nil.
func (c *Clock) Use(now func() (time.Time, error)) error {
	if now == nil {
		return errors.New("the clock is nil")
	}
	c.given = now
	return nil
}

// Now returns the time of the function that was given to Use, or else the machine's
// time, at least a millisecond after the one before. If the machine's clock is set
// back, times go on from the last one, since receivers refuse older samples, unless
// they would then be further in the future than receivers accept.
func (c *Clock) Now() (time.Time, error) {
	if c.given != nil {
		return c.given()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.own.Next(), nil
}

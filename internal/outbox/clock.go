package outbox

import (
	"errors"
	"sync"
	"time"

	"telltale/internal/forward"
)

// Clock says the times of collections. Now is safe for concurrent use.
type Clock struct {
	given func() (time.Time, error) // in place of the machine's; nil without
	mu    sync.Mutex
	own   forward.Clock
}

// Use sets what says the time in place of the machine's clock, which must not be nil.
func (c *Clock) Use(now func() (time.Time, error)) error {
	if now == nil {
		return errors.New("the clock is nil")
	}
	c.given = now
	return nil
}

// Now returns the time that what was given to Use says, or else the machine's, later by a
// millisecond at least than the one before. Where the machine's clock is set back it goes
// on from there, since receivers refuse samples that are older, but for where that is
// further in the future than they take.
func (c *Clock) Now() (time.Time, error) {
	if c.given != nil {
		return c.given()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.own.Next(), nil
}

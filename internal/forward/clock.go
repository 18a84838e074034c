// Package forward gives the times of samples that are sent. They only go forward,
// whatever happens to the machine's clock, because receivers refuse a sample that is
// older than the one before of its series.
package forward

import "time"

// MaxAhead is how far times may be ahead of the machine's clock, after that was set
// back. Receivers refuse samples that are further in the future, so that times begin
// anew from the machine's clock where they would be further ahead.
const MaxAhead = 10 * time.Minute

// Clock gives times in whole milliseconds, each after the one before. While the
// machine's clock is behind the last time, times go at half of its speed, until it has
// caught up. The zero Clock is ready for use. Methods are for one goroutine at a time.
type Clock struct {
	last time.Time // as given
	read time.Time // the machine's clock then, with its monotonic part
}

// After returns a clock whose times are after t, which another process gave.
func After(t time.Time) Clock { return Clock{last: t.Truncate(time.Millisecond)} }

// Last returns the time that was given last; the zero Time if there was none.
func (c *Clock) Last() time.Time { return c.last }

// Next returns a time after the last one.
func (c *Clock) Next() time.Time {
	now := time.Now()
	var elapsed time.Duration
	if !c.read.IsZero() {
		elapsed = now.Sub(c.read)
	}
	c.last, c.read = next(c.last, now, elapsed), now
	return c.last
}

// next returns the time to give when the machine's clock says now, after the time that
// was given last, so long ago.
func next(last, now time.Time, elapsed time.Duration) time.Time {
	now = now.Truncate(time.Millisecond)
	if last.IsZero() || now.After(last) || last.Sub(now) > MaxAhead {
		return now
	}
	return last.Add(max((elapsed / 2).Truncate(time.Millisecond), time.Millisecond))
}

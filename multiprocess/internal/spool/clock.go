package spool

import (
	"time"

	"telltale/multiprocess/internal/segment"
)

// Clock is what the clocks of this system show at one moment.
type Clock struct {
	Boot      [16]byte // identity of the boot; zeros if unknown
	Wall      int64    // nanoseconds since 1970
	Monotonic int64    // nanoseconds of the boot's clock that nobody can set; 0 if unknown
}

// Now returns what the clocks show now.
func Now() Clock {
	return Clock{Boot: BootID(), Wall: time.Now().UnixNano(), Monotonic: Monotonic()}
}

// On returns what the clocks show now if the wall clock was not set since c was read.
func (c Clock) On() Clock {
	if c.Monotonic == 0 {
		return Now()
	}
	passed := Monotonic() - c.Monotonic
	c.Wall, c.Monotonic = c.Wall+passed, c.Monotonic+passed
	return c
}

// Moment returns the moment at which the clocks were read.
func (c Clock) Moment() segment.Moment { return segment.Moment{Wall: c.Wall, Boot: c.Monotonic} }

// Since returns the time of a moment in nanoseconds since 1970. A moment of this boot
// is converted from the boot's clock by the wall clock of now; one of another boot has
// the wall clock's time of then, but not a later one than now. So moments have one
// order, whatever wall clocks were set to.
func (c Clock) Since(boot [16]byte, m segment.Moment) int64 {
	if boot == c.Boot && boot != [16]byte{} && m.Boot > 0 && c.Monotonic > 0 {
		return c.Wall - max(0, c.Monotonic-m.Boot)
	}
	return min(m.Wall, c.Wall)
}

// Shift returns what is to be added to the times of values in a segment before they are
// compared with those of other segments. Times of this boot are converted as by Since.
func (c Clock) Shift(h *segment.Header) int64 {
	if h.Boot != c.Boot || h.Boot == [16]byte{} || h.Ahead == 0 || c.Monotonic == 0 {
		return 0
	}
	return c.Wall - c.Monotonic - h.Ahead
}

// SetAt returns when a value was set, in nanoseconds since 1970, but not later than
// now, given its time in a segment and the segment's Shift. It returns 0 if the value
// was never set.
func (c Clock) SetAt(time, shift int64) int64 {
	if time == 0 {
		return 0
	}
	return max(1, min(time+shift, c.Wall))
}

// BornAt returns when a segment was made, in nanoseconds since 1970 as by Since.
func (c Clock) BornAt(h *segment.Header) int64 {
	return c.Since(h.Boot, segment.Moment{Wall: h.Start, Boot: h.Born})
}

// AppearedAt returns when an epoch or the definition of a family first appeared, as a
// segment notes it, in nanoseconds since 1970 as by Since. If the segment does not
// know, it is the time at which the segment was made.
func (c Clock) AppearedAt(h *segment.Header, first segment.Moment) int64 {
	if first == (segment.Moment{}) {
		return c.BornAt(h)
	}
	return c.Since(h.Boot, first)
}

// Inherit returns when something first appeared of which a segment says so, as segments
// of this boot say it.
func (c Clock) Inherit(h *segment.Header, first segment.Moment) segment.Moment {
	if first == (segment.Moment{}) {
		first = segment.Moment{Wall: h.Start, Boot: h.Born}
	}
	if h.Boot != c.Boot || h.Boot == [16]byte{} {
		first.Boot = 0
	}
	first.Wall = min(first.Wall, c.Wall)
	return first
}

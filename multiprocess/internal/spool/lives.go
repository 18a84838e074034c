package spool

import (
	"time"

	"telltale/multiprocess/internal/segment"
)

// sayAlive is within which time a writer says at least that it lives: what it did before
// it died it did no later after it said so.
const sayAlive = 2 * time.Second

// Lives tells the lives of the rows of one segment, in nanoseconds since 1970 as by
// [Clock.Since].
type Lives struct {
	shift int64
	born  int64 // when the writer's segment was made; 0 of an archive
	open  int64 // until when rows go on that may be updated at any moment; 0 if that follows from died
	died  int64 // when a dead writer may have updated a row last
}

// LivesIn returns the lives in a segment with the header, whose writer lives or has said
// last at a time of its boot's clock that it does.
func (c Clock) LivesIn(h *segment.Header, live bool, alive int64) Lives {
	l := Lives{shift: c.Shift(h)}
	switch {
	case h.Kind == segment.KindArchive:
		l.open = segment.Never
	case live:
		l.born, l.open = c.BornAt(h), segment.Never
	default:
		l.born = c.BornAt(h)
		died := max(alive, h.Born)
		l.died = c.Since(h.Boot, segment.Moment{Wall: h.Start + died - h.Born, Boot: died}) + int64(sayAlive)
	}
	return l
}

// Of returns the life of a row's series, given what the row says. What belongs to a family
// without an expiry goes on, whatever others say of the family, and was begun no earlier
// than its writer.
func (l Lives) Of(f *segment.Family, said segment.Life) segment.Life {
	switch {
	case f.Expiry <= 0:
		return segment.Life{Begun: l.born, Until: segment.Never}
	case said.Begun != 0:
		said.Begun += l.shift
	}
	switch {
	case said.Until == segment.Never: // as an archive says of what such a family left
	case said.Until != 0:
		said.Until += l.shift
	case l.open != 0:
		said.Until = l.open
	default:
		said.Until = After(l.died, f.Expiry)
	}
	return said
}

// After returns the time that is d after another one, or the last that there is.
func After(when int64, d time.Duration) int64 {
	if when > segment.Never-int64(d) {
		return segment.Never
	}
	return when + int64(d)
}

// Died returns when a dead writer may have updated its rows last.
func (l Lives) Died() int64 { return l.died }

package cell

import (
	"sync"
	"time"
)

// clockBegan is when the process first asked for the time of a value.
var clockBegan = sync.OnceValue(time.Now)

// Now returns the time that a value has which is set now, in nanoseconds since 1970: as the
// wall clock showed it when the process first asked, and from then on by the boot's clock.
// So the values of a process have the order in which they were set, whatever the wall clock
// was set to in between, and readers that know by how much the times are ahead of the
// boot's clock compare them with those of other processes. It is safe for concurrent use.
func Now() int64 {
	began := clockBegan()
	return began.UnixNano() + int64(time.Since(began))
}

// TimeAt returns what Now would have returned at t, a time of this process with a
// monotonic reading.
func TimeAt(t time.Time) int64 {
	began := clockBegan()
	return began.UnixNano() + int64(t.Sub(began))
}

//go:build !linux

package cell

import "time"

// Now returns the time that a value has which is set now, in nanoseconds since 1970. It is
// the wall clock's: the clock that a process can read cheaply may stand still while the
// system sleeps, and the boot's may not. It is safe for concurrent use.
func Now() int64 { return time.Now().UnixNano() }

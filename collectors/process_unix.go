//go:build unix && !linux && (!darwin || ios)

package collectors

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// processReading is one reading of this process. There is no portable way to
// read another process, or more values.
type processReading struct{}

// startTimes is empty: start times are not known on these systems.
type startTimes struct{}

func (s *processSource) open() (*processReading, error) { return &processReading{}, nil }

func (r *processReading) close() {}

func ownReaders() processReaders {
	return processReaders{
		cpu: func(*processReading) (float64, error) {
			var usage unix.Rusage
			if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
				return 0, fmt.Errorf("getrusage: %w", err)
			}
			return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds(), nil
		},
		maxFDs: func(*processReading) (float64, error) {
			var limit unix.Rlimit
			if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
				return 0, fmt.Errorf("getrlimit: %w", err)
			}
			return float64(limit.Cur), nil
		},
	}
}

func foreignReaders() processReaders { return processReaders{} }

package collectors

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/prometheus/procfs"
)

// processReading is one reading of a process. It reads each file at most once,
// when one of its values is needed.
type processReading struct {
	proc    procfs.Proc
	known   *startTimes
	stat    lazily[procfs.ProcStat]
	limits  lazily[procfs.ProcLimits]
	netstat lazily[procfs.ProcNetstat]
}

func (s *processSource) open() (*processReading, error) {
	mounted, err := procfs.NewFS(s.mount)
	if err != nil {
		return nil, err
	}
	r := &processReading{known: &s.known}
	if s.pid == nil {
		r.proc, err = mounted.Self()
		return r, err
	}
	pid, err := s.pid()
	if err != nil {
		return nil, err
	}
	r.proc, err = mounted.Proc(pid)
	return r, err
}

func (r *processReading) close() {}

func ownReaders() processReaders {
	return processReaders{
		cpu: func(r *processReading) (float64, error) {
			stat, err := r.stat.get(r.proc.Stat)
			return stat.CPUTime(), err
		},
		openFDs: func(r *processReading) (float64, error) {
			n, err := r.proc.FileDescriptorsLen()
			return float64(n), err
		},
		maxFDs: func(r *processReading) (float64, error) {
			limits, err := r.limits.get(r.proc.Limits)
			return float64(limits.OpenFiles), err
		},
		virtual: func(r *processReading) (float64, error) {
			stat, err := r.stat.get(r.proc.Stat)
			return float64(stat.VirtualMemory()), err
		},
		virtualMax: func(r *processReading) (float64, error) {
			limits, err := r.limits.get(r.proc.Limits)
			return float64(limits.AddressSpace), err
		},
		resident: func(r *processReading) (float64, error) {
			stat, err := r.stat.get(r.proc.Stat)
			return float64(stat.RSS) * float64(os.Getpagesize()), err
		},
		start: func(r *processReading) (float64, error) {
			stat, err := r.stat.get(r.proc.Stat)
			if err != nil {
				return 0, err
			}
			return r.known.of(stat, time.Now())
		},
		received: func(r *processReading) (float64, error) {
			netstat, err := r.netstat.get(r.proc.Netstat)
			return octets(netstat.InOctets, err)
		},
		transmitted: func(r *processReading) (float64, error) {
			netstat, err := r.netstat.get(r.proc.Netstat)
			return octets(netstat.OutOctets, err)
		},
	}
}

func foreignReaders() processReaders { return ownReaders() }

// octets returns a counter of net/netstat. A kernel may lack the counter or the
// file.
func octets(n *float64, err error) (float64, error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, errNotHere
	case err != nil:
		return 0, err
	case n == nil:
		return 0, errNotHere
	}
	return *n, nil
}

// lazily is a result that is made when it is first needed.
type lazily[T any] struct {
	done  bool
	value T
	err   error
}

func (l *lazily[T]) get(read func() (T, error)) (T, error) {
	if !l.done {
		l.done = true
		l.value, l.err = read()
	}
	return l.value, l.err
}

// startTimes remembers when a process started. The kernel gives that time
// relative to its boot, and finding the time of the boot means parsing all of
// /proc/stat, which is long on large machines. It is safe for concurrent use.
type startTimes struct {
	mu      sync.Mutex
	pid     int
	ticks   uint64    // from boot to start; distinguishes processes that had the same pid
	at      time.Time // time at which seconds was found
	seconds float64   // since 1970
}

// of returns when the process of stat started, in seconds since 1970. It
// determines the time again after the clock was set.
func (k *startTimes) of(stat procfs.ProcStat, now time.Time) (float64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pid == stat.PID && k.ticks == stat.Starttime && !wasSet(k.at, now) {
		return k.seconds, nil
	}
	seconds, err := stat.StartTime()
	if err != nil {
		return 0, err
	}
	k.pid, k.ticks, k.at, k.seconds = stat.PID, stat.Starttime, now, seconds
	return seconds, nil
}

// wasSet reports whether the wall clock was set between two times.
func wasSet(from, to time.Time) bool {
	steady, wall := to.Sub(from), to.Round(0).Sub(from.Round(0))
	return (wall - steady).Abs() > time.Second
}

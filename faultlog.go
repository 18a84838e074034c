package telltale

// Faults in the log, for registries whose faults no hook hears.

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// logInterval is the least time between two log lines of one kind of fault.
	logInterval = time.Minute
	// mostKinds is how many kinds of faults a registry tells apart in its log. Faults
	// of further kinds share one kind for each reason.
	mostKinds = 256
)

// faultKind is what faults have in common of which one log line tells.
type faultKind struct {
	reason  Reason
	subject string // a collector, or the family of a misused instrument; "" for all beyond mostKinds
}

// faultLog decides which faults of a registry are logged: the first of each kind,
// and after it one for each logInterval in which there are more. The zero faultLog
// is ready to use.
type faultLog struct {
	kinds atomic.Pointer[map[faultKind]*faultLine] // never changed, but replaced
	mu    sync.Mutex                               // held to replace kinds
}

// faultLine is the log line of a kind of fault.
type faultLine struct {
	written  atomic.Int64  // when it was last written, in nanoseconds since 1970; 0 means never
	unlogged atomic.Uint64 // faults since then
}

// due reports whether a fault of the kind is to be logged, and how many were not
// since the last one that was. It allocates nothing for a kind it knows.
func (l *faultLog) due(kind faultKind) (unlogged uint64, ok bool) {
	line := l.line(kind)
	now, last := time.Now().UnixNano(), line.written.Load()
	// A clock that was set back makes lines due.
	if recent := last != 0 && now >= last && now < last+int64(logInterval); recent || !line.written.CompareAndSwap(last, now) {
		line.unlogged.Add(1)
		return 0, false
	}
	return line.unlogged.Swap(0), true
}

func (l *faultLog) line(kind faultKind) *faultLine {
	known := l.kinds.Load()
	if known != nil {
		if line := (*known)[kind]; line != nil {
			return line
		}
		if len(*known) >= mostKinds {
			if line := (*known)[faultKind{reason: kind.reason}]; line != nil {
				return line
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	kinds := make(map[faultKind]*faultLine)
	if known = l.kinds.Load(); known != nil {
		kinds = maps.Clone(*known)
	}
	if kinds[kind] == nil && len(kinds) >= mostKinds {
		kind.subject = ""
	}
	if kinds[kind] == nil {
		kinds[kind] = new(faultLine)
		l.kinds.Store(&kinds)
	}
	return kinds[kind]
}

// kind returns the kind of a fault.
func (f *Fault) kind() faultKind {
	if f.Collector != "" {
		return faultKind{f.Reason, f.Collector}
	}
	return faultKind{f.Reason, f.Family}
}

// log writes a fault to the default logger: one that costs a page something as an
// error, misuse of an instrument as a warning. Texts that may come from outside are
// attributes, which handlers quote.
func (f *Fault) log(unlogged uint64) {
	level, message := slog.LevelError, "telltale: metrics are left out of the page"
	attrs := []slog.Attr{slog.String("reason", string(f.Reason))}
	if f.Collector != "" {
		attrs = append(attrs, slog.String("collector", f.Collector))
	} else if f.Reason.isMisuse() {
		level, message = slog.LevelWarn, "telltale: an instrument is misused"
	}
	if f.Family != "" {
		attrs = append(attrs, slog.String("family", f.Family))
	}
	attrs = append(attrs, slog.String("err", bounded(f.Err.Error())))
	if unlogged > 0 {
		attrs = append(attrs, slog.Uint64("unlogged", unlogged))
	}
	slog.Default().LogAttrs(context.Background(), level, message, attrs...)
}

package collectors

import (
	"context"
	"errors"
	"log/slog"

	"telltale"
)

// NewLogCounter returns a handler that counts the records of each level and
// passes them on to next, and the counter log_records_total, which opts register
// and name: with the label level, one of debug, info, warn and error. A record
// between two levels counts as the lower one; a record below debug counts as
// debug. All four series exist from the start, so that a rate covers the first
// error.
//
//	handler, _, err := collectors.NewLogCounter(slog.NewJSONHandler(os.Stderr, nil))
//	slog.SetDefault(slog.New(handler))
//
// Records for which next is not enabled are not counted; a record that next
// fails to write is counted. It returns the errors of [telltale.NewCounterVec],
// and an error if next is nil. The handler is safe for concurrent use if next
// is.
func NewLogCounter(next slog.Handler, opts ...telltale.CounterOption) (slog.Handler, *telltale.CounterVec, error) {
	if next == nil {
		return nil, nil, errors.New("collectors: NewLogCounter: the handler is nil")
	}
	records, err := telltale.NewCounterVec("log_records", "Records logged.", []string{"level"}, opts...)
	if err != nil {
		return nil, nil, err
	}
	h := &logHandler{next: next}
	for i, level := range logLevels {
		h.records[i] = records.With(level.name)
	}
	return h, records, nil
}

// logLevels are the levels of series, the lowest first.
var logLevels = [...]struct {
	level slog.Level
	name  string
}{
	{slog.LevelDebug, "debug"},
	{slog.LevelInfo, "info"},
	{slog.LevelWarn, "warn"},
	{slog.LevelError, "error"},
}

type logHandler struct {
	next    slog.Handler
	records [len(logLevels)]*telltale.Counter
}

func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	at := 0
	for i, level := range logLevels {
		if r.Level >= level.level {
			at = i
		}
	}
	h.records[at].Inc()
	return h.next.Handle(ctx, r)
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logHandler{h.next.WithAttrs(attrs), h.records}
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	return &logHandler{h.next.WithGroup(name), h.records}
}

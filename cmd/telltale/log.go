package main

import (
	"errors"
	"log"
	"log/slog"
	"strings"
)

// newLog returns the log of a verb that runs on, in which packages of the library write
// too, and the standard library: what that quotes of servers, in which secrets may be, is
// not shown, and its reports are news.
func newLog(diag diagnostics) *slog.Logger {
	own := slog.New(slog.NewTextHandler(diag, nil))
	slog.SetDefault(own)
	news := newNews(failuresLimit, func(err error) { own.Warn("a connection met with a fault", "error", err) })
	log.SetOutput(standardLog(news.hear))
	return own
}

// standardLog hears what the standard library logs.
type standardLog func(error)

func (hear standardLog) Write(text []byte) (int, error) {
	hear(withoutValues(errors.New(strings.TrimSpace(string(text)))))
	return len(text), nil
}

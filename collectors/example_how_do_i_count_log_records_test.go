package collectors_test

import (
	"fmt"
	"io"
	"log/slog"

	"telltale"
	"telltale/collectors"
)

// Records are counted by level on their way to the handler that writes them. Those that
// it is not enabled for, here the debug one, are not counted.
func ExampleNewLogCounter() {
	handler, records, err := collectors.NewLogCounter(slog.NewJSONHandler(io.Discard, nil), telltale.Unregistered())
	if err != nil {
		fmt.Println(err)
		return
	}
	log := slog.New(handler) // in a program: slog.SetDefault(slog.New(handler))
	log.Debug("asked the cache")
	log.Info("started")
	log.Error("no connection", "to", "db1")

	page, err := telltale.GenerateLatest(records)
	fmt.Print(string(page), err)
	// Output:
	// # HELP log_records_total Records logged.
	// # TYPE log_records_total counter
	// log_records_total{level="debug"} 0.0
	// log_records_total{level="info"} 1.0
	// log_records_total{level="warn"} 0.0
	// log_records_total{level="error"} 1.0
	// <nil>
}

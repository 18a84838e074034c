package rulesfile_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"telltale"
	"telltale/rules"
	"telltale/rulesfile"
)

// Operators write what they want less of into a file, and the page follows.
func Example() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("orders_total", "Orders.", telltale.In(reg))).Inc()
	telltale.Must(telltale.NewGauge("debug_depth", "Depth.", telltale.In(reg))).Set(3)

	dir, err := os.MkdirTemp("", "rules")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "rules.yml")
	err = os.WriteFile(file, []byte(`
metric_relabel_configs:
  - source_labels: [__name__]
    regex: debug_.*
    action: drop
`), 0o600)
	if err != nil {
		log.Fatal(err)
	}

	view, err := rules.New(reg) // to be given to scrapehttp in the registry's place
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := rulesfile.Watch(ctx, view, file, nil); err != nil {
		log.Fatal(err)
	}
	page, err := telltale.GenerateLatest(view)
	fmt.Printf("%s%v\n", page, err)
	// Output:
	// # HELP orders_total Orders.
	// # TYPE orders_total counter
	// orders_total 1.0
	// <nil>
}

package rulesfile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"telltale"
	"telltale/rules"
	"telltale/rulesfile"
)

// Read reads a file once, without watching it. Its error names the file, and wraps the cause.
func ExampleRead() {
	dir, err := os.MkdirTemp("", "rules")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "rules.yml")
	if err := os.WriteFile(file, []byte("metric_relabel_configs:\n  - {source_labels: [__name__], regex: debug_.*, action: drop}\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	list, err := rulesfile.Read(file)
	if err != nil {
		log.Fatal(err)
	}
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("debug_depth", "Depth.", telltale.In(reg))).Set(3)
	telltale.Must(telltale.NewGauge("queue_depth", "Jobs that wait.", telltale.In(reg))).Set(2)
	view, err := rules.New(reg, list...)
	if err != nil {
		log.Fatal(err)
	}
	page, err := telltale.GenerateLatest(view)
	fmt.Print(string(page), err, "\n")

	_, err = rulesfile.Read(filepath.Join(dir, "absent.yml"))
	var wrong *rulesfile.Error
	fmt.Println(errors.As(err, &wrong), errors.Is(err, fs.ErrNotExist))
	// Output:
	// # HELP queue_depth Jobs that wait.
	// # TYPE queue_depth gauge
	// queue_depth 2.0
	// <nil>
	// true true
}

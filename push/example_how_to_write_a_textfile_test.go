package push_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"telltale"
	"telltale/auto"
	"telltale/push"
)

// How does a job leave its metrics for the textfile collector of node_exporter?
func ExampleNewTextfile() {
	reg := telltale.NewRegistry()
	auto.In(reg).Gauge("backup_size", "Size of the last backup.", telltale.WithUnit("bytes")).Set(4096)

	dir, err := os.MkdirTemp("", "telltale") // for node_exporter: its --collector.textfile.directory
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "backup.prom")
	if err := push.NewTextfile(path).Push(context.Background(), reg); err != nil {
		fmt.Println(err)
		return
	}
	page, err := os.ReadFile(path)
	fmt.Print(string(page), err)
	// Output:
	// # HELP backup_size_bytes Size of the last backup.
	// # TYPE backup_size_bytes gauge
	// backup_size_bytes 4096.0
	// <nil>
}

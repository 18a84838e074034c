package collectors_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"telltale"
	"telltale/collectors"
)

// A collector may look after another process, here one that a pid file names,
// under a name of its own.
func ExampleWithPID() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "worker.pid")
	if err := os.WriteFile(file, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	reg := telltale.NewRegistry()
	for _, c := range []telltale.Collector{
		collectors.NewProcess(),
		collectors.NewProcess(collectors.WithNamespace("worker"), collectors.WithPID(collectors.PIDFile(file))),
	} {
		if err := reg.Register(c); err != nil {
			fmt.Println(err)
			return
		}
	}
	own, _ := reg.SampleValue("process_start_time_seconds", nil)
	workers, _ := reg.SampleValue("worker_process_start_time_seconds", nil)
	fmt.Println(own == workers)
	// Output: true
}

package multiprocess_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"telltale"
	"telltale/multiprocess"
)

// The workers of a gunicorn service write into the directory that
// PROMETHEUS_MULTIPROC_DIR names; a Go program serves all of them as one.
func ExampleNewCollector() {
	dir := exampleDirectory()
	defer func() { _ = os.RemoveAll(dir) }()

	collector, err := multiprocess.NewCollector(dir, multiprocess.WithErrorHook(func(err error) {
		var left *multiprocess.FileError
		if errors.As(err, &left) {
			fmt.Println("left out:", filepath.Base(left.Path), left.Reason)
		}
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	reg := telltale.NewRegistry()
	if err := reg.Register(collector); err != nil {
		fmt.Println(err)
		return
	}
	page, err := telltale.GenerateLatest(reg)
	fmt.Print(string(page))
	fmt.Println(err, collector.Stats().Files)
	// Output:
	// left out: counter_103.db key
	// # HELP requests_total Requests served.
	// # TYPE requests_total counter
	// requests_total{code="200"} 12.0
	// # HELP temperature How warm it is.
	// # TYPE temperature gauge
	// temperature{pid="101"} 21.5
	// <nil> 3
}

// When a worker has ended, its live gauges are forgotten; what it counted stays.
func ExampleMarkProcessDead() {
	dir := exampleDirectory()
	defer func() { _ = os.RemoveAll(dir) }()

	if err := multiprocess.MarkProcessDead(dir, 101); err != nil {
		fmt.Println(err)
		return
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*_10[12]*.db"))
	families, err := multiprocess.Merge(files, true)
	for _, f := range families {
		for s := range f.Samples() {
			fmt.Println(s.Name, s.Labels, s.Value)
		}
	}
	fmt.Println(err)
	// Output:
	// requests_total {code="200"} 12
	// <nil>
}

func exampleDirectory() string {
	dir, err := os.MkdirTemp("", "workers-")
	if err != nil {
		panic(err)
	}
	for name, entry := range map[string]struct {
		key   string
		value float64
	}{
		"counter_101.db":       {`["requests", "requests_total", {"code": "200"}, "Requests served."]`, 5},
		"counter_102.db":       {`["requests", "requests_total", {"code": "200"}, "Requests served."]`, 7},
		"counter_103.db":       {`half of a ke`, 7},
		"gauge_liveall_101.db": {`["temperature", "temperature", {}, "How warm it is."]`, 21.5},
	} {
		var f pythonBytes
		f.add(16, entry.key, entry.value, 0)
		if err := os.WriteFile(filepath.Join(dir, name), f.bytes(), 0o600); err != nil {
			panic(err)
		}
	}
	return dir
}

package multiprocess_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"telltale/multiprocess"
)

// Workers of a Python service have ended. What they counted is put into one file,
// and the page stays the same.
func ExampleFold() {
	dir, err := os.MkdirTemp("", "workers-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, pid := range []int{10_000_001, 10_000_002} {
		var f pythonBytes
		f.add(16, `["requests", "requests_total", {"code": "200"}, "Requests served."]`, 6, 0)
		err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("counter_%d.db", pid)), f.bytes(), 0o600)
		if err == nil {
			err = multiprocess.MarkProcessDead(dir, pid)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	report, err := multiprocess.Fold(context.Background(), dir, multiprocess.WithPythonFiles())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("folded", report.Absorbed, "into generation", report.Generation)
	families, err := multiprocess.Merge([]string{filepath.Join(dir, "archive.seg")}, true)
	for _, f := range families {
		for s := range f.Samples() {
			fmt.Println(s.Name, s.Labels, s.Value)
		}
	}
	fmt.Println(err)
	// Output:
	// folded [counter_10000001.db counter_10000002.db] into generation 1
	// requests_total {code="200"} 12
	// <nil>
}

func ExampleInspect() {
	dir := exampleDirectory()
	defer func() { _ = os.RemoveAll(dir) }()
	reports, err := multiprocess.Inspect(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range reports {
		fmt.Printf("%s: %s of process %s, %d series, fault %q\n", r.Name, r.Kind, r.PID, r.Series, r.Reason)
	}
	// Output:
	// counter_101.db: python of process 101, 1 series, fault ""
	// counter_102.db: python of process 102, 1 series, fault ""
	// counter_103.db: python of process 103, 0 series, fault "key"
	// gauge_liveall_101.db: python of process 101, 1 series, fault ""
}

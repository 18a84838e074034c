package clientgolang_test

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"telltale"
	"telltale/bridge/clientgolang"
)

// A program that does not call collectors.Register of telltale keeps client_golang's go_*
// and process_*, which the bridge leaves out without the option.
func ExampleWithRuntime() {
	theirs := prometheus.NewRegistry()
	theirs.MustRegister(collectors.NewGoCollector())
	for _, opts := range [][]clientgolang.Option{nil, {clientgolang.WithRuntime()}} {
		reg := telltale.NewRegistry()
		if err := reg.Register(clientgolang.FromGatherer(theirs, opts...)); err != nil {
			fmt.Println(err)
			return
		}
		_, ok := reg.SampleValue("go_goroutines", nil)
		fmt.Println(ok)
	}
	// Output:
	// false
	// true
}

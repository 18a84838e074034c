package collectors_test

import (
	"fmt"

	"telltale"
	"telltale/collectors"
)

// One call adds the Go runtime, the process, the build and the platform.
func ExampleRegister() {
	reg := telltale.NewRegistry()
	if err := collectors.Register(reg); err != nil {
		fmt.Println(err)
		return
	}
	goroutines, _ := reg.SampleValue("go_goroutines", nil)
	heap, _ := reg.SampleValue("go_memstats_heap_alloc_bytes", nil)
	fmt.Println(goroutines > 0, heap > 0)

	// A second set has names that are taken, and changes nothing.
	fmt.Println(collectors.Register(reg) != nil)
	// Output:
	// true true
	// true
}

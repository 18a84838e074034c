package telltale_test

import (
	"context"
	"errors"
	"fmt"

	"telltale"
	"telltale/model"
)

// systemCollector reports what it measures only when it is asked.
type systemCollector struct {
	cpu    func() float64
	memory func() (used, available float64)
}

// Collect measures, and emits one family after the other.
func (c *systemCollector) Collect(_ context.Context, emit func(*model.Family) error) error {
	cpu, err := model.NewFamily("system_cpu_percent", "CPU usage percentage", model.Gauge)
	if err != nil {
		return err
	}
	cpu.AddSample("system_cpu_percent", nil, c.cpu())
	if err := emit(cpu); err != nil {
		return err
	}

	memory, err := model.NewGaugeFamily("system_memory", "Memory usage in bytes", model.WithUnit("bytes"), model.WithLabelNames("type"))
	if err != nil {
		return err
	}
	used, available := c.memory()
	if err := errors.Join(memory.Add([]string{"used"}, used), memory.Add([]string{"available"}, available)); err != nil {
		return err
	}
	return emit(memory.Family())
}

// How do I write a collector of my own?
func ExampleCollector() {
	system := &systemCollector{
		cpu:    func() float64 { return 12.5 },
		memory: func() (used, available float64) { return 3e9, 5e9 },
	}
	registry := telltale.NewRegistry(telltale.WithAutoDescribe())
	if err := registry.Register(system); err != nil {
		fmt.Println(err)
		return
	}
	page, err := telltale.GenerateLatest(registry)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(page))

	// Its names are taken.
	_, err = telltale.NewGauge("system_cpu_percent", "Another one", telltale.In(registry))
	fmt.Println(err != nil)

	// Later, unregister it if needed.
	fmt.Println(registry.Unregister(system))
	fmt.Println(errors.Is(registry.Unregister(system), telltale.ErrNotRegistered))
	// Output:
	// # HELP system_cpu_percent CPU usage percentage
	// # TYPE system_cpu_percent gauge
	// system_cpu_percent 12.5
	// # HELP system_memory_bytes Memory usage in bytes
	// # TYPE system_memory_bytes gauge
	// system_memory_bytes{type="used"} 3e+09
	// system_memory_bytes{type="available"} 5e+09
	// true
	// <nil>
	// true
}

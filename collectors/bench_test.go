package collectors_test

import (
	"testing"

	"telltale"
	"telltale/collectors"
	"telltale/model"
)

func BenchmarkCollect(b *testing.B) {
	for _, c := range []struct {
		name      string
		collector telltale.Collector
	}{
		{"go", collectors.NewGo()},
		{"go everything", collectors.NewGo(everything)},
		{"go_goroutines alone", collectors.NewGo().Restricted("go_goroutines")},
		{"process", collectors.NewProcess()},
		{"process_open_fds alone", collectors.NewProcess().Restricted("process_open_fds")},
		{"build info", collectors.NewBuildInfo()},
	} {
		b.Run(c.name, func(b *testing.B) {
			emit := func(*model.Family) error { return nil }
			b.ReportAllocs()
			for b.Loop() {
				if err := c.collector.Collect(b.Context(), emit); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

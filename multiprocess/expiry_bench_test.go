package multiprocess_test

import (
	"testing"
	"time"

	"telltale"
)

// The cost of an update in a store where series can expire, beside that where they cannot.
func BenchmarkExpiringUpdates(b *testing.B) {
	for _, tt := range []struct {
		name string
		with []telltale.Option
	}{{"without expiry", nil}, {"with expiry", []telltale.Option{telltale.WithIdleExpiry(time.Hour)}}} {
		labels := []string{"l"}
		in := telltale.In(telltale.NewRegistry(telltale.WithStore(openStore(b, sharedDir(b)))))
		counting, setting, observing := []telltale.CounterOption{in}, []telltale.GaugeOption{in}, []telltale.HistogramOption{in}
		for _, o := range tt.with {
			counting, setting, observing = append(counting, o), append(setting, o), append(observing, o)
		}
		c := telltale.Must(telltale.NewCounterVec("c", "", labels, counting...)).With("x")
		g := telltale.Must(telltale.NewGaugeVec("g", "", labels, setting...)).With("x")
		h := telltale.Must(telltale.NewHistogramVec("h", "", labels, observing...)).With("x")
		for _, update := range []struct {
			name string
			do   func()
		}{
			{"Counter.Inc", c.Inc},
			{"Counter.Add", func() { c.Add(0.5) }},
			{"Gauge.Set", func() { g.Set(3) }},
			{"Gauge.Add", func() { g.Add(1) }},
			{"Histogram.Observe", func() { h.Observe(0.5) }},
		} {
			b.Run(update.name+" "+tt.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					update.do()
				}
			})
		}
	}
}

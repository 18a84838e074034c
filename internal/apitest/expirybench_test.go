package apitest

import (
	"testing"
	"time"

	"telltale"
)

// The cost of an update where series can expire, beside that where they cannot.
func BenchmarkUpdates(b *testing.B) {
	for _, tt := range []struct {
		name string
		opts []telltale.Option
	}{{"without expiry", nil}, {"with expiry", []telltale.Option{telltale.WithIdleExpiry(time.Hour)}}} {
		opts, labels := append(tt.opts, telltale.Unregistered()), []string{"l"}
		c := telltale.Must(telltale.NewCounterVec("c", "", labels, as[telltale.CounterOption](opts)...)).With("x")
		g := telltale.Must(telltale.NewGaugeVec("g", "", labels, as[telltale.GaugeOption](opts)...)).With("x")
		h := telltale.Must(telltale.NewHistogramVec("h", "", labels, as[telltale.HistogramOption](opts)...)).With("x")
		for _, update := range []struct {
			name string
			f    func(n int)
		}{
			{"Counter.Inc", func(n int) {
				for range n {
					c.Inc()
				}
			}},
			{"Counter.Add", func(n int) {
				for range n {
					c.Add(0.5)
				}
			}},
			{"Gauge.Set", func(n int) {
				for i := range n {
					g.Set(float64(i))
				}
			}},
			{"Gauge.Add", func(n int) {
				for range n {
					g.Add(1)
				}
			}},
			{"Histogram.Observe", func(n int) {
				for range n {
					h.Observe(0.5)
				}
			}},
		} {
			b.Run(update.name+" "+tt.name, func(b *testing.B) {
				b.ReportAllocs()
				update.f(b.N)
			})
		}
	}
}

package multiprocess_test

import (
	"testing"

	"telltale"
)

func BenchmarkInstruments(b *testing.B) {
	for _, where := range []string{"heap", "tmpfs"} {
		reg := telltale.NewRegistry()
		if where == "tmpfs" {
			reg = telltale.NewRegistry(telltale.WithStore(openStore(b, sharedDir(b))))
		}
		c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
		h := telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg)))
		n := telltale.Must(telltale.NewHistogram("n", "", telltale.In(reg), telltale.WithNativeBuckets(1.1)))
		g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg)))
		v := telltale.Must(telltale.NewCounterVec("v", "", []string{"a", "b"}, telltale.In(reg)))
		b.Run("Inc/"+where, func(b *testing.B) {
			for b.Loop() {
				c.Inc()
			}
		})
		b.Run("Add/"+where, func(b *testing.B) {
			for b.Loop() {
				c.Add(0.5)
			}
		})
		b.Run("Set/"+where, func(b *testing.B) {
			for b.Loop() {
				g.Set(1.5)
			}
		})
		b.Run("Observe/"+where, func(b *testing.B) {
			for b.Loop() {
				h.Observe(0.3)
			}
		})
		b.Run("ObserveNative/"+where, func(b *testing.B) {
			for b.Loop() {
				n.Observe(0.3)
			}
		})
		b.Run("With/"+where, func(b *testing.B) {
			for b.Loop() {
				v.With("GET", "200").Inc()
			}
		})
		b.Run("IncContended/"+where, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					c.Inc()
				}
			})
		})
		b.Run("ObserveContended/"+where, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					h.Observe(0.3)
				}
			})
		})
		b.Run("ObserveNativeContended/"+where, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n.Observe(0.3)
				}
			})
		})
	}
}

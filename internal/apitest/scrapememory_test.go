package apitest

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"

	"telltale"
	"telltale/model"
)

// A collection takes the memory that the documentation of Registry.Collect says,
// and at most half as much again.
func TestScrapeMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	instruments := func(families, series int) *telltale.Registry {
		reg := telltale.NewRegistry()
		for i := range families {
			c := telltale.Must(telltale.NewCounterVec(fmt.Sprintf("c%d", i), "", []string{"l"}, telltale.In(reg)))
			for j := range series {
				c.With(fmt.Sprint(j)).Inc()
			}
		}
		return reg
	}
	custom := func(families, series int) *telltale.Registry {
		reg := telltale.NewRegistry()
		err := reg.Register(telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			for i := range families {
				f := &model.Family{Name: fmt.Sprintf("f%d", i), Type: model.Gauge, Help: "Help."}
				for j := range series {
					f.Append(model.Point{Labels: model.LabelPairs([]string{"l"}, []string{fmt.Sprint(j)}), Has: model.PartValue})
				}
				if err := emit(f); err != nil {
					return err
				}
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		return reg
	}
	source := func(families, series int) *telltale.Registry { // what the collector itself takes is not the scrape's
		reg := telltale.NewRegistry()
		f := &model.Family{Name: "f", Type: model.Gauge, Help: "Help."}
		for j := range series {
			f.Append(model.Point{Labels: model.LabelPairs([]string{"l"}, []string{fmt.Sprint(j)}), Has: model.PartValue})
		}
		err := reg.Register(telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			return emit(f)
		}))
		if err != nil {
			t.Fatal(err)
		}
		return reg
	}
	const many = 10_000
	for _, c := range []struct {
		name             string
		registry         func(families, series int) *telltale.Registry
		families, series int
		each             uint64 // bytes for each of the many
	}{
		{"families of instruments", instruments, many, 1, 90},
		{"series of instruments", instruments, 1, many, 0},
		{"families of custom collectors", custom, many, 1, 1400},
		{"series of custom collectors", source, 1, many, 120},
	} {
		t.Run(c.name, func(t *testing.T) {
			small := scrapeBytes(t, c.registry(1, 1))
			large := scrapeBytes(t, c.registry(c.families, c.series))
			each := max(large, small) - small
			t.Logf("%d bytes for %d: %.1f each", each, many, float64(each)/many)
			const buffers = 128 << 10 // of a page that is longer than a few lines
			if most := c.each*3/2*many + buffers; each > most {
				t.Errorf("%d bytes for %d, want at most %d", each, many, most)
			}
		})
	}
}

// scrapeBytes returns how many bytes a scrape allocates, the least of several.
func scrapeBytes(t *testing.T, reg *telltale.Registry) uint64 {
	t.Helper()
	least := ^uint64(0)
	for range 5 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		if err := telltale.WriteLatest(context.Background(), io.Discard, reg); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

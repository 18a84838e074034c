package multiprocess_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// BenchmarkCollect merges directories as Python workers leave them: eight files
// each, counters, histograms, summaries and five kinds of gauges, series counting
// entries of all files. "floor" is the least that a reader can do: it sums values
// by the bytes of their keys, with no JSON, no modes and no families.
//
//	go test ./multiprocess -run '^$' -bench Collect -benchtime 20x
//
// best-ns/op is the fastest pass, which other work on the machine disturbs least.
// The largest directory, 189 MB, is left out under -short.
func BenchmarkCollect(b *testing.B) {
	for _, size := range []struct{ workers, series int }{{8, 200}, {64, 200}, {512, 200}, {8, 2000}, {64, 2000}, {512, 2000}} {
		if testing.Short() && size.workers*size.series > 200_000 {
			continue
		}
		dir := benchmarkDirectory(b, size.workers, size.series)
		name := fmt.Sprintf("workers=%d/series=%d/", size.workers, size.series)
		b.Run(name+"floor", func(b *testing.B) {
			passes(b, func() {
				if len(sumByKey(b, dir)) == 0 {
					b.Fatal("nothing was summed")
				}
			})
		})
		b.Run(name+"first", func(b *testing.B) {
			b.ReportAllocs()
			passes(b, func() {
				c, err := multiprocess.NewCollector(dir)
				if err != nil {
					b.Fatal(err)
				}
				walk(b, c)
			})
		})
		b.Run(name+"later", func(b *testing.B) {
			c, err := multiprocess.NewCollector(dir)
			if err != nil {
				b.Fatal(err)
			}
			age(b, dir)
			walk(b, c)
			walk(b, c) // maps the files
			b.ReportAllocs()
			passes(b, func() { walk(b, c) })
			b.ReportMetric(float64(c.Stats().Series), "series")
			b.ReportMetric(float64(c.Stats().Bytes)/1e6, "MB")
		})
		b.Run(name+"restricted", func(b *testing.B) {
			c, err := multiprocess.NewCollector(dir)
			if err != nil {
				b.Fatal(err)
			}
			age(b, dir)
			walk(b, c)
			walk(b, c) // maps the files
			view := c.Restricted("app_counter_0_total")
			b.ReportAllocs()
			passes(b, func() { walk(b, view) })
		})
	}
}

// BenchmarkCollectSegments merges the same series as BenchmarkCollect from
// telltale's own segments, of writers that live.
//
//	go test ./multiprocess -run '^$' -bench CollectSegments -benchtime 20x
func BenchmarkCollectSegments(b *testing.B) {
	for _, size := range []struct{ workers, series int }{{8, 200}, {64, 200}, {512, 200}, {8, 2000}, {64, 2000}, {512, 2000}} {
		if testing.Short() && size.workers*size.series > 200_000 {
			continue
		}
		dir := benchmarkSegments(b, size.workers, size.series)
		name := fmt.Sprintf("workers=%d/series=%d/", size.workers, size.series)
		b.Run(name+"first", func(b *testing.B) {
			b.ReportAllocs()
			passes(b, func() {
				walk(b, aged(b, dir))
			})
		})
		later := func(name string, view func(*multiprocess.Collector) model.Collector) {
			b.Run(name, func(b *testing.B) {
				c := aged(b, dir)
				age(b, dir)
				walk(b, c)
				b.ReportAllocs()
				passes(b, func() { walk(b, view(c)) })
				b.ReportMetric(float64(c.Stats().Series), "series")
				b.ReportMetric(float64(c.Stats().Bytes)/1e6, "MB")
			})
		}
		later(name+"later", func(c *multiprocess.Collector) model.Collector { return c })
		later(name+"restricted", func(c *multiprocess.Collector) model.Collector { return c.Restricted("app_counter_0_total") })
	}
}

// aged returns a collector as programs have it, which asks writers once a second.
func aged(tb testing.TB, dir string) *multiprocess.Collector {
	tb.Helper()
	c, err := multiprocess.NewCollector(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// passes calls pass as often as the benchmark wants and reports the fastest call.
func passes(b *testing.B, pass func()) {
	b.Helper()
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		pass()
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(best.Nanoseconds()), "best-ns/op")
}

// walk collects and looks at every point.
func walk(tb testing.TB, c model.Collector) (points int) {
	tb.Helper()
	var scratch model.Point
	err := c.Collect(context.Background(), func(f *model.Family) error {
		return f.Visit(&scratch, func(*model.Point) error {
			points++
			return nil
		})
	})
	if err != nil || points == 0 {
		tb.Fatalf("%d points, %v", points, err)
	}
	return points
}

// sumByKey is the floor.
func sumByKey(tb testing.TB, dir string) map[string]*float64 {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil {
		tb.Fatal(err)
	}
	sums := make(map[string]*float64)
	var data []byte
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			tb.Fatal(err)
		}
		var header [8]byte
		if _, err := f.ReadAt(header[:], 0); err != nil {
			tb.Fatal(err)
		}
		used := int(binary.NativeEndian.Uint32(header[:]))
		if cap(data) < used {
			data = make([]byte, used)
		}
		data = data[:used]
		if _, err := f.ReadAt(data, 0); err != nil {
			tb.Fatal(err)
		}
		_ = f.Close()
		for pos := 8; pos < used; {
			length := int(binary.NativeEndian.Uint32(data[pos:]))
			key := data[pos+4 : pos+4+length]
			pos += (4+length)/8*8 + 8
			v := math.Float64frombits(binary.NativeEndian.Uint64(data[pos:]))
			if sum, ok := sums[string(key)]; ok {
				*sum += v
			} else {
				sums[string(key)] = &v
			}
			pos += 16
		}
	}
	return sums
}

// benchmarkSegments writes the series of benchmarkDirectory as so many writers
// that live would.
func benchmarkSegments(tb testing.TB, workers, series int) string {
	tb.Helper()
	dir := sharedDir(tb)
	each := series / 8
	label := func(i int) string {
		return fmt.Sprintf(`code="%d",handler="/api/v1/items/%d",method="GET"`, 200+i%3, i/3)
	}
	for n := range workers {
		w := begin(tb, dir, segment.Header{Start: int64(n), PID: uint64(1000 + n)})
		var family rows
		for i := range each {
			if i%25 == 0 {
				family = w.family(segment.Family{Name: fmt.Sprintf("app_counter_%d", i/25), Type: model.Counter})
			}
			family.add(label(i), uint64(i+n))
		}
		for i, mode := range []string{"all", "livesum", "max", "min", "mostrecent"} {
			family = w.family(segment.Family{Name: "app_gauge_" + mode, Type: model.Gauge, Mode: []uint8{0, 8, 2, 1, 4}[i]})
			var when []uint64
			if mode == "mostrecent" {
				when = []uint64{uint64(1.7e18) + uint64(n)}
			}
			for i := range each {
				family.value(label(i), float64(i+n), when...)
			}
		}
		family = w.family(segment.Family{Name: "app_latency_seconds", Type: model.Histogram,
			Bounds: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, math.Inf(1)}})
		for i := range each / 12 {
			family.add(fmt.Sprintf(`handler="/%d"`, i), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
		}
		family = w.family(segment.Family{Name: "app_size_bytes", Type: model.Summary})
		for i := range each / 2 {
			family.add(fmt.Sprintf(`handler="/%d"`, i), 0, 1)
		}
	}
	return dir
}

// benchmarkDirectory writes what so many workers with so many entries each leave
// behind, in the 16-byte layout.
func benchmarkDirectory(tb testing.TB, workers, series int) string {
	tb.Helper()
	dir := sharedDir(tb)
	kinds := []string{"counter", "histogram", "summary", "gauge_all", "gauge_livesum", "gauge_max", "gauge_min", "gauge_mostrecent"}
	each := series / len(kinds)
	for _, kind := range kinds {
		var keys []string
		for i := range each {
			keys = append(keys, benchmarkKey(kind, i))
		}
		for w := range workers {
			var f pythonBytes
			for i, key := range keys {
				f.add(16, key, float64(i+w), 1.7e9+float64(w))
			}
			f.write(tb, filepath.Join(dir, fmt.Sprintf("%s_%d.db", kind, 1000+w)))
		}
	}
	return dir
}

func benchmarkKey(kind string, i int) string {
	const help = "What the application did, counted as it went along."
	labels := fmt.Sprintf(`"code": "%d", "handler": "/api/v1/items/%d", "method": "GET"`, 200+i%3, i/3)
	switch kind {
	case "counter":
		name := fmt.Sprintf("app_counter_%d", i/25)
		return fmt.Sprintf(`["%s", "%s_total", {%s}, "%s"]`, name, name, labels, help)
	case "histogram":
		if i%12 == 0 {
			return fmt.Sprintf(`["app_latency_seconds", "app_latency_seconds_sum", {"handler": "/%d"}, "%s"]`, i/12, help)
		}
		le := []string{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "+Inf"}[i%12-1]
		return fmt.Sprintf(`["app_latency_seconds", "app_latency_seconds_bucket", {"handler": "/%d", "le": "%s"}, "%s"]`, i/12, le, help)
	case "summary":
		return fmt.Sprintf(`["app_size_bytes", "app_size_bytes_%s", {%s}, "%s"]`, []string{"count", "sum"}[i%2], fmt.Sprintf(`"handler": "/%d"`, i/2), help)
	}
	name := "app_" + kind
	return fmt.Sprintf(`["%s", "%s", {%s}, "%s"]`, name, name, labels, help)
}

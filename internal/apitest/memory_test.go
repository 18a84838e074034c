package apitest

import (
	"fmt"
	"runtime"
	"testing"
	"unsafe"

	"telltale"
)

// A counter takes 64 bytes, its text, and a few bytes of an index and lists, on the
// average of families of many sizes.
func TestMemoryOfCounters(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory")
	}
	if unsafe.Sizeof(uintptr(0)) < 8 {
		t.Skip("pointers are smaller")
	}
	const slot, most = 64, 9
	var families []*telltale.CounterVec
	series, text := 0, 0
	before := liveHeap()
	for n := 10_000; n < 25_000; n += 2500 {
		v := telltale.Must(telltale.NewCounterVec("c", "", []string{"method", "path", "code"}, telltale.Unregistered(), telltale.WithSeriesLimit(0)))
		for i := range n {
			path := fmt.Sprintf("/api/v1/resource/%05d", i)
			v.With("GET", path, "200").Inc()
			text += len(`method="GET",path="",code="200"`) + len(path)
		}
		families, series = append(families, v), series+n
	}
	each := float64(liveHeap()-before-int64(text))/float64(series) - slot
	runtime.KeepAlive(families)
	if each > most {
		t.Errorf("a counter takes %.1f bytes beside its slot and its text, want at most %d", each, most)
	}
	t.Logf("%.1f bytes beside slots and texts", each)
}

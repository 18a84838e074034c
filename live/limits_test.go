package live_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale"
	"telltale/live"
)

func TestMaxSeries(t *testing.T) {
	reg := telltale.NewRegistry()
	g := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, telltale.In(reg)))
	for i := range 50 {
		g.With(fmt.Sprint(i)).Set(1)
	}
	d := read(t, live.Handler(reg, live.WithMaxSeries(20)), "", "g")
	if n := len(d.Points[0].Points); n != 20 || d.LeftOut.Series != 30 || d.Series[0] != 50 || labelsOf(d.Points[0].Points[19]) != "[l 19]" {
		t.Errorf("%d points of %v series, %d said to be left out", n, d.Series, d.LeftOut.Series)
	}
}

func TestMaxFamilies(t *testing.T) {
	reg := telltale.NewRegistry()
	for i := range 10 {
		telltale.Must(telltale.NewGauge(fmt.Sprint("g", i), "", telltale.In(reg)))
	}
	if d := read(t, live.Handler(reg, live.WithMaxFamilies(7)), ""); len(d.Index) != 7 || len(d.Series) != 7 || d.LeftOut.Families != 3 {
		t.Errorf("%d families, %d numbers, %d left out", len(d.Index), len(d.Series), d.LeftOut.Families)
	}
}

// Neither many series nor long texts make the answer larger than allowed.
func TestMaxBytes(t *testing.T) {
	const limit = 20_000
	reg := telltale.NewRegistry()
	for i := range 100 {
		telltale.Must(telltale.NewGauge(fmt.Sprint("long", i), strings.Repeat("<\x01", 500), telltale.In(reg))).Set(1)
	}
	early := telltale.NewRegistry()
	g := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, telltale.In(early)))
	h := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, telltale.In(early)))
	for i := range 400 {
		g.With(fmt.Sprint(strings.Repeat("v", 100), i)).Set(1)
		h.With(fmt.Sprint(i)).Observe(1)
	}
	if err := early.Register(reg); err != nil {
		t.Fatal(err)
	}
	handler := live.Handler(early, live.WithMaxBytes(limit))
	w := do(t, handler, "GET", "/data?family=g&family=h")
	d := read(t, handler, "", "g", "h")
	shown := 0
	for _, p := range d.Points {
		shown += len(p.Points)
	}
	if w.Code != http.StatusOK || w.Body.Len() > 2*limit+2000 || shown == 0 || shown+d.LeftOut.Series != 800 || len(d.Index)+d.LeftOut.Families != 102 || d.LeftOut.Families == 0 {
		t.Errorf("%d: %d bytes; %d series, %d left out; %d families, %d left out", w.Code, w.Body.Len(), shown, d.LeftOut.Series, len(d.Index), d.LeftOut.Families)
	}
}

// Readers, writers and new families at once.
func TestConcurrentReaders(t *testing.T) {
	reg := telltale.NewRegistry()
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg)))
	h := telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg)))
	handler := live.Handler(reg, live.WithInterval(time.Nanosecond), live.WithMaxInFlight(1000))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 4 {
				c.With(fmt.Sprint(i, j)).Inc()
				h.Observe(float64(j))
				d := read(t, handler, "", "c", "h", fmt.Sprint("f", i))
				if len(d.Index) != len(d.Series) || len(d.Points) < 2 || len(d.Points[0].Points) == 0 {
					t.Errorf("%d families, %d numbers, points %v", len(d.Index), len(d.Series), d.Points)
				}
				if j == 1 {
					telltale.Must(telltale.NewGauge(fmt.Sprint("f", i), "", telltale.In(reg)))
				}
			}
		})
	}
	all.Wait()
}

// What the registry has met with is told.
func TestFaults(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	telltale.Must(telltale.NewCounter("c", "", telltale.In(reg))).Add(-1)
	d := read(t, live.Handler(reg), "")
	if len(d.Faults) != 1 || d.Faults[0][1] != 1.0 {
		t.Errorf("faults %v", d.Faults)
	}
}

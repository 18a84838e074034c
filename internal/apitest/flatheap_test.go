package apitest

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
)

// endless is how many series pass through each of the ways of TestEndlessSeries:
// TELLTALE_ENDLESS, or few.
func endless(t *testing.T) int {
	text := os.Getenv("TELLTALE_ENDLESS")
	if text == "" {
		if raceEnabled || testing.Short() {
			return 20_000
		}
		return 100_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 20_000 {
		t.Fatalf("TELLTALE_ENDLESS is %q: want a number from 20000", text)
	}
	return n
}

// However many series pass through a family, memory is that of the few that are there.
func TestEndlessSeries(t *testing.T) {
	const living = 1000
	n := endless(t)
	labels, alone := []string{"l"}, telltale.Unregistered()
	counters := func(opts ...telltale.CounterOption) *telltale.CounterVec {
		return telltale.Must(telltale.NewCounterVec("c", "", labels, append(opts, alone, telltale.WithSeriesLimit(0))...))
	}
	expiring := func(t *testing.T, collect bool) {
		v, step := counters(telltale.WithIdleExpiry(idle)), idle/living*100
		held := v.With("held")
		flat(t, n, func(i int) {
			v.With(fmt.Sprint(i)).Inc()
			if i%100 == 0 {
				held.Inc()
				time.Sleep(step)
			}
			if collect && i%(living/2) == 0 {
				if err := telltale.WriteLatest(t.Context(), io.Discard, v); err != nil {
					t.Error(err)
				}
			}
		})
		if most := 4 * living; v.Len() > most {
			t.Errorf("%d series are there", v.Len())
		}
	}
	for name, way := range map[string]func(t *testing.T){
		"expiry by collections": func(t *testing.T) { synctest.Test(t, func(t *testing.T) { expiring(t, true) }) },
		"expiry by creations":   func(t *testing.T) { synctest.Test(t, func(t *testing.T) { expiring(t, false) }) },
		"expiry of histograms": func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := telltale.Must(telltale.NewHistogramVec("h", "", labels, alone, telltale.WithSeriesLimit(0), telltale.WithIdleExpiry(idle)))
				flat(t, n, func(i int) {
					v.With(fmt.Sprint(i)).Observe(1)
					if i%100 == 0 {
						time.Sleep(idle / living * 100)
					}
				})
			})
		},
		"one handle that goes and comes": func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := counters(telltale.WithIdleExpiry(idle))
				held := v.With("held")
				flat(t, n/10, func(i int) {
					if i%2 == 0 {
						v.With("held").Inc() // another handle of the same labels
					}
					held.Inc()
					for range 3 {
						time.Sleep(idle)
						if err := telltale.WriteLatest(t.Context(), io.Discard, v); err != nil {
							t.Error(err)
						}
					}
				})
			})
		},
		"Remove": func(t *testing.T) {
			v := counters()
			flat(t, n, func(i int) {
				v.With(fmt.Sprint(i)).Inc()
				v.Remove(fmt.Sprint(i - living))
			})
		},
		"Clear": func(t *testing.T) {
			v := counters()
			flat(t, n, func(i int) {
				if v.With(fmt.Sprint(i)).Inc(); i%living == 0 {
					v.Clear()
				}
			})
		},
		"Replace": func(t *testing.T) {
			v := counters()
			flat(t, n/living, func(i int) {
				v.Replace(func(next *telltale.CounterVec) {
					for j := range living {
						next.With(fmt.Sprint(i, j)).Inc()
					}
				})
			})
		},
		"a limit": func(t *testing.T) {
			v := telltale.Must(telltale.NewCounterVec("c", "", labels, alone, telltale.WithSeriesLimit(living)))
			flat(t, n, func(i int) { v.With(fmt.Sprint(i)).Inc() })
		},
		"a limit of the registry": func(t *testing.T) {
			reg := telltale.NewRegistry(telltale.WithTotalSeriesLimit(living), telltale.WithErrorHook(func(error) {}))
			var families [3]*telltale.CounterVec
			for i := range families {
				families[i] = telltale.Must(telltale.NewCounterVec(fmt.Sprint("c", i), "", labels, telltale.In(reg)))
			}
			flat(t, n, func(i int) { families[i%len(families)].With(fmt.Sprint(i)).Inc() })
			if series := reg.Stats().Series; series > living+len(families) {
				t.Errorf("%d series are there", series)
			}
		},
		"a limit and expiry": func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := telltale.Must(telltale.NewCounterVec("c", "", labels, alone, telltale.WithSeriesLimit(living), telltale.WithIdleExpiry(idle)))
				flat(t, n, func(i int) {
					if v.With(fmt.Sprint(i)).Inc(); i%100 == 0 {
						time.Sleep(idle / 20)
					}
				})
				if v.Len() > living+1 {
					t.Errorf("%d series are there", v.Len())
				}
			})
		},
	} {
		t.Run(name, way)
	}
}

// flat runs f n times and checks that the heap does not grow after the first tenth.
func flat(t *testing.T, n int, f func(i int)) {
	t.Helper()
	begin := n / 10
	for i := range begin {
		f(i)
	}
	before := liveHeap()
	for i := begin; i < n; i++ {
		f(i)
	}
	grown := liveHeap() - before
	t.Logf("%d bytes more after %d", grown, n)
	if most := int64(1 << 20); grown > most {
		t.Errorf("after %d of them %d bytes more are in use than after %d, want at most %d", n, grown, begin, most)
	}
	runtime.KeepAlive(f)
}

package main

import (
	"context"
	"fmt"
	"time"

	"telltale"
	"telltale/auto"
)

// The large registry has families × seriesEach series.
const (
	families   = 5000
	seriesEach = 40
)

// large returns a registry of many families, some series of which change.
func large(ctx context.Context, held *pause) telltale.Collector {
	reg := telltale.NewRegistry()
	f := auto.In(reg)
	var counters []*telltale.Counter
	for i := range families {
		name := fmt.Sprintf("service_%04d_%s", i, []string{"requests", "errors", "bytes", "retries"}[i%4])
		vec := f.CounterVec(name, fmt.Sprintf("What service %d counts.", i), []string{"zone", "instance"})
		for j := range seriesEach {
			c := vec.With([]string{"north", "south"}[j%2], fmt.Sprintf("i-%03d", j))
			c.Add(float64(i + j))
			counters = append(counters, c)
		}
	}
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-tick.C:
				held.while(func() {
					for i := n % 10; i < len(counters); i += 10 {
						counters[i].Inc()
					}
				})
			case <-ctx.Done():
				return
			}
		}
	}()
	return reg
}

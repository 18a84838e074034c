package remotewrite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/push/remotewrite"
)

// Series come, go, change their order and their neighbours in requests: each has its own
// values, and a stale marker where it was gone.
func TestSeriesComeAndGo(t *testing.T) {
	for run := range 10 {
		seed := uint64(time.Now().UnixNano()) + uint64(run)
		random := rand.New(rand.NewPCG(seed, 3))
		b := newBackend(t)
		series, restless := 1+random.IntN(300), random.IntN(10)
		order := random.Perm(series)
		var now []int
		value := 0.0
		c := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			f := must(model.NewCounterFamily("n", "", model.WithLabelNames("i", "odd")))
			g := must(model.NewGaugeFamily("other", "", model.WithLabelNames("i")))
			for _, i := range now {
				fail(f.Add([]string{fmt.Sprint(i), fmt.Sprint(i % 2)}, value+float64(i)))
				fail(g.Add([]string{fmt.Sprint(i)}, value))
			}
			if err := emit(f.Family()); err != nil {
				return err
			}
			return emit(g.Family())
		})
		target := must(remotewrite.NewTarget(b.URL, remotewrite.WithMaxSamples(1+random.IntN(100)), remotewrite.WithLabels(map[string]string{"job": "j"})))
		want, there := map[string][]string{}, map[string]bool{}
		for range 15 {
			value++
			if random.IntN(10) < restless {
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			}
			now = nil
			for _, i := range order {
				if random.IntN(10) >= restless {
					now = append(now, i)
				}
			}
			were := there
			there = map[string]bool{}
			for _, i := range now {
				n, other := fmt.Sprintf(`__name__="n_total",i="%d",job="j",odd="%d"`, i, i%2), fmt.Sprintf(`__name__="other",i="%d",job="j"`, i)
				want[n], want[other] = append(want[n], model.FormatValue(value+float64(i))), append(want[other], model.FormatValue(value))
				there[n], there[other] = true, true
			}
			for name := range were {
				if !there[name] {
					want[name] = append(want[name], "stale")
				}
			}
			if err := target.Push(context.Background(), c); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		b.check(t)
		for name, values := range want {
			var got []string
			for _, p := range b.of(name) {
				got = append(got, valueOf(p))
			}
			if strings.Join(got, " ") != strings.Join(values, " ") {
				t.Fatalf("seed %d: %s has %v, want %v", seed, name, got, values)
			}
		}
		if len(b.series) != len(want) {
			t.Fatalf("seed %d: %d series, want %d", seed, len(b.series), len(want))
		}
	}
}

//go:build unix

package multiprocess_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// The ways in which children count. A child acknowledges each by its number, on
// its standard output, after it is done.
const (
	countWhole = iota
	countFraction
	countSeries
	countHistogram
	countNative
	countSummary
	countLevel
	setGreatest
	setRecent
	setEach
	churn
	waysToCount
)

// seriesOf is how many series of a family a child makes, one after the other, so
// that it is often killed while its segment grows.
const seriesOf = 500

// totals are the samples that add up, and what one counting adds.
var totals = map[int]struct {
	sample string
	each   float64
}{
	countWhole:     {"whole_total", 1},
	countFraction:  {"fractions_total", 0.5},
	countSeries:    {"series_total", 1},
	countHistogram: {"latency_count", 1},
	countNative:    {"duration_count", 1},
	countSummary:   {"size_count", 1},
	countLevel:     {"level", 1},
}

// settings are the gauges that are set to ever greater values, in each slot by
// one child at a time.
var settings = map[int]string{setGreatest: "greatest", setRecent: "recent", setEach: "each"}

// countAloud is a child that counts in every kind of instrument until it is killed, or
// has done it so often as it should. Its arguments are the directory, its slot,
// what the values of its gauges begin behind, and how often it should.
func countAloud(args []string) error {
	dir, slot := args[0], args[1]
	var behind int64
	var times int
	if _, err := fmt.Sscan(args[2], &behind); err != nil {
		return err
	}
	if _, err := fmt.Sscan(args[3], &times); err != nil {
		return err
	}
	tell := multiprocess.WithErrorHook(func(err error) { fmt.Fprintln(os.Stderr, "a child was told:", err) })
	store, err := multiprocess.Open(dir, multiprocess.WithWriterName("slot-"+slot), tell)
	if err != nil {
		return err
	}
	go func() { // the test may end without a kill
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	step := newSteps(telltale.NewRegistry(telltale.WithStore(store)), slot, behind)
	for n := range times * waysToCount {
		way := n % waysToCount
		step[way](n/waysToCount + 1)
		if _, err := os.Stdout.Write([]byte{byte(way)}); err != nil {
			return err
		}
	}
	return store.Close()
}

// newSteps returns what a child does for the n-th time, from 1 on.
func newSteps(reg *telltale.Registry, slot string, behind int64) [waysToCount]func(n int) {
	in := telltale.In(reg)
	gauges := func(name string, mode telltale.GaugeMode) *telltale.GaugeVec {
		return telltale.Must(telltale.NewGaugeVec(name, "", []string{"slot"}, in, telltale.WithGaugeMode(mode)))
	}
	whole := telltale.Must(telltale.NewCounter("whole", "", in))
	fractions := telltale.Must(telltale.NewCounter("fractions", "", in))
	series := telltale.Must(telltale.NewCounterVec("series", "", []string{"n"}, in))
	latency := telltale.Must(telltale.NewHistogram("latency", "", in, telltale.WithBuckets(1, 2, 3)))
	duration := telltale.Must(telltale.NewHistogram("duration", "", in, telltale.WithBuckets(1, 2, 3), telltale.WithNativeBuckets(1.1, telltale.WithNativeMaxBuckets(20))))
	size := telltale.Must(telltale.NewSummary("size", "", in))
	level := telltale.Must(telltale.NewGauge("level", "", in, telltale.WithGaugeMode(telltale.ModeSum)))
	greatest, recent, each := gauges("greatest", telltale.ModeMax), gauges("recent", telltale.ModeMostRecent), gauges("each", telltale.ModeAll)
	churned := telltale.Must(telltale.NewCounterVec("churned", "", []string{"n"}, in))
	build := telltale.Must(telltale.NewInfo("build", "", in))
	state := telltale.Must(telltale.NewEnum("state", "", []string{"even", "odd"}, in))
	return [...]func(n int){
		countWhole:    func(int) { whole.Inc() },
		countFraction: func(int) { fractions.Add(0.5) },
		countSeries:   func(n int) { series.With(strconv.Itoa(n % seriesOf)).Inc() },
		countHistogram: func(n int) {
			_ = latency.ObserveWithExemplar(float64(n%4)+0.5, map[string]string{"n": strconv.Itoa(n)})
		},
		countNative: func(n int) {
			v := math.Exp2(float64(n%200-100) / 8) // more buckets than may be: resolution is halved
			if n%10 == 0 {
				_ = duration.ObserveWithExemplar(v, map[string]string{"n": strconv.Itoa(n)})
			} else {
				duration.Observe(v)
			}
		},
		countSummary: func(int) { size.Observe(2) },
		countLevel:   func(int) { level.Inc() },
		setGreatest:  func(n int) { greatest.With(slot).Set(float64(behind + int64(n))) },
		setRecent: func(n int) {
			recent.With(slot).Set(float64(behind + int64(n)))
			_ = state.Set([]string{"even", "odd"}[n%2])
		},
		setEach: func(n int) { each.With(slot).Set(float64(behind + int64(n))) },
		churn: func(n int) {
			churned.With(strconv.Itoa(n % 3)).Inc()
			if n%50 == 0 {
				churned.Remove(strconv.Itoa((n + 1) % 3))
			}
			_ = build.Set(map[string]string{"version": strconv.Itoa(n / 100)})
		},
	}
}

func sumOf(counts []float64) (sum float64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// seen is what a page says: how often was counted, by way, and what gauges show,
// by way and slot.
type seen struct {
	counted [waysToCount]float64
	shown   [waysToCount]map[string]float64
}

// see reads a page.
func see(c telltale.Collector) (s seen, err error) {
	ways := make(map[string]int)
	for way, total := range totals {
		ways[total.sample] = way
	}
	for way, name := range settings {
		ways[name], s.shown[way] = way, make(map[string]float64)
	}
	err = c.Collect(context.Background(), func(f *model.Family) error {
		for sample := range f.Samples() {
			if h := sample.NativeHistogram; h != nil {
				if inBuckets := h.ZeroCount + sumOf(h.Positive); inBuckets != h.Count {
					return fmt.Errorf("%s counts %v and has %v in its buckets", f.Name, h.Count, inBuckets)
				}
			}
			way, known := ways[sample.Name]
			switch {
			case !known:
			case s.shown[way] != nil:
				slot, _ := sample.Labels.Get("slot")
				s.shown[way][slot] = sample.Value
			default:
				s.counted[way] += sample.Value / totals[way].each
			}
		}
		return f.Check()
	})
	return s, err
}

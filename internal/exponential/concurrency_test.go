package exponential_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"telltale/internal/exponential"
)

// However often generations replace each other under observers, no observation
// is lost or counted twice, and no reader sees a total go backwards.
func TestTotalsUnderConcurrency(t *testing.T) {
	const goroutines, rounds = 8, 2000
	for home, build := range homes {
		for name, o := range map[string]exponential.Options{
			"growing":  {Schema: 8, MaxBuckets: 3000},
			"halving":  {Schema: 8, MaxBuckets: 12},
			"widening": {Schema: 3, MaxBuckets: 12, MaxZeroThreshold: math.MaxFloat64},
		} {
			t.Run(home+"/"+name, func(t *testing.T) {
				h := build(t, &o)
				stop := make(chan struct{})
				var readers, writers sync.WaitGroup
				readers.Go(func() { totalsGrow(t, h.Read, stop) })
				for w := range goroutines {
					writers.Go(func() {
						random := rand.New(rand.NewPCG(uint64(w), 1))
						for i := range rounds {
							octaves := float64(i * 40 / rounds) // further and further from 1
							h.Observe(math.Exp2((random.Float64() - 0.5) * octaves))
						}
					})
				}
				writers.Wait()
				close(stop)
				readers.Wait()
				var s exponential.Snapshot
				if h.Read(&s); s.Count() != goroutines*rounds {
					t.Errorf("%d observations, want %d", s.Count(), goroutines*rounds)
				}
			})
		}
	}
}

func totalsGrow(t *testing.T, read func(*exponential.Snapshot), stop <-chan struct{}) {
	var s exponential.Snapshot
	last, schema, threshold := uint64(0), exponential.MaxSchema, 0.0
	for {
		select {
		case <-stop:
			return
		default:
		}
		read(&s)
		if s.Count() < last || s.Schema > schema || s.ZeroThreshold < threshold {
			t.Errorf("%d observations of schema %d, zero threshold %v, after %d of %d, %v", s.Count(), s.Schema, s.ZeroThreshold, last, schema, threshold)
			return
		}
		last, schema, threshold = s.Count(), s.Schema, s.ZeroThreshold
	}
}

// Writers who fight over one bucket and the sum lose nothing, in one lane or
// several.
func TestFights(t *testing.T) {
	const goroutines, rounds = 8, 10000
	for home, build := range homes {
		for _, lanes := range []int{1, 2} {
			o := exponential.Options{}
			h := build(t, &o)
			if lanes > 1 {
				h.Observe(3)
				h.Spread()
			}
			var writers sync.WaitGroup
			for range goroutines {
				writers.Go(func() {
					for range rounds {
						h.Observe(3)
						h.Count(5)
					}
				})
			}
			writers.Wait()
			n := uint64(goroutines*rounds + lanes - 1)
			var s exponential.Snapshot
			if h.Read(&s); s.Bucket(2, false) != n || s.Sum != float64(3*n) || s.Bucket(3, false) != goroutines*rounds {
				t.Errorf("%s, %d lanes: %d and %d observations, sum %v; want %d", home, lanes, s.Bucket(2, false), s.Bucket(3, false), s.Sum, n)
			}
		}
	}
}

// A reader of the words sees one generation or the next, never a mixture.
func TestReadWordsUnderConcurrency(t *testing.T) {
	const rounds = 3000
	for _, spread := range []bool{false, true} {
		o := exponential.Options{Schema: 8, MaxBuckets: 8}
		h, words, lanes := inWordsAndLanes(t, &o)
		stop := make(chan struct{})
		var readers sync.WaitGroup
		readers.Go(func() {
			overtaken := 0
			totalsGrow(t, func(s *exponential.Snapshot) {
				for exponential.Read(words, lanes.find, s) != nil {
					overtaken++
				}
			}, stop)
			t.Logf("overtaken %d times", overtaken)
		})
		random := rand.New(rand.NewPCG(1, 1))
		for i := range rounds {
			h.Observe(math.Exp2((random.Float64() - 0.5) * float64(i*40/rounds)))
			if spread && i == rounds/10 {
				h.Spread()
			}
		}
		close(stop)
		readers.Wait()
		var own, others exponential.Snapshot
		h.Read(&own)
		if err := exponential.Read(words, lanes.find, &others); err != nil {
			t.Fatal(err)
		}
		if own.Count() != rounds || others.Count() != rounds || own.Sum != others.Sum || own.Schema != others.Schema {
			t.Errorf("%d observations, others read %d; want %d", own.Count(), others.Count(), rounds)
		}
	}
}

// Between resets every observation is in exactly one final reading.
func TestResetUnderConcurrency(t *testing.T) {
	const goroutines, rounds = 4, 5000
	for home, build := range homes {
		t.Run(home, func(t *testing.T) {
			h := build(t, &exponential.Options{Schema: 0})
			var total uint64
			var writers sync.WaitGroup
			for range goroutines {
				writers.Go(func() {
					for range rounds {
						h.Observe(1)
					}
				})
			}
			finished := make(chan struct{})
			go func() { writers.Wait(); close(finished) }()
			var s exponential.Snapshot
			for running := true; running; {
				select {
				case <-finished:
					running = false
				default:
				}
				h.Take(&s)
				total += s.Count()
			}
			if total != goroutines*rounds {
				t.Errorf("%d observations in all readings, want %d", total, goroutines*rounds)
			}
		})
	}
}

package onepage_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"telltale/cmd/telltale/internal/onepage"
	"telltale/model"
)

// process is a target in the model: what it has counted, and what of that a scrape has
// seen.
type process struct {
	started      float64
	counts, seen map[string]float64
	bounds       []float64
	buckets      []float64 // each for itself
	sum          float64
	seenBuckets  []float64
	seenSum      float64
}

func (p *process) restart(now time.Time, r *rand.Rand) {
	*p = process{started: float64(now.UnixMilli()) / 1e3, counts: make(map[string]float64), seen: make(map[string]float64)}
	p.bounds = [][]float64{{1, 2, 4}, {1, 3}, {0.5, 1, 2, 4}}[r.IntN(3)]
	p.buckets, p.seenBuckets = make([]float64, len(p.bounds)+1), make([]float64, len(p.bounds)+1)
}

func (p *process) work(r *rand.Rand) {
	for range r.IntN(5) {
		p.counts[fmt.Sprint(r.IntN(4))] += float64(r.IntN(8)) / 4
		v := float64(r.IntN(24)) / 4
		i := 0
		for i < len(p.bounds) && p.bounds[i] < v {
			i++
		}
		p.buckets[i]++
		p.sum += v
	}
}

func (p *process) page() string {
	var page strings.Builder
	fmt.Fprintf(&page, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %v\n# TYPE n_total counter\n", model.FormatValue(p.started))
	for code, n := range p.counts {
		fmt.Fprintf(&page, "n_total{code=%q} %v\n", code, n)
	}
	page.WriteString("# TYPE h histogram\n")
	cumulative := 0.0
	for i, n := range p.buckets {
		le := "+Inf"
		if i < len(p.bounds) {
			le = model.FormatValue(p.bounds[i])
		}
		cumulative += n
		fmt.Fprintf(&page, "h_bucket{le=%q} %v\n", le, cumulative)
	}
	fmt.Fprintf(&page, "h_sum %v\nh_count %v\n", p.sum, cumulative)
	return page.String()
}

// truth is what all processes that ever were have shown at some scrape.
type truth struct {
	counts map[string]float64
	count  float64
	sum    float64
	at     map[float64]float64 // observations at or below a bound, by the processes that have it or a lower one
}

// see adds what a scrape sees for the first time.
func (w *truth) see(p *process) {
	for code, n := range p.counts {
		w.counts[code] += n - p.seen[code]
		p.seen[code] = n
	}
	w.sum += p.sum - p.seenSum
	p.seenSum = p.sum
	for i, n := range p.buckets {
		fresh := n - p.seenBuckets[i]
		p.seenBuckets[i] = n
		w.count += fresh
		if i == len(p.bounds) {
			continue
		}
		for _, bound := range []float64{0.5, 1, 2, 3, 4} {
			if bound >= p.bounds[i] {
				w.at[bound] += fresh
			}
		}
	}
}

// Targets count, restart, go away and come back, in any order. The page has at all
// times what was ever seen of them.
func TestSumsAgreeWithAModel(t *testing.T) {
	for round := range 30 {
		seed := rand.Uint64()
		if !checkModel(t, seed) {
			t.Fatalf("round %d, seed %d", round, seed)
		}
	}
}

func checkModel(t *testing.T, seed uint64) bool {
	r := rand.New(rand.NewPCG(seed, 0))
	now := time.Unix(1.7e9, 0)
	s := onepage.NewSums(onepage.Limits{Series: 1000, TargetSeries: 1000, Targets: 100}, nil)
	w := truth{counts: make(map[string]float64), at: make(map[float64]float64)}
	processes := make([]*process, 1+r.IntN(5))
	for i := range processes {
		processes[i] = new(process)
		processes[i].restart(now, r)
	}
	for step := range 60 {
		now = now.Add(10 * time.Second)
		var pages []onepage.Page
		for i, p := range processes {
			p.work(r)
			if r.IntN(8) == 0 {
				p.restart(now.Add(-5*time.Second), r)
				p.work(r)
			}
			if r.IntN(5) == 0 {
				continue // it is away
			}
			pages = append(pages, target(t, fmt.Sprint(i), p.page()))
			w.see(p)
		}
		r.Shuffle(len(pages), func(i, j int) { pages[i], pages[j] = pages[j], pages[i] })
		got := s.Update(pages, now, func(err error) { t.Error(err) })
		for _, f := range got {
			for sample := range f.Samples() {
				want, known := w.sample(sample)
				if known && sample.Value != want {
					t.Errorf("step %d: %s%v is %v, want %v", step, sample.Name, sample.Labels, sample.Value, want)
				}
			}
		}
		if t.Failed() {
			return false
		}
	}
	return true
}

// sample returns the value that a sample should have.
func (w *truth) sample(s model.Sample) (float64, bool) {
	switch s.Name {
	case "n_total":
		code, _ := s.Labels.Get("code")
		return w.counts[code], true
	case "h_sum":
		return w.sum, true
	case "h_count":
		return w.count, true
	case "h_bucket":
		le, _ := s.Labels.Get("le")
		var bound float64
		if _, err := fmt.Sscan(le, &bound); err != nil || le == "+Inf" {
			return w.count, true
		}
		return w.at[bound], true
	}
	return 0, false
}

package exponential

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"telltale/model"
)

// Exemplars are the exemplars of a native histogram: a few, spread over the
// values as evenly as those added allow (specification, section "Exposition
// formats"). All have timestamps. The zero Exemplars is empty; its methods are
// safe for concurrent use.
type Exemplars struct {
	mu   sync.Mutex
	kept []*model.Exemplar // by value
}

// Add keeps an exemplar, which must have a timestamp and never change, and at
// most limit exemplars in all. Above that it drops the oldest if that is older
// than maxAge; else, of the two whose values are the closest by ratio, it drops
// the older one, but never the new one.
func (e *Exemplars) Add(x *model.Exemplar, limit int, maxAge time.Duration) {
	if limit < 1 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	at, _ := slices.BinarySearchFunc(e.kept, x, byValue)
	e.kept = slices.Insert(e.kept, at, x)
	for len(e.kept) > limit {
		drop := e.oldest()
		if old := e.kept[drop]; old == x || x.Timestamp.Time().Sub(old.Timestamp.Time()) <= maxAge {
			drop = e.crowded(x)
		}
		e.kept = slices.Delete(e.kept, drop, drop+1)
	}
}

func byValue(a, b *model.Exemplar) int { return cmp.Compare(a.Value, b.Value) }

func byTime(a, b *model.Exemplar) int { return a.Timestamp.Compare(b.Timestamp) }

func (e *Exemplars) oldest() int {
	return slices.Index(e.kept, slices.MinFunc(e.kept, byTime))
}

// crowded returns the index of the exemplar to drop: one of the two that are
// closest, or of one and x.
func (e *Exemplars) crowded(x *model.Exemplar) int {
	closest, drop := math.Inf(1), 0
	for i := 1; i < len(e.kept); i++ {
		gap := position(e.kept[i].Value) - position(e.kept[i-1].Value)
		if i > 1 && !(gap < closest) {
			continue
		}
		closest, drop = gap, i-1
		if e.kept[drop] == x || e.kept[i] != x && byTime(e.kept[i], e.kept[drop]) < 0 {
			drop = i
		}
	}
	return drop
}

// position returns the position of a value on a logarithmic scale that goes on
// below zero.
func position(v float64) float64 {
	const smallest = 1075 // binary digits from 1 to below all float64s
	switch {
	case v > 0:
		return math.Log2(v) + smallest
	case v < 0:
		return -math.Log2(-v) - smallest
	}
	return 0
}

// AppendTo appends the exemplars in the order of time, as the formats write
// them.
func (e *Exemplars) AppendTo(list []model.Exemplar) []model.Exemplar {
	e.mu.Lock()
	defer e.mu.Unlock()
	start := len(list)
	for _, x := range e.kept {
		list = append(list, *x)
	}
	slices.SortStableFunc(list[start:], func(a, b model.Exemplar) int { return byTime(&a, &b) })
	return list
}

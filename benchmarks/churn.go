package main

import (
	"cmp"
	"container/heap"
	"errors"
	"math"
	"math/rand/v2"
)

// lifetimes is the distribution of the lifetimes of a family's series. At the
// end as many are alive as in a family that was filled once.
type lifetimes string

const (
	allAtOnce   lifetimes = "fresh"        // no series was removed
	exponential lifetimes = "exponential"  // each series is equally likely to be removed next
	heavyTailed lifetimes = "heavy-tailed" // most series are removed soon, some stay very long
	inBatches   lifetimes = "batches"      // series created together are removed together
	adverse     lifetimes = "adverse"      // one series in turnover stays, spread over all memory
)

const (
	turnover = 50  // series created for each that is alive at the end
	batches  = 20  // that are alive at a time
	tail     = 1.1 // exponent of the distribution of Pareto by which lifetimes are heavy-tailed
)

// churned is a family whose series come and go.
type churned struct {
	create func(labelValues)
	remove func(labelValues) bool // false if there was no such series
}

var errNoSeries = errors.New("a series to be removed was not there")

// play creates and removes series until living series are alive and turnover
// times as many were created.
func (l lifetimes) play(living int, family churned) error {
	next := 0
	create := func() int {
		family.create(labelsOf(next))
		next++
		return next - 1
	}
	var failed error
	remove := func(i int) {
		if !family.remove(labelsOf(i)) {
			failed = errNoSeries
		}
	}
	random := rand.New(rand.NewPCG(3, 3))
	switch l {
	case exponential:
		replaceAtRandom(living, 1, random, create, remove)
	case inBatches:
		replaceAtRandom(batches, living/batches, random, create, remove)
	case heavyTailed:
		replaceByAge(living, random, create, remove)
	case adverse:
		for range turnover * living {
			create()
		}
		for i := range turnover * living {
			if i%turnover != 0 {
				remove(i)
			}
		}
	default:
		for range living {
			create()
		}
	}
	return failed
}

// replaceAtRandom keeps groups of size series alive and replaces one of the
// groups at a time, which gives exponential lifetimes.
func replaceAtRandom(groups, size int, random *rand.Rand, create func() int, remove func(int)) {
	first := make([]int, groups) // series of each group; the others follow it
	fill := func(group int) {
		first[group] = create()
		for range size - 1 {
			create()
		}
	}
	for group := range groups {
		fill(group)
	}
	for range (turnover - 1) * groups {
		group := random.IntN(groups)
		for i := range size {
			remove(first[group] + i)
		}
		fill(group)
	}
}

// mortal is a series and the time of its removal.
type mortal struct {
	end    float64
	series int
}

// queue has the series that goes next in front.
type queue []mortal

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return cmp.Less(q[i].end, q[j].end) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(mortal)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// replaceByAge keeps series with heavy-tailed lifetimes alive and replaces the
// one whose time has ended.
func replaceByAge(living int, random *rand.Rand, create func() int, remove func(int)) {
	life := func() float64 { return math.Pow(1-random.Float64(), -1/tail) }
	var alive queue
	for range living {
		heap.Push(&alive, mortal{life(), create()})
	}
	for range (turnover - 1) * living {
		oldest := &alive[0]
		remove(oldest.series)
		*oldest = mortal{oldest.end + life(), create()}
		heap.Fix(&alive, 0)
	}
}

package cell

import (
	"fmt"
	"sync"
	"testing"
)

// room is a store's: its lanes are none when full.
type room struct{ full bool }

func (r room) Lanes(_ *Word, words int) *Lanes {
	if r.full {
		return nil
	}
	return NewLanes(words)
}

func follows() bool { return true }

// observe is what instruments do, word for word.
func observe(a *Accumulator, d Addition, words int, m *Moving, room func() Room) {
	first := a.First()
	w := a.Mine(first)
	At(w, d.I).Add(1)
	if added := TryAddFloat(w, d.V); !added || a.First() != first {
		d.Added = added
		a.Finish(d, first, w, words, m, room())
		if room() != Room(Heap{}) {
			a.Follow(d.I, first, w, m, follows)
		}
	}
}

// A late addition is one that found its words before a move and adds after it.
func TestAccumulatorFollowsLateAdditions(t *testing.T) {
	const words = 3
	for _, spread := range []bool{false, true} {
		for _, added := range []bool{false, true} {
			for _, r := range []room{{full: false}, {full: true}} {
				name := fmt.Sprintf("spread %v, sum added %v, no room %v", spread, added, r.full)
				var a Accumulator
				var m Moving
				heap, row := make([]Word, words), make([]Word, words)
				a.Init(&heap[0])
				if spread {
					a.Spread(&heap[0], words, &m, Heap{})
				}
				observe(&a, Addition{I: 2, V: 10}, words, &m, func() Room { return Heap{} })
				first := a.First()
				w := a.Mine(first)
				m.Begin()
				m.Lock()
				a.ToRow(&row[0], nil, words)
				m.Unlock()
				At(w, 1).Add(1)
				if added {
					AddFloat(w, 5)
				}
				a.Finish(Addition{1, 5, added}, first, w, words, &m, r)
				a.Follow(1, first, w, &m, follows)
				if LoadFloat(&row[0]) != 15 && a.Sum() != 15 || a.Count(1) != 1 || a.Count(2) != 1 || row[1].Load() != 1 {
					t.Errorf("%s: the row has %v, %d and %d, the accumulator %v, %d and %d",
						name, LoadFloat(&row[0]), row[1].Load(), row[2].Load(), a.Sum(), a.Count(1), a.Count(2))
				}
				back := make([]Word, words)
				m.Lock()
				if got := a.ToHeap(back); got != &row[0] {
					t.Errorf("%s: another row is left", name)
				}
				m.Unlock()
				if a.Sum() != 15 || a.Count(1) != 1 || a.Count(2) != 1 {
					t.Errorf("%s: on the heap again it is %v, %d and %d", name, a.Sum(), a.Count(1), a.Count(2))
				}
			}
		}
	}
}

// While an accumulator is spread and moves into a row, no addition is lost, and
// readers see neither the sum nor a count fall.
func TestAccumulatorMovesUnderWriters(t *testing.T) {
	const goroutines, rounds, words = 4, 2000, 3
	for range 20 {
		var a Accumulator
		var m Moving
		heap, row := make([]Word, words), make([]Word, words)
		a.Init(&heap[0])
		var r Room = Heap{}
		var mu sync.RWMutex // of r, as an instrument's rows change
		current := func() Room {
			mu.RLock()
			defer mu.RUnlock()
			return r
		}
		var done sync.WaitGroup
		var counting Word
		counting.Store(goroutines)
		for i := range goroutines {
			done.Go(func() {
				for n := range rounds {
					observe(&a, Addition{I: 1 + (i+n)%2, V: 0.5}, words, &m, current)
				}
				counting.Add(^uint64(0))
			})
		}
		done.Go(func() {
			a.Spread(a.First(), words, &m, Heap{})
			mu.Lock()
			r = room{}
			mu.Unlock()
			m.Begin()
			m.Lock()
			a.ToRow(&row[0], nil, words)
			m.Unlock()
			a.Spread(&row[0], words, &m, room{})
		})
		lastSum, lastCount := 0.0, uint64(0)
		for counting.Load() > 0 {
			version := m.Began()
			sum, count := a.Sum(), a.Count(1)+a.Count(2)
			if !m.Whole(version) {
				continue
			}
			if sum < lastSum || count < lastCount {
				t.Errorf("it fell from %v and %d to %v and %d", lastSum, lastCount, sum, count)
			}
			lastSum, lastCount = sum, count
		}
		done.Wait()
		if n := a.Count(1) + a.Count(2); n != goroutines*rounds || a.Sum() != goroutines*rounds/2 {
			t.Fatalf("%d observations and a sum of %v, want %d and %d", n, a.Sum(), goroutines*rounds, goroutines*rounds/2)
		}
		for i := range heap {
			if heap[i].Load() != 0 {
				t.Errorf("word %d on the heap still has %d", i, heap[i].Load())
			}
		}
	}
}

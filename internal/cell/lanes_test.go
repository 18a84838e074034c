package cell

import (
	"runtime"
	"sync"
	"testing"
	"unsafe"
)

func TestLanes(t *testing.T) {
	for _, procs := range []int{1, 2, 3, 16, 1000} {
		for _, words := range []int{1, 2, 7, 8, 9, 16, 17, 40} {
			checkLanes(t, procs, words)
		}
	}
}

func checkLanes(t *testing.T, procs, words int) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	l := NewLanes(words)
	n := len(l.words) / l.stride
	switch {
	case len(l.words)%l.stride != 0 || l.stride < words || l.stride%lineWords != 0:
		t.Errorf("%d procs, %d words: %d words in strides of %d", procs, words, len(l.words), l.stride)
	case n < 2 || n > maxLanes || n&(n-1) != 0 || l.choice.mask != uint64(n-1):
		t.Errorf("%d procs: %d lanes, the hash is masked by %#x", procs, n, l.choice.mask)
	case uintptr(unsafe.Pointer(&l.words[0]))%(8*lineWords) != 0:
		t.Errorf("%d procs, %d words: the first lane does not begin a line", procs, words)
	}
	for range 3 {
		for i := range words {
			At(l.Mine(), i).Add(uint64(i + 1))
		}
		l.choice.Mix()
	}
	for i := range words {
		if got := l.Sum(i); got != uint64(3*(i+1)) {
			t.Errorf("%d procs, %d words: word %d is %d, want %d", procs, words, i, got, 3*(i+1))
		}
	}
	l.Clear()
	for i := range words {
		l.AddFloat(i, 0.5)
		l.addElsewhere(i, float64(i))
		if got := l.SumFloat(i); got != float64(i)+0.5 {
			t.Errorf("%d procs, %d words: word %d is %v, want %v", procs, words, i, got, float64(i)+0.5)
		}
	}
	l.Clear()
	for i := range words {
		if l.Sum(i) != 0 {
			t.Errorf("%d procs, %d words: word %d is not cleared", procs, words, i)
		}
	}
}

// Whatever lane each addition takes, none is lost.
func TestLanesUnderContention(t *testing.T) {
	const goroutines, rounds = 16, 5000
	l, whole := NewLanes(3), NewLanes(1)
	var done sync.WaitGroup
	for range goroutines {
		done.Go(func() {
			for range rounds {
				l.AddFloat(0, 0.5)
				At(l.Mine(), 1).Add(1)
				l.addElsewhere(2, 2)
				if rest := whole.AddWhole(3); rest != 0 {
					t.Error("a word of whole numbers is full")
				}
			}
		})
	}
	done.Wait()
	if l.SumFloat(0) != goroutines*rounds/2 || l.Sum(1) != goroutines*rounds || l.SumFloat(2) != goroutines*rounds*2 || whole.Sum(0) != goroutines*rounds*3 {
		t.Errorf("sums %v, %v, %v and %v", l.SumFloat(0), l.Sum(1), l.SumFloat(2), whole.Sum(0))
	}
}

// Goroutines that count in the same lane get other ones. One alone keeps its lane.
func TestLanesThatAreShared(t *testing.T) {
	// With one, Go would let the other writer run between two functions, never within a look.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))))
	for name, count := range map[string]func(*Lanes){
		"ones": func(l *Lanes) {
			w := l.Mine()
			l.Added(w, w.Add(1))
		},
		"whole numbers": func(l *Lanes) { l.AddWhole(addsToLook / 4) },
	} {
		l := NewLanes(2)
		turn := l.choice.turn.Load()
		for l.Sum(0) < 3*addsToLook {
			count(l)
		}
		if l.choice.turn.Load() != turn {
			t.Errorf("%s: other lanes were chosen without other writers", name)
		}
		besides(l, func() bool {
			count(l)
			return l.choice.turn.Load() != turn
		})
	}
}

// besides calls f until it returns true, while another goroutine adds to all lanes: in
// which one f counts depends on where its stack is. Each count in between looks for other
// writers.
func besides(l *Lanes, f func() bool) {
	for w := range l.Each() {
		w.Store(addsToLook - 1)
	}
	stop := make(chan struct{})
	var other sync.WaitGroup
	other.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for w := range l.Each() {
				w.Add(addsToLook) // the remainder stays
			}
		}
	})
	for !f() {
		for w := range l.Each() {
			w.Store(addsToLook - 1)
		}
	}
	close(stop)
	other.Wait()
}

func TestChanges(t *testing.T) {
	var w Word
	if w.Store(5); Changes(&w) || Crowded(&w) {
		t.Error("a word without writers changes")
	}
}

func TestFightFloat(t *testing.T) {
	const goroutines, rounds = 8, 5000
	var w Word
	var mu sync.Mutex
	given := 0.0
	var done sync.WaitGroup
	for range goroutines {
		done.Go(func() {
			lost := 0.0
			for range rounds {
				if !FightFloat(&w, 1) {
					lost++ // with nothing added
				}
				AddFloat(&w, 0.5)
			}
			mu.Lock()
			given += lost
			mu.Unlock()
		})
	}
	done.Wait()
	if got := LoadFloat(&w); got != goroutines*rounds*1.5-given {
		t.Errorf("the word is %v, want %v", got, goroutines*rounds*1.5-given)
	}
	if StoreFloat(&w, -2.5); LoadFloat(&w) != -2.5 {
		t.Errorf("StoreFloat(-2.5) stores %v", LoadFloat(&w))
	}
}

// After each change of lanes two goroutines are apart as often as lanes allow, and all
// lanes are used.
func TestChoiceMixes(t *testing.T) {
	const lanes, goroutines, mixes = 16, 64, 64
	var c Choice
	c.Init(lanes)
	used, together := make(map[int]bool), 0
	for range mixes {
		first := c.of(0xc000000000 >> 11)
		for g := range uint64(goroutines) {
			mine := c.of(0xc000000000>>11 + 1 + g)
			used[mine] = true
			if mine == first {
				together++
			}
		}
		c.Mix()
	}
	if len(used) != lanes {
		t.Errorf("%d lanes of %d are used", len(used), lanes)
	}
	if most := 2 * goroutines * mixes / lanes; together > most {
		t.Errorf("two goroutines shared a lane %d times of %d, at most %d are expected", together, goroutines*mixes, most)
	}
}

package cell

import (
	"math"
	"sync"
	"testing"
)

// stepLevel is a word and its Level, used a step at a time, each thread with a lane
// of its own.
type stepLevel struct {
	history
	w     Word
	level Level

	marked map[uint64]*Lanes // what other processes find by marks
	again  bool              // lanes that have rested are used again
}

func (s *stepLevel) set(v float64, step func()) {
	s.note("set", v, func() float64 {
		step()
		SetLevel(&s.w, v)
		return 0
	})
}

func (s *stepLevel) add(lane int, v float64, step func()) {
	s.note("add", v, func() float64 {
		for {
			step()
			old := s.w.Load()
			step()
			if !marked(old) {
				if s.w.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
					return 0
				}
				continue
			}
			lanes := s.level.under(old)
			if lanes == nil {
				continue
			}
			step()
			if w := &lanes.words[lane*lanes.stride]; TryAddFloat(w, v) {
				return 0
			}
		}
	})
}

func (s *stepLevel) spread(step func()) {
	step()
	old := s.w.Load()
	if marked(old) {
		return
	}
	s.level.eras++
	m := NewLanes(1)
	if before := s.level.lanes.Load(); before != nil && s.again {
		m = LanesOver(before.words, before.stride)
		for i := range 3 { // no thread uses others
			step()
			m.words[i*m.stride].Store(0)
		}
	}
	m.mark = Mark(s.level.eras)
	if s.marked == nil {
		s.marked = make(map[uint64]*Lanes)
	}
	s.marked[m.mark] = m
	step()
	m.words[0].Store(old)
	step()
	s.level.lanes.Store(m)
	for step(); !s.w.CompareAndSwap(old, m.mark); step() {
		step()
		if old = s.w.Load(); marked(old) {
			return
		}
		m.words[0].Store(old)
	}
}

// load reads lanes one by one if the steps are fine, else as one step.
func (s *stepLevel) load(fine bool, step func()) {
	s.loadBy(s.level.under, fine, step)
}

// loadElsewhere is load as another process does it, which finds lanes by marks.
func (s *stepLevel) loadElsewhere(fine bool, step func()) {
	s.loadBy(func(mark uint64) *Lanes { return s.marked[mark] }, fine, step)
}

func (s *stepLevel) loadBy(under func(mark uint64) *Lanes, fine bool, step func()) {
	s.note("load", 0, func() float64 {
		sum := func(l *Lanes) (v float64) {
			for i := range 3 { // no thread uses others
				if fine || i == 0 {
					step()
				}
				v += LoadFloat(&l.words[i*l.stride])
			}
			return v
		}
		for {
			step()
			bits := s.w.Load()
			if !marked(bits) {
				return math.Float64frombits(bits)
			}
			step()
			lanes := under(bits)
			if lanes == nil {
				continue
			}
			v := sum(lanes)
			again := v
			if fine {
				again = sum(lanes)
			}
			step()
			if s.w.Load() == bits && v == again {
				return v
			}
		}
	})
}

// However sets, additions, readings and spreading lie between each other, they are
// as if one came after the other.
func TestLevelIsLinearizable(t *testing.T) {
	type threads = []func(s *stepLevel, step func())
	for name, test := range map[string]threads{
		"a set after an addition": {
			func(s *stepLevel, step func()) { s.add(1, 1, step); s.set(0, step) },
			func(s *stepLevel, step func()) { s.spread(step) },
			func(s *stepLevel, step func()) { s.load(false, step); s.load(false, step) },
		},
		"a set after an addition, among others": {
			func(s *stepLevel, step func()) { s.add(1, 1, step); s.set(0, step) },
			func(s *stepLevel, step func()) { s.add(2, 10, step) },
			func(s *stepLevel, step func()) { s.spread(step) },
		},
		"an addition after a set": {
			func(s *stepLevel, step func()) { s.set(5, step); s.add(1, 1, step); s.load(false, step) },
			func(s *stepLevel, step func()) { s.spread(step); s.spread(step) },
			func(s *stepLevel, step func()) { s.set(100, step) },
		},
		"two sets and an addition": {
			func(s *stepLevel, step func()) { s.set(10, step) },
			func(s *stepLevel, step func()) { s.set(20, step) },
			func(s *stepLevel, step func()) { s.add(2, 1, step) },
			func(s *stepLevel, step func()) { s.spread(step) },
		},
		"a late addition and new lanes": {
			func(s *stepLevel, step func()) { s.add(1, 1, step) },
			func(s *stepLevel, step func()) { s.spread(func() {}); s.set(10, step); s.spread(step) },
			func(s *stepLevel, step func()) { s.load(false, step) },
		},
		"others read before and after lanes are there": {
			func(s *stepLevel, step func()) { s.set(10, step); s.add(1, 1, step) },
			func(s *stepLevel, step func()) { s.spread(step) },
			func(s *stepLevel, step func()) { s.loadElsewhere(false, step); s.loadElsewhere(false, step) },
		},
		"others read lanes that a set takes away": {
			func(s *stepLevel, step func()) { s.spread(func() {}); s.set(10, step); s.add(1, 1, step) },
			func(s *stepLevel, step func()) { s.add(2, 2, step) },
			func(s *stepLevel, step func()) { s.loadElsewhere(true, step) },
		},
		"others read lanes that are used again": {
			func(s *stepLevel, step func()) {
				s.again = true
				s.set(3, func() {})
				s.spread(func() {})
				s.add(2, 4, step)
				s.set(10, step)
				s.spread(step)
				s.add(1, 1, step)
			},
			func(s *stepLevel, step func()) { s.loadElsewhere(false, step); s.loadElsewhere(false, step) },
		},
		"a reading of all lanes": {
			func(s *stepLevel, step func()) { s.spread(step); s.add(1, 1, step); s.add(2, 2, step) },
			func(s *stepLevel, step func()) { s.load(true, step) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			everyInterleaving(t, func() ([]thread, func() error) {
				s := new(stepLevel)
				var all []thread
				for _, th := range test {
					all = append(all, func(step func()) { th(s, step) })
				}
				return all, func() error {
					s.load(false, func() {}) // with which the last state must agree
					s.loadElsewhere(false, func() {})
					return s.check()
				}
			})
		})
	}
}

func TestLevelAfterEachOther(t *testing.T) {
	var w Word
	var l Level
	want := func(what string, v float64) {
		t.Helper()
		if got, ok := l.Load(&w); !ok || got != v && v == v {
			t.Errorf("%s: %v, %v, want %v", what, got, ok, v)
		}
	}
	SetLevel(&w, 2)
	l.Spread(&w, Heap{})
	want("spread", 2)
	if TryAddLevel(&w, 1) {
		t.Error("an addition to the word succeeds while lanes hold the value")
	}
	l.Add(&w, 1)
	want("added to a lane", 3)
	SetLevel(&w, -1)
	want("set", -1)
	l.Add(&w, 0.5)
	want("added to the word", -0.5)
	l.Spread(&w, Heap{})
	l.Spread(&w, Heap{})
	want("spread again", -0.5)
	for _, v := range []float64{math.Inf(1), math.Copysign(0, -1), math.MaxFloat64} {
		SetLevel(&w, v)
		l.Spread(&w, Heap{})
		want("of any value", v)
	}
	l.Add(&w, math.NaN())
	if v, ok := l.Load(&w); !ok || v == v {
		t.Errorf("with NaN added it is %v, %v", v, ok)
	}
	SetLevel(&w, 4)
	l.Spread(&w, Heap{})
	if v := l.Close(&w); v != 4 || l.Add(&w, 1) != Gone || TryAddLevel(&w, 1) {
		t.Errorf("closed with %v, or something could still be added", v)
	}
	if _, ok := l.Load(&w); ok {
		t.Error("a closed level can be read")
	}
}

// What is added while a level is closed is in what it was closed with, or fails.
func TestLevelLosesNothingWhenClosed(t *testing.T) {
	for round := range 100 {
		var w Word
		var l Level
		if round%2 == 0 {
			l.Spread(&w, Heap{})
		}
		var done sync.WaitGroup
		var added Word
		for range 4 {
			done.Go(func() {
				for {
					switch l.Add(&w, 1) {
					case Added:
						added.Add(1)
					case Fought:
						l.Spread(&w, Heap{})
					case Gone:
						return
					}
				}
			})
		}
		for added.Load() < 20 {
			l.Load(&w)
		}
		got := l.Close(&w)
		if done.Wait(); got != float64(added.Load()) {
			t.Fatalf("closed with %v, %d additions succeeded", got, added.Load())
		}
	}
}

// Lanes that a Set makes useless need more fights each time.
func TestLevelSpreadsLessOften(t *testing.T) {
	var w Word
	var l Level
	for range 100 {
		if l.fought() {
			l.Spread(&w, Heap{})
		}
		SetLevel(&w, 0)
	}
	if l.eras < 2 || l.eras > 7 {
		t.Errorf("100 fights, a Set after each: spread %d times", l.eras)
	}
}

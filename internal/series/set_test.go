package series_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"telltale/internal/series"
)

// handle is what the tests keep beside each series: which one it is.
type handle struct{ life int }

var separators = []string{`l="`, `"`}

// text returns what a series with the label value has as its text.
func text(value string) []byte {
	return []byte(`l="` + strings.ReplaceAll(value, `"`, `\"`) + `"`)
}

func digest(value string) series.Digest {
	d := series.DigestOf([]string{value})
	if strings.Contains(value, `"`) {
		d = d.Escaped()
	}
	return d
}

func add(s *series.Set[handle], value string, life int) *series.Slot[handle] {
	slot, _ := s.Reserve(digest(value), text(value), 0)
	slot.Handle.life = life
	s.Publish(slot, time.Unix(int64(life), 0))
	return slot
}

// page is a walk that has been going on for a while.
type page struct {
	walk  series.Walk[handle]
	stay  map[string]int // the series that were there all the time, and their lives
	seen  map[string]bool
	order int
}

// modelled is a set beside a simple model of it.
type modelled struct {
	t      *testing.T
	random *rand.Rand
	set    *series.Set[handle]
	slots  map[string]*series.Slot[handle]
	values []string // of the series that are there, in the order of their creation
	pages  []*page
	lives  int
}

func (m *modelled) add(value string) {
	m.lives++
	m.slots[value] = add(m.set, value, m.lives)
	m.values = append(m.values, value)
}

func (m *modelled) remove(i int) {
	value := m.values[i]
	if !m.set.Remove(m.slots[value]) || m.set.Remove(m.slots[value]) {
		m.t.Errorf("the series %q is not removed once", value)
	}
	if _, ok := m.slots[value].Created(); ok {
		m.t.Errorf("the removed series %q has a created time", value)
	}
	delete(m.slots, value)
	m.values = slices.Delete(m.values, i, i+1)
	for _, p := range m.pages {
		delete(p.stay, value)
	}
}

// replace puts n other series in the place of all. Walks that began before still
// meet all of the old ones.
func (m *modelled) replace(n int) {
	other := series.New[handle](true)
	clear(m.slots)
	m.values = nil
	for i := range n {
		m.lives++
		value := fmt.Sprint(i)
		m.slots[value] = add(other, value, m.lives)
		m.values = append(m.values, value)
	}
	before := m.set.Take(other)
	for slot := range before.Living() {
		if m.set.Remove(slot) {
			m.t.Error("a series that was replaced is removed")
		}
	}
	if other.Len() != 0 || other.Get(digest("0"), text("0")) != nil {
		m.t.Errorf("%d series are in the set that was taken over", other.Len())
	}
}

func (m *modelled) begin() {
	p := &page{walk: m.set.Walk(), stay: make(map[string]int), seen: make(map[string]bool)}
	for value, slot := range m.slots {
		p.stay[value] = slot.Handle.life
	}
	m.pages = append(m.pages, p)
}

// goOn lets a page see some more, and checks it when it is complete.
func (m *modelled) goOn(i int) {
	p := m.pages[i]
	for range 1 + m.random.IntN(8) {
		run := p.walk.Next()
		if len(run) == 0 {
			for value := range p.stay {
				if !p.seen[value] {
					m.t.Errorf("the series %q was there all the time and was not met", value)
				}
			}
			m.pages = slices.Delete(m.pages, i, i+1)
			return
		}
		for j := range run {
			m.meet(p, &run[j])
		}
	}
}

func (m *modelled) meet(p *page, slot *series.Slot[handle]) {
	labels := slot.Labels()
	created, ok := slot.Created()
	if !ok {
		return
	}
	value, _ := labels.Get("l")
	if p.seen[value] {
		m.t.Errorf("the series %q is met twice", value)
	}
	p.seen[value] = true
	if slot.Handle.life <= p.order {
		m.t.Errorf("series %d comes behind %d", slot.Handle.life, p.order)
	}
	p.order = slot.Handle.life
	if life, ok := p.stay[value]; ok && life != slot.Handle.life {
		m.t.Errorf("of series %q life %d is met, want %d", value, slot.Handle.life, life)
	}
	if created.Time().Unix() != int64(slot.Handle.life) {
		m.t.Errorf("series %d was created at %s", slot.Handle.life, created)
	}
}

func (m *modelled) look(value string) {
	want := m.slots[value]
	if got := m.set.Get(digest(value), text(value)); got != want {
		m.t.Errorf("Get(%q) returns %p, want %p", value, got, want)
	}
	h := m.set.Find(digest(value), separators, []string{value})
	switch {
	case strings.Contains(value, `"`):
		if h != nil {
			m.t.Errorf("Find(%q) finds a value that is escaped", value)
		}
	case want == nil && h != nil, want != nil && h != &want.Handle:
		m.t.Errorf("Find(%q) returns %p, want that of %p", value, h, want)
	}
}

// Series come and go at random, also while pages are under way.
func TestSetAgainstModel(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 4
	}
	for range rounds {
		seed := rand.Uint64()
		m := &modelled{
			t: t, random: rand.New(rand.NewPCG(seed, 0)),
			set: series.New[handle](true), slots: make(map[string]*series.Slot[handle]),
		}
		m.play(1+m.random.IntN(2000), m.random.IntN(100))
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

// play makes changes: values are of so many, and that share of changes, in
// hundredths, are removals.
func (m *modelled) play(values, removals int) {
	for range 3000 {
		value := fmt.Sprint(m.random.IntN(values))
		if m.random.IntN(20) == 0 {
			value = `"` + value
		}
		switch n := m.random.IntN(100); {
		case m.random.IntN(1000) == 0:
			m.replace(m.random.IntN(values))
		case m.random.IntN(10) == 0:
			m.begin()
		case m.random.IntN(5) == 0:
			m.look(value)
		case n < removals && len(m.values) > 0:
			m.remove(m.random.IntN(len(m.values)))
		case m.slots[value] == nil:
			m.add(value)
		}
		if len(m.pages) > 0 {
			m.goOn(m.random.IntN(len(m.pages)))
		}
		if m.set.Len() != len(m.slots) {
			m.t.Fatalf("Len() = %d, want %d", m.set.Len(), len(m.slots))
		}
	}
	for len(m.pages) > 0 {
		m.goOn(0)
	}
	for len(m.values) > 0 {
		m.remove(len(m.values) - 1)
	}
	if walk := m.set.Walk(); len(walk.Next()) != 0 {
		m.t.Error("an empty set has series")
	}
}

// Series of one slab share their words, single ones have their own; all are
// zero, and nobody else's.
func TestWords(t *testing.T) {
	const words = 3
	s := series.New[handle](true)
	taken := make(map[uintptr]bool)
	for i := range 100 {
		n := words
		if i/10%2 == 1 {
			n = 0 // they are elsewhere
		}
		value := fmt.Sprint(i)
		slot, first := s.Reserve(digest(value), text(value), n)
		if (first != nil) != (n > 0) {
			t.Fatalf("series %d of %d words has %p", i, n, first)
		}
		s.Publish(slot, time.Now())
		for at := range n {
			w := (*atomic.Uint64)(unsafe.Add(unsafe.Pointer(first), 8*at))
			if w.Add(1) != 1 || taken[uintptr(unsafe.Pointer(w))] {
				t.Fatalf("word %d of series %d is another's", at, i)
			}
			taken[uintptr(unsafe.Pointer(w))] = true
		}
		if i == 50 {
			s.Remove(slot)
		}
	}
}

// A reserved series that is not published leaves nothing.
func TestReserveAlone(t *testing.T) {
	s := series.New[handle](true)
	for range 20 {
		s.Reserve(digest("never"), text("never"), 1)
		add(s, fmt.Sprint(s.Len()), 1)
	}
	if n := 0; s.Len() != 20 || s.Get(digest("never"), text("never")) != nil {
		t.Errorf("%d series, want 20", s.Len())
	} else {
		for range s.Walk().Living() {
			n++
		}
		if n != 20 {
			t.Errorf("%d series are met, want 20", n)
		}
	}
}

func TestUnlabelled(t *testing.T) {
	s := series.New[handle](false)
	slot, _ := s.Reserve(series.Digest{}, nil, 2)
	s.Publish(slot, time.Now())
	if s.Only() != &slot.Handle || s.Len() != 1 {
		t.Error("the only series is another")
	}
	if at, ok := slot.Created(); !ok || time.Since(at.Time()) < 0 {
		t.Errorf("created at %s, %t", at, ok)
	}
}

// Readers beside a writer find what stays, and nothing by a wrong name.
func TestFindWhileChanging(t *testing.T) {
	const stay = 100
	s := series.New[handle](true)
	for i := range stay {
		add(s, fmt.Sprint(i), i)
	}
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for i := 0; !done.Load(); i++ {
				value := fmt.Sprint(i % (2 * stay))
				h := s.Find(digest(value), separators, []string{value})
				if h != nil && h.life != i%(2*stay) {
					t.Errorf("%s finds series %d", value, h.life)
				}
				for slot := range s.Walk().Living() {
					labels := slot.Labels()
					if _, ok := slot.Created(); ok && labels.IsEmpty() {
						t.Error("a series has no labels")
					}
				}
			}
		})
	}
	for range 200 {
		var passing []*series.Slot[handle]
		for i := range stay {
			passing = append(passing, add(s, fmt.Sprint(stay+i), stay+i))
		}
		for _, slot := range passing {
			s.Remove(slot)
		}
	}
	done.Store(true)
	readers.Wait()
}

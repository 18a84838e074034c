package bounded_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"telltale/internal/bounded"
)

func TestTheFirstKeysStay(t *testing.T) {
	m := bounded.NewMap[string, int](2)
	for i, key := range []string{"a", "b", "a", "c", "b"} {
		have, ok := m.Add(key, i)
		if want := map[string]int{"a": 0, "b": 1}[key]; have != want || ok != (key != "c") {
			t.Errorf("Add(%q, %d) is %d, %t", key, i, have, ok)
		}
	}
	for key, want := range map[string]bool{"a": true, "b": true, "c": false} {
		if _, ok, room := m.Get(key); ok != want || room {
			t.Errorf("Get(%q) is %t, room %t", key, ok, room)
		}
	}
	if _, ok, room := bounded.NewMap[string, int](1).Get("a"); ok || !room {
		t.Errorf("an empty map has the key (%t), room %t", ok, room)
	}
}

func TestManyAtOnce(t *testing.T) {
	const most, writers, keys = 50, 8, 200
	m := bounded.NewMap[string, int](most)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range keys {
				key := strconv.Itoa(i)
				have, ok := m.Add(key, w)
				if again, found, _ := m.Get(key); found != ok || again != have {
					t.Errorf("Add(%q) is %d, %t, then Get is %d, %t", key, have, ok, again, found)
				}
			}
		})
	}
	all.Wait()
	n := 0
	for i := range keys {
		if _, ok, _ := m.Get(strconv.Itoa(i)); ok {
			n++
		}
	}
	if n != most {
		t.Errorf("there are %d keys, want %d", n, most)
	}
}

// A lookup that finds nothing in a full map goes on while another reads.
func TestLookupsOfAFullMapDoNotWait(t *testing.T) {
	m := bounded.NewMap[string, int](1)
	m.Add("a", 1)
	entered, release := make(chan struct{}), make(chan struct{})
	go func() { m.Read(func() { close(entered); <-release }) }()
	<-entered
	defer close(release)
	got := make(chan bool)
	go func() { _, ok, room := m.Get("b"); got <- !ok && !room }()
	select {
	case right := <-got:
		if !right {
			t.Error("a full map has room")
		}
	case <-time.After(time.Minute):
		t.Fatal("a lookup waits for another one")
	}
}

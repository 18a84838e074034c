package segment

import (
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"telltale/internal/cell"
	"telltale/model"
)

// copies is a [Space] that returns copies of a segment, as one of a file that is not mapped
// does, and lets its writer go on once before a word is copied.
type copies struct {
	of     *Writer
	left   int // words until then
	goesOn func()
}

func (c *copies) Bytes(offset, n uint64) []byte {
	b := c.of.Bytes(offset, n)
	if b == nil {
		return nil
	}
	words := make([]uint64, (n+7)/8)
	for i := range words {
		if c.left--; c.left == 0 {
			c.goesOn()
		}
		words[i] = cell.At(WordAt(b, 0), i).Load()
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))[:n:n]
}

// While the bytes of a file are copied its writer goes on. Wherever it does, no tombstone has
// what another one says or its time, and nothing is missed that was removed before.
func TestTombstonesThatAreCopied(t *testing.T) {
	stone := func(name string, time int64) Tombstone {
		return Tombstone{Time: time, Type: model.Counter, Name: name, Labels: []string{`a="1"`}}
	}
	for name, tt := range map[string]struct {
		begin  func(t *testing.T, w *Writer)
		goesOn func(t *testing.T, w *Writer)
		may    []string
		must   map[string]int64 // and when at least
	}{
		"another one in its room": {
			func(t *testing.T, w *Writer) { bury(t, w, stone("old", 1)); w.Spend(1) },
			func(t *testing.T, w *Writer) { bury(t, w, stone("new", 2)) },
			[]string{"old 1", "new 2"}, nil,
		},
		"another one in its room that was there for long": {
			func(t *testing.T, w *Writer) { bury(t, w, stone("old", 5), stone("last", 9)); w.Spend(5) },
			func(t *testing.T, w *Writer) { bury(t, w, stone("new", 10)) },
			[]string{"old 5", "new 10", "last 9"}, map[string]int64{"last": 9},
		},
		"a later time": {
			func(t *testing.T, w *Writer) { bury(t, w, stone("x", 1)) },
			func(t *testing.T, w *Writer) { bury(t, w, stone("x", 2)) },
			[]string{"x 1", "x 2"}, map[string]int64{"x": 1},
		},
		"two later times": {
			func(t *testing.T, w *Writer) { bury(t, w, stone("x", 1), stone("x", 2)) },
			func(t *testing.T, w *Writer) { bury(t, w, stone("x", 3), stone("x", 4)) },
			[]string{"x 2", "x 3", "x 4"}, map[string]int64{"x": 2},
		},
		"tombstones of a list": {
			func(t *testing.T, w *Writer) {
				r := of(t, w, "x")
				r.bury(t, `a="1"`, 1)
				of(t, w, "y").bury(t, `a="1"`, 2)
			},
			func(_ *testing.T, w *Writer) { w.Tick() },
			[]string{"x 1", "y 2"}, map[string]int64{"x": 1, "y": 2},
		},
		"the next list": {
			func(t *testing.T, w *Writer) { of(t, w, "x").bury(t, `a="1"`, 1) },
			func(t *testing.T, w *Writer) {
				w.Tick()
				of(t, w, "y").bury(t, `a="1"`, 2)
				w.Tick()
				of(t, w, "z").bury(t, `a="1"`, 3)
			},
			[]string{"x 1", "y 2", "z 3"}, map[string]int64{"x": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for at, went := 1, true; went; at++ {
				w := newWriter(t, Header{})
				tt.begin(t, w)
				went = false
				stones, _, err := Tombstones(&copies{w, at, func() {
					went = true
					tt.goesOn(t, w)
				}})
				if err != nil {
					t.Fatalf("at word %d: %v", at, err)
				}
				found := make(map[string]int64)
				for _, s := range stones {
					found[s.Name] = max(found[s.Name], s.Time)
					if text := fmt.Sprint(s.Name, " ", s.Time); len(s.Labels) != 1 || s.Labels[0] != `a="1"` || !slices.Contains(tt.may, text) {
						t.Errorf("at word %d: %s %q", at, text, s.Labels)
					}
				}
				for name, time := range tt.must {
					if found[name] < time {
						t.Errorf("at word %d: %v", at, found)
					}
				}
			}
		})
	}
}

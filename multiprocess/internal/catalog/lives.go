package catalog

import (
	"math"
	"sort"
)

// Lives holds from when until when rows have series, in families with an expiry. A
// series goes on as long as the lives of its rows overlap; what rows counted in an
// earlier life of it is over. The zero Lives is ready.
type Lives struct {
	slots []uint32 // the first of a row's series
	lives []life
}

// life is from when until when a row has its series, in nanoseconds since 1970.
type life struct{ begun, until int64 }

// Forever is until when what does not end goes on.
const Forever = math.MaxInt64

// over is from when the rows count of a series that has ended.
const over = math.MaxInt64

// HasLives reports whether series of some family end, as it was bound.
func (c *Catalog) HasLives() bool { return c.ending == c.Pass }

// Ending notes when rows are bound that series of the family end.
func (c *Catalog) Ending(f *family) { c.ending, f.ending = c.Pass, c.Pass }

// Ends reports whether series of the family that has a slot end.
func (c *Catalog) Ends(slot uint32) bool {
	f := c.slots.owner(slot)
	return f != nil && f.ending == c.Pass
}

// EndsIn is Ends for all slots of a family.
func (c *Catalog) EndsIn(f *family) bool { return f.ending == c.Pass }

// Reset forgets all lives.
func (l *Lives) Reset() { l.slots, l.lives = l.slots[:0], l.lives[:0] }

// Add adds the life of a row whose series has the slot, in nanoseconds since 1970.
func (l *Lives) Add(slot uint32, begun, until int64) {
	l.slots, l.lives = append(l.slots, slot), append(l.lives, life{begun, until})
}

// Live settles from when the rows of each series count.
func (t *Totals) Live(l *Lives) {
	t.since = zeros(t.since[:0], len(t.Values))
	for i := range t.since {
		t.since[i] = over
	}
	for i, slot := range l.slots {
		if life := l.lives[i]; life.until > t.Now {
			t.since[slot] = min(t.since[slot], life.begun)
		}
	}
	for pass := 1; t.reach(l); pass++ {
		if pass == fewPasses {
			sort.Sort(l)
		}
	}
}

// fewPasses is how often lives are gone through in the order of files, most of which are
// short. Those that are sorted need one more.
const fewPasses = 4

// reach has rows count that are of the same life as one that counts, and reports whether
// there were any.
func (t *Totals) reach(l *Lives) (any bool) {
	for i, slot := range l.slots {
		if life, since := l.lives[i], &t.since[slot]; *since != over && life.begun < *since && life.until >= *since {
			*since, any = life.begun, true
		}
	}
	return any
}

// Len implements [sort.Interface]. The lives of each series are sorted from the one that
// lasts longest.
func (l *Lives) Len() int { return len(l.slots) }

// Less implements [sort.Interface].
func (l *Lives) Less(i, j int) bool {
	if l.slots[i] != l.slots[j] {
		return l.slots[i] < l.slots[j]
	}
	return l.lives[i].until > l.lives[j].until
}

// Swap implements [sort.Interface].
func (l *Lives) Swap(i, j int) {
	l.slots[i], l.slots[j] = l.slots[j], l.slots[i]
	l.lives[i], l.lives[j] = l.lives[j], l.lives[i]
}

// GoesOn reports whether a row counts that has its series, of which the first slot is
// given, since begun.
func (t *Totals) GoesOn(slot uint32, begun int64) bool {
	return slot >= uint32(len(t.since)) || begun >= t.since[slot]
}

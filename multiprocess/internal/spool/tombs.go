package spool

import "telltale/multiprocess/internal/segment"

// Tombs is what writers of a directory have removed. A tombstone covers, in segments of
// other writers of its epoch:
//
//   - what a writer left that was dead by then, which is one that said last that it lives
//     before the tombstone's time. If one of them is of an earlier boot than the other, that
//     is settled by which;
//   - what an archive has that had not heard of it.
//
// One that an archive carries covers what writers left alone: it is in the archive.
//
// The zero Tombs has none. It is not safe for concurrent use.
type Tombs struct {
	boot   [16]byte // of this system
	graves map[removal][]grave
}

// removal is a family whose series were removed.
type removal struct {
	epoch, name string
	kind        uint8
}

// grave is what one tombstone says of a family.
type grave struct {
	from    *segment.Origin
	time    int64
	labels  []string // none: all
	carried bool
}

// NewTombs returns none yet.
func NewTombs() *Tombs {
	return &Tombs{boot: BootID(), graves: make(map[removal][]grave)}
}

// Add adds what the writer of a segment has removed.
func (t *Tombs) Add(from segment.Origin, stones []segment.Tombstone) {
	for i := range stones {
		t.add(&stones[i], &from, false)
	}
}

// Carry adds what an archive carries.
func (t *Tombs) Carry(stones []segment.Tombstone) {
	for i := range stones {
		t.add(&stones[i], &stones[i].From, true)
	}
}

func (t *Tombs) add(s *segment.Tombstone, from *segment.Origin, carried bool) {
	of := removal{from.Epoch, s.Name, uint8(s.Type)}
	t.graves[of] = append(t.graves[of], grave{from, s.Time, s.Labels, carried})
}

// Empty reports whether nothing was removed.
func (t *Tombs) Empty() bool { return len(t.graves) == 0 }

// Cover is which of a segment's series were removed.
type Cover struct {
	tombs   *Tombs
	header  *segment.Header
	alive   int64
	applied map[[16]byte]int64
}

// In returns what is covered of a dead writer's segment, which said last that it lives at
// that time.
func (t *Tombs) In(h *segment.Header, alive int64) Cover { return Cover{t, h, alive, nil} }

// InArchive returns what is covered of an archive, in which tombstones of writers are up
// to the given times.
func (t *Tombs) InArchive(h *segment.Header, applied map[[16]byte]int64) Cover {
	return Cover{t, h, 0, applied}
}

// Of returns which series of a family are covered: all of them, or those with the labels.
func (c Cover) Of(f *segment.Family) (labels []string, all bool) {
	epoch := c.header.Epoch
	if f.NoEpoch {
		epoch = ""
	}
	for _, g := range c.tombs.graves[removal{epoch, f.Name, uint8(f.Type)}] {
		switch {
		case !c.covers(&g):
		case len(g.labels) == 0:
			return nil, true
		default:
			labels = append(labels, g.labels...)
		}
	}
	return labels, false
}

func (c Cover) covers(g *grave) bool {
	if c.header.Kind == segment.KindArchive {
		return !g.carried && g.time > c.applied[g.from.ID]
	}
	return g.from.ID != c.header.ID && c.tombs.diedBefore(lifetime{c.header.Boot, c.header.Start, c.alive}, g.from, g.time)
}

// lifetime is when a writer began, and when it said last that it lives.
type lifetime struct {
	boot         [16]byte
	start, alive int64
}

// diedBefore reports whether a writer that is dead was so at a removal.
func (t *Tombs) diedBefore(w lifetime, from *segment.Origin, time int64) bool {
	switch {
	case w.boot == from.Boot:
		return w.alive < time
	case from.Boot == t.boot:
		return true
	case w.boot == t.boot:
		return false
	}
	return w.start < from.Start
}

// Mourners is the writers that tombstones may have to cover yet, those of an epoch and a
// boot together. The zero Mourners has none.
type Mourners struct {
	groups  map[[2]string]lifetime
	unknown bool
}

// Add adds a writer that said last that it lives at that time.
func (m *Mourners) Add(h *segment.Header, alive int64) {
	if m.groups == nil {
		m.groups = make(map[[2]string]lifetime)
	}
	key := [2]string{h.Epoch, string(h.Boot[:])}
	l, ok := m.groups[key]
	if !ok {
		l = lifetime{h.Boot, h.Start, alive}
	}
	m.groups[key] = lifetime{l.boot, min(l.start, h.Start), min(l.alive, alive)}
}

// AddUnknown adds a writer of which nothing is known.
func (m *Mourners) AddUnknown() { m.unknown = true }

// Need reports whether a tombstone may cover what one of the writers leaves.
func (t *Tombs) Need(m *Mourners, s *segment.Tombstone) bool {
	if m.unknown {
		return true
	}
	for key, w := range m.groups {
		if key[0] == s.From.Epoch && t.diedBefore(w, &s.From, s.Time) {
			return true
		}
	}
	return false
}

package exponential

import (
	"math"
	"runtime"
	"time"

	"telltale/internal/cell"
)

// Every change of a histogram other than counting makes a new generation. This
// file makes them; the histogram's lock is held while one is made.

const fewestSlots = 4

// slotsFor returns the number of slots of a table for the given number of
// buckets.
func slotsFor(used int) int {
	slots := fewestSlots
	for !roomy(used, slots) {
		slots *= 2
	}
	return slots
}

// roomy reports whether a table with the given number of slots taken has enough
// free ones.
func roomy(used, slots int) bool { return 4*used <= 3*slots }

// begin makes the first generation, if there is none.
func (h *Histogram) begin(since int64) *generation {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g := h.current.Load(); g != nil {
		return g
	}
	s := h.nothing(since)
	return h.publish(&s, shape{fewestSlots, 1}, h.newEpoch(0, 1), 0)
}

// claim gives v's bucket a slot, and makes room if there is none. It returns the
// generation to count in. The caller repeats it until v's bucket has a slot.
func (h *Histogram) claim(g *generation, v float64) *generation {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.current.Load(); now != g {
		return now
	}
	limit := h.options.maxBuckets()
	key := keyOf(indexOf(v, g.schema()), v < 0)
	if g.used < limit && roomy(g.used+1, len(g.keys)) && g.take(key) >= 0 {
		return g
	}
	if g.used >= limit && h.resettable(g) {
		var lost Snapshot
		return h.restart(g, time.Now().UnixNano(), &lost)
	}
	var s Snapshot
	h.stop(g, &s)
	s.add(key)
	s.Limit(h.options)
	return h.publish(&s, shape{slotsFor(len(s.buckets)), int(g.lanes)}, g.epoch, g.number+1)
}

// Spread gives a histogram that counts lanes, as if writers had contended.
func (h *Histogram) Spread() {
	if h.current.Load() != nil {
		h.spread()
	}
}

// spread gives the current generation lanes, if it can have any, and returns the
// generation that is current then.
func (h *Histogram) spread() *generation {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.current.Load()
	if g.lanes > 1 {
		return g
	}
	var lanes int
	var e *epoch
	if h.given == nil {
		lanes = lanesFor(runtime.GOMAXPROCS(0))
		e = &epoch{number: g.epoch.number, first: g.epoch.first, more: cell.NewLines(lanes * line), step: line}
	} else {
		if !h.given.spread() {
			return g
		}
		lanes = len(h.given.lanes.words) / h.given.lanes.stride
		e = h.given.epoch(g.epoch.number, h.given.lanes)
	}
	var s Snapshot
	h.stop(g, &s)
	return h.publish(&s, shape{g.shape.slots, lanes}, e, g.number+1)
}

const lanesPerProc = 4

// lanesFor returns the number of lanes for writers on the given number of
// processors.
func lanesFor(procs int) int {
	lanes := 1
	for lanes < lanesPerProc*procs && lanes < mostLanes {
		lanes *= 2
	}
	return lanes
}

// resettable reports whether the histogram may be reset.
func (h *Histogram) resettable(g *generation) bool {
	return h.options.MinReset > 0 && time.Now().UnixNano()-g.since >= int64(h.options.MinReset)
}

// recovers reports whether the histogram lost resolution and may be reset to
// recover it.
func (h *Histogram) recovers(g *generation) bool {
	return (g.schema() != h.options.Schema || g.zero != h.options.ZeroThreshold) && h.resettable(g)
}

// reset resets the histogram, unless g is no longer its generation, and sets s
// to its content before.
func (h *Histogram) reset(g *generation, since int64, s *Snapshot) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current.Load() != g {
		return false
	}
	h.restart(g, since, s)
	return true
}

// restart publishes an empty generation and sets s to the content of the one
// before.
func (h *Histogram) restart(g *generation, since int64, s *Snapshot) *generation {
	h.stop(g, s)
	s.Sum = g.epoch.total()
	empty := h.nothing(since)
	slots := slotsFor(len(s.buckets))
	return h.publish(&empty, shape{slots, int(g.lanes)}, h.newEpoch(1-g.epoch.number, int(g.lanes)), g.number+1)
}

// Drain empties a histogram on the heap and sets s to its content before. An
// observation made at the same time is in s or still in the histogram, and so is
// its addition to the sum, but for a moment not always in the same.
func (h *Histogram) Drain(s *Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.current.Load()
	if g == nil {
		*s = h.nothing(0)
		return
	}
	h.stop(g, s)
	empty := h.nothing(g.since)
	h.publish(&empty, shape{fewestSlots, int(g.lanes)}, g.epoch, g.number+1)
	s.Sum = g.epoch.drain()
}

// Merge adds the content of s, and its sum, as if the histogram had counted it.
// S is changed.
func (h *Histogram) Merge(s *Snapshot) {
	h.begin(time.Now().UnixNano())
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.current.Load()
	var all Snapshot
	h.stop(g, &all)
	all.Merge(s)
	all.Limit(h.options)
	g = h.publish(&all, shape{slotsFor(len(all.buckets)), int(g.lanes)}, g.epoch, g.number+1)
	cell.AddFloat(g.epoch.first, s.Sum) // writers may add at the same time
}

// stop stops all counting in a generation and sets s to its content, without the
// sum; the content is empty if other code wrote to its words.
func (h *Histogram) stop(g *generation, s *Snapshot) {
	for lane := range int(g.lanes) {
		counts := g.ofLane(lane)
		for i := range counts {
			counts[i].Or(frozen)
		}
	}
	if g.read(s) != nil {
		*s = h.nothing(g.since)
	}
}

// nothing returns the content of an empty histogram.
func (h *Histogram) nothing(since int64) Snapshot {
	return Snapshot{Schema: h.options.Schema, ZeroThreshold: h.options.ZeroThreshold, Since: since}
}

// newEpoch returns an epoch whose sums are zero.
func (h *Histogram) newEpoch(number, lanes int) *epoch {
	e := &epoch{number: number, first: new(Word)}
	switch {
	case h.given != nil:
		e = h.given.epoch(number, h.given.lanes)
		e.clear() // of the epoch before the last
	case lanes > 1:
		e.more, e.step = cell.NewLines(lanes*line), line
	}
	return e
}

// publish makes and publishes a generation of the shape with the content of s. In
// given words the number of lanes alone follows the shape.
func (h *Histogram) publish(s *Snapshot, sh shape, e *epoch, number uint64) *generation {
	g := &generation{
		coarser: uint(MaxSchema - s.Schema), zero: s.ZeroThreshold, since: s.Since, number: number,
		lanes: uint32(sh.lanes), epoch: e,
		lowest: max(math.Float64bits(s.ZeroThreshold)+1, smallestNormal),
	}
	g.choice.Init(sh.lanes)
	if h.given == nil {
		g.over(newArea(sh), sh) // new words, in which all tags are 0
	} else {
		g.tag = number & tagMask << countBits
		g.over(h.given.area(number), h.given.shape)
		if sh.lanes > 1 {
			g.beside(h.given.lanes)
		}
		g.clear()
	}
	counts := g.counts
	if g.base != nil {
		counts = g.base
	}
	counts[zeroAt].Store(g.tag | min(s.ZeroCount, countMask))
	counts[nanAt].Store(g.tag | min(s.NaNCount, countMask))
	for _, b := range s.buckets {
		counts[g.take(b.key)].Store(g.tag | min(b.n, countMask))
	}
	if h.given != nil {
		h.given.words[generationsAt].Store(number + 1)
	}
	h.current.Store(g)
	return g
}

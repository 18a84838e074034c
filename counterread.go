package telltale

import (
	"time"

	"telltale/internal/series"
	"telltale/model"
)

// A scrape reads a counter as a point, or many counters as scalars.

// read puts the counter into the point.
func (c *Counter) read(p *model.Point, s *scratch) {
	p.Has, p.Value, p.Exemplar = model.PartTotal, c.Value(), nil
	if e := c.extra.Load(); e != nil {
		p.Exemplar, p.Created = e.exemplar.Load(), e.since(p.Created)
	}
	if p.Value >= leastToLook {
		c.tend(p.Created, s)
	}
}

// since returns when the counter began to count from 0: when it was reset, or else
// when it was created.
func (e *counterExtra) since(created model.Timestamp) model.Timestamp {
	if at := e.reset.Load(); at != 0 {
		return model.TimestampOf(time.Unix(0, at))
	}
	return created
}

// counterScalars reads counters that have no exemplar, and tends them.
func counterScalars(run []series.Slot[Counter], s *scratch) int {
	run = run[:min(len(run), len(s.scalars)-s.read)]
	plain := plainCounters(run, s)
	s.read += plain
	for i := plain; i < len(run); i++ {
		slot := &run[i]
		c, to := &slot.Handle, &s.scalars[s.read]
		to.Value, to.Labels = c.Value(), slot.Labels()
		var there bool
		if to.Created, there = slot.Created(); !there {
			continue
		}
		if e := c.extra.Load(); e != nil {
			if e.exemplar.Load() != nil {
				return i
			}
			to.Created = e.since(to.Created)
		}
		if to.Value >= leastToLook {
			c.tend(to.Created, s)
		}
		s.read++
	}
	return len(run)
}

// plainCounters reads the counters with which a run begins, as long as each holds its
// value in its own word and is too small to be tended, and returns how many. Most
// counters are so. They are read in few steps: that nothing was moved is checked once,
// after all of them.
func plainCounters(run []series.Slot[Counter], s *scratch) int {
	if len(run) == 0 || !run[0].Handle.core.moving.Never() {
		return 0
	}
	n, room := 0, s.scalars[s.read:]
	for n < len(run) {
		slot, to := &run[n], &room[n]
		c := &slot.Handle
		if c.whole() != &c.cell || c.extra.Load() != nil {
			break
		}
		v := c.cell.Load()
		to.Value, to.Labels = float64(int64(v)), slot.Labels()
		var there bool
		if to.Created, there = slot.Created(); !there || v >= leastToLook {
			break
		}
		n++
	}
	if !run[0].Handle.core.moving.Never() {
		s.used = max(s.used, s.read+n)
		return 0
	}
	return n
}

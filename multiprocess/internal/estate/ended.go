package estate

import (
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// lifeOf returns the life of a series as an archive has it.
func (f *remainingFamily) lifeOf(s *Remnant) segment.Life {
	if f.Expiry <= 0 {
		return segment.Life{Until: segment.Never}
	}
	return segment.Life{Begun: s.Begun, Until: s.Until}
}

// ends reports whether a series that one process had for itself has ended.
func ends(f *segment.Family, s *Remnant, now int64) bool {
	return f.Expiry > 0 && s.Until <= now
}

// AddTo adds the lives of all series in families whose series end.
func (r *Remains) AddTo(k *spool.Kin) {
	for _, f := range r.families {
		if !f.kin() {
			continue
		}
		for _, s := range f.series {
			k.Add(&f.Family, s.Labels, f.lifeOf(s))
		}
	}
}

// Ending asks for the families of which series end.
func (r *Remains) Ending(k *spool.Kin) {
	for _, f := range r.families {
		if f.Expiry > 0 && f.kin() {
			k.Want(&f.Family)
		}
	}
}

// kin reports whether what processes have of a series makes one.
func (f *remainingFamily) kin() bool { return isKin(&f.Family) }

func isKin(f *segment.Family) bool {
	return !f.NoEpoch && (f.Type != model.Gauge || !catalog.Modes[f.Mode].PerProcess())
}

// End drops what was counted in lives of series that are over.
func (e *Estate) End(k *spool.Kin) {
	e.drop(func(i int) bool {
		f, s := &e.Families[e.Of[i]], &e.Series[i]
		return isKin(f) && s.Until != segment.Never && s.Begun < k.Since(f, catalog.SortedLabels(s.Labels))
	})
}

// End drops what was counted in lives of series that are over, and reports whether that was
// anything.
func (r *Remains) End(k *spool.Kin) (ended bool) {
	for _, f := range r.families {
		if f.kin() && f.keep(func(s *Remnant) bool { return s.Until == segment.Never || s.Begun >= k.Since(&f.Family, s.Labels) }) {
			ended = true
		}
	}
	return ended
}

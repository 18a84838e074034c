package segsource

import (
	"time"

	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Buried returns the time of the writer's last removal, by its boot's clock; 0 if it
// has removed nothing.
func (f *File) Buried() int64 { return f.buried }

// Removed returns what the writer has removed after a time.
func (f *File) Removed(after int64) (removed []segment.Tombstone) {
	if f.buried == after {
		return nil
	}
	for _, stone := range f.removed {
		if stone.Time > after {
			removed = append(removed, stone)
		}
	}
	return removed
}

// Carried returns the tombstones of other writers that an archive carries.
func (f *File) Carried() []segment.Tombstone { return f.table.Notes().Carried }

// AskAnew makes the next update ask whether the writer lives, and reports whether it
// does so: the writer is of the epoch and only taken to live because it lived a moment
// ago, and it has neither noted that it lives nor been asked since the removal at the
// given time.
func (f *File) AskAnew(epoch string, removed int64) bool {
	if f.Own != nil || !f.Live() || f.Header().Epoch != epoch || f.alive >= removed || f.askedAt >= removed {
		return false
	}
	f.asked = time.Time{}
	return true
}

// cover returns which series of a dead writer, or of an archive, were removed.
func (f *File) cover(tombs *spool.Tombs) spool.Cover {
	if f.IsArchive() {
		return tombs.InArchive(f.Header(), f.table.Notes().Applied)
	}
	return tombs.In(f.Header(), f.alive)
}

// Hide leaves out the series of a dead writer or an archive that the tombstones cover,
// and reports whether there are any that were not left out before. Series of live
// writers stay.
func (f *File) Hide(tombs *spool.Tombs) (more bool) {
	if f.Live() || tombs.Empty() {
		return false
	}
	cover := f.cover(tombs)
	for _, r := range f.families {
		if r == nil {
			continue
		}
		labels, all := cover.Of(r.Family)
		if r.hide(labels, all) {
			more = true
		}
	}
	return more
}

// Show shows again what Hide left out.
func (f *File) Show() {
	for _, r := range f.families {
		if r != nil && r.covered != nil {
			r.covered, r.epoch = nil, -1
		}
	}
}

// hide leaves out rows of series with the labels, or all.
func (r *familyRows) hide(labels []string, all bool) (more bool) {
	removed := make(map[uint32]bool, len(labels))
	for _, text := range labels {
		if series, ok := r.claim.Family.Find(catalog.SortedLabels(text), 0); ok {
			removed[series] = true
		}
	}
	if len(removed) == 0 && !all {
		return false
	}
	for row := range r.Tenants {
		if !all && !removed[r.Tenants[row].Series] {
			continue
		}
		if r.covered == nil {
			r.covered = make([]bool, len(r.Tenants))
		}
		if !r.covered[row] {
			r.covered[row], more = true, true
		}
	}
	if more {
		r.epoch = -1 // the rows are bound anew
	}
	return more
}

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

const (
	// removedAtOnce is how many series a tombstone names at most.
	removedAtOnce = 64
	// MaxUnburied is how many tombstones wait on the heap at most until the segment can
	// grow again.
	MaxUnburied = 1 << 14
	// fewTombs is how many tombstones nobody looks after.
	fewTombs = 1 << 10
	// ManyTombs is how many of them are worth a fold.
	ManyTombs = 1 << 13
)

// tombs is what a store knows of its tombstones.
type tombs struct {
	mu       sync.Mutex
	waiting  atomic.Bool         // some are unburied
	unburied []segment.Tombstone // for which there was no room, in the order of their times
	full     bool                // no room was found since the last tick
	told     bool                // of that
	lost     bool                // of some that were dropped
	settled  int                 // how many there were when they were looked after last
}

// Forget implements [cell.Rows]: it says in the segment that the series were removed, so
// that readers and folds leave out what writers left that are dead by now.
func (r *rows) Forget(series []model.Labels) {
	for len(series) > 0 {
		n := min(len(series), removedAtOnce)
		r.bury(series[:n])
		series = series[n:]
	}
}

// ForgetAll implements [cell.Rows].
func (r *rows) ForgetAll() { r.bury(nil) }

// Bury implements [cell.Rows].
func (r *rows) Bury(row *cell.Word) (forgotten bool) {
	if in := r.file.Load(); in != nil && !r.store.tombs.waiting.Load() {
		if had, err := in.Bury(row, spool.Monotonic()); had {
			return err == nil
		}
	}
	r.Remove(row)
	return false
}

// bury says in the segment that series were removed now, all if there are none, or at a
// later tick if there is no room.
func (r *rows) bury(series []model.Labels) {
	var few [4]string
	removed := few[:0]
	for _, labels := range series {
		removed = append(removed, catalog.SortedLabels(labels.Text()))
	}
	t := segment.Tombstone{Time: spool.Monotonic(), Type: r.family.Type, Name: r.family.Name, Labels: removed}
	if r.store.tombs.waiting.Load() || r.store.segment.Bury(t) != nil {
		// Another one, so that the array above need not be on the heap.
		r.store.bury(segment.Tombstone{Time: t.Time, Type: t.Type, Name: r.family.Name, Labels: append([]string(nil), removed...)})
	}
}

// bury does so where others wait, or where it failed: behind them, so that none gets a time
// that is later than it was.
func (s *Store) bury(t segment.Tombstone) {
	b := &s.tombs
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	if len(b.unburied) == 0 {
		if err = s.buryNow(t); err == nil {
			return
		}
	}
	switch {
	case len(b.unburied) >= MaxUnburied:
		if !b.lost {
			b.lost = true
			go s.settings.Tell(fmt.Errorf("multiprocess: what ended processes left of removed series of %q, and of others, stays: there is still no room to say that they were removed", t.Name))
		}
		return
	case !b.told:
		b.told = true
		go s.settings.Tell(fmt.Errorf("multiprocess: what ended processes left of removed series of %q, and of others, is shown until there is room to say that they were removed: %w", t.Name, err))
	}
	b.unburied = append(b.unburied, t)
	b.waiting.Store(true)
}

// buryNow says what was removed. Where there are too many tombstones it looks after them,
// at most once a tick. The caller holds the lock.
func (s *Store) buryNow(t segment.Tombstone) error {
	err := s.segment.Bury(t)
	if !errors.Is(err, segment.ErrTombstones) || s.tombs.full {
		return err
	}
	s.tombs.full = true
	s.settleTombs()
	return s.segment.Bury(t)
}

// tendTombs says what could not be said before. Of series that were made again since, and
// of writers that ended since, it removes no more than it would have then: the time is that
// of the removal.
func (s *Store) tendTombs() {
	b := &s.tombs
	b.mu.Lock()
	defer b.mu.Unlock()
	b.full = false
	if n := s.segment.Tombs(); n >= fewTombs && n >= 2*b.settled {
		s.settleTombs()
	}
	for i, t := range b.unburied {
		if s.buryNow(t) != nil {
			b.unburied = b.unburied[i:]
			return
		}
	}
	b.unburied, b.told, b.lost = nil, false, false
	b.waiting.Store(false)
}

// settleTombs gives the room of tombstones to others that cover nothing any more. The
// caller holds the lock.
func (s *Store) settleTombs() {
	s.tombs.settled = s.segment.Spend(s.spent())
	if s.settings.Removed != nil && s.tombs.settled >= ManyTombs {
		s.settings.Removed()
	}
}

// spent returns up to when tombstones of this process cover nothing any more: neither what
// a dead writer of the epoch left nor what the archive has. What a fold takes up meanwhile
// is in the archive, or still there: the archive is read last.
func (s *Store) spent() (until int64) {
	until = spool.Monotonic()
	names, err := s.dir.List()
	if err != nil {
		return 0
	}
	for _, name := range names {
		if name.Kind() != spool.Writer || name == s.name {
			continue
		}
		w, err := s.dir.Look(name)
		switch {
		case err != nil && spool.Unavailable(err):
			return 0
		case w.Header == nil || w.Live || w.Header.Epoch != s.settings.Epoch:
		case w.Header.Boot != spool.BootID():
			return 0
		default:
			until = min(until, w.Alive)
		}
	}
	if applied, ok := s.applied(); ok {
		until = min(until, applied)
	}
	return until
}

// applied returns up to when tombstones of this process are in the archive, if there is
// one.
func (s *Store) applied() (until int64, ok bool) {
	file, err := s.dir.Read(spool.ArchiveName)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false
	}
	if err != nil {
		return 0, true
	}
	defer file.Close()
	b, err := spool.Begin(file)
	if err != nil {
		return 0, true
	}
	region, err := b.Map(file, b.Used)
	if err != nil {
		return 0, true
	}
	defer region.Unmap()
	fault := region.Guard(func() {
		var notes *segment.Notes
		if notes, err = segment.NotesOf(segment.Image(region.Bytes())); err == nil {
			until = notes.Applied[s.name.ID()]
		}
	})
	if fault != nil {
		return 0, true
	}
	return until, true
}

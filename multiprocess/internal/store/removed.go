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
	// fewTombs is the number of tombstones below which spent ones are not looked for.
	fewTombs = 1 << 10
	// ManyTombs is how many of them are worth a fold.
	ManyTombs = 1 << 13
)

// tombs is what a store knows of its tombstones.
type tombs struct {
	mu       sync.Mutex
	waiting  atomic.Bool         // some are unburied
	unburied []segment.Tombstone // for which there was no room, in the order of their times
	full     bool                // a tombstone found no room since the last tick
	told     bool                // the error hook was told that some are unburied
	lost     bool                // the error hook was told that some were dropped
	settled  int                 // how many were left when spent ones were looked for last
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

// bury writes a tombstone behind those that wait for room, or waits with them if there
// is none, so that none gets a time that is later than its removal.
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
			go s.settings.Tell(fmt.Errorf("multiprocess: removed series of %q and of other families stay on the page as ended processes left them: the segment still has no room to note their removal", t.Name))
		}
		return
	case !b.told:
		b.told = true
		go s.settings.Tell(fmt.Errorf("multiprocess: removed series of %q and of other families stay on the page as ended processes left them, until the segment has room to note their removal: %w", t.Name, err))
	}
	b.unburied = append(b.unburied, t)
	b.waiting.Store(true)
}

// buryNow writes a tombstone. Where there are too many it frees the room of spent ones
// first, at most once a tick. It returns the error of [segment.Writer.Bury]. The caller
// holds the lock.
func (s *Store) buryNow(t segment.Tombstone) error {
	err := s.segment.Bury(t)
	if !errors.Is(err, segment.ErrTombstones) || s.tombs.full {
		return err
	}
	s.tombs.full = true
	s.settleTombs()
	return s.segment.Bury(t)
}

// tendTombs writes the tombstones for which there was no room before. Each has the time of
// its removal, so that it covers no more than it would have covered then: no series that
// were made again since, and nothing of writers that ended since.
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

// settleTombs frees the room of tombstones that cover nothing any more for later ones, and
// calls the setting Removed if many are left. The caller holds the lock.
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
	err = b.Read(file, s.dir.MaxRead, func(c *spool.Contents) error {
		notes, err := segment.NotesOf(c)
		if err == nil {
			until = notes.Applied[s.name.ID()]
		}
		return err
	})
	if err != nil {
		return 0, true
	}
	return until, true
}

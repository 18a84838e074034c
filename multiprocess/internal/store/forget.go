package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Forget implements [cell.Rows]: it takes the series out of the segments of
// writers that are dead, and out of the archive. Nobody folds them meanwhile.
func (r *rows) Forget(series []model.Labels) {
	s := r.store
	dead, err := s.dead(0)
	if err == nil && len(dead) == 0 {
		return
	}
	err = s.withoutFolding(func() error {
		dead, err := s.dead(0) // which a fold may have changed
		wanted := make(map[string]bool, len(series))
		for _, labels := range series {
			wanted[catalog.SortedLabels(labels.Text())] = true
		}
		errs := []error{err}
		for _, name := range dead {
			errs = append(errs, s.forgetIn(name, &r.family, wanted))
		}
		return errors.Join(errs...)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.settings.Tell(fmt.Errorf("multiprocess: what ended processes left of removed series of %q stays: %w", r.family.Name, err))
	}
}

// crowd is how many names a directory has at least where dead writers are counted.
const crowd = 64

// countDead tells how many writers' segments nobody writes to any more, unless there
// are too few files for it to matter.
func (s *Store) countDead() {
	if s.settings.Crowded != nil {
		dead, _ := s.dead(crowd) // those that are known to be dead
		s.settings.Crowded(len(dead))
	}
}

// dead returns the segments that nobody writes to any more, none if the directory
// has fewer than enough names. After an error there may be others.
func (s *Store) dead(enough int) (dead []spool.Name, err error) {
	names, err := s.dir.List()
	if err != nil || len(names) < enough {
		return nil, err
	}
	unknown := 0
	var first error
	for _, name := range names {
		is := name.Kind() == spool.Archive
		if name.Kind() == spool.Writer && name != s.name {
			if is, err = s.isDead(name); err != nil && spool.Unavailable(err) { // others have nothing that is read
				first = cmp.Or(first, err)
				unknown++
			}
		}
		if is {
			dead = append(dead, name)
		}
	}
	if first != nil {
		first = fmt.Errorf("it is not known of %d segments whether their writers live: %w", unknown, first)
	}
	return dead, first
}

func (s *Store) isDead(name spool.Name) (bool, error) {
	file, err := s.dir.Read(name)
	if err != nil {
		return false, err
	}
	defer file.Close()
	locked, err := file.Locked()
	return err == nil && !locked, err
}

// patience is how long a removal waits for a fold to end.
const patience = 2 * time.Second

// withoutFolding calls do while nobody folds.
func (s *Store) withoutFolding(do func() error) error {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		lock, err := s.dir.LockFolds()
		if err != nil {
			return err
		}
		if lock != nil {
			defer func() { _ = lock.Close() }()
			return do()
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s is being folded for a long time", s.dir.Path())
		}
	}
}

// forgetIn withdraws series of a family from a segment. It changes words that are
// there, and takes no space.
func (s *Store) forgetIn(name spool.Name, f *segment.Family, wanted map[string]bool) error {
	file, err := s.dir.Write(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	b, err := spool.Begin(&file.File)
	if err == nil {
		err = spool.Fits(name, &b.Header)
	}
	if err != nil {
		return spool.NewFileError(s.dir.PathOf(name), err)
	}
	region, err := b.Map(&file.File, b.Used)
	if err != nil {
		return err
	}
	defer region.Unmap()
	image := segment.Image(region.Bytes())
	fault := region.Guard(func() { err = withdraw(image, f, wanted, file.WriteAt) })
	if err := errors.Join(fault, err); err != nil {
		return spool.NewFileError(s.dir.PathOf(name), err)
	}
	return nil
}

// withdraw withdraws the wanted series of a family from a segment, by writing the first
// words of their rows.
func withdraw(s segment.Space, family *segment.Family, wanted map[string]bool, write func([]byte, int64) (int, error)) error {
	var table segment.Table
	if _, err := table.Next(s, &wanting{wanted}, nil); err != nil {
		return err
	}
	for _, f := range table.Families() {
		if f.Name != family.Name || f.Type != family.Type {
			continue
		}
		words := f.Words()
		err := f.Stretches(s, func(rows segment.Stretch) error {
			for i, tenant := range rows.Tenants {
				row := rows.Row(i, words)
				if _, in := rows.In(i, row); !in || tenant.Series == unwanted {
					continue
				}
				if _, err := write(segment.Withdrawn(row), int64(rows.Offset)+int64(i*words*8)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// wanting is a [segment.Ledger] that numbers series by whether they are wanted.
type wanting struct{ wanted map[string]bool }

const unwanted = 0

// Family implements [segment.Ledger].
func (*wanting) Family(*segment.FamilyTable) any { return nil }

// Find implements [segment.Ledger].
func (*wanting) Find(*segment.FamilyTable, string, uint32) (uint32, bool) { return 0, false }

// Add implements [segment.Ledger].
func (w *wanting) Add(_ *segment.FamilyTable, labels string) uint32 {
	if w.wanted[catalog.SortedLabels(labels)] {
		return 1
	}
	return unwanted
}

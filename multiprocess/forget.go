package multiprocess

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/segment"
)

// Forget implements [cell.Rows]: it takes the series out of the segments of
// writers that are dead, and out of the archive. Nobody folds them meanwhile.
func (r *rows) Forget(series []model.Labels) {
	s := r.store
	names, err := entries(s.dir)
	if err == nil && len(s.dead(names)) == 0 {
		return
	}
	err = s.withoutFolding(func() error {
		names, err := entries(s.dir) // which a fold may have changed
		if err != nil {
			return err
		}
		wanted := make(map[string]bool, len(series))
		for _, labels := range series {
			wanted[sortedLabels(labels.Text())] = true
		}
		var errs []error
		for _, name := range s.dead(names) {
			errs = append(errs, forgetIn(filepath.Join(s.dir, name), &r.family, wanted))
		}
		return errors.Join(errs...)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.settings.tell(fmt.Errorf("multiprocess: what ended processes left of removed series of %q stays: %w", r.family.Name, err))
	}
}

// countDead returns how many writers' segments nobody writes to any more, unless
// there are too few files for it to matter.
func (s *Store) countDead() int {
	names, err := entries(s.dir)
	if err != nil || len(names) < foldThreshold {
		return 0
	}
	return len(s.dead(names))
}

// dead returns which of the names are segments that nobody writes to any more.
func (s *Store) dead(names []string) (dead []string) {
	for _, name := range names {
		switch {
		case name == archiveName:
			dead = append(dead, name)
		case isWriterName(name) && name != s.name:
			if alive, err := mapped.Probe(filepath.Join(s.dir, name)); err == nil && !alive {
				dead = append(dead, name)
			}
		}
	}
	return dead
}

// patience is how long a removal waits for a fold to end.
const patience = 2 * time.Second

// withoutFolding calls do while nobody folds.
func (s *Store) withoutFolding(do func() error) error {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		lock, err := lockFolding(s.dir)
		if err != nil {
			return err
		}
		if lock != nil {
			defer func() { _ = lock.Close() }()
			return do()
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s is being folded for a long time", s.dir)
		}
	}
}

// forgetIn withdraws series of a family from a segment.
func forgetIn(path string, f *segment.Family, wanted map[string]bool) error {
	file, err := mapped.OpenWritable(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	size := int(info.Size) / os.Getpagesize() * os.Getpagesize()
	if size == 0 {
		return nil
	}
	data, err := file.Extend(0, size)
	if err != nil {
		return err
	}
	defer file.Unmap()
	var reader segment.Reader
	in := &forgetting{space: memory(data), family: f, wanted: wanted}
	if err := reader.Next(in.space, in); err != nil {
		return fileError(path, err)
	}
	return nil
}

// forgetting walks a segment and withdraws what is wanted.
type forgetting struct {
	space  segment.Space
	family *segment.Family
	wanted map[string]bool
	places segment.Places
}

// Family implements [segment.Contents].
func (*forgetting) Family(*segment.Family) error { return nil }

// Block implements [segment.Contents].
func (w *forgetting) Block(f *segment.Family, offset uint64, rows uint32) error {
	w.places.Add(f, offset, rows)
	return nil
}

// Series implements [segment.Contents].
func (w *forgetting) Series(f *segment.Family, row uint32, generation uint8, s segment.Series) error {
	if f.Name != w.family.Name || f.Type != w.family.Type || !w.wanted[sortedLabels(s.Labels)] {
		return nil
	}
	first := w.places.Row(w.space, f, row)
	if is, _, live := segment.State(first); live && is == generation {
		segment.Withdraw(first)
	}
	return nil
}

// Absorbed implements [segment.Contents].
func (*forgetting) Absorbed(string) error { return nil }

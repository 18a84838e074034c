package multiprocess

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"telltale/internal/cell"
	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/segment"
)

// Forget implements [cell.Rows]: it takes the series out of the segments of
// writers that are dead, and out of the archive. Nobody folds them meanwhile.
func (r *rows) Forget(series []model.Labels) {
	s := r.store
	names, err := s.dead()
	if err == nil && len(names) == 0 {
		return
	}
	err = s.withoutFolding(func() error {
		names, err := s.dead() // which a fold may have changed
		if err != nil {
			return err
		}
		wanted := make(map[string]bool, len(series))
		for _, labels := range series {
			wanted[labels.Sorted().Text()] = true
		}
		var errs []error
		for _, name := range names {
			errs = append(errs, forgetIn(filepath.Join(s.dir, name), &r.family, wanted))
		}
		return errors.Join(errs...)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.settings.tell(fmt.Errorf("multiprocess: what ended processes left of removed series of %q stays: %w", r.family.Name, err))
	}
}

// countDead returns how many writers' segments nobody writes to any more, unless
// there are too few segments for it to matter.
func (s *Store) countDead() int {
	names, err := entries(s.dir)
	if err != nil || len(names) < foldThreshold {
		return 0
	}
	names, _ = s.dead()
	return len(names)
}

// dead returns the names of the segments that nobody writes to any more.
func (s *Store) dead() (names []string, err error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		if name == archiveName {
			names = append(names, name)
		}
		if !isWriterName(name) || name == s.name {
			continue
		}
		if alive, err := mapped.Probe(filepath.Join(s.dir, name)); err == nil && !alive {
			names = append(names, name)
		}
	}
	return names, nil
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
	in := &forgetting{space: bytesSpace(data), family: f, wanted: wanted}
	if err := reader.Next(in.space, in); err != nil {
		return fileError(path, err)
	}
	return nil
}

// bytesSpace is a segment that lies in one piece.
type bytesSpace []byte

// Bytes implements [segment.Space].
func (b bytesSpace) Bytes(offset, n uint64) []byte {
	if offset > uint64(len(b)) || n > uint64(len(b))-offset {
		return nil
	}
	return b[offset : offset+n : offset+n]
}

// forgetting walks a segment and withdraws what is wanted.
type forgetting struct {
	space  segment.Space
	family *segment.Family
	wanted map[string]bool
	blocks map[*segment.Family][]writableBlock
}

type writableBlock struct {
	first *cell.Word
	from  uint32
	rows  uint32
}

// Family implements [segment.Contents].
func (*forgetting) Family(*segment.Family) error { return nil }

// Block implements [segment.Contents].
func (w *forgetting) Block(f *segment.Family, offset uint64, rows uint32) error {
	if f.Name != w.family.Name || f.Type != w.family.Type || rows == 0 {
		return nil
	}
	if w.blocks == nil {
		w.blocks = make(map[*segment.Family][]writableBlock)
	}
	blocks := w.blocks[f]
	from := uint32(0)
	if n := len(blocks); n > 0 {
		from = blocks[n-1].from + blocks[n-1].rows
	}
	first := segment.WordAt(w.space.Bytes(offset, uint64(rows)*uint64(f.Words())*8), 0)
	w.blocks[f] = append(blocks, writableBlock{first, from, rows})
	return nil
}

// Series implements [segment.Contents].
func (w *forgetting) Series(f *segment.Family, row uint32, generation uint8, s segment.Series) error {
	blocks := w.blocks[f]
	if len(blocks) == 0 || !w.wanted[model.LabelsFromText(s.Labels).Sorted().Text()] {
		return nil
	}
	for i := len(blocks) - 1; i >= 0; i-- {
		if b := blocks[i]; row >= b.from {
			first := cell.At(b.first, int(row-b.from)*f.Words())
			if is, _, live := segment.State(first); live && is == generation {
				segment.Withdraw(first)
			}
			break
		}
	}
	return nil
}

// Absorbed implements [segment.Contents].
func (*forgetting) Absorbed(string) error { return nil }

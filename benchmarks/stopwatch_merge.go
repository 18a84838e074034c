package main

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// errEmpty says that a merge found nothing, and so did not do its work.
var errEmpty = errors.New("nothing was merged")

// merged turns a collection into one that fails if it found nothing.
func merged(collect func() (samples int, err error)) func() error {
	return func() error {
		samples, err := collect()
		if err == nil && samples == 0 {
			err = errEmpty
		}
		return err
	}
}

// firstMerge measures a merge by somebody who knows nothing of the files yet.
func firstMerge(s *stand) (sample, error) {
	if s.subject.collector == nil {
		return sample{}, errNotOffered
	}
	return timed(s.budget, repeated(s.subject.mergeAnew))
}

// mergeAnew merges as the first collection of a new collector does.
func (s *subject) mergeAnew() error {
	collect, err := s.collector()
	if err != nil {
		return err
	}
	return merged(collect)()
}

// laterMerge measures a merge of files that were merged before, twice: a reader
// may map them the second time.
func laterMerge(s *stand) (sample, error) {
	if s.subject.collector == nil {
		return sample{}, errNotOffered
	}
	collect, err := s.subject.collector()
	if err != nil {
		return sample{}, err
	}
	once := merged(collect)
	if s.subject.growth == nil { // who is asked for it merges all anew each time
		if err := errors.Join(once(), once()); err != nil {
			return sample{}, err
		}
	}
	return timed(s.budget, repeated(once))
}

// mergeGrowth measures by how many bytes the process that merges for the first
// time grows; mapped files are not its own.
func mergeGrowth(s *stand) (sample, error) {
	switch {
	case s.subject.growth != nil:
		bytes, err := s.subject.growth()
		return sample{Value: bytes}, err
	case s.subject.collector != nil:
		return growthDuring(s.subject.mergeAnew)
	}
	return sample{}, errNotOffered
}

// storedBytes tells how many bytes files take on the disk, by series.
func storedBytes(s *stand) (sample, error) {
	if s.subject.stored == "" {
		return sample{}, errNotOffered
	}
	var total sample
	err := filepath.WalkDir(s.subject.stored, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total.Value += float64(allocated(info))
		}
		return err
	})
	return total.per(s.task.total()), err
}

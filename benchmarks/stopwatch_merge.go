package main

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// errEmpty is the error of a merge that found nothing.
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

// firstMerge measures a merge by a collector that has read no file yet.
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
	if s.subject.growth == nil { // the peer merges all files anew each time
		if err := errors.Join(once(), once()); err != nil {
			return sample{}, err
		}
	}
	return timed(s.budget, repeated(once))
}

// mergeGrowth measures by how many bytes the process that merges for the first
// time grows, without mapped files.
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

// storedBytes measures the bytes of the disk that files take, per series.
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

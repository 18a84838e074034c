package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// shared sets up work about processes that count side by side.
func (p telltalePeer) shared(t task) (*subject, error) {
	switch t.kind {
	case pythonFiles:
		dir, err := pythonDirectory(t, newestLayout)
		if err != nil {
			return nil, err
		}
		return mergeSubject(dir, nil), nil
	case segments:
		dir, w, err := startWriters(t, true)
		if err != nil {
			return nil, err
		}
		return mergeSubject(dir, w.end), nil
	case foldedSegments:
		return p.folded(t)
	case storedCounters:
		return p.stored(func(reg *telltale.Registry) error { return p.fillCounters(reg, t) })
	case storedHistograms:
		return p.stored(func(reg *telltale.Registry) error { return p.fillHistograms(reg, t) })
	default:
		return nil, errNotOffered
	}
}

// folded folds what the task's writers have left.
func (telltalePeer) folded(t task) (*subject, error) {
	dir, w, err := startWriters(t, false)
	if err != nil {
		return nil, err
	}
	s := mergeSubject(dir, nil)
	err = w.end()
	if err == nil {
		err = foldAll(dir, t.writers)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// foldAll folds a directory, in which the given number of files must be absorbed.
func foldAll(dir string, files int) error {
	report, err := multiprocess.Fold(context.Background(), dir)
	if err == nil && len(report.Absorbed) != files {
		err = fmt.Errorf("%d of %d files were folded", len(report.Absorbed), files)
	}
	return errors.Join(err, age(dir))
}

// stored fills a store.
func (telltalePeer) stored(fill func(*telltale.Registry) error) (*subject, error) {
	dir, err := inMemory()
	if err != nil {
		return nil, err
	}
	return onStore(dir, func(reg *telltale.Registry) (*subject, error) { return &subject{stored: dir}, fill(reg) })
}

// mergeSubject merges a directory, which is deleted in the end.
func mergeSubject(dir string, end func() error) *subject {
	return &subject{
		collector: func() (func() (int, error), error) {
			c, err := multiprocess.NewCollector(dir, multiprocess.WithoutFolding())
			return func() (int, error) { return countSamples(c) }, err
		},
		close: func() (err error) {
			if end != nil {
				err = end()
			}
			return errors.Join(err, os.RemoveAll(dir))
		},
	}
}

// countSamples collects and counts what a page would have.
func countSamples(c telltale.Collector) (samples int, err error) {
	var scratch model.Point
	err = c.Collect(context.Background(), func(f *model.Family) error {
		return f.Visit(&scratch, func(p *model.Point) error {
			switch f.Type {
			case model.Histogram:
				samples += len(p.Histogram.Cumulative) + 2
			case model.Summary:
				samples += 2
			default:
				samples++
			}
			return nil
		})
	})
	return samples, err
}

package main

import (
	"errors"
	"os"
	"slices"

	"telltale"
	"telltale/multiprocess"
)

// storePeer is telltale counting in files that other processes see.
type storePeer struct {
	called    string
	directory func() (string, error) // makes one
}

func (p storePeer) name() string { return p.called }

func (p storePeer) prepare(t task) (*subject, error) {
	if !slices.Contains(countingKinds, t.kind) {
		return nil, errNotOffered
	}
	dir, err := p.directory()
	if err != nil {
		return nil, err
	}
	s, err := onStore(dir, func(reg *telltale.Registry) (*subject, error) { return telltalePeer{}.prepareOn(reg, t) })
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// onStore sets up what works on a registry with a store in the directory, which
// is deleted in the end.
func onStore(dir string, prepare func(*telltale.Registry) (*subject, error)) (*subject, error) {
	store, err := multiprocess.Open(dir)
	if err != nil {
		return nil, err
	}
	s, err := prepare(telltale.NewRegistry(telltale.WithStore(store), telltale.WithFamilySeriesLimit(0)))
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	s.close = func() error { return errors.Join(store.Close(), os.RemoveAll(dir)) }
	return s, nil
}

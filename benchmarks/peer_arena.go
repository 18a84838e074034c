package main

import (
	"bytes"
	"sync/atomic"
)

// arenaPeer is the floor with the text of all series in one arena.
type arenaPeer struct{}

func (arenaPeer) name() string { return arenaName }

func (p arenaPeer) prepare(t task) (*subject, error) {
	switch t.kind {
	case counters:
		return p.fillCounters(t).subject(), nil
	case histograms:
		return p.fillHistograms(t).subject(), nil
	default:
		return nil, errNotOffered
	}
}

func (arenaPeer) fillCounters(t task) *pages {
	p := newPages()
	for family, name := range counterNames(t) {
		one := &arenaCounters{
			header: header(name, counterHelp, "counter"),
			ends:   make([]uint32, t.series),
			cells:  make([]atomic.Uint64, t.series),
		}
		for i := range t.series {
			one.arena = append(appendSeries(one.arena, name, labelsOf(i)), "} "...)
			one.ends[i] = uint32(len(one.arena))
			one.cells[i].Store(counterValue(family*t.series + i))
		}
		one.arena = bytes.Clone(one.arena) // without the room for growth
		p.add(name, one)
	}
	return p
}

func (arenaPeer) fillHistograms(t task) *pages {
	one := &arenaHistograms{
		header: header(histogramName, histogramHelp, "histogram"),
		ends:   make([][samplesPerHistogram]uint32, t.series),
		cells:  make([]floorHistogram, t.series),
	}
	for i := range t.series {
		prefixes := histogramPrefixes(labelsOf(i))
		for line, prefix := range prefixes {
			one.arena = append(one.arena, prefix...)
			one.ends[i][line] = uint32(len(one.arena))
		}
		for j := range observationsPerHistogram {
			one.cells[i].observe(observationOf(i, j))
		}
	}
	one.arena = bytes.Clone(one.arena)
	p := newPages()
	p.add(histogramName, one)
	return p
}

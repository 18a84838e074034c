package main

import (
	"bytes"
	"math"
	"sync/atomic"
)

// arenaPeer is the floor with the text of all series in one arena.
type arenaPeer struct{}

func (arenaPeer) name() string { return arenaName }

func (p arenaPeer) prepare(t task) (*subject, error) {
	switch t.kind {
	case counters:
		if t.lifetimes != "" {
			return nil, errNotOffered
		}
		return p.fillCounters(t).subject(), nil
	case gauges:
		return p.fillGauges(t).subject(), nil
	case histograms:
		return p.fillHistograms(t).subject(), nil
	default:
		return nil, errNotOffered
	}
}

func (arenaPeer) fillCounters(t task) *pages {
	p := newPages()
	for family, name := range counterNames(t) {
		one := newArenaValues(header(name, counterHelp, "counter"), name, t.series)
		for i := range t.series {
			one.cells[i].Store(counterValue(family*t.series + i))
		}
		p.add(name, one)
	}
	return p
}

func (arenaPeer) fillGauges(t task) *pages {
	one := newArenaValues(header(gaugeName, counterHelp, "gauge"), gaugeName, t.series)
	one.floats = true
	for i := range t.series {
		one.cells[i].Store(math.Float64bits(gaugeValue(i)))
	}
	p := newPages()
	p.add(gaugeName, one)
	return p
}

// newArenaValues lays the text of a family out; its cells are 0.
func newArenaValues(header, name string, series int) *arenaValues {
	one := &arenaValues{header: header, ends: make([]uint32, series), cells: make([]atomic.Uint64, series)}
	for i := range series {
		one.arena = append(appendSeries(one.arena, name, labelsOf(i)), "} "...)
		one.ends[i] = uint32(len(one.arena))
	}
	one.arena = bytes.Clone(one.arena) // without the room for growth
	return one
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

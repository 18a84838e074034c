package main

import (
	"hash/maphash"
	"math/bits"
	"strings"
	"sync/atomic"
)

// tablePeer is the floor of looking a series up by label values: an immutable
// open-addressing table behind an atomic pointer, which compares whole values.
type tablePeer struct{}

func (tablePeer) name() string { return tableName }

func (p tablePeer) prepare(t task) (*subject, error) {
	switch t.kind {
	case labelledInc, labelledTypedInc:
		return &subject{repeat: p.labelled(t.series)}, nil
	default:
		return nil, errNotOffered
	}
}

func (tablePeer) labelled(series int) func(worker, n int) error {
	var table atomic.Pointer[openTable]
	table.Store(newOpenTable(labelSets(series)))
	sets := lookups(series)
	return func(worker, n int) error {
		at := startOf(worker, len(sets))
		for range n {
			table.Load().find(&sets[at]).Add(1)
			if at++; at == len(sets) {
				at = 0
			}
		}
		return nil
	}
}

// openTable finds series by linear probing.
type openTable struct {
	seed  maphash.Seed
	slots []*openSeries // a power of two of them, half of them or more nil
}

type openSeries struct {
	hash   uint64
	values labelValues
	cell   atomic.Uint64
}

func newOpenTable(sets []labelValues) *openTable {
	t := &openTable{
		seed:  maphash.MakeSeed(),
		slots: make([]*openSeries, 1<<bits.Len(uint(2*len(sets)))),
	}
	for _, values := range sets {
		s := &openSeries{hash: t.hash(&values)}
		for i, value := range values {
			s.values[i] = strings.Clone(value)
		}
		at := s.hash & uint64(len(t.slots)-1)
		for t.slots[at] != nil {
			at = (at + 1) & uint64(len(t.slots)-1)
		}
		t.slots[at] = s
	}
	return t
}

func (t *openTable) hash(values *labelValues) uint64 {
	h := uint64(0)
	for i := range values {
		h = bits.RotateLeft64(h, 21) ^ maphash.String(t.seed, values[i])
	}
	return h
}

// find returns the cell of a series, nil if there is none.
func (t *openTable) find(values *labelValues) *atomic.Uint64 {
	hash := t.hash(values)
	mask := uint64(len(t.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		switch s := t.slots[at]; {
		case s == nil:
			return nil
		case s.hash == hash && s.values == *values:
			return &s.cell
		}
	}
}

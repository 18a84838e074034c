package main

import (
	"math"
	"os"
	"sync"
	"sync/atomic"
)

// floorPeer is the bare standard library: an atomic word, a map of structs
// under a lock, an append of prepared bytes.
//
// The methods that return a loop are not inlined: in the copy of a closure that
// inlining its maker leaves behind, the compiler inlines no further, so that each
// atomic instruction would become a call. TestFloorsCallNoAtomics looks for that.
type floorPeer struct{}

func (floorPeer) name() string { return floorName }

func (p floorPeer) prepare(t task) (*subject, error) {
	switch t.kind {
	case counterInc:
		return &subject{repeat: p.inc()}, nil
	case counterAdd:
		return &subject{repeat: p.add(0.5)}, nil
	case gaugeSet:
		return &subject{repeat: p.set()}, nil
	case gaugeAdd:
		return &subject{repeat: p.add(1.5)}, nil
	case labelledInc, labelledTypedInc:
		return &subject{repeat: p.labelled(t.series)}, nil
	case newSeries:
		return &subject{repeat: p.labelledFresh(labelSets(t.series))}, nil
	case histogramObserve:
		return &subject{repeat: p.observe()}, nil
	case summaryObserve:
		return &subject{repeat: p.summarize()}, nil
	case registration:
		return &subject{repeat: p.register(t)}, nil
	case counters:
		if t.lifetimes != "" {
			return nil, errNotOffered
		}
		return p.fillCounters(t).subject(), nil
	case gauges:
		return p.fillGauges(t).subject(), nil
	case histograms:
		return p.fillHistograms(t).subject(), nil
	case writtenCounters, writtenInShards:
		return p.compressing(t)
	case pythonFiles:
		return p.merging(t)
	default:
		return nil, errNotOffered
	}
}

// merging sums the files up anew each time.
func (floorPeer) merging(t task) (*subject, error) {
	dir, err := pythonDirectory(t, newestLayout)
	if err != nil {
		return nil, err
	}
	sum := func() (int, error) { return sumByKey(dir) }
	return &subject{
		collector: func() (func() (int, error), error) { return sum, nil },
		close:     func() error { return os.RemoveAll(dir) },
	}, nil
}

// addFloat adds to a float64 kept as bits in an atomic word.
func addFloat(word *atomic.Uint64, v float64) {
	for {
		old := word.Load()
		if word.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

//go:noinline
func (floorPeer) inc() func(worker, n int) error {
	word := new(atomic.Uint64)
	return func(_, n int) error {
		for range n {
			word.Add(1)
		}
		return nil
	}
}

//go:noinline
func (floorPeer) add(v float64) func(worker, n int) error {
	word := new(atomic.Uint64)
	return func(_, n int) error {
		for range n {
			addFloat(word, v)
		}
		return nil
	}
}

//go:noinline
func (floorPeer) set() func(worker, n int) error {
	word := new(atomic.Uint64)
	return func(_, n int) error {
		for i := range n {
			word.Store(math.Float64bits(float64(i)))
		}
		return nil
	}
}

// lockedMap is the floor of a labelled family: lookups under a read lock,
// creation under the write lock.
type lockedMap struct {
	mu     sync.RWMutex
	cells  map[labelValues]*atomic.Uint64
	series []plainSeries
}

func newLockedMap() *lockedMap { return &lockedMap{cells: make(map[labelValues]*atomic.Uint64)} }

func (m *lockedMap) with(values *labelValues) *atomic.Uint64 {
	m.mu.RLock()
	cell, ok := m.cells[*values]
	m.mu.RUnlock()
	if !ok {
		return m.create(values)
	}
	return cell
}

func (m *lockedMap) create(values *labelValues) *atomic.Uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cell, ok := m.cells[*values]; ok {
		return cell
	}
	cell := new(atomic.Uint64)
	m.cells[*values] = cell
	m.series = append(m.series, plainSeries{seriesName(counterName(0), *values), cell})
	return cell
}

func (floorPeer) labelled(series int) func(worker, n int) error {
	m := newLockedMap()
	for _, values := range labelSets(series) {
		m.with(&values)
	}
	sets := lookups(series)
	return func(worker, n int) error {
		at := startOf(worker, len(sets))
		for range n {
			m.with(&sets[at]).Add(1)
			if at++; at == len(sets) {
				at = 0
			}
		}
		return nil
	}
}

//go:noinline
func (floorPeer) labelledFresh(sets []labelValues) func(worker, n int) error {
	m := newLockedMap()
	return func(_, n int) error {
		for i := range n {
			m.with(&sets[i]).Add(1)
		}
		return nil
	}
}

//go:noinline
func (floorPeer) observe() func(worker, n int) error {
	h := new(floorHistogram)
	return func(worker, n int) error {
		mask := len(observations) - 1
		for i := startOf(worker, len(observations)); n > 0; i, n = i+1, n-1 {
			h.observe(observations[i&mask])
		}
		return nil
	}
}

//go:noinline
func (floorPeer) summarize() func(worker, n int) error {
	summary := new(struct{ count, sum atomic.Uint64 })
	return func(worker, n int) error {
		mask := len(observations) - 1
		for i := startOf(worker, len(observations)); n > 0; i, n = i+1, n-1 {
			summary.count.Add(1)
			addFloat(&summary.sum, observations[i&mask])
		}
		return nil
	}
}

//go:noinline
func (floorPeer) register(t task) func(worker, n int) error {
	var mu sync.Mutex
	registered := make(map[string]*atomic.Uint64)
	for _, name := range counterNames(t) {
		registered[name] = new(atomic.Uint64)
	}
	return func(_, n int) error {
		const name = "another_total"
		cell := new(atomic.Uint64)
		for range n {
			mu.Lock()
			registered[name] = cell
			mu.Unlock()
			mu.Lock()
			delete(registered, name)
			mu.Unlock()
		}
		return nil
	}
}

func (floorPeer) fillCounters(t task) *pages {
	p := newPages()
	for family, name := range counterNames(t) {
		one := &plainValues{header: header(name, counterHelp, "counter"), series: make([]plainSeries, t.series)}
		for i := range one.series {
			one.series[i] = newPlainSeries(name, i, counterValue(family*t.series+i))
		}
		p.add(name, one)
	}
	return p
}

func (floorPeer) fillGauges(t task) *pages {
	one := &plainValues{header: header(gaugeName, counterHelp, "gauge"), series: make([]plainSeries, t.series), floats: true}
	for i := range one.series {
		one.series[i] = newPlainSeries(gaugeName, i, math.Float64bits(gaugeValue(i)))
	}
	p := newPages()
	p.add(gaugeName, one)
	return p
}

func newPlainSeries(name string, i int, value uint64) plainSeries {
	cell := new(atomic.Uint64)
	cell.Store(value)
	return plainSeries{prefix: seriesName(name, labelsOf(i)) + " ", cell: cell}
}

func (floorPeer) fillHistograms(t task) *pages {
	one := &plainHistograms{header: header(histogramName, histogramHelp, "histogram")}
	for i := range t.series {
		h := &plainHistogram{prefixes: histogramPrefixes(labelsOf(i))}
		for j := range observationsPerHistogram {
			h.cells.observe(observationOf(i, j))
		}
		one.series = append(one.series, h)
	}
	p := newPages()
	p.add(histogramName, one)
	return p
}

// shardedPeer is the floor of counting from many goroutines: a word for each,
// a cache line apart.
type shardedPeer struct{}

func (shardedPeer) name() string { return shardedName }

func (p shardedPeer) prepare(t task) (*subject, error) {
	if t.kind != counterInc {
		return nil, errNotOffered
	}
	return &subject{repeat: p.inc()}, nil
}

//go:noinline
func (shardedPeer) inc() func(worker, n int) error {
	shards := make([]struct {
		word atomic.Uint64
		_    [120]byte // two lines: processors fetch them in pairs
	}, 64)
	return func(worker, n int) error {
		word := &shards[worker%len(shards)].word
		for range n {
			word.Add(1)
		}
		return nil
	}
}

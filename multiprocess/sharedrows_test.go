//go:build unix

package multiprocess_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// Segments that gave out their rows alike are read together, and others beside them by
// themselves: whichever series a process makes or removes, and whenever, the page has what
// all of them have, for a collector that goes on and for one that begins.
func TestProcessesThatMakeTheSameSeriesOrOthers(t *testing.T) {
	dir := sharedDir(t)
	random := rand.New(rand.NewPCG(7, 1))
	families := []segment.Family{
		{Name: "c", Type: model.Counter}, {Name: "each", Type: model.Gauge, Mode: 5}, {Name: "sum", Type: model.Gauge, Mode: 3},
	}
	type process struct {
		*writer
		pid    int
		rows   []rows
		series []map[string]*cell.Word // by family, by labels
		made   []int                   // by family, how many of the series that all make
	}
	began := 0
	start := func() *process {
		began++
		p := &process{writer: begin(t, dir, segment.Header{Start: int64(began), PID: uint64(began)}), pid: began, made: make([]int, len(families))}
		for _, f := range families {
			p.rows, p.series = append(p.rows, p.family(f)), append(p.series, make(map[string]*cell.Word))
		}
		return p
	}
	processes := make([]*process, 5)
	for i := range processes {
		processes[i] = start()
	}
	left := make(map[string]float64) // by those that have ended
	value := func(family int, first *cell.Word) float64 {
		if family == 0 {
			return float64(first.Load())
		}
		return cell.LoadFloat(first)
	}
	want := func() map[string]float64 {
		page := maps.Clone(left)
		for _, p := range processes {
			for labels, first := range p.series[0] {
				page["c_total{"+labels+"}"] += value(0, first)
			}
			for labels, first := range p.series[1] {
				page[fmt.Sprintf("each{%s,pid=\"%d\"}", labels, p.pid)] = value(1, first)
			}
			for labels, first := range p.series[2] {
				page["sum{"+labels+"}"] += value(2, first)
			}
		}
		return page
	}
	lasting := collector(t, dir, multiprocess.WithoutFolding())
	for step := range 250 {
		p := processes[random.IntN(len(processes))]
		i := random.IntN(len(families))
		add := func(labels string) {
			first := p.rows[i].add(labels)
			if p.series[i][labels] = first; i == 0 {
				first.Store(uint64(random.IntN(100)))
			} else {
				cell.StoreFloat(first, float64(random.IntN(100)))
			}
		}
		switch n := random.IntN(40); {
		case n == 0: // a process ends, and another one begins
			at := random.IntN(len(processes))
			old := processes[at]
			for i, name := range map[int]string{0: "c_total", 2: "sum"} {
				for labels, first := range old.series[i] {
					left[name+"{"+labels+"}"] += value(i, first)
				}
			}
			old.die()
			processes[at] = start()
		case n == 1:
			mustFold(t, dir)
		case n < 5: // a series that others do not make, or not then
			add(fmt.Sprintf(`a="%d"`, 1000+random.IntN(5)*1000+step))
		case n < 8 && len(p.series[i]) > 0: // a series is removed, and its row another one's
			all := slices.Sorted(maps.Keys(p.series[i]))
			labels := all[random.IntN(len(all))]
			p.rows[i].Remove(p.series[i][labels])
			delete(p.series[i], labels)
			for range 10 {
				p.Tick()
			}
			add(fmt.Sprintf(`a="removed %d"`, step))
		default:
			for range 1 + random.IntN(8) {
				add(fmt.Sprintf(`a="%d"`, p.made[i]))
				p.made[i]++
			}
		}
		if random.IntN(3) == 0 {
			continue
		}
		for name, c := range map[string]model.Collector{"lasting": lasting, "another": collector(t, dir, multiprocess.WithoutFolding())} {
			page := make(map[string]float64)
			for _, f := range collect(t, c) {
				for s := range f.Samples() {
					page[s.Name+s.Labels.String()] = s.Value
				}
			}
			if want := want(); !maps.Equal(page, want) {
				t.Fatalf("step %d, the %s collector gives\n%v\nnot\n%v", step, name, page, want)
			}
		}
	}
	if began < 10 {
		t.Errorf("%d processes began", began)
	}
}

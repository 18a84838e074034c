package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// result holds the samples of one peer in one row, one for each round; none if
// the peer does not offer the work.
type result struct {
	row     row
	peer    string
	samples []sample
}

// stage is a run of rows that share a task, and so a setup.
type stage struct {
	task task
	rows []row
}

// title lists the stage's rows.
func (s stage) title() string {
	names := make([]string, len(s.rows))
	for i, r := range s.rows {
		names[i] = r.name
	}
	return strings.Join(names, ", ")
}

// stagesOf groups rows by task, in the order in which the tasks first appear.
func stagesOf(rows []row) []stage {
	var stages []stage
	at := make(map[task]int)
	for _, r := range rows {
		i, ok := at[r.task]
		if !ok {
			i = len(stages)
			at[r.task] = i
			stages = append(stages, stage{task: r.task})
		}
		stages[i].rows = append(stages[i].rows, r)
	}
	return stages
}

// run measures all rows with all peers, in rounds, and reports progress.
func (p plan) run(rows []row, peers []peer, progress io.Writer) ([]result, error) {
	taken := make(map[string]map[string][]sample) // by row, by peer
	for _, r := range rows {
		taken[r.name] = make(map[string][]sample)
	}
	stages := stagesOf(rows)
	for i, s := range stages {
		start := time.Now()
		rounds, err := p.runStage(s, peers, taken)
		if err != nil {
			return nil, err
		}
		if _, err := fmt.Fprintf(progress, "%d/%d %s: rounds %d, %.1fs\n",
			i+1, len(stages), s.title(), rounds, time.Since(start).Seconds()); err != nil {
			return nil, err
		}
	}
	var results []result
	for _, r := range rows {
		for _, one := range peers {
			results = append(results, result{r, one.name(), taken[r.name][one.name()]})
		}
	}
	return results, nil
}

// runStage goes round the peers until the rounds or the time are used up.
func (p plan) runStage(s stage, peers []peer, taken map[string]map[string][]sample) (rounds int, err error) {
	start := time.Now()
	for rounds < p.rounds {
		elapsed := time.Since(start)
		if rounds > 0 && elapsed > p.stage && (rounds >= fewestRounds || elapsed > patience*p.stage) {
			break
		}
		for i := range peers { // each round begins with another peer, so that no peer always follows the same one
			one := peers[(rounds+i)%len(peers)]
			if err := p.visit(s, one, taken); err != nil {
				return rounds, fmt.Errorf("%s by %s: %w", s.title(), one.name(), err)
			}
		}
		rounds++
	}
	return rounds, s.even(taken, rounds)
}

// even checks that all peers with figures in a row have figures of all rounds:
// medians of different rounds cannot be compared.
func (s stage) even(taken map[string]map[string][]sample, rounds int) error {
	for _, r := range s.rows {
		for peer, samples := range taken[r.name] {
			if len(samples) != 0 && len(samples) != rounds {
				return fmt.Errorf("%s by %s: %d of %d rounds measured", r.name, peer, len(samples), rounds)
			}
		}
	}
	return nil
}

// visit sets the stage's task up for one peer and measures its rows once.
func (p plan) visit(s stage, one peer, taken map[string]map[string][]sample) (err error) {
	settle()
	before := heapNow()
	prepared, err := one.prepare(s.task)
	if errors.Is(err, errNotOffered) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, prepared.release()) }()
	settle()
	after := heapNow()
	ready := &stand{
		task:    s.task,
		subject: prepared,
		live:    sample{Value: after.Value - before.Value, Allocs: after.Allocs - before.Allocs, Bytes: after.Value - before.Value},
		budget:  p.sample,
		renew:   func() (*subject, error) { return one.prepare(s.task) },
	}
	for _, r := range s.rows {
		got, err := r.watch(ready)
		if errors.Is(err, errNotOffered) {
			continue
		}
		if err != nil {
			return err
		}
		taken[r.name][one.name()] = append(taken[r.name][one.name()], got)
	}
	return nil
}

// heapNow is the heap in use: bytes as value, objects as allocations.
func heapNow() sample {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return sample{Value: float64(stats.HeapAlloc), Allocs: float64(stats.HeapObjects)}
}

package main

import (
	"fmt"
	"time"
)

// plan is how much is measured, and how long.
type plan struct {
	rounds      int
	sample      time.Duration // budget of one measurement
	stage       time.Duration // a stage over this ends after fewestRounds, over patience times this at once
	labelled    int           // series that labelled operations choose from
	created     int           // series created in one go
	others      int           // collectors registered beside the one that comes and goes, and families of one series
	few         int           // counters or gauges in the small, middle and large registry
	many        int
	most        int
	histograms  int // histograms to scrape, and to weigh
	heavy       int
	families    int   // families that the middle registry is divided into for one name
	living      int   // series alive after others have come and gone
	writers     []int // processes whose files are merged
	entries     []int // entries in the files of each
	folded      int   // writers whose segments are folded; opening n of them takes n squared looks at others
	stored      int   // series to be weighed in files
	description string
}

const (
	fewestRounds = 3  // that make a median
	patience     = 10 // with stages that have not had them yet
)

// fullPlan is what docs/benchmarks.md shows.
func fullPlan() plan {
	return plan{
		rounds: 5, sample: 100 * time.Millisecond, stage: 45 * time.Second,
		labelled: 1000, created: 10_000, others: 10_000,
		few: 1000, many: 100_000, most: 1_000_000,
		histograms: 10_000, heavy: 100_000, families: 100, living: 10_000,
		writers: []int{8, 64, 512}, entries: []int{200, 2000}, folded: 1000, stored: 10_000,
		description: "full",
	}
}

// quickPlan proves that everything runs; its figures say little.
func quickPlan() plan {
	return plan{
		rounds: 1, sample: 20 * time.Millisecond, stage: 10 * time.Second,
		labelled: 1000, created: 1000, others: 1000,
		few: 1000, many: 10_000, most: 20_000,
		histograms: 2000, heavy: 5000, families: 100, living: 1000,
		writers: []int{2, 16}, entries: []int{200}, folded: 100, stored: 1000,
		description: "quick, with small sizes, to prove that it runs",
	}
}

// size spells a count for a row's name.
func size(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 1000 && n%1000 == 0:
		return fmt.Sprintf("%dk", n/1000)
	default:
		return fmt.Sprint(n)
	}
}

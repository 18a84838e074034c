package main

import (
	"fmt"
	"slices"
	"time"
)

// row is a line of the benchmark: a task, how it is measured, and what the
// design wants of it.
type row struct {
	name    string
	task    task
	watch   stopwatch
	unit    unit
	targets []target
}

// unit is what a row's figures count.
type unit string

const (
	perOperation  unit = "ns/op"
	nanosSeries   unit = "ns/series"
	nanosScrape   unit = "ns/scrape"
	nanosLine     unit = "ns/line"
	bytesSeries   unit = "B/series"
	bytesOfScrape unit = "B/scrape"
	nanosMerge    unit = "ns/merge"
	bytesOfMerge  unit = "B/merge"
)

// target is what the design asks of telltale in a row.
type target struct {
	measure measure
	of      string  // the peer or the row that a ratio compares with
	atMost  float64 // the ratio, or the figure
}

// measure is what a target is about.
type measure int

const (
	ratioToPeer measure = iota // telltale's figure over a peer's
	ratioOfPeer                // the peer's figure over telltale's
	ratioToRow                 // telltale's figure over its own in another row
	figure                     // telltale's figure by itself
	allocations                // telltale's allocations per operation
)

// words spells a target out, short of the peer it stands beside.
func (t target) words(u unit) string {
	switch t.measure {
	case ratioToRow:
		return factor(t.atMost) + " " + t.of
	case ratioOfPeer:
		return factor(t.atMost) + " " + telltaleName
	case figure:
		return spell(t.atMost, u)
	case allocations:
		return trim(t.atMost) + " allocs"
	default:
		return factor(t.atMost)
	}
}

// times asks for at most factor times what the peer takes.
func times(factor float64, peer string) target { return target{ratioToPeer, peer, factor} }

// linear asks for what the other row takes; the factor leaves room for caches.
func linear(row string) target { return target{ratioToRow, row, 1.25} }

// faster asks for less than what the other row takes.
func faster(row string) target { return target{ratioToRow, row, 1} }

// sameAsHeap asks that counting in files takes what it takes on the heap.
var sameAsHeap = []target{{ratioOfPeer, tmpfsName, 1.15}, {ratioOfPeer, diskName, 1.15}}

// below asks for at most so much, whatever the peers do.
func below(limit float64) target { return target{figure, "", limit} }

// noAllocs asks for an operation that does not allocate.
var noAllocs = target{allocations, "", 0}

// countingKinds are the updates that take the same in files as on the heap.
var countingKinds = []kind{counterInc, counterAdd, gaugeSet, gaugeAdd, labelledInc, labelledTypedInc, histogramObserve, summaryObserve, nativeObserve}

// plan is how much is measured, and how long.
type plan struct {
	rounds      int
	sample      time.Duration // budget of one measurement
	stage       time.Duration // a stage over this ends after fewestRounds, over three times this at once
	labelled    int           // series that labelled operations choose from
	created     int           // series created in one go
	others      int           // collectors registered beside the one that comes and goes
	few         int           // counters in the small, middle and large registry
	many        int
	most        int
	histograms  int // histograms to scrape, and to weigh
	heavy       int
	families    int   // families that the middle registry is divided into for one name
	writers     []int // processes whose files are merged
	entries     []int // entries in the files of each
	folded      int   // processes whose segments are folded
	stored      int   // series to be weighed in files
	description string
}

// fewestRounds are measured unless they take far too long.
const fewestRounds = 3

// fullPlan is what the README quotes.
func fullPlan() plan {
	return plan{
		rounds: 5, sample: 100 * time.Millisecond, stage: 45 * time.Second,
		labelled: 1000, created: 10_000, others: 10_000,
		few: 1000, many: 100_000, most: 1_000_000,
		histograms: 10_000, heavy: 100_000, families: 100,
		writers: []int{8, 64, 512}, entries: []int{200, 2000}, folded: 10_000, stored: 10_000,
		description: "full",
	}
}

// quickPlan proves that everything runs; its figures say little.
func quickPlan() plan {
	return plan{
		rounds: 1, sample: 20 * time.Millisecond, stage: 10 * time.Second,
		labelled: 1000, created: 1000, others: 1000,
		few: 1000, many: 10_000, most: 50_000,
		histograms: 1000, heavy: 5000, families: 100,
		writers: []int{2, 16}, entries: []int{200}, folded: 100, stored: 1000,
		description: "quick, with small sizes, to prove that it runs",
	}
}

// rows lists everything that is measured. Rows of equal tasks are measured on
// the same setup, in this order: alone comes before contended, since contention
// may leave a library in another state.
func (p plan) rows() []row {
	one := func(k kind) task { return task{kind: k, families: 1, series: 1} }
	labelled := func(k kind) task { return task{kind: k, families: 1, series: p.labelled} }
	registry := func(k kind, n int) task { return task{kind: k, families: 1, series: n} }
	divided := task{kind: counters, families: p.families, series: p.many / p.families}
	few, many, most := "counters="+size(p.few), "counters="+size(p.many), "counters="+size(p.most)
	instruments := []row{
		{"counter-inc/alone", one(counterInc), alone, perOperation, []target{times(1.15, floorName)}},
		{"counter-inc/contended", one(counterInc), contended, perOperation, []target{times(1.1, floorName)}},
		{"counter-inc-sharded/contended", one(shardedInc), contended, perOperation, []target{times(0.4, floorName)}},
		{"counter-add/alone", one(counterAdd), alone, perOperation, []target{times(1.2, floorName)}},
		{"counter-add/contended", one(counterAdd), contended, perOperation, []target{times(0.5, floorName)}},
		{"gauge-set/alone", one(gaugeSet), alone, perOperation, []target{times(1.15, floorName)}},
		{"gauge-set/contended", one(gaugeSet), contended, perOperation, nil},
		{"gauge-add/alone", one(gaugeAdd), alone, perOperation, []target{times(1.2, floorName)}},
		{"gauge-add/contended", one(gaugeAdd), contended, perOperation, []target{times(0.5, floorName)}},
		{"labelled-inc/alone", labelled(labelledInc), alone, perOperation, []target{times(0.4, clientGolangName), noAllocs}},
		{"labelled-inc/contended", labelled(labelledInc), contended, perOperation, []target{times(0.4, clientGolangName), noAllocs}},
		{"labelled-inc-typed/alone", labelled(labelledTypedInc), alone, perOperation, []target{times(0.4, clientGolangName), noAllocs}},
		{"labelled-inc-typed/contended", labelled(labelledTypedInc), contended, perOperation, []target{times(0.4, clientGolangName), noAllocs}},
		{"new-series", registry(newSeries, p.created), fresh, perOperation, []target{times(0.4, clientGolangName)}},
		{"histogram-observe/alone", one(histogramObserve), alone, perOperation, []target{times(0.6, clientGolangName)}},
		{"histogram-observe/contended", one(histogramObserve), contended, perOperation, []target{times(0.15, clientGolangName)}},
		{"summary-observe/alone", one(summaryObserve), alone, perOperation, nil},
		{"summary-observe/contended", one(summaryObserve), contended, perOperation, nil},
		{"native-observe/alone", one(nativeObserve), alone, perOperation, []target{times(0.33, clientGolangName)}},
		{"native-observe/contended", one(nativeObserve), contended, perOperation, []target{times(0.33, clientGolangName)}},
		{"quantile-observe/alone", one(quantileObserve), alone, perOperation, []target{times(0.04, clientGolangName)}},
		{"quantile-observe/contended", one(quantileObserve), contended, perOperation, []target{times(0.04, clientGolangName)}},
		{"register/others=0", task{kind: registration, families: 0, series: 1}, alone, perOperation, nil},
		{"register/others=" + size(p.others), task{kind: registration, families: p.others, series: 1}, alone, perOperation, nil},
	}
	scrapes := []row{
		{"scrape-text/" + few, registry(counters, p.few), perSeries(asText), nanosSeries, nil},
		{"scrape-text/" + many, registry(counters, p.many), perSeries(asText), nanosSeries, []target{times(1.7, arenaName)}},
		{"scrape-openmetrics/" + many, registry(counters, p.many), perSeries(asOpenMetrics), nanosSeries, nil},
		{"scrape-protobuf/" + many, registry(counters, p.many), perSeries(asProtobuf), nanosSeries, []target{times(0.04, clientGolangName)}},
		{"scrape-one-name/" + many, divided, oneFamily, nanosScrape, []target{times(3, floorName)}},
		{"scrape-text/histograms=" + size(p.histograms), registry(histograms, p.histograms), perSeries(asText), nanosSeries, []target{times(1.7, arenaName)}},
		{"scrape-protobuf/histograms=" + size(p.histograms), registry(histograms, p.histograms), perSeries(asProtobuf), nanosSeries, []target{times(0.04, clientGolangName)}},
		{"http-identity/" + many, registry(counters, p.many), overHTTP("identity"), nanosSeries, []target{times(0.03, clientGolangName)}},
		{"http-gzip/" + many, registry(counters, p.many), overHTTP("gzip"), nanosSeries, []target{times(0.12, clientGolangName)}},
	}
	lines := "lines=" + size(p.many)
	parses := []row{
		{"parse-text-families/" + lines, registry(textPage, p.many), parsing(wholeFamilies), nanosLine, []target{times(0.12, clientGolangName)}},
		{"parse-text-lines/" + lines, registry(textPage, p.many), parsing(oneByOne), nanosLine, []target{times(0.5, prometheusName)}},
		{"parse-openmetrics-families/" + lines, registry(openMetricsPage, p.many), parsing(wholeFamilies), nanosLine, nil},
		{"parse-openmetrics-lines/" + lines, registry(openMetricsPage, p.many), parsing(oneByOne), nanosLine, []target{times(0.5, prometheusName)}},
		{"parse-protobuf-families/" + many, registry(protobufPage, p.many), parsing(wholeFamilies), nanosSeries, nil},
		{"parse-protobuf-series/" + many, registry(protobufPage, p.many), parsing(oneByOne), nanosSeries, nil},
		{"parse-protobuf-families/histograms=" + size(p.histograms), registry(histogramsPage, p.histograms), parsing(wholeFamilies), nanosSeries, nil},
	}
	million := registry(counters, p.most)
	memory := []row{
		{"heap/" + most, million, liveHeap, bytesSeries, []target{below(160)}},
		{"heap-growth/" + most, million, heapGrowth(asText), bytesOfScrape, []target{below(2 << 20)}},
		{"heap-growth-protobuf/" + most, million, heapGrowth(asProtobuf), bytesOfScrape, []target{below(2 << 20)}},
		{"scrape-protobuf/" + most, million, perSeries(asProtobuf), nanosSeries, []target{times(0.04, clientGolangName), linear("scrape-protobuf/" + many)}},
		{"scrape-text/" + most, million, perSeries(asText), nanosSeries, []target{times(1.7, arenaName), linear("scrape-text/" + many)}},
		{"heap/histograms=" + size(p.heavy), registry(histograms, p.heavy), liveHeap, bytesSeries, []target{below(350)}},
		{"heap/natives=" + size(p.heavy), registry(natives, p.heavy), liveHeap, bytesSeries, []target{below(1200)}},
	}
	for i, r := range instruments {
		if slices.Contains(countingKinds, r.task.kind) {
			instruments[i].targets = slices.Concat(r.targets, sameAsHeap)
		}
	}
	return slices.Concat(instruments, scrapes, parses, memory, p.shared())
}

// shared lists the rows about processes that count side by side.
func (p plan) shared() []row {
	var rows []row
	for _, entries := range p.entries {
		for _, writers := range p.writers {
			amount := fmt.Sprintf("/writers=%s/entries=%s", size(writers), size(entries))
			files := task{kind: pythonFiles, series: entries, writers: writers}
			own := task{kind: segments, series: entries, writers: writers}
			first, later := []target{times(1.5, floorName)}, []target{times(0.1, floorName)}
			if writers == 512 && entries == 2000 {
				first, later = append(first, times(0.06, pythonName)), append(later, times(0.005, pythonName))
			}
			rows = append(rows,
				row{"python-first" + amount, files, firstMerge, nanosMerge, first},
				row{"python-later" + amount, files, laterMerge, nanosMerge, later},
				row{"python-growth" + amount, files, mergeGrowth, bytesOfMerge, nil},
				row{"segments-first" + amount, own, firstMerge, nanosMerge, []target{faster("python-first" + amount)}},
				row{"segments-later" + amount, own, laterMerge, nanosMerge, []target{faster("python-later" + amount)}},
				row{"segments-growth" + amount, own, mergeGrowth, bytesOfMerge, nil},
			)
		}
	}
	for _, way := range []struct {
		name  string
		watch stopwatch
	}{{"folded-first", firstMerge}, {"folded-later", laterMerge}} {
		one, all := way.name+"/files=1", way.name+"/files="+size(p.folded)
		rows = append(rows,
			row{one, task{kind: foldedSegments, series: p.entries[0], writers: 1}, way.watch, nanosMerge, nil},
			row{all, task{kind: foldedSegments, series: p.entries[0], writers: p.folded}, way.watch, nanosMerge, []target{linear(one)}},
		)
	}
	return append(rows,
		row{"stored/counters=" + size(p.stored), task{kind: storedCounters, families: 1, series: p.stored}, storedBytes, bytesSeries, nil},
		row{"stored/histograms=" + size(p.stored), task{kind: storedHistograms, families: 1, series: p.stored}, storedBytes, bytesSeries, nil},
	)
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

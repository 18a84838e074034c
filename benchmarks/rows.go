package main

import (
	"fmt"
	"slices"
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

// unit is what a row's figures count, or those of a target.
type unit string

const (
	perOperation  unit = "ns/op"
	nanosSeries   unit = "ns/series"
	nanosScrape   unit = "ns/scrape"
	bytesOfPush   unit = "B/push"
	nanosLine     unit = "ns/line"
	bytesSeries   unit = "B/series"
	bytesOfScrape unit = "B/scrape"
	nanosMerge    unit = "ns/merge"
	bytesOfMerge  unit = "B/merge"
	ratioUnit     unit = "x"
	allocsEach    unit = "allocs/op"
)

// countingKinds are the updates that take the same in files as on the heap.
var countingKinds = []kind{counterInc, counterAdd, gaugeSet, gaugeAdd, labelledInc, labelledTypedInc, histogramObserve, summaryObserve, nativeObserve}

// rows lists everything that is measured. Rows of equal tasks are measured on
// the same setup, in this order: alone comes before contended, since contention
// may leave a library in another state.
func (p plan) rows() []row {
	return slices.Concat(p.updates(), p.lookups(), p.services(), p.scrapes(), p.sends(), p.writes(), p.parses(), p.memory(), p.churn(), p.merges(), p.files())
}

func single(k kind) task { return task{kind: k, families: 1, series: 1} }

func inOneFamily(k kind, series int) task { return task{kind: k, families: 1, series: series} }

// updates lists the rows about instruments at hand.
func (p plan) updates() []row {
	return sharedToo([]row{
		{"counter-inc/alone", single(counterInc), alone, perOperation, []target{times(1.05, floorName)}},
		{"counter-inc/contended", single(counterInc), contended, perOperation, []target{times(0.35, floorName)}},
		{"counter-add/alone", single(counterAdd), alone, perOperation, []target{times(1.1, floorName)}},
		{"counter-add/contended", single(counterAdd), contended, perOperation, []target{times(0.3, floorName)}},
		{"gauge-set/alone", single(gaugeSet), alone, perOperation, []target{times(1.05, floorName)}},
		{"gauge-set/contended", single(gaugeSet), contended, perOperation, []target{times(1.1, victoriaName)}},
		{"gauge-add/alone", single(gaugeAdd), alone, perOperation, []target{times(1.1, floorName)}},
		{"gauge-add/contended", single(gaugeAdd), contended, perOperation, []target{times(0.3, floorName)}},
		{"histogram-observe/alone", single(histogramObserve), alone, perOperation, []target{times(0.5, clientGolangName)}},
		{"histogram-observe/contended", single(histogramObserve), contended, perOperation, []target{times(0.12, clientGolangName)}},
		{"summary-observe/alone", single(summaryObserve), alone, perOperation, nil},
		{"summary-observe/contended", single(summaryObserve), contended, perOperation, nil},
		{"native-observe/alone", single(nativeObserve), alone, perOperation, []target{times(0.3, clientGolangName)}},
		{"native-observe/contended", single(nativeObserve), contended, perOperation, []target{times(0.12, clientGolangName)}},
		{"quantile-observe/alone", single(quantileObserve), alone, perOperation, []target{times(1.3, victoriaName)}},
		{"quantile-observe/contended", single(quantileObserve), contended, perOperation, []target{times(1, victoriaName)}},
	})
}

// sharedToo adds the targets of counting in files.
func sharedToo(rows []row) []row {
	for i, r := range rows {
		if slices.Contains(countingKinds, r.task.kind) {
			rows[i].targets = slices.Concat(r.targets, sameAsHeap)
		}
	}
	return rows
}

// lookups lists the rows about series by their labels, and about registering.
func (p plan) lookups() []row {
	table := []target{times(1.35, tableName), noAllocs}
	return sharedToo([]row{
		{"labelled-inc/alone", inOneFamily(labelledInc, p.labelled), alone, perOperation, table},
		{"labelled-inc/contended", inOneFamily(labelledInc, p.labelled), contended, perOperation, table},
		{"labelled-inc-typed/alone", inOneFamily(labelledTypedInc, p.labelled), alone, perOperation, table},
		{"labelled-inc-typed/contended", inOneFamily(labelledTypedInc, p.labelled), contended, perOperation, table},
		{"labelled-inc-limited/alone", inOneFamily(labelledLimitedInc, p.labelled), alone, perOperation, []target{timesRow(1.05, "labelled-inc/alone"), noAllocs}},
		{"expiring-inc/alone", single(expiringInc), alone, perOperation, []target{timesRow(1.4, "counter-inc/alone"), noAllocs}},
		{"expiring-set/alone", single(expiringSet), alone, perOperation, []target{timesRow(1.4, "gauge-set/alone"), noAllocs}},
		{"new-series", inOneFamily(newSeries, p.created), fresh, perOperation, []target{times(0.35, clientGolangName)}},
		{"register/others=0", task{kind: registration, families: 0, series: 1}, alone, perOperation, nil},
		{"register/others=" + size(p.others), task{kind: registration, families: p.others, series: 1}, alone, perOperation, nil},
	})
}

// services lists the rows of what joins programs and other libraries.
func (p plan) services() []row {
	many := inOneFamily(bridged, p.many)
	return []row{
		{"http-request/alone", single(requestServed), alone, perOperation, []target{times(0.5, clientGolangName)}},
		{"http-request/contended", single(requestServed), contended, perOperation, []target{times(0.5, clientGolangName)}},
		{"bridge-text/" + many.amount(), many, perSeries(asText), nanosSeries, []target{times(1.1, clientGolangName)}},
		{"bridge-protobuf/" + many.amount(), many, perSeries(asProtobuf), nanosSeries, []target{times(1.1, clientGolangName)}},
	}
}

func (p plan) scrapes() []row {
	divided := task{kind: counters, families: p.families, series: p.many / p.families}
	families := task{kind: counters, families: p.others, series: 1}
	few, many := inOneFamily(counters, p.few), inOneFamily(counters, p.many)
	someGauges, mostGauges := inOneFamily(gauges, p.many), inOneFamily(gauges, p.most)
	some, fewHistograms := inOneFamily(histograms, p.histograms), inOneFamily(histograms, p.few)
	pools := func(k kind) task { return task{kind: k, families: p.families, series: p.many / p.families} }
	arena := []target{times(1.3, arenaName), fewAllocs}
	protobuf := times(0.03, clientGolangName)
	return []row{
		{"scrape-text/" + few.amount(), few, perSeries(asText), nanosSeries, []target{fewAllocs}},
		{"scrape-text/families=" + size(p.others), families, perSeries(asText), nanosSeries, []target{fewAllocs}},
		{"scrape-text/" + many.amount(), many, perSeries(asText), nanosSeries, arena},
		{"scrape-rules/" + many.amount(), inOneFamily(ruled, p.many), perSeries(asText), nanosSeries, []target{timesRow(1.3, "scrape-text/"+many.amount())}},
		{"scrape-rules-labels/" + many.amount(), inOneFamily(ruledByLabels, p.many), perSeries(asText), nanosSeries, []target{timesRow(1.3, "scrape-text/"+many.amount())}},
		{"scrape-separate/" + many.amount(), pools(separate), perSeries(asText), nanosSeries, nil},
		{"scrape-joined/" + many.amount(), pools(joined), perSeries(asText), nanosSeries, []target{timesRow(1.05, "scrape-separate/"+many.amount())}},
		{"scrape-openmetrics/" + many.amount(), many, perSeries(asOpenMetrics), nanosSeries, nil},
		{"scrape-protobuf/" + many.amount(), many, perSeries(asProtobuf), nanosSeries, []target{protobuf}},
		{"scrape-one-name/" + many.amount(), divided, oneFamily, nanosScrape, []target{times(3, floorName)}},
		{"scrape-text/" + someGauges.amount(), someGauges, perSeries(asText), nanosSeries, arena},
		{"scrape-text/" + mostGauges.amount(), mostGauges, perSeries(asText), nanosSeries, arena},
		{"scrape-text/" + fewHistograms.amount(), fewHistograms, perSeries(asText), nanosSeries, arena},
		{"scrape-text/" + some.amount(), some, perSeries(asText), nanosSeries, arena},
		{"scrape-protobuf/" + some.amount(), some, perSeries(asProtobuf), nanosSeries, []target{times(0.05, clientGolangName)}},
		{"http-identity/" + many.amount(), many, overHTTP("identity"), nanosSeries, []target{times(0.03, clientGolangName)}},
		{"http-gzip/" + many.amount(), many, overHTTP("gzip"), nanosSeries, []target{times(0.12, clientGolangName)}},
	}
}

// sends lists the rows of OTLP, whose receiver is in the same process and discards what
// it is sent.
func (p plan) sends() []row {
	some, buckets := inOneFamily(sentCounters, p.many), inOneFamily(sentHistograms, p.histograms)
	return []row{
		{"otlp/" + some.amount(), some, sending, nanosSeries, []target{times(0.2, otelName)}},
		{"otlp/" + buckets.amount(), buckets, sending, nanosSeries, []target{times(0.2, otelName)}},
	}
}

// writes lists the rows of remote write.
func (p plan) writes() []row {
	one, shards := inOneFamily(writtenCounters, p.many), inOneFamily(writtenInShards, p.many)
	return []row{
		{"remote-write/" + one.amount(), one, sending, nanosSeries, []target{times(1, prometheusName)}},
		{"remote-write-growth/" + one.amount(), one, sendingGrowth, bytesOfPush, []target{below(3 << 20)}},
		{"remote-write-shards/" + shards.amount(), shards, sending, nanosSeries, []target{times(1, prometheusName)}},
		{"remote-write-shards-growth/" + shards.amount(), shards, sendingGrowth, bytesOfPush, []target{below(3 << 20)}},
	}
}

func (p plan) parses() []row {
	text, openMetrics := inOneFamily(textPage, p.many), inOneFamily(openMetricsPage, p.many)
	protobuf, some := inOneFamily(protobufPage, p.many), inOneFamily(histogramsPage, p.histograms)
	return []row{
		{"parse-text-families/" + text.amount(), text, parsing(wholeFamilies), nanosLine, []target{times(0.11, clientGolangName)}},
		{"parse-text-lines/" + text.amount(), text, parsing(oneByOne), nanosLine, []target{times(0.25, prometheusName)}},
		{"parse-openmetrics-families/" + openMetrics.amount(), openMetrics, parsing(wholeFamilies), nanosLine, nil},
		{"parse-openmetrics-lines/" + openMetrics.amount(), openMetrics, parsing(oneByOne), nanosLine, []target{times(0.25, prometheusName)}},
		{"parse-protobuf-families/" + protobuf.amount(), protobuf, parsing(wholeFamilies), nanosSeries, nil},
		{"parse-protobuf-series/" + protobuf.amount(), protobuf, parsing(oneByOne), nanosSeries, []target{times(0.75, prometheusName)}},
		{"parse-protobuf-families/" + some.amount(), some, parsing(wholeFamilies), nanosSeries, nil},
	}
}

// memory lists what a million series take, to hold and to scrape.
func (p plan) memory() []row {
	million, many := inOneFamily(counters, p.most), inOneFamily(counters, p.many).amount()
	heavy, native := inOneFamily(histograms, p.heavy), inOneFamily(natives, p.heavy)
	return []row{
		{"heap/" + million.amount(), million, liveHeap, bytesSeries, []target{below(130)}},
		{"heap-growth/" + million.amount(), million, heapGrowth(asText), bytesOfScrape, []target{below(2 << 20)}},
		{"heap-growth-protobuf/" + million.amount(), million, heapGrowth(asProtobuf), bytesOfScrape, []target{below(2 << 20)}},
		{"scrape-protobuf/" + million.amount(), million, perSeries(asProtobuf), nanosSeries, []target{times(0.03, clientGolangName), linear("scrape-protobuf/" + many)}},
		{"scrape-text/" + million.amount(), million, perSeries(asText), nanosSeries, []target{times(1.3, arenaName), linear("scrape-text/" + many), fewAllocs}},
		{"heap/" + heavy.amount(), heavy, liveHeap, bytesSeries, []target{below(250)}},
		{"heap/" + native.amount(), native, liveHeap, bytesSeries, []target{below(1200)}},
	}
}

// churn lists the costs of live series after many others were created and
// removed.
func (p plan) churn() []row {
	var rows []row
	fresh := string(allAtOnce)
	for _, l := range []struct {
		lifetimes lifetimes
		atMost    float64 // of fresh ones
	}{{allAtOnce, 0}, {exponential, 2}, {heavyTailed, 2}, {inBatches, 2}, {adverse, 8}} {
		work := task{kind: counters, families: 1, series: p.living, lifetimes: l.lifetimes}
		heap := row{"churn-heap/" + string(l.lifetimes), work, liveHeap, bytesSeries, nil}
		scrape := row{"churn-scrape/" + string(l.lifetimes), work, perSeries(asText), nanosSeries, nil}
		if l.lifetimes != allAtOnce {
			heap.targets = []target{timesRow(l.atMost, "churn-heap/"+fresh)}
			scrape.targets = []target{timesRow(l.atMost, "churn-scrape/"+fresh)}
		}
		rows = append(rows, heap, scrape)
	}
	return rows
}

// merges lists the rows about merging the values of several processes.
func (p plan) merges() []row {
	var rows []row
	for _, entries := range p.entries {
		for _, writers := range p.writers {
			amount := fmt.Sprintf("/writers=%s/entries=%s", size(writers), size(entries))
			python := task{kind: pythonFiles, series: entries, writers: writers}
			own := task{kind: segments, series: entries, writers: writers}
			rows = append(rows,
				row{"python-first" + amount, python, firstMerge, nanosMerge, []target{times(1.5, floorName)}},
				row{"python-later" + amount, python, laterMerge, nanosMerge, []target{times(0.1, floorName)}},
				row{"python-growth" + amount, python, mergeGrowth, bytesOfMerge, nil},
				row{"segments-first" + amount, own, firstMerge, nanosMerge, []target{timesRow(1, "python-first"+amount)}},
				row{"segments-later" + amount, own, laterMerge, nanosMerge, []target{timesRow(1, "python-later"+amount)}},
				row{"segments-growth" + amount, own, mergeGrowth, bytesOfMerge, nil},
			)
		}
	}
	return rows
}

// files lists the rows about the files in a directory of segments.
func (p plan) files() []row {
	var rows []row
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
		row{"stored/counters=" + size(p.stored), inOneFamily(storedCounters, p.stored), storedBytes, bytesSeries, nil},
		row{"stored/histograms=" + size(p.stored), inOneFamily(storedHistograms, p.stored), storedBytes, bytesSeries, nil},
	)
}

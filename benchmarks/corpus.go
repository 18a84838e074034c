package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// The corpus is the data that all peers work on: names, labels, counter values
// and observations, the same in every run.

const (
	counterHelp   = "Requests served, by method, handler and status."
	histogramName = "http_request_duration_seconds"
	histogramHelp = "Time to answer a request, by method, handler and status."
	gaugeName     = "queue_depth"
	summaryName   = "response_size_bytes"
	nativeName    = "http_response_duration_seconds"
)

// Native histograms have buckets that grow by at most nativeFactor, that is,
// schema nativeSchema, and at most nativeBuckets of them.
const (
	nativeFactor  = 1.1
	nativeSchema  = 3
	nativeBuckets = 160
	usedBuckets   = 20 // populated buckets of histograms whose memory is measured
)

// quantiles are the quantiles of summaries with quantiles.
var quantiles = []float64{0.5, 0.9, 0.99}

// nativeObservationOf returns an observation in the j-th bucket of a native
// histogram whose memory is measured.
func nativeObservationOf(j int) float64 { return 0.01 * math.Exp2(float64(j)/(1<<nativeSchema)) }

// labelNames are the labels of every labelled family.
var labelNames = []string{"method", "handler", "status"}

// labelValues are the values of labelNames. Rendered, a set takes 50 to 60
// bytes: method="GET",handler="/api/v1/resource/00042",status="200".
type labelValues [3]string

var (
	methods  = []string{"GET", "HEAD", "POST", "PUT"}
	statuses = []string{"200", "201", "400", "404", "500"}
)

// labelsOf returns the labels of series i. The handler is a new string every
// time, as if it came from a request: a library that keeps its caller's bytes
// retains them.
func labelsOf(i int) labelValues {
	m, s := i%len(methods), i/len(methods)%len(statuses)
	handler := fmt.Sprintf("/api/v1/resource/%05d", i/(len(methods)*len(statuses)))
	return labelValues{methods[m], handler, statuses[s]}
}

// labelSets gives the labels of series 0 to n-1.
func labelSets(n int) []labelValues {
	sets := make([]labelValues, n)
	for i := range sets {
		sets[i] = labelsOf(i)
	}
	return sets
}

// lookups returns the labels of series 0 to n-1 in random order, in strings of
// their own, so that a lookup cannot succeed by comparing pointers.
func lookups(n int) []labelValues {
	sets := labelSets(n)
	for i := range sets {
		for j, value := range sets[i] {
			sets[i][j] = strings.Clone(value)
		}
	}
	order := rand.New(rand.NewPCG(1, 1))
	order.Shuffle(n, func(i, j int) { sets[i], sets[j] = sets[j], sets[i] })
	return sets
}

// startOf spreads workers over n items, so that they do not walk in step.
func startOf(worker, n int) int { return worker * (n/2 + 1) % n }

// counterName is the name of family i of several.
func counterName(i int) string { return fmt.Sprintf("service_%03d_requests_total", i) }

// counterValue is the value of series i: whole numbers from 1 to a million.
func counterValue(i int) uint64 {
	// The finalizer of splitmix64: a seeded random sequence without memory.
	z := (uint64(i) + 1) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (z^z>>31)%1_000_000 + 1
}

// gaugeValue is the value of gauge i: a whole number, or every other time one
// with hundredths.
func gaugeValue(i int) float64 {
	whole := float64(counterValue(i))
	if i%2 == 0 {
		return whole
	}
	return whole / 100
}

// bucketBounds are the eleven buckets that client_golang has by default.
var bucketBounds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// samplesPerHistogram counts the lines of one such histogram: the buckets,
// +Inf, the sum and the count.
const samplesPerHistogram = 14

// observationsPerHistogram is the number of observations of each scraped
// histogram.
const observationsPerHistogram = 4

// observations are durations from 1 ms to 20 s in whole nanoseconds, spread
// evenly over the buckets; a power of two of them, to be walked with a mask.
var observations = makeObservations(1024)

func makeObservations(n int) []float64 {
	random := rand.New(rand.NewPCG(2, 2))
	values := make([]float64, n)
	for i := range values {
		seconds := 0.001 * math.Pow(20_000, random.Float64())
		values[i] = math.Round(seconds*1e9) / 1e9
	}
	return values
}

// observationOf is the j-th observation of histogram i.
func observationOf(i, j int) float64 {
	return observations[(i*observationsPerHistogram+j)&(len(observations)-1)]
}

// appendSeries renders a series as the text format has it, without the value
// and with room for more labels: name{method="GET",...,status="200"
// The corpus holds no character that would need escaping.
func appendSeries(b []byte, name string, values labelValues) []byte {
	b = append(b, name...)
	b = append(b, '{')
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, labelNames[i]...)
		b = append(b, '=', '"')
		b = append(b, value...)
		b = append(b, '"')
	}
	return b
}

// seriesName renders a series in full: name{method="GET",...}
func seriesName(name string, values labelValues) string {
	return string(append(appendSeries(nil, name, values), '}'))
}

// eachCounter visits every series of a task of counters, family by family.
func eachCounter(t task, visit func(family int, values labelValues, value uint64) error) error {
	for family := range t.families {
		for i := range t.series {
			if err := visit(family, labelsOf(i), counterValue(family*t.series+i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// counterNames lists the families of a task of counters.
func counterNames(t task) []string {
	names := make([]string, t.families)
	for i := range names {
		names[i] = counterName(i)
	}
	return names
}

// pageOf returns the page that a task has parsed.
func pageOf(t task) ([]byte, error) {
	switch t.kind {
	case protobufPage:
		return protobufPageOf(t, clientGolangPeer{}.fillCounters)
	case histogramsPage:
		return protobufPageOf(t, clientGolangPeer{}.fillHistograms)
	}
	family, end := counterName(0), ""
	if t.kind == openMetricsPage {
		family, end = strings.TrimSuffix(family, "_total"), "# EOF\n"
	}
	page := fmt.Appendf(nil, "# HELP %s %s\n# TYPE %s counter\n", family, counterHelp, family)
	for i := range t.series {
		page = appendSeries(page, counterName(0), labelsOf(i))
		page = append(append(page, '}', ' '), strconv.FormatUint(counterValue(i), 10)...)
		page = append(page, '\n')
	}
	return append(page, end...), nil
}

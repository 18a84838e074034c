package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// tally is the content of a page: the number of samples, and the sum of their
// values.
type tally struct {
	samples int
	sum     float64
}

// tallyOf reads a page of any of the text formats.
func tallyOf(t *testing.T, page string) tally {
	t.Helper()
	var all tally
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || strings.Contains(line, "_created{") {
			continue
		}
		v, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		all.samples++
		all.sum += v
	}
	return all
}

func (a tally) near(b tally) bool {
	return a.samples == b.samples && math.Abs(a.sum-b.sum) <= 1e-9*math.Max(1, math.Abs(b.sum))
}

// prepared sets a task up, or skips the test where the peer does not offer it.
func prepared(t *testing.T, p peer, work task) *subject {
	t.Helper()
	s, err := p.prepare(work)
	if errors.Is(err, errNotOffered) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.release(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// written returns the output of write.
func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var page bytes.Buffer
	if err := write(&page); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// countersTally is what every page of that task must say.
func countersTally(work task) tally {
	want := tally{samples: work.total()}
	for i := range work.total() {
		want.sum += float64(counterValue(i))
	}
	return want
}

// gaugesTally is what every page of that task must say.
func gaugesTally(work task) tally {
	want := tally{samples: work.total()}
	for i := range work.total() {
		want.sum += gaugeValue(i)
	}
	return want
}

// histogramsTally is what every page of that task must say.
func histogramsTally(work task) tally {
	want := tally{samples: work.total() * samplesPerHistogram}
	for i := range work.total() {
		for j := range observationsPerHistogram {
			want.sum += observed(observationOf(i, j))
		}
	}
	return want
}

// observed is what an observation adds to the samples of its histogram: to the
// sum, the count, the bucket +Inf and those that it fits.
func observed(v float64) float64 {
	added := v + 2
	for _, bound := range bucketBounds {
		if v <= bound {
			added++
		}
	}
	return added
}

func TestPeersExposeTheSame(t *testing.T) {
	someCounters := task{kind: counters, families: 3, series: 70}
	someGauges := task{kind: gauges, families: 1, series: 70}
	someHistograms := task{kind: histograms, families: 1, series: 40}
	for _, p := range roster() {
		t.Run(p.name()+"/counters", func(t *testing.T) {
			checkPages(t, prepared(t, p, someCounters), countersTally(someCounters))
		})
		t.Run(p.name()+"/gauges", func(t *testing.T) {
			checkPages(t, prepared(t, p, someGauges), gaugesTally(someGauges))
		})
		t.Run(p.name()+"/histograms", func(t *testing.T) {
			checkPages(t, prepared(t, p, someHistograms), histogramsTally(someHistograms))
		})
	}
}

// checkPages compares all ways to scrape a subject.
func checkPages(t *testing.T, s *subject, want tally) {
	t.Helper()
	if got := tallyOf(t, written(t, s.text)); !got.near(want) {
		t.Errorf("text says %+v, want %+v", got, want)
	}
	if s.openMetrics != nil {
		page := written(t, s.openMetrics)
		if got := tallyOf(t, page); !got.near(want) {
			t.Errorf("OpenMetrics says %+v, want %+v", got, want)
		}
		if !strings.HasSuffix(page, "# EOF\n") {
			t.Error("OpenMetrics has no end")
		}
	}
	if s.protobuf != nil {
		page := written(t, s.protobuf)
		if got := tallyOf(t, asLines(t, page)); !got.near(want) {
			t.Errorf("protobuf says %+v, want %+v", got, want)
		}
	}
	for _, encoding := range []string{"identity", "gzip"} {
		if got := tallyOf(t, served(t, s.handler, encoding)); !got.near(want) {
			t.Errorf("%s over HTTP says %+v, want %+v", encoding, got, want)
		}
	}
}

// asLines lays a page in protobuf out as text.
func asLines(t *testing.T, page string) string {
	t.Helper()
	var lines strings.Builder
	decoder := expfmt.NewDecoder(strings.NewReader(page), expfmt.NewFormat(expfmt.TypeProtoDelim))
	for {
		var family dto.MetricFamily
		err := decoder.Decode(&family)
		if errors.Is(err, io.EOF) {
			return lines.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := expfmt.MetricFamilyToText(&lines, &family); err != nil {
			t.Fatal(err)
		}
	}
}

// served is the page that a handler answers with.
func served(t *testing.T, handler http.Handler, encoding string) string {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	request.Header.Set("Accept-Encoding", encoding)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		t.Fatalf("status %d", recorder.Code)
	}
	if recorder.Header().Get("Content-Encoding") != "gzip" {
		return recorder.Body.String()
	}
	reader, err := gzip.NewReader(recorder.Body)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestPeersPickTheSameFamily(t *testing.T) {
	work := task{kind: counters, families: 3, series: 70}
	for _, p := range roster() {
		t.Run(p.name(), func(t *testing.T) {
			s := prepared(t, p, work)
			if s.oneName == nil {
				t.Skip(errNotOffered)
			}
			page := written(t, func(w io.Writer) error { return s.oneName(w, counterName(1)) })
			if got := strings.Count(page, "\n"+counterName(1)+"{"); got != work.series || tallyOf(t, page).samples != got {
				t.Errorf("%d series, want %d and no others", got, work.series)
			}
		})
	}
}

// TestPeersDoTheWork has every operation done and reads the outcome back.
func TestPeersDoTheWork(t *testing.T) {
	const series, n = 50, 100
	seconds, buckets := 0.0, 0.0
	for i := range n {
		seconds += observations[i]
		buckets += observed(observations[i])
	}
	inc := tally{1, n}
	labelled := tally{series, n}
	works := []struct {
		name string
		task task
		n    int
		want tally
	}{
		{"counterInc", task{kind: counterInc, families: 1, series: 1}, n, inc},
		{"counterAdd", task{kind: counterAdd, families: 1, series: 1}, n, tally{1, n * 0.5}},
		{"gaugeSet", task{kind: gaugeSet, families: 1, series: 1}, n, tally{1, n - 1}},
		{"gaugeAdd", task{kind: gaugeAdd, families: 1, series: 1}, n, tally{1, n * 1.5}},
		{"labelledInc", task{kind: labelledInc, families: 1, series: series}, n, labelled},
		{"labelledTypedInc", task{kind: labelledTypedInc, families: 1, series: series}, n, labelled},
		{"labelledLimitedInc", task{kind: labelledLimitedInc, families: 1, series: series}, n, labelled},
		{"expiringInc", task{kind: expiringInc, families: 1, series: 1}, n, inc},
		{"expiringSet", task{kind: expiringSet, families: 1, series: 1}, n, tally{1, n - 1}},
		{"newSeries", task{kind: newSeries, families: 1, series: series}, series, tally{series, series}},
		{"histogramObserve", task{kind: histogramObserve, families: 1, series: 1}, n, tally{samplesPerHistogram, buckets}},
		{"summaryObserve", task{kind: summaryObserve, families: 1, series: 1}, n, tally{2, seconds + n}},
		{"nativeObserve", task{kind: nativeObserve, families: 1, series: 1}, n, tally{3, seconds + 2*n}},
		{"registration", task{kind: registration, families: 5, series: 1}, n, tally{5, 0}},
	}
	for _, p := range roster() {
		for _, work := range works {
			t.Run(p.name()+"/"+work.name, func(t *testing.T) {
				s := prepared(t, p, work.task)
				if err := s.repeat(0, work.n); err != nil {
					t.Fatal(err)
				}
				if s.text == nil {
					t.Skip("a floor's operations cannot be read back")
				}
				got := tallyOf(t, written(t, s.text))
				if p.name() == otelName && work.task.kind == summaryObserve {
					got.samples, got.sum = got.samples-1, got.sum-n // its bucket +Inf
				}
				if !got.near(work.want) {
					t.Errorf("%+v, want %+v", got, work.want)
				}
			})
		}
	}
}

// TestPeersMergeTheSame counts what merging finds, at first and later.
func TestPeersMergeTheSame(t *testing.T) {
	const writers, entries = 3, 200
	families := sharedFamilies(entries)
	works := []struct {
		name string
		kind kind
		want int
	}{
		{"python", pythonFiles, mergedSamples(families, writers)},
		{"segments", segments, mergedSamples(families, writers)},
		{"folded", foldedSegments, mergedSamples(lasting(families), writers)},
	}
	for _, p := range roster() {
		for _, work := range works {
			t.Run(p.name()+"/"+work.name, func(t *testing.T) {
				want := work.want
				if p.name() == floorName { // one key for all processes, and counts are sums of buckets
					want = 0
					for _, f := range families {
						want += len(pythonKeys(f))
					}
				}
				s := prepared(t, p, task{kind: work.kind, series: entries, writers: writers})
				collect, err := s.collector()
				if err != nil {
					t.Fatal(err)
				}
				for range 3 {
					if got, err := collect(); got != want || err != nil {
						t.Errorf("%d samples, want %d; %v", got, want, err)
					}
				}
			})
		}
	}
}

func TestLabelsAreDistinctAndOfOneSize(t *testing.T) {
	const n = 10_000
	seen := make(map[labelValues]bool, n)
	for i := range n {
		values := labelsOf(i)
		seen[values] = true
		if size := len(appendSeries(nil, "", values)) - 1; size < 50 || size > 60 {
			t.Fatalf("labels %v take %d bytes", values, size)
		}
	}
	if len(seen) != n {
		t.Errorf("%d label sets of %d differ", len(seen), n)
	}
}

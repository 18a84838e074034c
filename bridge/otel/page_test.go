package otelbridge_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"telltale"
	"telltale/exposition/protobuf"
	"telltale/model"
)

// series are what a page has: for each series its type, value, buckets and
// exemplars as text, so that pages can be compared.
type series map[string]string

// page returns the series of a handler's protobuf page.
func page(t testing.TB, h http.Handler) series {
	t.Helper()
	req := httptest.NewRequest("GET", "/metrics", nil)
	req.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	all := make(series)
	parser := protobuf.NewParser(rec.Body)
	for {
		f, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all.add(t, f)
	}
}

func (s series) add(t testing.TB, f *model.Family) {
	t.Helper()
	var scratch model.Point
	if err := f.Visit(&scratch, func(p *model.Point) error {
		labels := p.Labels.Append(p.Info).Map()
		maps.DeleteFunc(labels, func(_, value string) bool { return value == "" }) // the same series to Prometheus
		key := f.SampleName() + fmt.Sprint(labels)
		if s[key] != "" {
			t.Errorf("%s is there twice", key)
		}
		s[key] = fmt.Sprintf("%s %q %s", f.Type, f.Help, value(p))
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// value returns the value of a point, without when it began.
func value(p *model.Point) string {
	h := p.Histogram
	switch {
	case p.Summary != nil:
		return fmt.Sprintf("%+v", *p.Summary)
	case h == nil:
		return fmt.Sprint(p.Value, exemplars(p.Exemplar))
	case h.Native == nil:
		var all []*model.Exemplar
		for _, x := range h.Exemplars {
			all = append(all, slices.Collect(x.All())...)
		}
		upper, cumulative := h.Bounds.Upper(), h.Cumulative
		if n := len(upper); n > 0 && math.IsInf(upper[n-1], 1) { // the count again, which not all write
			upper, cumulative = upper[:n-1], cumulative[:n-1]
		}
		return fmt.Sprint(upper, cumulative, h.Count, h.Sum, exemplars(all...))
	}
	n, buckets := h.Native, ""
	n.Exemplars = slices.Clone(n.Exemplars)
	var all []*model.Exemplar
	for i := range n.Exemplars {
		all = append(all, &n.Exemplars[i])
	}
	for _, side := range [][]string{sides(n.PositiveSpans, n.Positive), sides(n.NegativeSpans, n.Negative)} {
		buckets += fmt.Sprint(side)
	}
	return fmt.Sprint("schema ", n.Schema, n.ZeroThreshold, n.ZeroCount, n.Count, n.Sum, buckets, exemplars(all...))
}

// sides returns the buckets with observations, by index.
func sides(spans []model.Span, counts []float64) (buckets []string) {
	index := int32(0)
	for _, s := range spans {
		index += s.Offset
		for range s.Length {
			if counts[0] != 0 {
				buckets = append(buckets, fmt.Sprint(index, ":", counts[0]))
			}
			index, counts = index+1, counts[1:]
		}
	}
	return buckets
}

func exemplars(all ...*model.Exemplar) string {
	var texts []string
	for _, x := range all {
		if x != nil {
			labels := x.Labels.Map()
			maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
			texts = append(texts, fmt.Sprint(" exemplar ", labels, x.Value, " timed:", x.Timestamp.IsSet()))
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, "")
}

// compare fails the test unless the pages have the same series.
func compare(t *testing.T, got, want series) {
	t.Helper()
	if len(want) == 0 {
		t.Error("the page to compare with is empty")
	}
	for _, key := range slices.SortedFunc(maps.Keys(want), cmp.Compare[string]) {
		if got[key] != want[key] {
			t.Errorf("%s\nis   %s\nwant %s", key, got[key], want[key])
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s is there: %s", key, got[key])
		}
	}
}

// faults are what a registry reports.
type faults struct {
	mu   sync.Mutex
	list []error
}

func (f *faults) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, err)
}

func (f *faults) all() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list)
}

// newRegistry returns a registry and its faults.
func newRegistry() (*telltale.Registry, *faults) {
	var f faults
	return telltale.NewRegistry(telltale.WithErrorHook(f.add)), &f
}

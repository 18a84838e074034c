package clientgolang_test

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prometheus "github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// accepts are the formats in which pages are compared.
var accepts = map[string]string{
	"text":     "text/plain;version=1.0.0;escaping=allow-utf-8",
	"protobuf": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8",
}

// page returns the families of a handler's page, as client_golang's own decoder
// reads them, by name and with sorted series.
func page(t testing.TB, h http.Handler, accept string) map[string]*dto.MetricFamily {
	t.Helper()
	req := httptest.NewRequest("GET", "/metrics", nil)
	req.Header.Set("Accept", accept)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	families := make(map[string]*dto.MetricFamily)
	if accept == accepts["text"] {
		parser := expfmt.NewTextParser(prometheus.UTF8Validation)
		families, err := parser.TextToMetricFamilies(rec.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			normal(f)
		}
		return families
	}
	body := bufio.NewReader(rec.Body)
	for {
		f := new(dto.MetricFamily)
		err := protodelim.UnmarshalFrom(body, f)
		if errors.Is(err, io.EOF) {
			return families
		}
		if err != nil {
			t.Fatalf("%v in the page (%s)", err, rec.Header().Get("Content-Type"))
		}
		families[f.GetName()] = normal(f)
	}
}

// normal gives a family the one form of several that mean the same: sorted series
// and labels, no empty help, and the bucket +Inf where only the count was.
func normal(f *dto.MetricFamily) *dto.MetricFamily {
	if f.GetHelp() == "" {
		f.Help = nil
	}
	for _, m := range f.Metric {
		slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
		h := m.Histogram
		if h == nil {
			continue
		}
		if n := len(h.Bucket); n > 0 || len(h.PositiveSpan)+len(h.NegativeSpan) == 0 {
			if inf := positiveInfinity; n == 0 || h.Bucket[n-1].GetUpperBound() != inf {
				h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: &inf, CumulativeCount: h.SampleCount})
			}
		}
	}
	slices.SortFunc(f.Metric, func(a, b *dto.Metric) int { return cmp.Compare(text(a), text(b)) })
	return f
}

func text(m proto.Message) string {
	b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	return string(b)
}

// comparePages fails the test if the families differ.
func comparePages(t *testing.T, got, want map[string]*dto.MetricFamily) {
	t.Helper()
	if len(want) == 0 {
		t.Error("the page to compare with has no families")
	}
	names := slices.Sorted(maps.Keys(want))
	if have := slices.Sorted(maps.Keys(got)); !slices.Equal(have, names) {
		t.Errorf("families %q, want %q", have, names)
	}
	for _, name := range names {
		g, w := got[name], want[name]
		if g == nil || proto.Equal(g, w) || text(g) == text(w) { // NaN is never equal
			continue
		}
		t.Errorf("family %q is\n%s\nwant\n%s", name, prototext.Format(g), prototext.Format(w))
	}
}

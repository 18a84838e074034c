package model_test

import (
	"slices"
	"testing"

	"telltale/model"
)

func TestTypes(t *testing.T) {
	want := []string{"unknown", "counter", "gauge", "summary", "histogram", "gaugehistogram", "info", "stateset"}
	var got []string
	for _, typ := range model.Types() {
		got = append(got, typ.String())
		parsed, err := model.ParseType(typ.String())
		if err != nil || parsed != typ {
			t.Errorf("ParseType(%q) = %v, %v; want %v", typ.String(), parsed, err, typ)
		}
		if !typ.Valid() {
			t.Errorf("%v is not valid", typ)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("Types() are called %q, want %q", got, want)
	}
	if typ, err := model.ParseType("untyped"); err != nil || typ != model.Unknown {
		t.Errorf("ParseType(untyped) = %v, %v; want unknown", typ, err)
	}
	for _, bad := range []string{"", "Counter", "gauge ", "info2"} {
		if typ, err := model.ParseType(bad); err == nil {
			t.Errorf("ParseType(%q) = %v, want an error", bad, typ)
		}
	}
	if bad := model.Type(99); bad.Valid() || bad.String() != "Type(99)" || bad.Parts() != model.PartValue {
		t.Errorf("Type(99): valid %v, %q, parts %b", bad.Valid(), bad, bad.Parts())
	}
}

func TestPartsOfTypes(t *testing.T) {
	want := map[model.Type][]string{
		model.Unknown:        {""},
		model.Counter:        {"_total", "_created"},
		model.Gauge:          {""},
		model.Summary:        {"", "_created", "_count", "_sum"},
		model.Histogram:      {"_created", "_bucket", "_count", "_sum"},
		model.GaugeHistogram: {"_bucket", "_gcount", "_gsum"},
		model.Info:           {"_info"},
		model.StateSet:       {""},
	}
	for _, typ := range model.Types() {
		var got []string
		typ.Parts().Each(func(p model.Parts) { got = append(got, p.Suffix()) })
		if !slices.Equal(got, want[typ]) {
			t.Errorf("a %s has samples ending in %q, want %q", typ, got, want[typ])
		}
		if typ.Parts()&^model.AllParts != 0 {
			t.Errorf("a %s has parts outside AllParts", typ)
		}
	}
	if s := (model.PartSum | model.PartCount).Suffix(); s != "" {
		t.Errorf("two parts together have the suffix %q, want none", s)
	}
}

package model_test

import (
	"strings"
	"testing"

	"telltale/model"
)

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		valid, legacy, label bool
	}{
		{"requests_total", true, true, true},
		{"job:requests:rate5m", true, true, false},
		{"_x", true, true, true},
		{":", true, true, false},
		{"A9", true, true, true},
		{"9a", true, false, false},
		{"my.metric", true, false, false},
		{"my metric", true, false, false},
		{"花火", true, false, false},
		{"a\x00", true, false, false},
		{"", false, false, false},
		{"a\xff", false, false, false},
	} {
		if got := model.ValidName(tt.name); got != tt.valid {
			t.Errorf("ValidName(%q) = %v", tt.name, got)
		}
		if got := model.CheckName(tt.name) == nil; got != tt.valid {
			t.Errorf("CheckName(%q) accepts: %v", tt.name, got)
		}
		if got := model.LegacyName(tt.name); got != tt.legacy {
			t.Errorf("LegacyName(%q) = %v", tt.name, got)
		}
		if got := model.LegacyLabelName(tt.name); got != tt.label {
			t.Errorf("LegacyLabelName(%q) = %v", tt.name, got)
		}
	}
}

func TestCheckLabelNames(t *testing.T) {
	for _, tt := range []struct {
		typ   model.Type
		names []string
		want  string // in the error; "" for none
	}{
		{model.Counter, nil, ""},
		{model.Counter, []string{"method", "code", "le", "quantile", "http.route"}, ""},
		{model.Counter, []string{""}, "empty"},
		{model.Counter, []string{"a", "\xff"}, "UTF-8"},
		{model.Counter, []string{"a", "b", "a"}, "twice"},
		{model.Counter, []string{"__name__"}, "reserved"},
		{model.Gauge, []string{"_x"}, "reserved"},
		{model.Counter, []string{"__"}, "reserved"},
		{model.Histogram, []string{"le"}, "reserved"},
		{model.GaugeHistogram, []string{"le"}, "reserved"},
		{model.Histogram, []string{"quantile"}, ""},
		{model.Summary, []string{"quantile"}, "reserved"},
		{model.Summary, []string{"le"}, ""},
		{model.StateSet, []string{"x"}, "reserved"},
		{model.Info, []string{"x"}, ""},
		{model.Counter, []string{"a.b", "a_dot_b", "ab", "a..b"}, ""},
		{model.Counter, []string{"a.b", "c", "a_b"}, `"a.b" of counter "x" becomes "a_b", as label name "a_b" does, under the escaping scheme "underscores"`},
		{model.Counter, []string{"a_b", "a.b"}, `"a_b"`},
		{model.Counter, []string{"a.b", "a-b"}, `"a_b"`},
		{model.Counter, []string{"a-", "a_"}, `"a_"`},
		{model.Counter, []string{"1", "_"}, `"_"`},
		{model.Counter, []string{"a.b", "U__a_2e_b"}, `"U__a_2e_b"`},
		{model.Counter, []string{"--name__"}, `becomes "__name__" under the escaping scheme "underscores"`},
		{model.Counter, []string{"-name_"}, `becomes "__name__" under the escaping scheme "dots"`},
		{model.StateSet, []string{"a", "x."}, ""},
	} {
		err := model.CheckLabelNames("x", tt.typ, tt.names)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s with labels %q: %v", tt.typ, tt.names, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s with labels %q: error %v, want one saying %q", tt.typ, tt.names, err, tt.want)
		}
	}
}

// The label of a state set's states is not escaped into another one either.
func TestCheckLabelNamesOfStates(t *testing.T) {
	for family, label := range map[string]string{"a.b": "a_b", "a_b": "a.b", "a-b": "a.b"} {
		if err := model.CheckLabelNames(family, model.StateSet, []string{"other", label}); err == nil {
			t.Errorf("state set %q may have the label %q", family, label)
		}
		if err := model.CheckLabelNames(family, model.Gauge, []string{"other", label}); err != nil {
			t.Error(err)
		}
	}
}

func TestUnitSuffix(t *testing.T) {
	for _, tt := range []struct {
		name, unit string
		typ        model.Type
		want       string
	}{
		{"latency", "", model.Gauge, "latency"},
		{"latency", "seconds", model.Gauge, "latency_seconds"},
		{"latency_seconds", "seconds", model.Gauge, "latency_seconds"},
		{"latencyseconds", "seconds", model.Gauge, "latencyseconds_seconds"},
		{"bytes", "bytes", model.Gauge, "bytes"}, // Python says bytes_bytes
		{"requests", "bytes", model.Counter, "requests_bytes"},
		{"requests_total", "bytes", model.Counter, "requests_bytes_total"},
		{"requests_bytes_total", "bytes", model.Counter, "requests_bytes_total"},
		{"requests_total", "bytes", model.Gauge, "requests_total_bytes"},
		{"_total", "bytes", model.Counter, "_total_bytes"},
	} {
		if got := model.WithUnitSuffix(tt.name, tt.unit, tt.typ); got != tt.want {
			t.Errorf("WithUnitSuffix(%q, %q, %s) = %q, want %q", tt.name, tt.unit, tt.typ, got, tt.want)
		}
		if again := model.WithUnitSuffix(tt.want, tt.unit, tt.typ); again != tt.want {
			t.Errorf("a second WithUnitSuffix(%q, %q, %s) = %q: the unit is suffixed twice", tt.want, tt.unit, tt.typ, again)
		}
	}
	for _, tt := range []struct {
		typ  model.Type
		unit string
	}{
		{model.Info, "bytes"}, {model.StateSet, "bytes"}, {model.Counter, "total"},
		{model.Gauge, "a b"}, {model.Gauge, "a\nb"}, {model.Gauge, "\xff"},
	} {
		if model.CheckUnit("x", tt.typ, tt.unit) == nil {
			t.Errorf("CheckUnit accepts the unit %q on a %s", tt.unit, tt.typ)
		}
		if _, err := model.NewFamily("x", "", tt.typ, model.WithUnit(tt.unit)); err == nil {
			t.Errorf("NewFamily accepts the unit %q on a %s", tt.unit, tt.typ)
		}
	}
}

// The examples of the schemes' documentation, and what python and Go make of
// names that it leaves open.
func TestEscaping(t *testing.T) {
	for _, tt := range []struct {
		name                      string
		label                     bool
		underscores, dots, values string
	}{
		{"mysystem.prod.west.cpu.load", false, "mysystem_prod_west_cpu_load", "mysystem_dot_prod_dot_west_dot_cpu_dot_load", "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load"},
		{"mysystem.prod.west.cpu.load_total", false, "mysystem_prod_west_cpu_load_total", "mysystem_dot_prod_dot_west_dot_cpu_dot_load__total", "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total"},
		{"http.status:sum", false, "http_status:sum", "http_dot_status:sum", "U__http_2e_status:sum"},
		{"http.status:sum", true, "http_status_sum", "http_dot_status__sum", "U__http_2e_status_3a_sum"},
		{"花火", false, "__", "____", "U___82b1__706b_"},
		{"no:escaping_required", false, "no:escaping_required", "no:escaping__required", "no:escaping_required"},
		{"no_escaping", true, "no_escaping", "no__escaping", "no_escaping"},
		{"a:b", true, "a_b", "a__b", "U__a_3a_b"},
		{"9a", false, "_a", "__a", "U___39_a"},
		{"a9 b", false, "a9_b", "a9__b", "U__a9_20_b"},
		{"label with 😱", true, "label_with__", "label__with____", "U__label_20_with_20__1f631_"},
		{"", false, "", "", ""},
	} {
		of := func(e model.Escaping) string {
			if tt.label {
				return e.LabelName(tt.name)
			}
			return e.MetricName(tt.name)
		}
		for scheme, want := range map[model.Escaping]string{
			model.AllowUTF8: tt.name, model.Underscores: tt.underscores, model.Dots: tt.dots, model.Values: tt.values,
		} {
			got := of(scheme)
			if got != want {
				t.Errorf("%s makes %q of %q (a label: %v), want %q", scheme, got, tt.name, tt.label, want)
			}
			if scheme != model.AllowUTF8 && got != "" && !model.LegacyName(got) {
				t.Errorf("%s makes %q of %q, which is not a legacy name", scheme, got, tt.name)
			}
		}
	}
}

func TestEscapingNames(t *testing.T) {
	for scheme, name := range map[model.Escaping]string{
		model.AllowUTF8: "allow-utf-8", model.Underscores: "underscores", model.Dots: "dots", model.Values: "values",
	} {
		if scheme.String() != name {
			t.Errorf("scheme %d is called %q, want %q", scheme, scheme, name)
		}
		if got, err := model.ParseEscaping(name); err != nil || got != scheme {
			t.Errorf("ParseEscaping(%q) = %v, %v", name, got, err)
		}
		if scheme.Keeps() == (scheme == model.Dots) {
			t.Errorf("%s.Keeps() = %v", scheme, scheme.Keeps())
		}
	}
	if _, err := model.ParseEscaping("Values"); err == nil {
		t.Error("ParseEscaping takes a name in capitals")
	}
	if got := model.Escaping(9).String(); got != "Escaping(9)" {
		t.Errorf("Escaping(9) is called %q", got)
	}
}

func FuzzEscaping(f *testing.F) {
	for _, s := range []string{"a.b", "花火", "_", "9", "a b:c", "\xff", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, scheme := range []model.Escaping{model.Underscores, model.Dots, model.Values} {
			if got := scheme.MetricName(name); name != "" && !model.LegacyName(got) {
				t.Errorf("%s makes %q of the name %q, which is not a legacy name", scheme, got, name)
			}
			if got := scheme.LabelName(name); name != "" && !model.LegacyLabelName(got) {
				t.Errorf("%s makes %q of the label %q, which is not a legacy name", scheme, got, name)
			}
			if scheme.Keeps() && model.LegacyName(name) && scheme.MetricName(name) != name {
				t.Errorf("%s does not keep %q", scheme, name)
			}
		}
		if got := model.AllowUTF8.MetricName(name); got != name {
			t.Errorf("allow-utf-8 makes %q of %q", got, name)
		}
	})
}

package apitest

import (
	"maps"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
)

func TestInfo(t *testing.T) {
	reg := telltale.NewRegistry()
	i := telltale.Must(telltale.NewInfo("build", "", telltale.In(reg), telltale.WithConstLabels(map[string]string{"zone": "a"})))
	wantPage(t, reg, "# TYPE build_info gauge\nbuild_info{zone=\"a\"} 1.0\n")
	given := map[string]string{"version": "1.2", "branch": `a"b`}
	if err := i.Set(given); err != nil {
		t.Fatal(err)
	}
	given["version"] = "changed"
	want := "# TYPE build_info gauge\nbuild_info{zone=\"a\",branch=\"a\\\"b\",version=\"1.2\"} 1.0\n"
	wantPage(t, reg, want)
	got := i.Value()
	if !maps.Equal(got, map[string]string{"version": "1.2", "branch": `a"b`}) {
		t.Errorf("Value() = %q", got)
	}
	got["version"] = "changed"
	for _, bad := range []map[string]string{{"": "x"}, {"\xff": "x"}, {"__name__": "x"}, {"zone": "b"}} {
		if err := i.Set(bad); err == nil {
			t.Errorf("Set(%q): no error", bad)
		}
	}
	wantPage(t, reg, want)
	if err := i.Set(nil); err != nil {
		t.Error(err)
	}
	wantPage(t, reg, "# TYPE build_info gauge\nbuild_info{zone=\"a\"} 1.0\n")
}

// "_info", the suffix of the sample, may be part of the name that is given.
func TestInfoName(t *testing.T) {
	for _, tt := range []struct{ name, sample string }{
		{"build", "build_info"},
		{"build_info", "build_info"},
		{"build_info_info", "build_info_info"},
		{"info", "info_info"},
		{"buildinfo", "buildinfo_info"},
	} {
		reg := telltale.NewRegistry()
		i := telltale.Must(telltale.NewInfo(tt.name, "", telltale.In(reg)))
		if err := i.Set(map[string]string{"version": "1"}); err != nil {
			t.Error(err)
		}
		wantPage(t, reg, "# TYPE "+tt.sample+" gauge\n"+tt.sample+"{version=\"1\"} 1.0\n")
	}
	reg := telltale.NewRegistry()
	i := telltale.Must(telltale.NewInfo("build_info", "", telltale.In(reg)))
	if i != telltale.Must(telltale.NewInfo("build", "", telltale.In(reg))) {
		t.Error(`"build" and "build_info" are two infos`)
	}
	if i == telltale.Must(telltale.NewInfo("info", "", telltale.In(reg), telltale.WithNamespace("x"))) {
		t.Error("a namespace is ignored")
	}
	if got := i.Describe()[0].Name; got != "build" {
		t.Errorf("the family's name is %q", got)
	}
}

// No escaping scheme makes two labels equal.
func TestLabelsThatEscapingMerges(t *testing.T) {
	alone := telltale.Unregistered()
	_, vec := telltale.NewCounterVec("c", "", []string{"a.b", "a-b"}, alone)
	_, constant := telltale.NewGaugeVec("g", "", []string{"a.b"}, alone, telltale.WithConstLabels(map[string]string{"a_b": "x"}))
	_, typed := telltale.NewCounterOf[struct {
		A string `label:"a.b"`
		B string `label:"a/b"`
	}]("o", "", alone)
	_, state := telltale.NewEnumVec("a.b", "", []string{"on"}, []string{"a_b"}, alone)
	_, name := telltale.NewSummaryVec("s", "", []string{"--name__"}, alone)
	set := telltale.Must(telltale.NewInfoVec("i", "", []string{"a.b"}, alone)).With("x").Set(map[string]string{"a_b": "y"})
	for what, err := range map[string]error{"vec": vec, "constant labels": constant, "struct": typed, "states": state, "__name__": name, "info": set} {
		if err == nil || !strings.Contains(err.Error(), "escaping scheme") {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

func TestInfoVec(t *testing.T) {
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	v := telltale.Must(telltale.NewInfoVec("build", "", []string{"program"}, telltale.In(reg)))
	if err := v.With("a").Set(map[string]string{"version": "x\xffy"}); err != nil {
		t.Error(err)
	}
	w.want(t, telltale.ReasonInvalidUTF8)
	if err := v.With("a").Set(map[string]string{"program": "b"}); err == nil {
		t.Error("a label of the series is accepted")
	}
	wantPage(t, reg, "# TYPE build_info gauge\nbuild_info{program=\"a\",version=\"x\uFFFDy\"} 1.0\n")
}

// Values of an info obey the limit of label values; an invalid name changes
// nothing and is not counted.
func TestInfoValues(t *testing.T) {
	for _, test := range []struct {
		name, value, want string
		reasons           []telltale.Reason
	}{
		{"short", "1234", "1234", nil},
		{"long", "12345678", "12345", []telltale.Reason{telltale.ReasonOversized}},
		{"cut within a character", "1234é", "1234", []telltale.Reason{telltale.ReasonOversized}},
		{"not valid", "a\xffb", "a\uFFFDb", []telltale.Reason{telltale.ReasonInvalidUTF8}},
		{"not valid and long", "a\xffbcd", "a\uFFFDb", []telltale.Reason{telltale.ReasonInvalidUTF8, telltale.ReasonOversized}},
	} {
		var w witness
		reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
		i := telltale.Must(telltale.NewInfo("i", "", telltale.In(reg), telltale.WithLabelValueLimit(5)))
		if err := i.Set(map[string]string{"v": test.value, "__w": test.value}); err == nil {
			t.Errorf("%s: a reserved name is accepted", test.name)
		}
		w.want(t)
		if err := i.Set(map[string]string{"v": test.value}); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		w.want(t, test.reasons...)
		if got := i.Value()["v"]; got != test.want {
			t.Errorf("%s: the value is %q, want %q", test.name, got, test.want)
		}
	}
}

func TestInfoRefusesUnit(t *testing.T) {
	// An option for a unit does not compile; see TestOptionsThatDoNotFit.
	if _, err := telltale.NewInfo("", "", telltale.Unregistered()); err == nil {
		t.Error("an empty name is accepted")
	}
}

// Readers see one Set or another, never a mixture.
func TestInfoUnderContention(t *testing.T) {
	i := telltale.Must(telltale.NewInfo("i", "", telltale.Unregistered()))
	both := []map[string]string{{"a": "1", "b": "1"}, {"a": "2", "b": "2"}}
	if err := i.Set(both[0]); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	together(3, func(n int) {
		if n == 2 {
			defer stop.Store(true)
			for range 2000 {
				if info := only(t, i).Info.Map(); info["a"] != info["b"] {
					t.Errorf("it says %q", info)
				}
			}
			return
		}
		for !stop.Load() {
			if err := i.Set(both[n]); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestZeroInfo(t *testing.T) {
	var i telltale.Info
	if err := i.Set(map[string]string{"a": "b"}); err != nil || len(i.Value()) != 0 {
		t.Errorf("error %v, value %q", err, i.Value())
	}
	wantPage(t, &i, "")
}

package apitest

import (
	"testing"

	"telltale"
	"telltale/model"
)

const targetPage = "# TYPE target_info gauge\ntarget_info{env=\"test\"} 1.0\n"

func TestTargetInfoOnThePage(t *testing.T) {
	reg := telltale.NewRegistry()
	register(t, reg, described(gauge("m", 1)))
	if err := reg.SetTargetInfo(map[string]string{"env": "test"}); err != nil {
		t.Fatal(err)
	}
	text, err := telltale.GenerateLatest(reg)
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, string(text), "# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info{env=\"test\"} 1.0\n# HELP m \n# TYPE m gauge\nm 1.0\n")
	wantText(t, openMetrics(t, reg), "# TYPE target info\ntarget_info{env=\"test\"} 1.0\n# TYPE m gauge\nm 1.0\n# EOF\n")
}

func TestTargetInfoSetAndCleared(t *testing.T) {
	tests := []struct {
		name   string
		labels []map[string]string // set one after the other
		want   string
	}{
		{"set", []map[string]string{{"env": "test"}}, targetPage},
		{"replaced", []map[string]string{{"a": "1", "b": "2"}, {"env": "test"}}, targetPage},
		{"cleared by nil", []map[string]string{{"env": "test"}, nil}, ""},
		{"cleared by an empty map", []map[string]string{{"env": "test"}, {}}, ""},
		{"cleared though never set", []map[string]string{nil, {}}, ""},
		{"set again", []map[string]string{{"a": "1"}, nil, {"env": "test"}}, targetPage},
		{"sorted", []map[string]string{{"b": "2", "a": "1"}}, "# TYPE target_info gauge\ntarget_info{a=\"1\",b=\"2\"} 1.0\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reg := telltale.NewRegistry()
			for _, labels := range tt.labels {
				if err := reg.SetTargetInfo(labels); err != nil {
					t.Fatal(err)
				}
			}
			wantPage(t, reg, tt.want)
			if free := tt.want == ""; free {
				register(t, reg, described(gauge("target_info", 1)))
			} else {
				wantDuplicate(t, reg.Register(described(gauge("target_info", 1))), "target_info")
			}
		})
	}
}

func TestTargetInfoConflicts(t *testing.T) {
	claimants := map[string]telltale.Collector{
		"gauge target_info": described(gauge("target_info", 1)),
		"info target":       described(family("target", model.Info)),
	}
	for name, claimant := range claimants {
		t.Run(name+" first", func(t *testing.T) {
			reg := telltale.NewRegistry()
			register(t, reg, claimant)
			duplicate := duplicateIn(t, reg.SetTargetInfo(map[string]string{"env": "test"}), "target_info")
			if duplicate.Clashes[0].Holder != claimant {
				t.Errorf("the error names %v as the holder", duplicate.Clashes[0].Holder)
			}
			if reg.TargetInfo() != nil {
				t.Errorf("target info is %v after the failure", reg.TargetInfo())
			}
			if err := reg.SetTargetInfo(nil); err != nil {
				t.Errorf("clearing target info that is not set: %v", err)
			}
			wantDuplicate(t, reg.Register(described(gauge("target_info", 1))), "target_info") // the claimant's
			if err := reg.Unregister(claimant); err != nil {
				t.Fatal(err)
			}
			if err := reg.SetTargetInfo(map[string]string{"env": "test"}); err != nil {
				t.Errorf("after the claimant has gone: %v", err)
			}
		})
		t.Run(name+" second", func(t *testing.T) {
			reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"env": "test"}))
			wantDuplicate(t, reg.Register(claimant), "target_info")
			wantPage(t, reg, targetPage)
		})
	}
}

// The name "target" is not claimed. In OpenMetrics, where the info would have
// that name, the info is then named like its sample.
func TestTargetInfoBesideAGaugeCalledTarget(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"env": "test"}))
	register(t, reg, described(gauge("target", 5)))
	wantPage(t, reg, targetPage+gaugePage("target", "5.0"))
	wantText(t, openMetrics(t, reg), "# TYPE target_info unknown\ntarget_info{env=\"test\"} 1.0\n# TYPE target gauge\ntarget 5.0\n# EOF\n")
}

func TestTargetInfoLabelsAreChecked(t *testing.T) {
	for _, name := range []string{"", "__name__", "\xff"} {
		reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"env": "test"}))
		if reg.SetTargetInfo(map[string]string{name: "x"}) == nil {
			t.Errorf("the label name %q was accepted", name)
		}
		wantPage(t, reg, targetPage)
	}
	t.Run("values are mended", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"a": "x\xffy", "b": "\"\n\\"}))
		wantPage(t, reg, "# TYPE target_info gauge\ntarget_info{a=\"x\uFFFDy\",b=\"\\\"\\n\\\\\"} 1.0\n")
	})
	t.Run("NewRegistry has no error to return, so it counts", func(t *testing.T) {
		var w witness
		reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"__a": "x"}), telltale.WithErrorHook(w.hear))
		w.want(t, telltale.ReasonTargetInfo)
		wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonTargetInfo: 1})
		if reg.TargetInfo() != nil {
			t.Errorf("target info is %v", reg.TargetInfo())
		}
	})
	t.Run("whatever the order of options", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"a.b": "x"}), telltale.WithLegacyNamesOnly())
		wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonTargetInfo: 1})
	})
}

func TestTargetInfoIsCopied(t *testing.T) {
	given := map[string]string{"env": "test"}
	reg := telltale.NewRegistry(telltale.WithTargetInfo(given))
	given["env"] = "changed by who gave it"
	reg.TargetInfo()["env"] = "changed by who asked for it"
	if got := reg.TargetInfo()["env"]; got != "test" {
		t.Errorf("target info has env=%q, want \"test\"", got)
	}
	if telltale.NewRegistry().TargetInfo() != nil {
		t.Error("a registry has target info that was not set")
	}
}

func TestTargetInfoOfNestedRegistries(t *testing.T) {
	inner := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"of": "inner"}))
	outer := telltale.NewRegistry()
	register(t, outer, described(gauge("m", 1)), inner)
	const innerPage = "# TYPE target_info gauge\ntarget_info{of=\"inner\"} 1.0\n"
	wantPage(t, outer, gaugePage("m", "1.0")+innerPage)
	if err := outer.SetTargetInfo(map[string]string{"env": "test"}); err != nil {
		t.Fatal(err)
	}
	wantPage(t, outer, targetPage+gaugePage("m", "1.0"))
	wantPage(t, outer.Restricted("target_info"), targetPage)
	wantFaults(t, outer, map[telltale.Reason]uint64{telltale.ReasonRepeatedFamily: 2})
}

// A view's label that has another value in an instrument makes families join, which the
// registry's own target info does not.
func TestTargetInfoBesideFamiliesThatMayJoin(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"env": "test"}))
	telltale.Must(telltale.NewGauge("m", "", telltale.In(reg), telltale.WithConstLabels(map[string]string{"k": "v"}))).Set(1)
	telltale.Must(telltale.NewGauge("n", "", telltale.In(reg))).Set(2)
	v := telltale.Must(telltale.Labelled(reg, map[string]string{"k": "w"}))
	wantPage(t, v, "# TYPE target_info gauge\ntarget_info{k=\"w\",env=\"test\"} 1.0\n# TYPE m gauge\n# TYPE n gauge\nn{k=\"w\"} 2.0\n")
}

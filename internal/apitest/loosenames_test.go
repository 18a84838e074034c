package apitest

import (
	"testing"

	"telltale"
	"telltale/exposition"
	"telltale/model"
)

// A sample that fits no point of its family, with the name of another family or of one of
// its samples, is not on the page beside that, whichever comes first. Readers would refuse
// the whole page.
func TestLooseSamplesWithNamesOfOtherFamilies(t *testing.T) {
	withLoose := func(name string) *model.Family {
		f := gauge("loose", 1)
		f.AddSample("loose_own", nil, 2)
		f.AddSample("loose_own", labelMap{"l": "1"}, 3)
		f.AddSample(name, nil, 4)
		return f
	}
	again := func(f *model.Family) *model.Family { // another family with a sample "free"
		f.Name = "again"
		f.AddSample("again", nil, 1)
		f.AddSample("free", nil, 2)
		return f
	}
	for _, test := range []struct {
		name       string
		collectors []telltale.Collector
	}{
		{"claimed, behind it", []telltale.Collector{nameless(withLoose("other")), described(gauge("other", 5))}},
		{"claimed, before it", []telltale.Collector{described(gauge("other", 5)), nameless(withLoose("other"))}},
		{"not claimed, behind it", []telltale.Collector{nameless(withLoose("other")), nameless(gauge("other", 5))}},
		{"not claimed, before it", []telltale.Collector{nameless(gauge("other", 5)), nameless(withLoose("other"))}},
		{"in one collector", []telltale.Collector{nameless(gauge("other", 5), withLoose("other"))}},
		{"of two families", []telltale.Collector{nameless(withLoose("free")), nameless(again(&model.Family{Type: model.Gauge}))}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var w witness
			reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
			register(t, reg, test.collectors...)
			all := collected(t, reg)
			w.want(t, telltale.ReasonRepeatedFamily)
			names := make(map[string]int)
			for _, f := range all {
				for s := range f.Samples() {
					names[s.Name]++
				}
			}
			if names["loose"] == 0 || names["loose_own"] < 2 || names["other"] > 1 || names["free"] > 1 {
				t.Errorf("samples %v", names)
			}
			if read, page, err := writeAndRead(exposition.Text004, all...); err != nil {
				t.Errorf("%v: %q in\n%s", err, read, page)
			}
		})
	}
}

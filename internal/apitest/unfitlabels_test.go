package apitest

import (
	"fmt"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
)

// A series of a custom collector with labels that a page must not have, for which
// Prometheus would refuse all of the page, is left out; the others stay.
func TestUnfitLabels(t *testing.T) {
	many, twice := make([]string, 40), make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprint("l", i)
	}
	copy(twice, many)
	twice[39] = "l7"
	for _, test := range []struct {
		name   string
		typ    model.Type
		labels []string
		info   []string
		fits   bool
	}{
		{"none", model.Gauge, nil, nil, true},
		{"different ones", model.Gauge, []string{"a", "b"}, nil, true},
		{"one twice", model.Gauge, []string{"a", "a"}, nil, false},
		{"one twice, apart", model.Counter, []string{"a", "b", "a"}, nil, false},
		{"one twice, in quotes", model.Gauge, []string{"a.b", "a.b"}, nil, false},
		{"many", model.Gauge, many, nil, true},
		{"one of many twice", model.Gauge, twice, nil, false},
		{"the metric's name", model.Gauge, []string{"__name__"}, nil, false},
		{"the metric's name once escaped", model.Gauge, []string{"é_name__"}, nil, false},
		{"another reserved name", model.Gauge, []string{"__type__"}, nil, true},
		{"le of a histogram", model.Histogram, []string{"le"}, nil, false},
		{"le of a gauge histogram", model.GaugeHistogram, []string{"le"}, nil, false},
		{"quantile of a summary", model.Summary, []string{"quantile"}, nil, false},
		{"le of a summary", model.Summary, []string{"le"}, nil, true},
		{"a state set's own name", model.StateSet, []string{"f"}, nil, false},
		{"another family's name on a state set", model.StateSet, []string{"g"}, nil, true},
		{"both of a gauge", model.Gauge, []string{"le", "quantile"}, nil, true},
		{"an info's own", model.Info, []string{"a"}, []string{"b"}, true},
		{"an info's own and those of its series", model.Info, []string{"a"}, []string{"a"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, retention := range []int{telltale.DefaultRetention, 0} { // families are copied, or lent
				f, p := &model.Family{Name: "f", Type: test.typ}, pointOf(test.typ, model.LabelPairs(test.labels, make([]string, len(test.labels))))
				p.Info = model.LabelPairs(test.info, make([]string, len(test.info)))
				f.Append(p)
				f.Append(pointOf(test.typ, model.LabelPairs([]string{"last"}, []string{"x"})))
				var w witness
				reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear), telltale.WithRetention(retention))
				register(t, reg, nameless(f), described(gauge("rest", 1)))
				n := 0
				for f, err := range reg.Families(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					points(t, f, func(*model.Point) { n++ })
				}
				want := 3
				if !test.fits {
					want = 2
				}
				if n != want {
					t.Errorf("retention %d: %d series, want %d", retention, n, want)
				}
				if test.fits {
					w.want(t)
					continue
				}
				w.want(t, telltale.ReasonLabelClash)
				if text := w.heard()[0].Error(); !strings.Contains(text, "the series f{") {
					t.Errorf("the fault does not name the series: %s", text)
				}
			}
		})
	}
	t.Run("a loose sample", func(t *testing.T) {
		f := gauge("f", 1)
		f.AddSample("f_loose", labelMap{"__name__": "x"}, 1)
		f.AddSample("f_loose", labelMap{"le": "1"}, 2)
		var w witness
		reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
		register(t, reg, nameless(f))
		wantPage(t, reg, gaugePage("f", "1.0")+"f_loose{le=\"1\"} 2.0\n")
		w.want(t, telltale.ReasonLabelClash)
	})
}

// pointOf returns a point of a type with one observation or the value 0.
func pointOf(typ model.Type, labels model.Labels) model.Point {
	p := model.Point{Labels: labels, Has: typ.Parts() &^ model.PartCreated}
	switch typ {
	case model.Histogram, model.GaugeHistogram:
		p.Has &^= model.PartBucket
		p.Histogram = &model.HistogramValue{Count: 1}
	case model.Summary:
		p.Summary = &model.SummaryValue{Count: 1}
	case model.Info:
		p.Value = 1
	}
	return p
}

// points visits the points of a family.
func points(t *testing.T, f *model.Family, visit func(*model.Point)) {
	t.Helper()
	var scratch model.Point
	if err := f.Visit(&scratch, func(p *model.Point) error {
		visit(p)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

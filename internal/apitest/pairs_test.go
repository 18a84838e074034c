package apitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"telltale"
	"telltale/exposition"
	"telltale/model"
)

// pairFormats are the formats in which pages of two families are written and read.
var pairFormats = []exposition.Format{
	exposition.Text004, exposition.Text100, exposition.OpenMetrics1, exposition.OpenMetrics2, exposition.Protobuf,
}

// familyOfType returns a family with one series.
func familyOfType(t *testing.T, name string, typ model.Type) *model.Family {
	t.Helper()
	f := &model.Family{Name: name, Help: "Help of " + name + ".", Type: typ}
	p := pointOf(typ, model.Labels{})
	switch typ {
	case model.Histogram, model.GaugeHistogram:
		bounds, err := model.NewBounds([]float64{1})
		if err != nil {
			t.Fatal(err)
		}
		p.Has = typ.Parts() &^ model.PartCreated
		p.Histogram = &model.HistogramValue{Bounds: bounds, Cumulative: []float64{1, 2}, Count: 2, Sum: 3}
	case model.Summary:
		p.Summary = &model.SummaryValue{Count: 2, Sum: 3, Quantiles: []model.Quantile{{Q: 0.5, V: 1}}}
	case model.StateSet:
		p.States = []model.State{{Name: "on", On: true}, {Name: "off"}}
	case model.Info:
		p.Info = model.LabelPairs([]string{"version"}, []string{"1"})
	default:
		p.Value = 4
	}
	if typ.Parts()&model.PartCreated != 0 {
		p.Created = model.Unix(5, 0)
	}
	f.Append(p)
	return f
}

// Two families of which the name of one is that of the other with a suffix of samples: where
// a registry accepts both, the strict parser of each format reads the page, and finds what
// the pages of each alone have.
func TestPairsOfFamilies(t *testing.T) {
	accepted, refused := 0, 0
	for _, first := range model.Types() {
		for _, second := range model.Types() {
			for _, suffix := range []string{"_total", "_created", "_sum", "_count", "_bucket", "_gsum", "_gcount", "_info"} {
				for _, order := range [][]*model.Family{
					{familyOfType(t, "x", first), familyOfType(t, "x"+suffix, second)},
					{familyOfType(t, "x"+suffix, second), familyOfType(t, "x", first)},
				} {
					var w witness
					reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
					if err := errors.Join(reg.Register(described(order[0])), reg.Register(described(order[1]))); err != nil {
						refused++
						continue
					}
					accepted++
					for _, format := range pairFormats {
						checkPair(t, reg, format, fmt.Sprintf("%s %s and %s %s as %s", order[0].Type, order[0].Name, order[1].Type, order[1].Name, format), order)
					}
					w.want(t)
				}
				for _, order := range [][2]*model.Family{
					{familyOfType(t, "x", first), familyOfType(t, "x"+suffix, second)},
					{familyOfType(t, "x"+suffix, second), familyOfType(t, "x", first)},
				} {
					checkUndescribed(t, order[0], order[1])
				}
			}
		}
	}
	t.Logf("%d accepted, %d refused", accepted, refused)
	if accepted == 0 || refused == 0 {
		t.Errorf("%d pairs are accepted, %d are not", accepted, refused)
	}
}

// checkUndescribed holds a page to the same of which the registry learns as it is collected.
// A family that the page cannot have is left out, and told.
func checkUndescribed(t *testing.T, first, second *model.Family) {
	t.Helper()
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	register(t, reg, nameless(first), nameless(second))
	all := collected(t, reg)
	if left := 2 - len(all); left != len(w.heard()) {
		t.Errorf("%s %s and %s %s: %d left out, told %v", first.Type, first.Name, second.Type, second.Name, left, w.heard())
	}
	for _, format := range pairFormats {
		if _, page, err := writeAndRead(format, all...); err != nil {
			t.Errorf("%s %s and %s %s, not described, as %s: %v in\n%s", first.Type, first.Name, second.Type, second.Name, format, err, page)
		}
	}
}

// collected returns copies of the families of a collector.
func collected(t *testing.T, c telltale.Collector) (all []*model.Family) {
	t.Helper()
	err := c.Collect(t.Context(), func(f *model.Family) error {
		all = append(all, f.Clone())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// checkPair compares the page of a registry with those of its families alone.
func checkPair(t *testing.T, reg telltale.Collector, format exposition.Format, what string, families []*model.Family) {
	t.Helper()
	together, page, err := writeAndRead(format, collected(t, reg)...)
	if err != nil {
		t.Errorf("%s: %v in\n%s", what, err, page)
		return
	}
	var apart []string
	for _, f := range families {
		one, page, err := writeAndRead(format, f)
		if err != nil {
			t.Errorf("%s: alone: %v in\n%s", what, err, page)
		}
		apart = append(apart, one...)
	}
	slices.Sort(together)
	slices.Sort(apart)
	if !slices.Equal(together, apart) {
		t.Errorf("%s: together\n%q\napart\n%q\nin\n%s", what, together, apart, page)
	}
}

// writeAndRead writes families in a format, reads them strictly and returns what they are:
// one text for each family.
func writeAndRead(format exposition.Format, families ...*model.Family) (read []string, page string, err error) {
	var b bytes.Buffer
	e := exposition.NewEncoder(&b, format, exposition.WithCreated(), exposition.WithDropped(func(d exposition.Drop) {
		err = errors.Join(err, fmt.Errorf("dropped %v", d))
	}))
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			return nil, "", err
		}
	}
	if err := errors.Join(err, e.Close()); err != nil {
		return nil, b.String(), err
	}
	p := exposition.NewParser(bytes.NewReader(b.Bytes()), format)
	for {
		f, err := p.Next()
		if errors.Is(err, io.EOF) {
			return read, b.String(), nil
		}
		if err != nil {
			return nil, b.String(), err
		}
		text := fmt.Sprintf("%s %s %q %q", f.Type, f.Name, f.Help, f.Unit)
		for s := range f.Samples() {
			text += fmt.Sprintf(" %s%s=%v", s.Name, s.Labels, s.Value)
		}
		read = append(read, text)
	}
}

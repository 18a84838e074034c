package exposition_test

import (
	"math"
	"testing"
	"time"

	"telltale/exposition"
	"telltale/model"
)

// unfit are points that no reader of OpenMetrics may get.
func unfit(t *testing.T) map[string]struct {
	typ   model.Type
	point model.Point
} {
	t.Helper()
	open, err := model.NewBounds([]float64{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	closed, err := model.NewBounds([]float64{1, 2, math.Inf(1)})
	if err != nil {
		t.Fatal(err)
	}
	total := func(v float64) model.Point { return model.Point{Has: model.PartTotal, Value: v} }
	histogram := func(has model.Parts, h model.HistogramValue) model.Point { return model.Point{Has: has, Histogram: &h} }
	summary := func(count, sum float64) model.Point {
		return model.Point{Has: model.PartCount | model.PartSum, Summary: &model.SummaryValue{Count: count, Sum: sum}}
	}
	native := func(n model.NativeHistogram) model.Point {
		n.PositiveSpans = []model.Span{{Length: 2}}
		return model.Point{Histogram: &model.HistogramValue{Native: &n}}
	}
	exemplar := func(labels string, v float64) *model.Exemplar {
		return &model.Exemplar{Labels: model.LabelsFromText(labels), Value: v, Timestamp: model.TimestampOf(time.Unix(1, 0))}
	}
	const all = model.PartBucket | model.PartCount | model.PartSum
	timed := total(-1)
	timed.Timestamp = model.TimestampOf(time.Unix(5, 0))
	return map[string]struct {
		typ   model.Type
		point model.Point
	}{
		"total of NaN":                    {model.Counter, total(math.NaN())},
		"total below zero":                {model.Counter, total(-1)},
		"total below zero, with a time":   {model.Counter, timed},
		"total of -Inf":                   {model.Counter, total(math.Inf(-1))},
		"buckets that fall":               {model.Histogram, histogram(all, model.HistogramValue{Bounds: closed, Cumulative: []float64{3, 2, 3}, Count: 3})},
		"bucket below zero":               {model.Histogram, histogram(all, model.HistogramValue{Bounds: closed, Cumulative: []float64{-1, 2, 3}, Count: 3})},
		"bucket of NaN":                   {model.Histogram, histogram(all, model.HistogramValue{Bounds: closed, Cumulative: []float64{1, math.NaN(), 3}, Count: 3})},
		"bucket of Inf":                   {model.Histogram, histogram(all, model.HistogramValue{Bounds: closed, Cumulative: []float64{1, 2, math.Inf(1)}, Count: math.Inf(1)})},
		"bucket +Inf beside other count":  {model.Histogram, histogram(all, model.HistogramValue{Bounds: closed, Cumulative: []float64{1, 2, 3}, Count: 4})},
		"count of NaN":                    {model.Histogram, histogram(all, model.HistogramValue{Bounds: closed, Cumulative: []float64{1, 2, 3}, Count: math.NaN()})},
		"count below the last bucket":     {model.Histogram, histogram(all, model.HistogramValue{Bounds: open, Cumulative: []float64{1, 2}, Count: 1})},
		"no bucket +Inf and no count":     {model.Histogram, histogram(model.PartBucket, model.HistogramValue{Bounds: open, Cumulative: []float64{1, 2}})},
		"count below zero, no bucket":     {model.Histogram, histogram(all, model.HistogramValue{Count: -1})},
		"summary's count of NaN":          {model.Summary, summary(math.NaN(), 1)},
		"summary's count below zero":      {model.Summary, summary(-1, 1)},
		"summary's count with a fraction": {model.Summary, summary(0.5, 1)},
		"summary's sum below zero":        {model.Summary, summary(1, -1)},
		"exemplar with a label twice":     {model.Counter, model.Point{Has: model.PartTotal, Value: 1, Exemplar: exemplar(`a="1",a="2"`, 1)}},
		"exemplar above its bucket":       {model.Histogram, histogram(all, model.HistogramValue{Bounds: closed, Cumulative: []float64{1, 2, 3}, Count: 3, Exemplars: []*model.Exemplar{exemplar(`a="1"`, 5), nil, nil}})},
		"native bucket below zero":        {model.Histogram, native(model.NativeHistogram{Positive: []float64{-1, 2}, Count: 1})},
		"native count beside other count": {model.Histogram, native(model.NativeHistogram{Positive: []float64{1, 2}, Count: 4})},
	}
}

// Whatever points a collector gives, pages of OpenMetrics keep the format's rules, and
// what is left out is told. Other series of the family stay.
func TestUnfitPoints(t *testing.T) {
	for name, c := range unfit(t) {
		for _, format := range []exposition.Format{exposition.OpenMetrics1, exposition.OpenMetrics2, exposition.Protobuf} {
			good := model.Point{Has: model.PartTotal, Value: 1}
			switch c.typ {
			case model.Histogram:
				good = model.Point{Histogram: &model.HistogramValue{Native: &model.NativeHistogram{ZeroCount: 1, Count: 1}}}
			case model.Summary:
				good = model.Point{Has: model.PartCount | model.PartSum, Summary: &model.SummaryValue{Count: 1, Sum: 1}}
			}
			good.Labels = model.LabelsFromText(`kind="good"`)
			c.point.Labels = model.LabelsFromText(`kind="unfit"`)
			for _, created := range []bool{false, true} {
				if created {
					c.point.Created, good.Created = model.TimestampOf(time.Unix(1, 0)), model.TimestampOf(time.Unix(1, 0))
				}
				f := &model.Family{Name: "a", Type: c.typ}
				f.Append(c.point)
				f.Append(good)
				told := 0
				written := page(t, format, []*model.Family{f}, exposition.WithCreated(), exposition.WithDropped(func(exposition.Drop) { told++ }))
				back, err := parse(written, format)
				if err != nil {
					t.Errorf("%s: %v in %s\n%s", name, err, format, written)
					continue
				}
				has := map[string]bool{}
				for _, p := range pointsOf(back[0]) {
					has[p.Labels.Text()] = true
				}
				if !has[good.Labels.Text()] || !has[c.point.Labels.Text()] && told == 0 {
					t.Errorf("%s: %d losses are told of %s\n%s", name, told, format, written)
				}
			}
		}
	}
}

package openmetrics_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"telltale/exposition/openmetrics"
	"telltale/exposition/text"
	"telltale/model"
)

// Buckets of equal counts have lines of their own, with their own exemplars.
func TestBucketsOfEqualCounts(t *testing.T) {
	seen := func(trace string, value float64) *model.Exemplar {
		return &model.Exemplar{Labels: model.LabelsOf(map[string]string{"t": trace}), Value: value}
	}
	h, err := model.NewHistogramFamily("h", "", model.WithLabelNames("l"))
	if err != nil {
		t.Fatal(err)
	}
	buckets := []model.Bucket{
		{Upper: 1}, {Upper: 2}, {Upper: 3, Cumulative: 2, Exemplar: seen("a", 3)}, {Upper: 4, Cumulative: 2},
		{Upper: 5, Cumulative: 2, Exemplar: seen("b", 5)}, {Upper: math.Inf(1), Cumulative: 2},
	}
	if err := h.Add([]string{"x"}, buckets, model.WithSum(6), model.WithTimestamp(time.UnixMilli(12500))); err != nil {
		t.Fatal(err)
	}
	f := h.Family()
	for _, c := range []struct {
		name   string
		encode func(b *strings.Builder) error
		want   string
	}{
		{"OpenMetrics", func(b *strings.Builder) error {
			e := openmetrics.NewEncoder(b)
			return errors.Join(e.Encode(f), e.Close())
		}, `# HELP h 
# TYPE h histogram
h_bucket{l="x",le="1.0"} 0.0 12.5
h_bucket{l="x",le="2.0"} 0.0 12.5
h_bucket{l="x",le="3.0"} 2.0 12.5 # {t="a"} 3.0
h_bucket{l="x",le="4.0"} 2.0 12.5
h_bucket{l="x",le="5.0"} 2.0 12.5 # {t="b"} 5.0
h_bucket{l="x",le="+Inf"} 2.0 12.5
h_count{l="x"} 2.0 12.5
h_sum{l="x"} 6.0 12.5
# EOF
`},
		{"text with short bounds", func(b *strings.Builder) error {
			e := text.NewEncoder(b, text.WithShortBounds())
			return errors.Join(e.Encode(f), e.Close())
		}, `# HELP h 
# TYPE h histogram
h_bucket{l="x",le="1"} 0.0 12500
h_bucket{l="x",le="2"} 0.0 12500
h_bucket{l="x",le="3"} 2.0 12500
h_bucket{l="x",le="4"} 2.0 12500
h_bucket{l="x",le="5"} 2.0 12500
h_bucket{l="x",le="+Inf"} 2.0 12500
h_count{l="x"} 2.0 12500
h_sum{l="x"} 6.0 12500
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			if err := c.encode(&b); err != nil {
				t.Fatal(err)
			}
			if got := b.String(); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

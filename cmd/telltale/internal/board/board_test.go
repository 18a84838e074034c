package board_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/cmd/telltale/internal/board"
	"telltale/exposition"
	"telltale/model"
)

// page parses a page of OpenMetrics.
func page(t *testing.T, text string) (all []*model.Family) {
	t.Helper()
	p := exposition.NewParser(strings.NewReader(text+"# EOF\n"), exposition.OpenMetrics1)
	for {
		f, err := p.Next()
		if f == nil {
			if err.Error() != "EOF" {
				t.Fatal(err)
			}
			return all
		}
		all = append(all, f)
	}
}

func at(seconds int) time.Time { return time.Unix(1_000_000+int64(seconds), 0) }

// row returns the one row that a filter leaves.
func row(t *testing.T, b *board.Board, filter string) *board.Row {
	t.Helper()
	rows := b.Rows(filter, board.ByPage, false)
	if len(rows) != 1 {
		t.Fatalf("%d rows with %q", len(rows), filter)
	}
	return rows[0]
}

func TestRates(t *testing.T) {
	b := board.New(10, "a")
	counter := func(v int) []*model.Family {
		return page(t, fmt.Sprintf("# TYPE a counter\na_total %d\n# TYPE g gauge\ng %d\n", v, v))
	}
	for _, step := range []struct {
		at   int
		v    int // negative: the target is away
		rate float64
	}{
		{0, 10, math.NaN()},
		{2, 16, 3},
		{4, 16, 0},
		{6, 4, 2}, // a reset
		{8, -1, 2},
		{16, 24, 2}, // over the time that it was away
	} {
		if step.v < 0 {
			b.Fail(0, at(step.at), errors.New("away"))
		} else {
			b.Update(0, at(step.at), counter(step.v))
		}
		r := row(t, b, "a_total")
		if r.Rate != step.rate && !(math.IsNaN(r.Rate) && math.IsNaN(step.rate)) {
			t.Errorf("after %ds the rate is %v, want %v", step.at, r.Rate, step.rate)
		}
	}
	if got := fmt.Sprint(row(t, b, "a_total").Trend); got != "[NaN 3 0 2 NaN 2]" {
		t.Errorf("the trend is %s", got)
	}
	if got := fmt.Sprint(row(t, b, "g gauge").Trend); got != "[10 16 16 4 NaN 24]" {
		t.Errorf("the trend of the gauge is %s", got)
	}
	for i := range 2 * board.History {
		b.Update(0, at(20+i), counter(i))
	}
	if got := row(t, b, "a_total").Trend; len(got) != board.History {
		t.Errorf("%d values are kept", len(got))
	}
}

func TestTargetsComeAndGo(t *testing.T) {
	b := board.New(10, "a", "b")
	b.Update(0, at(0), page(t, "x 1\ny 1\n"))
	b.Update(1, at(0), page(t, "x 1\n"))
	b.Fail(1, at(1), errors.New("refused"))
	b.Fail(1, at(5), errors.New("reset"))
	if one := b.Targets()[1]; one.Err == nil || !one.Since.Equal(at(1)) || len(b.Rows("", board.ByPage, false)) != 3 {
		t.Errorf("%+v", one)
	}
	b.Update(1, at(6), page(t, "x 1\n"))
	if one := b.Targets()[1]; one.Err != nil || one.Readings != 2 {
		t.Errorf("%+v", one)
	}
	for i := range 10 { // y is gone, first shown as such
		b.Update(0, at(10+i), page(t, "x 1\n"))
		if rows := b.Rows("y", board.ByPage, false); i == 0 && (len(rows) != 1 || rows[0].Gone != 1) || i == 9 && len(rows) != 0 {
			t.Errorf("after %d readings: %v", i+1, rows)
		}
	}
}

func TestLimit(t *testing.T) {
	b := board.New(3, "a")
	var text strings.Builder
	text.WriteString("# TYPE a gauge\n")
	for i := range 10 {
		fmt.Fprintf(&text, "a{i=\"%d\"} 1\n", i)
	}
	for range 3 {
		b.Update(0, at(0), page(t, text.String()))
		if one := b.Targets()[0]; len(b.Rows("", board.ByPage, false)) != 3 || one.Left != 7 || one.Series != 10 {
			t.Errorf("%+v", one)
		}
	}
}

func TestRowsOfTypes(t *testing.T) {
	b := board.New(20, "a")
	b.Update(0, at(0), page(t, `# TYPE s summary
s{quantile="0.5"} 3
s_count 2
s_sum 8
# TYPE i info
i_info{version="1",name="x"} 1
# TYPE e stateset
e{e="on"} 0
e{e="off"} 1
`))
	if r := row(t, b, "summary"); r.Value != 2 || len(r.Quantiles) != 1 || r.Quantiles[0].V != 3 {
		t.Errorf("%+v", r)
	}
	if r := row(t, b, "info"); r.Text+r.Labels != `version="1",name="x"` {
		t.Errorf("%+v", r)
	}
	if r := row(t, b, "stateset"); r.Text != "off" {
		t.Errorf("%+v", r)
	}
}

func TestHistograms(t *testing.T) {
	b := board.New(20, "a")
	histogram := func(one, two, all int) []*model.Family {
		return page(t, fmt.Sprintf("# TYPE h histogram\nh_bucket{le=\"1.0\"} %d\nh_bucket{le=\"2.0\"} %d\nh_bucket{le=\"+Inf\"} %d\nh_count %d\nh_sum %d\n", one, two, all, all, 2*all))
	}
	for i, step := range []struct {
		families []*model.Family
		buckets  string
		recent   bool
		mean     float64
	}{
		{histogram(1, 3, 6), "[{1 1} {2 2} {+Inf 3}]", false, math.NaN()},
		{histogram(1, 3, 6), "[{1 1} {2 2} {+Inf 3}]", false, math.NaN()}, // nothing new
		{histogram(5, 7, 10), "[{1 4} {2 0} {+Inf 0}]", true, 2},
		{histogram(1, 1, 1), "[{1 1} {2 0} {+Inf 0}]", false, math.NaN()}, // a reset
	} {
		b.Update(0, at(i), step.families)
		r := row(t, b, "h")
		if fmt.Sprint(r.Buckets) != step.buckets || r.Recent != step.recent || fmt.Sprint(r.Mean) != fmt.Sprint(step.mean) {
			t.Errorf("%d: %+v", i, r)
		}
	}
}

func TestNativeHistograms(t *testing.T) {
	f, err := model.NewFamily("h", "", model.Histogram)
	if err != nil {
		t.Fatal(err)
	}
	f.Append(model.Point{Histogram: &model.HistogramValue{Native: &model.NativeHistogram{
		Schema: 0, ZeroThreshold: 0.5, ZeroCount: 1, Count: 10,
		NegativeSpans: []model.Span{{Offset: 1, Length: 2}}, Negative: []float64{2, 1},
		PositiveSpans: []model.Span{{Offset: 0, Length: 2}, {Offset: 1, Length: 1}}, Positive: []float64{3, 0, 3},
	}}})
	b := board.New(20, "a")
	b.Update(0, at(0), []*model.Family{f})
	if r := row(t, b, "h"); r.Value != 10 || fmt.Sprint(r.Buckets) != "[{-2 1} {-1 2} {0.5 1} {1 3} {8 3}]" {
		t.Errorf("%+v", r)
	}
}

func TestQuantile(t *testing.T) {
	buckets := []board.Bucket{{1, 10}, {2, 0}, {4, 10}, {math.Inf(1), 5}}
	for q, want := range map[float64]float64{0: 0, 0.2: 0.5, 0.4: 1, 0.6: 3, 0.8: 4, 0.99: 4, 1: 4} {
		if got := board.Quantile(q, buckets); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
	if got := board.Quantile(0.5, nil); !math.IsNaN(got) {
		t.Errorf("of nothing: %v", got)
	}
}

func TestJoined(t *testing.T) {
	var many []board.Bucket
	for i := range 100 {
		many = append(many, board.Bucket{Upper: float64(i), Count: 1})
	}
	for n := 1; n < 120; n++ {
		got, total := board.Joined(many, n), 0.0
		for _, b := range got {
			total += b.Count
		}
		if len(got) > n || total != 100 || got[len(got)-1].Upper != 99 {
			t.Errorf("%d: %v", n, got)
		}
	}
}

func TestOrders(t *testing.T) {
	b := board.New(20, "a")
	b.Update(0, at(0), page(t, "# TYPE b counter\nb_total 5\n# TYPE a counter\na_total 1\n# TYPE c gauge\nc NaN\n"))
	b.Update(0, at(1), page(t, "# TYPE b counter\nb_total 6\n# TYPE a counter\na_total 4\n# TYPE c gauge\nc NaN\n"))
	for _, test := range []struct {
		filter  string
		by      board.Order
		reverse bool
		want    string
	}{
		{"", board.ByPage, false, "b_total a_total c"},
		{"", board.ByName, false, "a_total b_total c"},
		{"", board.ByName, true, "c b_total a_total"},
		{"", board.ByValue, false, "b_total a_total c"},
		{"", board.ByRate, false, "a_total b_total c"},
		{"COUNTER _t", board.ByPage, false, "b_total a_total"},
		{"counter gauge", board.ByPage, false, ""},
	} {
		var names []string
		for _, r := range b.Rows(test.filter, test.by, test.reverse) {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%q by %v, %v: %q, want %q", test.filter, test.by, test.reverse, got, test.want)
		}
	}
	var cycle []string
	for o := board.ByPage; len(cycle) < 5; o = o.Next() {
		parsed, ok := board.ParseOrder(o.String())
		if !ok || parsed != o {
			t.Errorf("%v is not parsed", o)
		}
		cycle = append(cycle, o.String())
	}
	if !slices.Equal(cycle, []string{"page", "name", "value", "rate", "page"}) {
		t.Errorf("the orders are %q", cycle)
	}
	if _, ok := board.ParseOrder("x"); ok {
		t.Error("x is an order")
	}
}

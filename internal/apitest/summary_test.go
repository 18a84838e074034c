package apitest

import (
	"math"
	"testing"

	"telltale"
)

func TestSummaryPage(t *testing.T) {
	reg := telltale.NewRegistry()
	s := telltale.Must(telltale.NewSummary("s", "", telltale.In(reg), telltale.WithUnit("bytes")))
	wantPage(t, reg, "# TYPE s_bytes summary\ns_bytes_count 0.0\ns_bytes_sum 0.0\n")
	s.Observe(1.5)
	s.Observe(-4)
	wantPage(t, reg, "# TYPE s_bytes summary\ns_bytes_count 2.0\ns_bytes_sum -2.5\n")
	if s.Count() != 2 || s.Sum() != -2.5 {
		t.Errorf("Count() = %d, Sum() = %v", s.Count(), s.Sum())
	}
	s.Observe(math.NaN())
	wantPage(t, s, "# TYPE s_bytes summary\ns_bytes_count 3.0\ns_bytes_sum NaN\n")
	if !only(t, s).Created.IsSet() {
		t.Error("it was never created")
	}
}

func TestSummaryErrors(t *testing.T) {
	if _, err := telltale.NewSummaryVec("s", "", []string{"quantile"}, telltale.Unregistered()); err == nil {
		t.Error("a label quantile is accepted")
	}
	if _, err := telltale.NewSummary("s", "", telltale.Unregistered(), telltale.WithConstLabels(map[string]string{"quantile": "1"})); err == nil {
		t.Error("a constant label quantile is accepted")
	}
}

func TestSummaryVec(t *testing.T) {
	v := telltale.Must(telltale.NewSummaryVec("s", "", []string{"l"}, telltale.Unregistered()))
	wantPage(t, v, "# TYPE s summary\n")
	v.With("x").Observe(1)
	wantPage(t, v, "# TYPE s summary\ns_count{l=\"x\"} 1.0\ns_sum{l=\"x\"} 1.0\n")
}

func TestZeroSummary(t *testing.T) {
	var s telltale.Summary
	s.Observe(1)
	s.Time(func() {})
	if s.Count() != 0 || s.Sum() != 0 {
		t.Errorf("the zero Summary observes: %d, %v", s.Count(), s.Sum())
	}
	wantPage(t, &s, "")
}

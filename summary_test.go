package telltale_test

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

func TestSummaryUnderContention(t *testing.T) {
	const goroutines, rounds = 8, 20_000
	s := telltale.Must(telltale.NewSummary("s", "", telltale.Unregistered()))
	together(goroutines, func(i int) {
		count, sum := uint64(0), 0.0
		for n := range rounds {
			s.Observe(0.5)
			if i == 0 && n == rounds/2 {
				telltale.SpreadSummary(s)
			}
			if i == 0 {
				if s.Count() < count || s.Sum() < sum {
					t.Errorf("it fell: from %d and %v to %d and %v", count, sum, s.Count(), s.Sum())
				}
				count, sum = s.Count(), s.Sum()
			}
		}
	})
	if s.Count() != goroutines*rounds || s.Sum() != goroutines*rounds/2 {
		t.Errorf("%d observations with the sum %v, want %d and %d", s.Count(), s.Sum(), goroutines*rounds, goroutines*rounds/2)
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

package apitest

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
)

// Different series are never taken for repeated ones, however similar their
// labels are: in their lengths and last characters, or made of one character.
func TestSeriesOfCustomCollectorsAreAllThere(t *testing.T) {
	values := make(map[string]bool)
	for i := range 20000 {
		values[strconv.Itoa(i)] = true
	}
	for length := range 40 {
		for first := range 256 {
			for _, rest := range []string{"0", "a"} {
				values[string(rune(first))+strings.Repeat(rest, length)] = true
			}
		}
	}
	f, err := model.NewCounterFamily("c", "", model.WithLabelNames("a"))
	if err != nil {
		t.Fatal(err)
	}
	for value := range values {
		if err := f.Add([]string{value}, 1); err != nil {
			t.Fatal(err)
		}
	}
	reg := telltale.NewRegistry(telltale.WithStrict())
	if err := reg.Register(telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		return emit(f.Family())
	})); err != nil {
		t.Fatal(err)
	}
	page, err := telltale.GenerateLatest(reg)
	if err != nil {
		t.Errorf("%.200v", err)
	}
	if got := strings.Count(string(page), "\nc_total{"); got != len(values) {
		t.Errorf("%d series, want %d", got, len(values))
	}
}

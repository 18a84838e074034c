package apitest

import (
	"testing"

	"telltale"
)

func TestSeedExample(t *testing.T) {
	reg := telltale.NewRegistry()
	c := telltale.Must(telltale.NewCounter("test_counter", "Test counter", telltale.In(reg)))
	c.Add(42)
	page, err := telltale.GenerateLatest(reg)
	if err != nil {
		t.Fatal(err)
	}
	want := "# HELP test_counter_total Test counter\n# TYPE test_counter_total counter\ntest_counter_total 42.0\n"
	if string(page) != want {
		t.Errorf("got\n%s\nwant\n%s", page, want)
	}
}

package openmetrics_test

import (
	"bytes"
	"errors"
	"testing"

	"telltale/exposition/openmetrics"
)

// A counter's family may be named like a counter's sample ("Suffixes" forbids
// clashes alone), and is written as it was read.
func TestFamilyNamedTotal(t *testing.T) {
	const page = "# HELP a_total b\n# TYPE a_total counter\na_total_total 1.0\na_total_created 2.0\n# EOF\n"
	families, err := all([]byte(page))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e := openmetrics.NewEncoder(&out, openmetrics.WithCreated())
	for _, f := range families {
		err = errors.Join(err, e.Encode(f))
	}
	if err = errors.Join(err, e.Close()); err != nil || out.String() != page {
		t.Errorf("error %v, got\n%s\nwant\n%s", err, &out, page)
	}
	if got := families[0].Name; got != "a_total_total" {
		t.Errorf("the family's name is %q", got)
	}
}

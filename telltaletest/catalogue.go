package telltaletest

import (
	"bytes"
	"testing"

	"telltale"
	"telltale/catalogue"
)

// Catalogue compares the families of c with a file of package [catalogue]: names,
// types, units, help texts, label names, buckets, quantiles and states, whatever the
// values. It fails the test for each difference, so that a family that is renamed is
// seen before dashboards break. Instruments are in the catalogue before their first
// series; what a custom collector leaves out is not. With the flag -update it writes
// the file instead, and its folder if need be.
func Catalogue(t testing.TB, c telltale.Collector, file string) {
	t.Helper()
	var got catalogue.Catalogue
	if err := visit(t.Context(), c, got.Add); err != nil {
		t.Fatalf("telltaletest: collecting failed: %v", err)
	}
	if *update {
		var content bytes.Buffer
		err := got.Write(&content)
		if err == nil {
			err = write(file, content.Bytes())
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := catalogue.Read(bytes.NewReader(read(t, file)))
	if err != nil {
		t.Fatalf("telltaletest: %s: %v", file, err)
	}
	for _, d := range catalogue.Compare(want, &got) {
		t.Errorf("telltaletest: %s: %v; run the test with -update if that is meant", file, d)
	}
}

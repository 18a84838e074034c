package multiprocess_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale"
	"telltale/multiprocess"
)

func TestHealthOfWriters(t *testing.T) {
	dir := sharedDir(t)
	if err := os.WriteFile(filepath.Join(dir, "counter_1.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := multiprocess.Open(dir, multiprocess.WithEpoch("blue"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // it folds nothing
	shared := telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
	telltale.Must(telltale.NewCounter("c", "", telltale.In(shared))).Inc()
	workers, err := multiprocess.NewCollector(dir)
	if err != nil {
		t.Fatal(err)
	}
	pageLines(t, workers)
	reg := telltale.NewRegistry(telltale.WithStrict())
	if err := reg.Register(workers.Health()); err != nil {
		t.Fatal(err)
	}
	got := pageLines(t, reg)
	for _, want := range []string{
		`telltale_writers_processes{state="alive"} 1.0`,
		`telltale_writers_processes{state="dead"} 0.0`,
		`telltale_writers_files 1.0`,
		`telltale_writers_skipped_files{reason="empty"} 1.0`,
		`telltale_writers_series 1.0`,
		`telltale_writers_spilled_series 0.0`,
		`telltale_writers_folds_total 0.0`,
		`epoch="blue"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not there:\n%s", want, got)
		}
	}
	// On the store's registry they are those of the process that is collected.
	if err := shared.Register(store.Health()); err != nil {
		t.Fatal(err)
	}
	other := telltale.NewRegistry(telltale.WithStore(telltale.Must(multiprocess.Open(dir, multiprocess.WithEpoch("blue"), multiprocess.WithoutFolding()))))
	pageLines(t, shared)
	if got := pageLines(t, shared); !strings.Contains(got, `state="alive"} 2.0`) || strings.Contains(got, `pid="`) {
		t.Errorf("the shared page has\n%s", got)
	}
	for what, c := range map[string]telltale.Collector{"another process": other, "the directory": workers} {
		if got := pageLines(t, c); strings.Contains(got, "telltale_writers_") {
			t.Errorf("the page of %s has\n%s", what, got)
		}
	}
}

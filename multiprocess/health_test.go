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

// The health of a directory is that of now, whoever collected it when: a worker that is
// scraped for the first time, or for the first time since long, tells no other numbers than
// its siblings.
func TestHealthIsThatOfNow(t *testing.T) {
	dir := sharedDir(t)
	open := func() (*multiprocess.Store, *telltale.Registry) {
		store, err := multiprocess.Open(dir, multiprocess.WithoutFolding(), multiprocess.WithAge(0))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() }) // it folds nothing
		reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
		telltale.Must(telltale.NewCounter("c", "", telltale.In(reg))).Inc()
		if err := reg.Register(store.Health()); err != nil {
			t.Fatal(err)
		}
		return store, reg
	}
	shows := func(when string, c telltale.Collector, alive, files string) {
		t.Helper()
		got := pageLines(t, c)
		for _, want := range []string{`telltale_writers_processes{state="alive"} ` + alive, "telltale_writers_files " + files} {
			if !strings.Contains(got, want) {
				t.Errorf("%s %s is not there:\n%s", when, want, got)
			}
		}
	}
	first, page := open()
	shows("at the first collection", page, "1.0", "1.0")
	second, _ := open()
	shows("beside another process", page, "2.0", "2.0")
	workers, err := multiprocess.NewCollector(dir, multiprocess.WithoutFolding(), multiprocess.WithAge(0))
	if err != nil {
		t.Fatal(err)
	}
	shows("without any collection", workers.Health(), "2.0", "2.0")
	if err := workers.Close(); err != nil {
		t.Fatal(err)
	}
	shows("of a closed collector", workers.Health(), "2.0", "2.0")
	if n := workers.Stats().Collections + first.Stats().Collections; n != 2 {
		t.Errorf("%d collections were counted, of 2", n)
	}
	// What is published is no reason to read the files of all others.
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if n := second.Stats().Listings; n != 0 {
		t.Errorf("a process that was never collected has listed the directory %d times", n)
	}
}

// What is wrong with files is told once, by the health or by the collection that sees it first.
func TestHealthTellsWhatIsWrong(t *testing.T) {
	dir := sharedDir(t)
	name := filepath.Join(dir, "writer-00000000000000000000000000000000.seg")
	if err := os.WriteFile(name, make([]byte, 600), 0o600); err != nil {
		t.Fatal(err)
	}
	told := 0
	workers, err := multiprocess.NewCollector(dir, multiprocess.WithoutFolding(), multiprocess.WithErrorHook(func(error) { told++ }))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []telltale.Collector{workers.Health(), workers, workers.Health()} {
		pageLines(t, c)
		if told != 1 {
			t.Errorf("after collection %d the hook was called %d times", i, told)
		}
	}
}

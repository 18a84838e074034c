package multiprocess_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"telltale"
	"telltale/multiprocess"
)

// afterwards returns a directory as dir will be when this process has ended: with
// copies of its segments, which nobody has locked.
func afterwards(t *testing.T, dir string) string {
	t.Helper()
	copies := sharedDir(t)
	paths, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("segments %q, %v", paths, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(copies, filepath.Base(path)), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return copies
}

// What an info says to other processes is what it says in its own, whoever was
// the last of several to set it, and wherever it was moved meanwhile.
func TestInfoIsTheSameInAStore(t *testing.T) {
	for _, moves := range []bool{false, true} {
		reg := telltale.NewRegistry(telltale.WithStore(openStore(t, sharedDir(t))))
		info := telltale.Must(telltale.NewInfo("i", "", telltale.In(reg)))
		for round := range 300 {
			var done sync.WaitGroup
			for i := range 3 {
				done.Go(func() {
					if err := info.Set(map[string]string{"v": fmt.Sprint(round, "/", i)}); err != nil {
						t.Error(err)
					}
				})
			}
			if moves {
				if err := errors.Join(reg.Unregister(info), reg.Register(info)); err != nil {
					t.Error(err)
				}
			}
			done.Wait()
			want := fmt.Sprintf("i_info{v=%q} 1.0\n", info.Value()["v"])
			if got := pageLines(t, reg); got != want {
				t.Fatalf("moves %v: the page has %q, want %q", moves, got, want)
			}
		}
	}
}

// An info's values obey the limit of label values in a store too.
func TestInfoValuesInAStore(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, sharedDir(t))))
	info := telltale.Must(telltale.NewInfo("i", "", telltale.In(reg), telltale.WithLabelValueLimit(3)))
	if err := info.Set(map[string]string{"a": "12345", "b": "\xff"}); err != nil {
		t.Error(err)
	}
	if got, want := pageLines(t, reg), "i_info{a=\"123\",b=\"\uFFFD\"} 1.0\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Counters in a store have true totals beyond 2^64, those that were counted on
// the heap before too, and folds keep them.
func TestCountersBeyondIntegersInAStore(t *testing.T) {
	const times, want = 3000, 3000*(1<<53-1) + 3000
	dir := sharedDir(t)
	for _, moved := range []bool{false, true} {
		name := fmt.Sprintf("c_%v", moved)
		store := openStore(t, dir, multiprocess.WithoutFolding())
		reg := telltale.NewRegistry(telltale.WithStore(store))
		c := telltale.Must(telltale.NewCounter(name, "", telltale.In(reg)))
		last := 0.0
		for i := range times {
			if moved && i%1000 == 500 {
				if err := errors.Join(reg.Unregister(c), reg.Register(c)); err != nil {
					t.Fatal(err)
				}
			}
			c.Add(1<<53 - 1)
			c.Inc()
			now, ok := reg.SampleValue(name+"_total", nil)
			if i%50 == 0 && (!ok || now < last) {
				t.Fatalf("%s: it fell from %v to %v, %v", name, last, now, ok)
			}
			last = now
		}
		if got := c.Value(); got != want || last != want {
			t.Errorf("%s: %v, and %v in the store; want %v", name, got, last, float64(want))
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
	dir = afterwards(t, dir)
	if report, err := multiprocess.Fold(t.Context(), dir); err != nil || len(report.Absorbed) != 2 {
		t.Errorf("%+v, %v; want 2 files folded", report, err)
	}
	lines := strings.Fields(pageLines(t, telltale.Must(multiprocess.NewCollector(dir))))
	for i := 1; i < len(lines); i += 2 {
		if lines[i] != fmt.Sprint(float64(want)) {
			t.Errorf("after a fold %s is %s, want %v", lines[i-1], lines[i], float64(want))
		}
	}
}

// A mode that was given is the mode of what is published too, the default among
// them; without one, what is published goes with its process.
func TestModeOfPublishedGauges(t *testing.T) {
	one := telltale.SingleValue(func() float64 { return 1 })
	for _, test := range []struct {
		name string
		opts []telltale.GaugeOption
		want string // when its process has ended
	}{
		{"none", nil, ""},
		{"all", []telltale.GaugeOption{telltale.WithGaugeMode(telltale.ModeAll)}, "g{pid=\"w\"} 1.0\n"},
		{"liveall", []telltale.GaugeOption{telltale.WithGaugeMode(telltale.ModeLiveAll)}, ""},
		{"sum", []telltale.GaugeOption{telltale.WithGaugeMode(telltale.ModeSum)}, "g 1.0\n"},
	} {
		for _, callback := range []bool{true, false} {
			dir := sharedDir(t)
			store := openStore(t, dir, multiprocess.WithWriterName("w"))
			reg := telltale.NewRegistry(telltale.WithStore(store))
			if callback {
				telltale.Must(telltale.NewGaugeFunc("g", "", nil, one, append(test.opts, telltale.In(reg))...))
			} else { // made for no registry, so that its value is not in the store
				g := telltale.Must(telltale.NewGauge("g", "", append(test.opts, telltale.Unregistered())...))
				g.Set(1)
				if err := reg.Register(g); err != nil {
					t.Fatal(err)
				}
			}
			_ = page(t, reg)
			if err := store.Close(); err != nil {
				t.Error(err)
			}
			if got := pageLines(t, telltale.Must(multiprocess.NewCollector(afterwards(t, dir)))); got != test.want {
				t.Errorf("mode %s, callback %v: %q, want %q", test.name, callback, got, test.want)
			}
		}
	}
}

// A store that was not opened, as when Open's error is not looked at, is an error.
func TestStoreThatWasNotOpened(t *testing.T) {
	failed, err := multiprocess.Open(filepath.Join(os.DevNull, "nowhere"))
	if err == nil {
		t.Fatal("a directory below a file is opened")
	}
	for what, store := range map[string]*multiprocess.Store{"failed": failed, "zero": new(multiprocess.Store)} {
		reg := telltale.NewRegistry(telltale.WithStore(store))
		if _, err := telltale.NewCounter("c", "", telltale.In(reg)); err == nil {
			t.Errorf("%s: there is a counter", what)
		}
		if _, err := telltale.GenerateLatest(reg); err == nil {
			t.Errorf("%s: there is a page", what)
		}
		if err := telltale.NewRegistry().UseStore(store); err == nil {
			t.Errorf("%s: a registry uses it", what)
		}
	}
}

package collectors_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"telltale"
	"telltale/collectors"
	"telltale/model"
)

var everything = collectors.WithRules(collectors.Allow(regexp.MustCompile(".")))

// families collects copies.
func families(t *testing.T, c telltale.Collector) ([]*model.Family, error) {
	t.Helper()
	var all []*model.Family
	err := c.Collect(t.Context(), func(f *model.Family) error {
		all = append(all, f.Clone())
		return nil
	})
	return all, err
}

// values collects samples by name and labels; failing to collect fails the test.
func values(t *testing.T, c telltale.Collector) map[string]float64 {
	t.Helper()
	all, err := families(t, c)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]float64)
	for _, f := range all {
		for s := range f.Samples() {
			name := s.Name
			if !s.Labels.IsEmpty() {
				name += s.Labels.String()
			}
			if _, twice := found[name]; twice {
				t.Errorf("%s is there twice", name)
			}
			found[name] = s.Value
		}
	}
	return found
}

func namesAndTypes(all []*model.Family) []string {
	var found []string
	for _, f := range all {
		line := f.Name + " " + f.Type.String()
		if f.Unit != "" {
			line += " in " + f.Unit
		}
		found = append(found, line)
	}
	slices.Sort(found)
	return found
}

func sameLines(t *testing.T, got []string, want string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(want), "\n")
	for _, line := range got {
		if !slices.Contains(lines, line) {
			t.Errorf("unexpected: %s", line)
		}
	}
	for _, line := range lines {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
}

func standard() map[string]telltale.Collector {
	return map[string]telltale.Collector{
		"go":         collectors.NewGo(),
		"everything": collectors.NewGo(everything),
		"process":    collectors.NewProcess(),
		"build":      collectors.NewBuildInfo(),
		"platform":   collectors.NewPlatformInfo(),
	}
}

func TestDescribedIsWhatIsCollected(t *testing.T) {
	for name, c := range standard() {
		t.Run(name, func(t *testing.T) {
			collected, err := families(t, c)
			if err != nil {
				t.Fatal(err)
			}
			described := c.(telltale.Describer).Describe()
			got, want := namesAndTypes(described), namesAndTypes(collected)
			if !slices.Equal(got, want) {
				t.Errorf("described %q\ncollected %q", got, want)
			}
			for _, f := range described {
				for s := range f.Samples() {
					t.Errorf("description has the sample %v", s)
				}
				if err := f.Check(); err != nil {
					t.Error(err)
				}
				if f.Help == "" {
					t.Errorf("%s has no help", f.Name)
				}
				if model.WithUnitSuffix(f.Name, f.Unit, f.Type) != f.Name {
					t.Errorf("%s does not end in its unit %s", f.Name, f.Unit)
				}
			}
		})
	}
}

// What is one family to OpenMetrics, or one sample to anybody, must be one
// family here.
func TestNoNameIsClaimedTwice(t *testing.T) {
	var all []*model.Family
	for _, c := range []telltale.Collector{
		collectors.NewGo(everything), collectors.NewProcess(), collectors.NewBuildInfo(), collectors.NewPlatformInfo(),
	} {
		some, err := families(t, c)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	claimed := make(map[string]string)
	for _, f := range all {
		names := map[string]bool{f.BaseName(): true}
		f.Type.Parts().Each(func(part model.Parts) { names[f.NameOf(part)] = true })
		for name := range names {
			if other, taken := claimed[name]; taken {
				t.Errorf("%s and %s both claim %s", other, f.Name, name)
			}
			claimed[name] = f.Name
		}
	}
}

func TestConcurrentCollects(t *testing.T) {
	for name, c := range standard() {
		t.Run(name, func(t *testing.T) {
			view := c.(telltale.Restrictor).Restricted("go_goroutines", "process_cpu_seconds_total", "go_build_info", "go_platform")
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					for range 20 {
						which := c
						if i%2 == 0 {
							which = view
						}
						err := which.Collect(context.Background(), func(f *model.Family) error {
							for s := range f.Samples() {
								if s.Value < 0 {
									return fmt.Errorf("%s is %v", s.Name, s.Value)
								}
							}
							return nil
						})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestCollectStops(t *testing.T) {
	full := errors.New("full")
	for name, c := range standard() {
		t.Run(name, func(t *testing.T) {
			emitted := 0
			err := c.Collect(t.Context(), func(*model.Family) error { emitted++; return full })
			if !errors.Is(err, full) || emitted != 1 {
				t.Errorf("emit's error gave %v after %d families", err, emitted)
			}
			ctx, cancel := context.WithCancel(t.Context())
			emitted = 0
			err = c.Collect(ctx, func(*model.Family) error { emitted++; cancel(); return nil })
			if emitted != 1 || len(c.(telltale.Describer).Describe()) > 1 && !errors.Is(err, context.Canceled) {
				t.Errorf("cancelling in between gave %v after %d families", err, emitted)
			}
			err = c.Collect(ctx, func(*model.Family) error { t.Error("emitted after ctx was done"); return nil })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("a cancelled context gave %v", err)
			}
		})
	}
}

func TestRestrictedToNothing(t *testing.T) {
	for name, c := range standard() {
		if found := values(t, c.(telltale.Restrictor).Restricted("something_else")); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}

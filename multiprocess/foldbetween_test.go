//go:build unix

package multiprocess_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// A fold that comes between any two operations on files by a reader takes nothing
// from the page and puts nothing there twice: where it must, the reader reads again.
func TestFoldsBetweenTheOperationsOfAReader(t *testing.T) {
	for name, read := range map[string]func(t *testing.T, dir string, hook mapped.Hook) []*model.Family{
		"Merge": func(t *testing.T, dir string, hook mapped.Hook) []*model.Family {
			families, err := multiprocess.MergeWith([]string{dir}, true, hook)
			if err != nil {
				t.Error(err)
			}
			return families
		},
		"Collector": func(t *testing.T, dir string, hook mapped.Hook) (families []*model.Family) {
			c, err := multiprocess.NewCollector(dir, multiprocess.WithFiles(hook), multiprocess.WithoutFolding(),
				multiprocess.WithErrorHook(func(err error) { t.Error(err) }))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Collect(t.Context(), func(f *model.Family) error { families = append(families, f.Clone()); return nil }); err != nil {
				t.Error(err)
			}
			return families
		},
	} {
		t.Run(name, func(t *testing.T) {
			const writers = 3
			// scenario returns how many operations a reader takes where a fold comes
			// before one of them, and whether it came to that.
			scenario := func(at int) (operations int, folded bool) {
				dir := t.TempDir()
				counting(t, dir, segment.Header{}, 100).die()
				if _, err := multiprocess.Fold(t.Context(), dir); err != nil {
					t.Fatal(err)
				}
				for i := range writers {
					counting(t, dir, segment.Header{}, uint64(i+1)).die()
				}
				families := read(t, dir, func(_ mapped.Op, _ string, n int64) (int64, error) {
					if operations++; operations == at {
						folded = true
						if report, err := multiprocess.Fold(t.Context(), dir); err != nil || len(report.Absorbed) != writers {
							t.Errorf("at operation %d: the fold has taken up %v, %v", at, report.Absorbed, err)
						}
					}
					return n, nil
				})
				var got []string
				for _, f := range families {
					for s := range f.Samples() {
						if !strings.HasSuffix(s.Name, "_created") {
							got = append(got, fmt.Sprint(s.Name, " ", s.Value))
						}
					}
				}
				if want := "[c_total 106]"; fmt.Sprint(got) != want {
					t.Errorf("a fold before operation %d: %v, want %s", at, got, want)
				}
				return operations, folded
			}
			undisturbed, _ := scenario(0)
			again := 0
			for at := 1; ; at++ {
				operations, folded := scenario(at)
				if !folded {
					break
				}
				if operations > undisturbed {
					again++
				}
			}
			if again == 0 {
				t.Error("no fold made the reader read again")
			}
			t.Logf("%d operations; %d of their folds made it read again", undisturbed, again)
		})
	}
}

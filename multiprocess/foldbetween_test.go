//go:build unix

package multiprocess_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
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
		"Collector": func(t *testing.T, dir string, hook mapped.Hook) []*model.Family {
			return collect(t, foldedReader(t, dir, hook))
		},
		// The directory has not changed for long when it was listed, so that it tells by
		// itself whether a fold has come.
		"Collector, later": func(t *testing.T, dir string, hook mapped.Hook) []*model.Family {
			age(t, dir)
			first := true
			c := foldedReader(t, dir, func(op mapped.Op, name string, n int64) (int64, error) {
				if first {
					return n, nil
				}
				return hook(op, name, n)
			})
			collect(t, c)
			first = false
			return collect(t, c)
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
				if got, want := withoutCreated(families), "[c_total 106]"; got != want {
					t.Errorf("a fold before operation %d: %s, want %s", at, got, want)
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

// Folds that come between a reader's look at the archive's name and the opening of its file
// take nothing from the page, however they follow each other.
func TestFoldsWhileTheArchiveIsOpened(t *testing.T) {
	const opens = 5 // of the archive, before each of which there is a fold or none
	for _, first := range []bool{true, false} {
		for folds := range 1 << opens {
			dir := sharedDir(t)
			counting(t, dir, segment.Header{}, 100).die()
			fold := func() {
				if _, err := multiprocess.Fold(t.Context(), dir); err != nil {
					t.Fatal(err)
				}
			}
			fold()
			for i := range 3 {
				counting(t, dir, segment.Header{}, uint64(i+1)).die()
			}
			reads, opened := first, 0
			c := foldedReader(t, dir, func(op mapped.Op, name string, n int64) (int64, error) {
				if reads && op == mapped.OpOpen && filepath.Base(name) == spool.ArchiveName.String() {
					if folds>>opened&1 != 0 {
						counting(t, dir, segment.Header{}, 0).die() // without which there is nothing to fold
						fold()
					}
					opened++
				}
				return n, nil
			})
			if !first {
				collect(t, c)
				reads = true
			}
			if got, want := withoutCreated(collect(t, c)), "[c_total 106]"; got != want {
				t.Errorf("first collection %t, folds before opens %05b (the last digit is the first one's): %s, want %s", first, folds, got, want)
			}
		}
	}
}

// withoutCreated returns the samples of families but for the times of creation.
func withoutCreated(families []*model.Family) string {
	var got []string
	for _, f := range families {
		for s := range f.Samples() {
			if !strings.HasSuffix(s.Name, "_created") {
				got = append(got, fmt.Sprint(s.Name, " ", s.Value))
			}
		}
	}
	return fmt.Sprint(got)
}

// foldedReader returns a collector whose operations on files pass the hook, which folds.
func foldedReader(t *testing.T, dir string, hook mapped.Hook) *multiprocess.Collector {
	t.Helper()
	return collector(t, dir, multiprocess.WithFiles(hook), multiprocess.WithoutFolding(), multiprocess.WithErrorHook(func(err error) { t.Error(err) }))
}

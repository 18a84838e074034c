//go:build unix

package multiprocess_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"telltale/internal/mapped"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// Each operation on files of a fold fails in turn: no total changes, and the next
// fold puts all in order.
func TestEachOperationOfAFoldFails(t *testing.T) {
	prepare := func() (dir string) {
		dir = t.TempDir()
		for range 3 {
			counting(t, dir, segment.Header{Epoch: "new", Start: 5}, 1).die()
		}
		fold(t, dir)
		for range 2 {
			counting(t, dir, segment.Header{Epoch: "new", Start: 6}, 1).die()
		}
		counting(t, dir, segment.Header{Epoch: "old", Start: 1}, 100).die()
		return dir
	}
	want := []string{"c_total{} 5.0"}
	failures := []error{syscall.EIO, syscall.EMFILE, syscall.ENOSPC, syscall.EACCES}
	for _, op := range mapped.Ops() {
		for nth := 1; ; nth++ {
			failure := failures[nth%len(failures)]
			dir, seen := prepare(), 0
			var files failing
			files.set(func(at mapped.Op, _ string, _ int) error {
				if at == op {
					if seen++; seen == nth {
						return failure
					}
				}
				return nil
			})
			_, _ = multiprocess.Fold(t.Context(), dir, multiprocess.WithFiles(files.hook))
			c := collector(t, dir)
			sameSamples(t, op.String(), collect(t, c), want)
			fold(t, dir)
			sameSamples(t, op.String()+" again", collect(t, c), want)
			if names := ls(t, dir, "writer-*"); len(names) != 0 {
				t.Errorf("%v %d: left %q", op, nth, names)
			}
			if err := os.RemoveAll(filepath.Join(dir)); err != nil {
				t.Fatal(err)
			}
			if seen < nth || t.Failed() {
				break
			}
		}
	}
}

// Each operation on files of a collection fails in turn: it has all, or fails.
func TestEachOperationOfACollectionFails(t *testing.T) {
	dir := t.TempDir()
	counting(t, dir, segment.Header{}, 1)
	counting(t, dir, segment.Header{}, 2).die()
	put(t, dir, "counter_1.db", entry{counter(""), 4, 0})
	fold(t, dir, multiprocess.WithDryRun())
	for _, failure := range []error{syscall.EIO, syscall.EMFILE, syscall.EACCES} {
		for _, limit := range []int{0, 100} {
			for _, op := range mapped.Ops() {
				var files failing
				c := collector(t, dir, multiprocess.WithFiles(files.hook), multiprocess.WithoutFolding(), multiprocess.WithMappingLimits(limit, 1<<30))
				for range 3 {
					collect(t, c)
				}
				for nth := 1; ; nth++ {
					seen := 0
					files.set(func(at mapped.Op, _ string, _ int) error {
						if at == op {
							if seen++; seen == nth {
								return failure
							}
						}
						return nil
					})
					if got, err := collectAll(t, c); err == nil {
						sameSamples(t, op.String(), got, []string{"c_total{} 7.0"})
					}
					files.set(nil)
					sameSamples(t, op.String()+" again", collect(t, c), []string{"c_total{} 7.0"})
					if seen < nth || t.Failed() {
						break
					}
				}
			}
		}
	}
}

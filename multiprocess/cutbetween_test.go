//go:build unix

package multiprocess_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// victim is a file that is cut, in a directory with another one.
type victim struct {
	dir, name string
	page      []string // of both files
}

// besideVictim is what the page has without the victim.
const besideVictim = `other_total{} 5.0`

// victims make a file of each kind.
var victims = map[string]func(t *testing.T) victim{
	"segment": func(t *testing.T) victim {
		return newVictim(t, func(dir string) string { return victimSegment(t, dir).name })
	},
	"segment of a dead writer": func(t *testing.T) victim {
		return newVictim(t, func(dir string) string {
			w := victimSegment(t, dir)
			w.die()
			return w.name
		})
	},
	"archive": func(t *testing.T) victim {
		return newVictim(t, func(dir string) string {
			victimSegment(t, dir).die()
			fold(t, dir)
			return "archive.seg"
		})
	},
	"python": func(t *testing.T) victim {
		return newVictim(t, func(dir string) string {
			var f pythonBytes
			for i := range victimSeries {
				f.add(16, counter(fmt.Sprintf(`"a": "%d"`, i)), 1, 0)
			}
			f.write(t, filepath.Join(dir, "counter_1.db"))
			return "counter_1.db"
		})
	},
}

const victimSeries = 200

func newVictim(t *testing.T, add func(dir string) (name string)) victim {
	t.Helper()
	dir := sharedDir(t)
	v := victim{dir: dir, name: add(dir)}
	begin(t, dir, segment.Header{}).family(segment.Family{Name: "other", Type: model.Counter}).add("", 5)
	v.page = samples(collect(t, collector(t, dir, multiprocess.WithoutFolding())))
	if len(v.page) != victimSeries+1 {
		t.Fatalf("the page has %d series", len(v.page))
	}
	return v
}

func victimSegment(t *testing.T, dir string) *writer {
	t.Helper()
	w := begin(t, dir, segment.Header{})
	rows := w.family(segment.Family{Name: "c", Type: model.Counter, Labels: []string{"a"}})
	for i := range victimSeries {
		rows.add(fmt.Sprintf(`a="%d"`, i), 1)
	}
	return w
}

// A file that is cut before any one of the operations on it, while a page is made, is left
// out of this page, as it is of the next one, or was read whole before: the page does not
// fail, and has what other files have. It is told as truncated.
func TestFileIsCutBeforeEachOperation(t *testing.T) {
	for name, victim := range victims {
		for how, opts := range map[string][]multiprocess.Option{
			"mapped":     nil,
			"not mapped": {multiprocess.WithMappingLimits(0, 0)},
		} {
			for _, length := range []int64{0, 100, 5000} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, how, length), func(t *testing.T) {
					for page := range 3 {
						for operation := 0; victim(t).cut(t, page, operation, length, opts); operation++ {
							continue
						}
					}
				})
			}
		}
	}
}

// cut cuts the file before an operation on it while a page is made. It reports whether
// there was this operation.
func (v victim) cut(t *testing.T, page, operation int, length int64, opts []multiprocess.Option) (done bool) {
	t.Helper()
	begun := false
	var told []error
	cut := v.hook(t, operation, length, &done)
	c := collector(t, v.dir, append(slices.Clone(opts), multiprocess.WithoutFolding(),
		multiprocess.WithErrorHook(func(err error) { told = append(told, err) }),
		multiprocess.WithFiles(func(op mapped.Op, name string, n int64) (int64, error) {
			if !begun {
				return n, nil
			}
			return cut(op, name, n)
		}))...)
	for range page {
		sameSamples(t, "before", collect(t, c), v.page)
	}
	begun = true
	var families []*model.Family
	err := c.Collect(context.Background(), func(f *model.Family) error {
		families = append(families, f.Clone())
		return f.Check()
	})
	at := fmt.Sprintf("page %d, cut before operation %d", page, operation)
	if err != nil {
		t.Errorf("%s: %v", at, err)
	}
	if !done {
		return false
	}
	if got := samples(families); !slices.Equal(got, v.page) {
		v.leftOut(t, at, families, told)
		if s := c.Stats(); s.Skipped[multiprocess.ReasonTruncated]+s.Skipped[multiprocess.ReasonEmpty] != 1 {
			t.Errorf("%s: stats %+v", at, s)
		}
	}
	v.leftOut(t, at+", the next page", collect(t, c), told)
	return true
}

// Merge and Inspect say of a file that is cut before any one of the operations on it that it
// is truncated, and have all that other files have, or have read it whole before.
func TestFileIsCutBeforeEachOperationOfMergeAndInspect(t *testing.T) {
	truncated := []multiprocess.Reason{multiprocess.ReasonTruncated, multiprocess.ReasonEmpty}
	for name, victim := range victims {
		for _, length := range []int64{0, 100, 5000} {
			t.Run(fmt.Sprintf("%s/%d", name, length), func(t *testing.T) {
				for operation, done := 0, true; done; operation++ {
					v := victim(t)
					families, err := multiprocess.MergeWith([]string{v.dir}, true, v.hook(t, operation, length, &done))
					var file *multiprocess.FileError
					if got := samples(families); done && !slices.Equal(got, v.page) {
						if !slices.Equal(got, []string{besideVictim}) || !errors.As(err, &file) || !slices.Contains(truncated, file.Reason) {
							t.Errorf("cut before operation %d: merged %d series, %v", operation, len(got), err)
						}
					}
				}
				for operation, done := 0, true; done; operation++ {
					v := victim(t)
					reports, err := multiprocess.InspectWith(v.dir, v.hook(t, operation, length, &done))
					if err != nil {
						t.Errorf("cut before operation %d: %v", operation, err)
					}
					for _, r := range reports {
						if r.Error != "" && (r.Name != v.name || !slices.Contains(truncated, r.Reason)) {
							t.Errorf("cut before operation %d: %s is %s: %s", operation, r.Name, r.Reason, r.Error)
						}
					}
				}
			})
		}
	}
}

// hook returns a hook that cuts the file before the operation on it of this number, and then
// sets done, which is false at first.
func (v victim) hook(t *testing.T, operation int, length int64, done *bool) mapped.Hook {
	operations := 0
	*done = false
	return func(_ mapped.Op, name string, n int64) (int64, error) {
		if name == v.name {
			if operations == operation {
				*done = true
				if err := os.Truncate(filepath.Join(v.dir, v.name), length); err != nil {
					t.Error(err)
				}
			}
			operations++
		}
		return n, nil
	}
}

func (v victim) leftOut(t *testing.T, at string, families []*model.Family, told []error) {
	t.Helper()
	if got := samples(families); !slices.Equal(got, []string{besideVictim}) {
		t.Errorf("%s has %d series", at, len(got))
	}
	for _, err := range told {
		var file *multiprocess.FileError
		if errors.As(err, &file) && strings.HasSuffix(file.Path, v.name) && (file.Reason == multiprocess.ReasonTruncated || file.Reason == multiprocess.ReasonEmpty) {
			return
		}
	}
	t.Errorf("%s: told %v", at, told)
}

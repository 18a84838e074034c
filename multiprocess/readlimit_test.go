package multiprocess_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// A file that is not mapped and has more bytes than the limit is left out, told with its
// reason, and the others stay. Without a limit, and with the default one, it is read.
func TestReadLimit(t *testing.T) {
	const series, limit = 1000, 16 << 10
	for name, make := range map[string]func(dir string) (file string){
		"segment": func(dir string) string {
			w := begin(t, dir, segment.Header{})
			rows := w.family(segment.Family{Name: "c", Type: model.Counter, Labels: []string{"i"}})
			for i := range series {
				rows.add(fmt.Sprintf(`i="%d"`, i), 1)
			}
			return w.name
		},
		"python": func(dir string) string {
			var f pythonBytes
			for i := range series {
				f.add(16, counter(fmt.Sprintf(`"i": "%d"`, i)), 1, 0)
			}
			f.write(t, filepath.Join(dir, "counter_1.db"))
			return "counter_1.db"
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := make(dir)
			begin(t, dir, segment.Header{}).family(segment.Family{Name: "other", Type: model.Counter}).add("", 5)
			for bytes, whole := range map[int64]bool{limit: false, 0: true, 1 << 20: true} {
				var told []error
				c := collector(t, dir, multiprocess.WithoutFolding(), multiprocess.WithMappingLimits(0, 0), multiprocess.WithReadLimit(bytes),
					multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
				for range 3 {
					if got := samples(collect(t, c)); whole && (len(got) != series+1 || len(told) > 0) {
						t.Errorf("limit %d: %d series, told %v", bytes, len(got), told)
					} else if !whole {
						sameSamples(t, "beyond the limit", collect(t, c), []string{"other_total{} 5.0"})
					}
				}
				var wrong *multiprocess.FileError
				if !whole && (len(told) != 1 || !errors.As(told[0], &wrong) || wrong.Reason != multiprocess.ReasonRead || filepath.Base(wrong.Path) != file) {
					t.Errorf("limit %d: told %v", bytes, told)
				}
			}
		})
	}
}

// A fold leaves a file of Python's client alone that has more bytes than the limit.
func TestReadLimitOfFolds(t *testing.T) {
	dir := t.TempDir()
	var f pythonBytes
	for i := range 1000 {
		f.add(16, counter(fmt.Sprintf(`"i": "%d"`, i)), 1, 0)
	}
	const name = "counter_10000001.db" // of no process
	f.write(t, filepath.Join(dir, name))
	if err := multiprocess.MarkProcessDead(dir, 10000001); err != nil {
		t.Fatal(err)
	}
	for _, bytes := range []int64{16 << 10, 0} {
		report, err := multiprocess.Fold(t.Context(), dir, multiprocess.WithPythonFiles(), multiprocess.WithReadLimit(bytes))
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if taken := len(report.Absorbed) == 1; taken != (bytes == 0) {
			t.Errorf("limit %d: absorbed %q, left %q", bytes, report.Absorbed, left(report))
		}
	}
}

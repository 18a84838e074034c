package multiprocess_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telltale/internal/cell"
	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// before calls what happens before a file of writers is read, with the number of the
// reading.
func before(happens func(reading int)) multiprocess.Option {
	readings := 0
	return multiprocess.WithFiles(func(op mapped.Op, name string, n int64) (int64, error) {
		if op == mapped.OpRead && strings.HasPrefix(name, "writer-") {
			readings++
			happens(readings)
		}
		return n, nil
	})
}

// Where reading a file stands still for so long that rows rest and are given to other
// series, none shows what another one has.
func TestSlowReading(t *testing.T) {
	// Each collection reads the header, what is used, the header again, and what was
	// published since.
	const whole, tail = 3 + 2, 3 + 4 // of the second one
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := begin(t, dir, segment.Header{})
		rows := w.family(segment.Family{Name: "c", Type: model.Counter})
		first := rows.add(`a="old"`, 5)
		c := collector(t, dir, multiprocess.WithoutFolding(), multiprocess.WithMappingLimits(0, 0), before(func(reading int) {
			switch reading {
			case whole: // lanes that are published behind what is read next
				if _, err := rows.Lanes(first, 2); err != nil {
					t.Fatal(err)
				}
			case tail:
				time.Sleep(time.Minute)
				rows.Remove(first)
				for range 20 {
					w.Tick()
				}
				again := rows.add(`a="new"`, 7)
				if again != first {
					t.Error("the row is not given to the other series")
				}
				spread, err := rows.Lanes(again, 2)
				if err != nil {
					t.Fatal(err)
				}
				spread.Mine().Add(100)
			}
		}))
		sameSamples(t, "first", collect(t, c), []string{`c_total{a="old"} 5.0`})
		for _, f := range collect(t, c) {
			for s := range f.Samples() {
				if old, _ := s.Labels.Get("a"); old == "old" {
					t.Errorf("a removed series is %v", s.Value)
				}
			}
		}
		sameSamples(t, "the next time", collect(t, c), []string{`c_total{a="new"} 107.0`})
	})
}

// Where it does so each time, the file is left out, which is told: and a page that had it
// fails.
func TestReadingThatIsAlwaysSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := begin(t, dir, segment.Header{})
		count(w, `a="1"`, 1)
		var told []error
		slow := true
		c := collector(t, dir, multiprocess.WithoutFolding(), multiprocess.WithMappingLimits(0, 0),
			multiprocess.WithErrorHook(func(err error) { told = append(told, err) }),
			before(func(int) {
				if slow {
					time.Sleep(time.Minute)
				}
			}))
		if n := len(collect(t, c)); n > 0 || len(told) != 1 || !errors.Is(told[0], segment.ErrReplaced) {
			t.Errorf("%d families, told %v", n, told)
		}
		slow = false
		sameSamples(t, "quick", collect(t, c), []string{`c_total{a="1"} 1.0`})
		slow = true
		if err := c.Collect(t.Context(), func(*model.Family) error { return nil }); !errors.Is(err, segment.ErrReplaced) {
			t.Errorf("a page that had the file: %v", err)
		}
	})
}

// All series of a family are replaced while a file is read slowly: the page has those of
// one round.
func TestSlowReadingOfWhatIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := begin(t, dir, segment.Header{})
		rows := w.family(segment.Family{Name: "c", Type: model.Counter})
		var shown []*cell.Word
		for _, a := range []string{"1", "2"} {
			shown = append(shown, rows.add(`a="`+a+`"`, 1))
		}
		replaced := false
		c := collector(t, dir, multiprocess.WithoutFolding(), before(func(reading int) {
			if reading != 3 || replaced {
				return
			}
			replaced = true
			time.Sleep(time.Minute)
			for _, a := range []string{"3", "4"} {
				rows.series(segment.Series{Labels: `a="` + a + `"`, Round: 1}, 2)
			}
			rows.Show(1)
			for _, row := range shown {
				rows.Retire(row)
			}
		}))
		for range 3 {
			if err := c.Collect(t.Context(), func(f *model.Family) error {
				var got []string
				for s := range f.Samples() {
					a, _ := s.Labels.Get("a")
					got = append(got, a)
				}
				if all := strings.Join(got, " "); all != "1 2" && all != "3 4" {
					t.Errorf("the page has the series %s", all)
				}
				return nil
			}); err != nil && !errors.Is(err, segment.ErrReplaced) {
				t.Error(err)
			}
		}
		sameSamples(t, "in the end", collect(t, c), []string{`c_total{a="3"} 2.0`, `c_total{a="4"} 2.0`})
	})
}

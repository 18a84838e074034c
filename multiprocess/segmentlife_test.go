package multiprocess_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

func count(w *writer, labels string, n uint64) {
	w.family(segment.Family{Name: "c", Type: model.Counter}).add(labels, n)
}

func TestEpochs(t *testing.T) {
	option := multiprocess.WithEpoch
	for _, c := range []struct {
		name    string
		opts    []multiprocess.Option
		write   func(dir string)
		want    []string
		epoch   string
		live    int
		dead    int
		skipped int
	}{
		{"the newest live writer's", nil, func(dir string) {
			count(begin(t, dir, segment.Header{Start: 1, Epoch: "old"}), "", 1)
			count(begin(t, dir, segment.Header{Start: 2, Epoch: "new"}), "", 2)
			w := begin(t, dir, segment.Header{Start: 3, Epoch: "newer"})
			count(w, "", 4)
			w.die()
			w = begin(t, dir, segment.Header{Start: 0, EpochFirst: segment.Moment{Wall: 2}, Epoch: "new"})
			count(w, "", 8)
			w.die()
		}, []string{"c_total{} 10.0"}, "new", 1, 1, 1},
		{"the newest dead writer's", nil, func(dir string) {
			for i, epoch := range []string{"a", "b"} {
				w := begin(t, dir, segment.Header{Start: int64(i), Epoch: epoch})
				count(w, "", uint64(1+i))
				w.die()
			}
		}, []string{"c_total{} 2.0"}, "b", 0, 1, 0},
		{"the archive's", nil, func(dir string) {
			w := archive(t, dir, 1, segment.Header{Start: 2, Epoch: "a"})
			count(w, "", 4)
			w.rename(dir, "archive.seg")
			w = begin(t, dir, segment.Header{Start: 1, Epoch: "b"})
			count(w, "", 2)
			w.die()
		}, []string{"c_total{} 4.0"}, "a", 0, 0, 0},
		{"asked for", []multiprocess.Option{option("a")}, func(dir string) {
			count(begin(t, dir, segment.Header{Start: 1, Epoch: "a"}), "", 1)
			count(begin(t, dir, segment.Header{Start: 2, Epoch: "b"}), "", 2)
			put(t, dir, "counter_1.db", entry{counter(""), 4, 0})
		}, []string{"c_total{} 5.0"}, "a", 1, 0, 1},
		{"none, asked for", []multiprocess.Option{option("")}, func(dir string) {
			count(begin(t, dir, segment.Header{Start: 2, Epoch: "b"}), "", 2)
		}, nil, "", 0, 0, 1},
	} {
		dir := t.TempDir()
		c.write(dir)
		col := collector(t, dir, c.opts...)
		for range 2 {
			sameSamples(t, c.name, collect(t, col), c.want)
		}
		s := col.Stats()
		if s.Epoch != c.epoch || s.Live != c.live || s.Dead != c.dead || s.Skipped[multiprocess.ReasonEpoch] != c.skipped {
			t.Errorf("%s: stats %+v", c.name, s)
		}
	}
}

func TestMergeNamesSegmentsOfAnotherEpoch(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for i, epoch := range []string{"a", "b"} {
		w := begin(t, dir, segment.Header{Start: int64(i), Epoch: epoch})
		count(w, "", uint64(1+i))
		w.die()
		files = append(files, filepath.Join(dir, w.name))
	}
	families, err := multiprocess.Merge(files, true)
	sameSamples(t, "Merge", families, []string{"c_total{} 2.0"})
	var left *multiprocess.FileError
	if !errors.As(err, &left) || left.Reason != multiprocess.ReasonEpoch || left.Path != files[0] {
		t.Errorf("error %v", err)
	}
}

func TestArchive(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	live := begin(t, dir, segment.Header{Start: 5, PID: 5})
	gone := begin(t, dir, segment.Header{Start: 4, PID: 4})
	for i, w := range []*writer{live, gone} {
		count(w, "", uint64(1+i))
		w.family(segment.Family{Name: "g", Type: model.Gauge}).value("", float64(i))
	}
	gone.die()
	c := collector(t, dir)
	sameSamples(t, "before the fold", collect(t, c), []string{"c_total{} 3.0", `g{pid="4"} 1.0`, `g{pid="5"} 0.0`})

	// A fold has taken up the dead one, and could not delete it yet.
	folded := archive(t, dir, 7, segment.Header{Start: now.UnixNano()})
	count(folded, "", 2)
	g := folded.family(segment.Family{Name: "g", Type: model.Gauge, Layout: segment.LayoutTimed, Mode: 0})
	for _, of := range []struct {
		process string
		start   int64
		died    time.Time
	}{{"4", 4, now}, {"3", 3, now.Add(-2 * time.Hour)}, {"2", 2, now.Add(-59 * time.Minute)}, {"5", 1, now}} {
		first := g.series(segment.Series{Process: of.process, Start: of.start}, math.Float64bits(8))
		cell.At(first, 1).Store(uint64(of.died.UnixNano()))
	}
	folded.family(segment.Family{Name: "live", Type: model.Gauge, Mode: 8}).value("", 1) // no folder writes it
	if err := folded.Note(segment.Notes{Taken: takenUp(gone.name)}); err != nil {
		t.Fatal(err)
	}
	folded.rename(dir, "archive.seg")
	want := []string{"c_total{} 3.0", `g{pid="2"} 8.0`, `g{pid="4"} 8.0`, `g{pid="5"} 0.0`}
	for range 2 {
		sameSamples(t, "folded", collect(t, c), want)
		sameSamples(t, "folded, afresh", collect(t, collector(t, dir)), want)
	}
	if s := c.Stats(); s.Generation != 7 || s.Live != 1 || s.Dead != 0 || s.Collisions != 1 {
		t.Errorf("stats %+v", s)
	}
	if err := os.Remove(filepath.Join(dir, gone.name)); err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "deleted", collect(t, c), want)
	if err := os.WriteFile(filepath.Join(dir, gone.name), make([]byte, 600), 0o600); err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "deleted, as good as", collect(t, c), want)
	if s := c.Stats(); len(s.Skipped) > 0 {
		t.Errorf("stats %+v", s)
	}
	if err := os.Remove(filepath.Join(dir, gone.name)); err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "without expiry", collect(t, collector(t, dir, multiprocess.WithExpiry(3*time.Hour))),
		[]string{"c_total{} 3.0", `g{pid="2"} 8.0`, `g{pid="3"} 8.0`, `g{pid="4"} 8.0`, `g{pid="5"} 0.0`})
}

// TestFoldsWhileReading folds again and again, with and without what is mapped:
// the total stays what it is.
func TestFoldsWhileReading(t *testing.T) {
	dir := t.TempDir()
	const writers = 40
	var dead []*writer
	for range writers {
		w := begin(t, dir, segment.Header{})
		count(w, "", 1)
		w.die()
		dead = append(dead, w)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i, w := range dead {
			next := archive(t, dir, uint64(i+1), segment.Header{})
			count(next, "", uint64(i+1))
			if err := next.Note(segment.Notes{Taken: takenUp(w.name)}); err != nil {
				t.Error(err)
			}
			if err := errors.Join(os.Rename(filepath.Join(dir, next.name), filepath.Join(dir, "archive.seg")),
				os.Remove(filepath.Join(dir, w.name))); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	want := []string{fmt.Sprintf("c_total{} %d.0", writers)}
	cached := collector(t, dir, multiprocess.WithErrorHook(func(err error) { t.Error(err) }))
	unmapped := collector(t, dir, multiprocess.WithMappingLimits(0, 0))
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		sameSamples(t, "cached", collect(t, cached), want)
		sameSamples(t, "unmapped", collect(t, unmapped), want)
		sameSamples(t, "afresh", collect(t, collector(t, dir)), want)
	}
}

func TestRowsComeAndGo(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{})
	r := w.family(segment.Family{Name: "g", Type: model.Gauge, Mode: 3})
	h := w.family(segment.Family{Name: "h", Type: model.Histogram, Bounds: []float64{math.Inf(1)}})
	first := r.value(`a="1"`, 1)
	r.value(`a="2"`, 2)
	row := h.add("", 0, 3)
	for _, limit := range []int{10, 0} {
		c := collector(t, dir, multiprocess.WithMappingLimits(limit, 1<<30))
		all := []string{`g{a="1"} 1.0`, `g{a="2"} 2.0`, `h_bucket{le="+Inf"} 3.0`, "h_count{} 3.0", "h_sum{} 0.0"}
		sameSamples(t, "all", collect(t, c), all)
		r.Remove(first)
		h.Remove(row)
		for range 2 {
			sameSamples(t, "removed", collect(t, c), []string{`g{a="2"} 2.0`})
		}
		for range 10 {
			w.Tick()
		}
		if again := r.value(`a="3"`, 3); again != first {
			t.Fatal("the row is not used again")
		}
		for range 2 {
			sameSamples(t, "used again", collect(t, c), []string{`g{a="2"} 2.0`, `g{a="3"} 3.0`})
		}
		r.Remove(first)
		for range 10 {
			w.Tick()
		}
		first, row = r.value(`a="1"`, 1), h.add("", 0, 3)
		sameSamples(t, "all again", collect(t, c), all)
	}
}

func TestSegmentsGrow(t *testing.T) {
	for _, limit := range []int{10, 0} {
		dir := t.TempDir()
		w := begin(t, dir, segment.Header{})
		c := collector(t, dir, multiprocess.WithMappingLimits(limit, 1<<30))
		families := []rows{}
		total := 0
		for round := range 6 {
			families = append(families, w.family(segment.Family{Name: fmt.Sprint("c", round), Type: model.Counter}))
			for _, r := range families {
				for range 100 << round {
					r.add(fmt.Sprintf(`a="%06d"`, total), 1)
					total++
				}
			}
			if got := samples(collect(t, c)); len(got) != total {
				t.Fatalf("%d samples of %d, round %d", len(got), total, round)
			}
		}
		if w.Size() < 1<<20 {
			t.Errorf("it has only %d bytes", w.Size())
		}
	}
}

func TestRestrictedReadsNothingUnwanted(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{})
	count(w, "", 1)
	many := w.family(segment.Family{Name: "many", Type: model.Counter})
	for i := range 4000 {
		many.add(fmt.Sprintf(`a="%d"`, i), 1)
	}
	w.die()
	c := collector(t, dir)
	view := c.Restricted("c_total")
	collect(t, c)
	collect(t, c) // it is mapped
	// What is not wanted may be gone.
	if err := os.Truncate(filepath.Join(dir, w.name), 4096); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		sameSamples(t, "restricted", collect(t, view), []string{"c_total{} 1.0"})
	}
	sameSamples(t, "not restricted", collect(t, c), nil)
	if s := c.Stats(); s.Skipped[multiprocess.ReasonTruncated] != 1 {
		t.Errorf("stats %+v", s)
	}
}

// TestReadingWhileWriting reads segments that several goroutines write to, and
// which grow, come and go.
func TestReadingWhileWriting(t *testing.T) {
	dir := t.TempDir()
	stable := begin(t, dir, segment.Header{})
	count(stable, `a="stable"`, 42)
	c := collector(t, dir, multiprocess.WithMappingLimits(3, 1<<30))
	var group sync.WaitGroup
	for n := range 4 {
		w := begin(t, dir, segment.Header{Start: int64(n)})
		r := w.family(segment.Family{Name: "c", Type: model.Counter})
		group.Go(func() {
			for i := range 1000 {
				first, err := r.Add(segment.Series{Labels: fmt.Sprintf(`a="%d"`, i%100)})
				if err != nil {
					t.Error(err)
					return
				}
				first.Add(1)
				e := &model.Exemplar{Labels: model.LabelsFromText(fmt.Sprintf(`i="%d"`, i)), Timestamp: model.Unix(int64(i), 0)}
				if err := r.SetExemplar(first, 0, e); err != nil {
					t.Error(err)
				}
				r.Remove(first)
				w.Tick()
			}
		})
	}
	written := make(chan struct{})
	go func() { group.Wait(); close(written) }()
	for reading := true; reading; {
		select {
		case <-written:
			reading = false
		default:
		}
		got := samples(collect(t, c))
		if !slices.Contains(got, `c_total{a="stable"} 42.0`) {
			t.Fatalf("a stable series is not there: %q", got)
		}
	}
}

func TestVanishedWriterWithNoArchive(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{})
	count(w, "", 1)
	c := collector(t, dir)
	for range 2 {
		sameSamples(t, "there", collect(t, c), []string{"c_total{} 1.0"})
	}
	if err := os.Remove(filepath.Join(dir, w.name)); err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "gone", collect(t, c), nil)
	if _, err := multiprocess.Merge([]string{filepath.Join(dir, w.name)}, true); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), w.name) {
		t.Errorf("error %v", err)
	}
}

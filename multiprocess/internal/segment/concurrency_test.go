package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/internal/cell"
	"telltale/model"
)

// Goroutines add, count in and remove series of the same families while readers
// walk: each reader sees whole records, series with their own values only, and
// in the end all that was counted.
func TestReadersWhileWritersWrite(t *testing.T) {
	const writers, rounds = 6, 200
	now := time.Unix(1700000000, 5)
	w := newWriter(t, Header{})
	counters := mustRows(t, w, counterFamily())
	histograms := mustRows(t, w, Family{Name: "h", Type: model.Histogram, Layout: LayoutHistogram, Bounds: []float64{1, math.Inf(1)}, Labels: []string{"a"}})
	infos := mustRows(t, w, Family{Name: "i", Type: model.Info, Layout: LayoutInfo})
	info := mustAdd(t, infos, Series{})
	if err := infos.SetInfo(info, `a="",b=""`); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var reading, writing sync.WaitGroup
	read := func(next func() *walk) {
		for running := true; running; {
			select {
			case <-stop:
				running = false
			default:
			}
			if err := whole(next()); err != nil {
				t.Error(err)
				return
			}
		}
	}
	reading.Go(func() { read(func() *walk { return &walk{space: w} }) })
	reading.Go(func() { // one that goes on where it was
		seen := &walk{space: w}
		read(func() *walk { return seen })
	})
	for g := range writers {
		writing.Go(func() {
			for i := range rounds {
				if err := life(w, counters, histograms, fmt.Sprintf(`a="%d-%d"`, g, i), i%4 != 0); err != nil {
					t.Error(err)
					return
				}
				text := strings.Repeat("x", rand.IntN(200))
				if err := infos.SetInfo(info, fmt.Sprintf(`a="%s",b="%s"`, text, text)); err != nil {
					t.Error(err)
				}
				w.Beat(now)
				w.CountSpilled(1)
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()

	seen, series := &walk{space: w}, 0
	if err := whole(seen); err != nil {
		t.Fatal(err)
	}
	seen.live(func(f *seenFamily, row *cell.Word, _ owner) {
		if f.Layout == LayoutInfo {
			return
		}
		series++
		if spread, _ := f.SpreadOf(w, row); f.Layout.Values(row).Load()+spread.Sum(0) != 10 {
			t.Errorf("%s has %d and %d", f.Name, f.Layout.Values(row).Load(), spread.Sum(0))
		}
	})
	if want := 2 * writers * rounds / 4; series != want {
		t.Errorf("%d series, want %d", series, want)
	}
	if signs := SignsOf(w); signs.Spilled != writers*rounds || signs.Beat != now.UnixNano() || signs.Closed {
		t.Errorf("signs %+v", signs)
	}
	w.MarkClosed()
	if !SignsOf(w).Closed {
		t.Error("it does not look closed")
	}
}

// life is that of two series: they count to ten, and are removed or not.
func life(w *Writer, counters, histograms *Rows, labels string, remove bool) error {
	for _, rows := range []*Rows{counters, histograms} {
		first, err := rows.Add(Series{Labels: labels})
		if err != nil {
			return err
		}
		lanes, err := rows.Lanes(first, 2)
		if err != nil {
			return err
		}
		for range 5 {
			first.Add(1)
			lanes.Mine().Add(1)
			if err := rows.SetExemplar(first, 0, &model.Exemplar{Labels: model.LabelsFromText(labels)}); err != nil {
				return err
			}
		}
		if remove {
			rows.Remove(first)
			w.Tick()
		}
	}
	return nil
}

// whole reads on and checks that rows show what belongs together.
func whole(seen *walk) (err error) {
	if err := seen.next(); err != nil {
		return err
	}
	seen.live(func(f *seenFamily, row *cell.Word, s owner) {
		text, e := f.Info(seen.space, row), f.Exemplar(seen.space, row, 0)
		spread, _ := f.SpreadOf(seen.space, row)
		n := f.Layout.Values(row)
		if generation, _, live := State(row); !live || generation != s.generation {
			return // it went while it was read
		}
		if f.Layout == LayoutInfo {
			if a, _ := text.Get("a"); text.Text() != fmt.Sprintf(`a="%s",b="%s"`, a, a) {
				err = fmt.Errorf("an info %v", text)
			}
			return
		}
		if e != nil && e.Labels.Text() != s.Labels {
			err = fmt.Errorf("%s has the exemplar %v", s.Labels, e.Labels)
		}
		if sum := n.Load() + spread.Sum(0); sum > 10 {
			err = fmt.Errorf("%s counts to %d", s.Labels, sum)
		}
	})
	return err
}

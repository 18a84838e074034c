package multiprocess_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"telltale"
	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Of values of one boot that counts which was set last by the boot's clock, whatever the
// wall clocks of the writers showed: of the living, the dead and the archive, before a fold
// and after it.
func TestMostRecentByTheClockOfTheBoot(t *testing.T) {
	now := spool.Now()
	ahead := now.Wall - now.Monotonic
	for _, wrong := range []time.Duration{time.Hour, -time.Hour, 365 * 24 * time.Hour} {
		for _, kind := range []segment.Kind{segment.KindWriter, segment.KindArchive} {
			t.Run(fmt.Sprintf("%v, kind %d", wrong, kind), func(t *testing.T) {
				dir := t.TempDir()
				set := func(kind segment.Kind, v float64, ago, wrong time.Duration) *writer {
					h := segment.Header{Kind: kind, Generation: 1, Start: now.Wall, Born: now.Monotonic, Boot: now.Boot, Ahead: ahead + int64(wrong)}
					w := begin(t, dir, h)
					w.family(segment.Family{Name: "g", Type: model.Gauge, Mode: 4, Labels: []string{}}).value("", v, uint64(now.Wall+int64(wrong-ago)))
					if kind == segment.KindArchive {
						w.die()
						w.rename(dir, "archive.seg")
					}
					return w
				}
				shows := func(when string, value float64) {
					t.Helper()
					want := []string{fmt.Sprintf("g{} %.1f", value)}
					sameSamples(t, when, collect(t, collector(t, dir)), want)
					families, err := multiprocess.Merge([]string{dir}, true)
					if err != nil {
						t.Error(err)
					}
					sameSamples(t, when+", merged", families, want)
				}
				old := set(kind, 1, 2*time.Minute, wrong)
				shows("alone", 1)
				set(segment.KindWriter, 2, time.Minute, 0)
				shows("a later one of a right clock", 2)
				old.die()
				fold(t, dir)
				shows("folded", 2)
				last := set(segment.KindWriter, 3, 30*time.Second, -wrong)
				shows("a last one", 3)
				last.die()
				for range 2 {
					fold(t, dir)
					shows("folded again", 3)
				}
			})
		}
	}
}

// A store says by how much the times of its values are ahead of the boot's clock, and sets
// them by that.
func TestStoresSetTimesByTheClockOfTheBoot(t *testing.T) {
	dir := t.TempDir()
	s, err := multiprocess.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r := telltale.NewRegistry(telltale.WithStore(s))
	g, err := telltale.NewGauge("g", "Help.", telltale.In(r), telltale.WithGaugeMode(telltale.ModeMostRecent))
	if err != nil {
		t.Fatal(err)
	}
	before := spool.Monotonic()
	g.Set(1)
	after := spool.MonotonicAtLeast()
	image, err := os.ReadFile(filepath.Join(dir, ls(t, dir, "writer-*")[0]))
	if err != nil {
		t.Fatal(err)
	}
	var table segment.Table
	if _, err := table.Next(segment.Image(image), nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, rows := range table.Families()[0].Stretches(nil) {
		if err := rows.Locate(segment.Image(image)); err != nil {
			t.Fatal(err)
		}
		set := int64(cell.At(rows.First, 2).Load()) - table.Header().Ahead
		if set < before || set > after {
			t.Errorf("it was set at %d by the boot's clock, and that was between %d and %d", set, before, after)
		}
	}
}

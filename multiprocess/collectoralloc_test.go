package multiprocess_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// equalWriters makes a directory with so many writers that have the same series. None
// of its changes is so new that it would be listed again.
func equalWriters(t *testing.T, n int) (dir string, writers []*writer) {
	t.Helper()
	dir = t.TempDir()
	for range n {
		w := begin(t, dir, segment.Header{})
		for n := range 4 {
			r := w.family(segment.Family{Name: fmt.Sprint("c", n), Type: model.Counter})
			for i := range 100 {
				r.add(fmt.Sprintf(`b="%d",a="%d"`, i, n), 1)
			}
		}
		writers = append(writers, w)
	}
	settle(t, dir)
	return dir, writers
}

// settle makes a directory look as if it had not changed for a while.
func settle(t *testing.T, dir string) {
	t.Helper()
	then := time.Now().Add(-time.Minute)
	if err := os.Chtimes(dir, then, then); err != nil {
		t.Fatal(err)
	}
}

// once collects and keeps nothing.
func once(t *testing.T, c *multiprocess.Collector) {
	t.Helper()
	if err := c.Collect(context.Background(), func(*model.Family) error { return nil }); err != nil {
		t.Error(err)
	}
}

// ofFirst returns how many allocations the first collection of a directory takes.
func ofFirst(t *testing.T, dir string) float64 {
	t.Helper()
	return testing.AllocsPerRun(5, func() {
		c := collector(t, dir)
		once(t, c)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// ofLater returns how many allocations a later collection takes, once files are mapped.
func ofLater(t *testing.T, dir string) float64 {
	t.Helper()
	c := collector(t, dir, multiprocess.WithAge(time.Hour), multiprocess.WithoutFolding())
	once(t, c)
	once(t, c)
	return testing.AllocsPerRun(5, func() { once(t, c) })
}

// pools is how many allocations more a collection may take where pools were emptied.
const pools = 10

// A file more costs a first collection a few allocations for each family, whatever its
// series, and a later one none.
func TestAllocationsOfCollections(t *testing.T) {
	const few, many, families = 4, 24, 4
	small, _ := equalWriters(t, few)
	large, _ := equalWriters(t, many)
	if each, most := (ofFirst(t, large)-ofFirst(t, small))/(many-few), 32.0+10*families; each > most {
		t.Errorf("a file more costs a first collection %.1f allocations, of at most %v", each, most)
	}
	if one, other := ofLater(t, small), ofLater(t, large); other > one+pools {
		t.Errorf("a later collection of %d files allocates %v times, of %d %v", few, one, many, other)
	}
}

// An archive costs a later collection the same, however many writers it has taken up.
func TestAllocationsOfAnArchive(t *testing.T) {
	var of [2]float64
	for i, n := range []int{2, 24} {
		dir, writers := equalWriters(t, n)
		for _, w := range writers {
			w.die()
		}
		report, err := multiprocess.Fold(t.Context(), dir)
		if err != nil || len(report.Absorbed) != n {
			t.Fatalf("%+v, %v", report, err)
		}
		settle(t, dir)
		of[i] = ofLater(t, dir)
	}
	if of[1] > of[0]+pools {
		t.Errorf("a later collection allocates %v times where 2 writers were taken up, and %v where 24 were", of[0], of[1])
	}
}

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

// allocations returns how many allocations a first and a later collection of so many
// equal writers take.
func allocations(t *testing.T, writers int) (first, later float64) {
	t.Helper()
	dir := t.TempDir()
	for range writers {
		w := begin(t, dir, segment.Header{})
		for n := range 4 {
			r := w.family(segment.Family{Name: fmt.Sprint("c", n), Type: model.Counter})
			for i := range 100 {
				r.add(fmt.Sprintf(`b="%d",a="%d"`, i, n), 1)
			}
		}
	}
	then := time.Now().Add(-time.Minute) // so that the directory need not be listed again
	if err := os.Chtimes(dir, then, then); err != nil {
		t.Fatal(err)
	}
	once := func(c *multiprocess.Collector) {
		if err := c.Collect(context.Background(), func(*model.Family) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	first = testing.AllocsPerRun(5, func() {
		c := collector(t, dir)
		once(c)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	c := collector(t, dir, multiprocess.WithAge(time.Hour), multiprocess.WithoutFolding())
	once(c)
	once(c) // files are mapped
	later = testing.AllocsPerRun(5, func() { once(c) })
	return first, later
}

// A file more costs a first collection a few allocations for each family, whatever its
// series, and a later one none.
func TestAllocationsOfCollections(t *testing.T) {
	const few, many, families = 4, 24, 4
	firstFew, laterFew := allocations(t, few)
	firstMany, laterMany := allocations(t, many)
	if each, most := (firstMany-firstFew)/(many-few), 32.0+8*families; each > most {
		t.Errorf("a file more costs a first collection %.1f allocations, of at most %v", each, most)
	}
	t.Logf("first %v and %v, later %v and %v", firstFew, firstMany, laterFew, laterMany)
	if laterMany != laterFew {
		t.Errorf("a later collection of %d files allocates %v times, of %d %v", many, laterMany, few, laterFew)
	}
}

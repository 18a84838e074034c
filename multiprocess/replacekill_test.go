//go:build unix

package multiprocess_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// widthOf is how many series a family has that was replaced so many times: none of
// two tables that follow each other is part of the other one.
func widthOf(round int) int { return 5 + round%7*5 }

// replaceAloud replaces families again and again, and says each time that it is done.
func replaceAloud(args []string) error {
	s, err := multiprocess.Open(args[0], multiprocess.WithoutFolding())
	if err != nil {
		return err
	}
	in := telltale.In(telltale.NewRegistry(telltale.WithStore(s), telltale.WithStrict()))
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, in))
	h := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, in, telltale.WithBuckets(1)))
	for round := 1; ; round++ {
		c.Replace(func(next *telltale.CounterVec) {
			for i := range widthOf(round) {
				next.With(strconv.Itoa(i)).Add(float64(round))
			}
		})
		h.Replace(func(next *telltale.HistogramVec) {
			for i := range widthOf(round) {
				next.With(strconv.Itoa(i)).Observe(float64(round))
			}
		})
		if _, err := fmt.Println(round); err != nil {
			return err
		}
	}
}

// rounds returns which replacement each family shows on the pages of a collector, 0 if
// it has no series. It is an error if that is not one whole.
func rounds(c telltale.Collector) (found [2]int, err error) {
	err = c.Collect(context.Background(), func(f *model.Family) error {
		values := make(map[float64]int)
		for s := range f.Samples() {
			if s.Name == "c_total" || s.Name == "h_sum" {
				values[s.Value]++
			}
		}
		for value, n := range values {
			if len(values) > 1 || n != widthOf(int(value)) {
				return fmt.Errorf("%s shows parts of replacements: %v", f.Name, values)
			}
			if f.Name == "h" {
				found[1] = int(value)
			} else {
				found[0] = int(value)
			}
		}
		return nil
	})
	return found, err
}

// Other processes see each replacement whole or not at all, and none that another one
// had taken the place of before they began. A process that is killed leaves a whole
// one, which a fold takes up.
func TestKilledReplacersLeaveOneOfBoth(t *testing.T) {
	children, replaced, pages, changes := 0, 0, 0, 0
	for end := time.Now().Add(lasting(8 * time.Second)); children < 3 || time.Now().Before(end) && !t.Failed(); children++ {
		r, p, c := killReplacer(t)
		replaced, pages, changes = replaced+r, pages+p, changes+c
	}
	t.Logf("%d processes made %d replacements until they were killed; of %d pages %d showed another one than the page before", children, replaced, pages, changes)
}

func killReplacer(t *testing.T) (replaced, pages, changes int) {
	dir := sharedDir(t)
	child := command("replace", dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the process does not replace anything")
	}
	acked := make(chan int, 1)
	acked <- 1
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for lines.Scan() {
			n, _ := strconv.Atoi(lines.Text())
			<-acked
			acked <- n
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	last := func() int {
		n := <-acked
		acked <- n
		return n
	}
	var readers []*multiprocess.Collector
	for _, opts := range [][]multiprocess.Option{nil, {multiprocess.WithMappingLimits(0, 0)}} {
		c := telltale.Must(multiprocess.NewCollector(dir, append(opts, multiprocess.WithoutFolding())...))
		defer func() { _ = c.Close() }()
		readers = append(readers, c)
	}
	before := make([][2]int, len(readers))
	for end := time.Now().Add(rand.N(600 * time.Millisecond)); time.Now().Before(end); {
		for i, c := range append(readers, telltale.Must(multiprocess.NewCollector(dir, multiprocess.WithoutFolding()))) {
			least := last()
			found, err := rounds(c)
			if err != nil {
				t.Fatal(err)
			}
			if found[0] < least || found[1] < least {
				t.Fatalf("a page shows the replacements %v, where %d had ended before", found, least)
			}
			pages++
			if i == len(readers) {
				_ = c.Close()
				break
			}
			if before[i] != found {
				before[i] = found
				changes++
			}
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-heard
	least := last()
	var left [2]int
	for i, c := range readers {
		found, err := rounds(c)
		if err != nil || found[0] < least || found[1] < least || i > 0 && found != left {
			t.Fatalf("after the process was killed, which had ended %d, a page shows the replacements %v, another one %v: %v", least, found, left, err)
		}
		left = found
	}
	if _, err := multiprocess.Fold(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range readers {
		if found, err := rounds(c); err != nil || found != left {
			t.Fatalf("folded, a page shows the replacements %v, before it was %v: %v", found, left, err)
		}
	}
	return least, pages, changes
}

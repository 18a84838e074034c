package text_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	"telltale/exposition/text"
)

// counters is a page of counters with three labels each.
func counters(lines int) []byte {
	var page bytes.Buffer
	page.WriteString("# HELP requests_total Requests served.\n# TYPE requests_total counter\n")
	for i := range lines {
		fmt.Fprintf(&page, "requests_total{method=%q,handler=\"/api/v1/resource/%05d\",status=%q} %d\n",
			[]string{"GET", "POST", "PUT", "DELETE"}[i%4], i/20, []string{"200", "201", "400", "404", "500"}[i/4%5], i*7919%1_000_000)
	}
	return page.Bytes()
}

const benchLines = 100_000

func BenchmarkParse(b *testing.B) {
	page := counters(benchLines)
	b.Run("families", func(b *testing.B) {
		perLine(b, page, func() error {
			_, err := text.NewParser(bytes.NewReader(page)).Next()
			return err
		})
	})
	b.Run("leniently", func(b *testing.B) {
		perLine(b, page, func() error {
			_, err := text.NewParser(bytes.NewReader(page), text.WithLenient()).Next()
			return err
		})
	})
	b.Run("lines", func(b *testing.B) {
		perLine(b, page, func() error { return scanAll(page) })
	})
}

func scanAll(page []byte) error {
	s := text.NewScanner(bytes.NewReader(page))
	for {
		if _, err := s.Next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// perLine measures read, whose allocations it reports by line.
func perLine(b *testing.B, page []byte, read func() error) {
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if err := read(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchLines, "ns/line")
}

// Lines cost no allocation: a page of ten times the lines has as many.
func TestLinesDoNotAllocate(t *testing.T) {
	allocs := func(lines int) float64 {
		page := counters(lines)
		least := math.Inf(1)
		for range 3 { // a garbage collection may empty pools
			least = min(least, testing.AllocsPerRun(2, func() {
				if err := scanAll(page); err != nil {
					t.Fatal(err)
				}
			}))
		}
		return least
	}
	if few, many := allocs(100), allocs(1000); many > few+2 {
		t.Errorf("%v allocations for 100 lines, %v for 1000", few, many)
	}
}

package multiprocess_test

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"slices"
	"testing"
	"time"
	"weak"

	"telltale/model"
	"telltale/multiprocess"
)

// pythonBytes builds a file as Python's client writes it.
type pythonBytes struct{ data []byte }

// add appends an entry with a value of the given width.
func (p *pythonBytes) add(width int, key string, value, when float64) {
	if len(p.data) == 0 {
		p.data = make([]byte, 8)
	}
	p.data = binary.NativeEndian.AppendUint32(p.data, uint32(len(key)))
	p.data = append(p.data, key...)
	for n := 8 - (len(key)+4)%8; n > 0; n-- {
		p.data = append(p.data, ' ')
	}
	p.data = binary.NativeEndian.AppendUint64(p.data, math.Float64bits(value))
	if width == 16 {
		p.data = binary.NativeEndian.AppendUint64(p.data, math.Float64bits(when))
	}
	binary.NativeEndian.PutUint32(p.data, uint32(len(p.data)))
}

// bytes returns the file without the zeros behind what is used.
func (p *pythonBytes) bytes() []byte {
	if len(p.data) == 0 {
		return []byte{8, 0, 0, 0, 0, 0, 0, 0}
	}
	return p.data
}

// write writes the file with the zeros that the client puts behind.
func (p *pythonBytes) write(tb testing.TB, path string) {
	tb.Helper()
	size := 1 << 16
	for size < len(p.data) {
		size *= 2
	}
	if err := os.WriteFile(path, p.bytes(), 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Truncate(path, int64(size)); err != nil {
		tb.Fatal(err)
	}
}

// age makes a directory look unchanged for long, so that it need not be listed
// again.
func age(tb testing.TB, dir string) {
	tb.Helper()
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(dir, past, past); err != nil {
		tb.Fatal(err)
	}
}

// collector returns a collector of the directory. It is closed at the end of the test, or
// when nothing refers to it any more, so that a test may make very many.
func collector(tb testing.TB, dir string, opts ...multiprocess.Option) *multiprocess.Collector {
	tb.Helper()
	c, err := multiprocess.NewCollector(dir, slices.Concat([]multiprocess.Option{multiprocess.WithAge(0)}, opts)...)
	if err != nil {
		tb.Fatal(err)
	}
	left := weak.Make(c)
	tb.Cleanup(func() {
		if c := left.Value(); c != nil {
			_ = c.Close() // never fails
		}
	})
	return c
}

// collect returns copies of all families.
func collect(tb testing.TB, c model.Collector) (families []*model.Family) {
	tb.Helper()
	err := c.Collect(context.Background(), func(f *model.Family) error {
		families = append(families, f.Clone())
		return f.Check()
	})
	if err != nil {
		tb.Fatal(err)
	}
	return families
}

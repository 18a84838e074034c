package multiprocess_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// onHeap is a segment's memory in one piece.
type onHeap struct{ data []byte }

func (m onHeap) Extend(offset uint64, n int) ([]byte, error) {
	if offset+uint64(n) > uint64(len(m.data)) {
		return nil, mapped.ErrNoSpace
	}
	return m.data[offset:][:n:n], nil
}

// A file that is mapped may get holes in what its writer publishes later: they are not
// read through the mapping, which would fill them.
func TestHolesThatComeLater(t *testing.T) {
	dir := sharedDir(t)
	const size, page = 64 << 10, 4 << 10
	memory := onHeap{mapped.Aligned(size)}
	h := segment.Header{Kind: segment.KindWriter, PID: 1}
	_, _ = rand.Read(h.ID[:])
	w, err := segment.NewWriter(memory, size, h)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := w.Rows(segment.Family{Name: "c", Type: model.Counter, Layout: segment.LayoutCounter, Labels: []string{"n"}})
	if err != nil {
		t.Fatal(err)
	}
	add := func(from, to int) {
		for i := from; i < to; i++ {
			first, err := rows.Add(segment.Series{Labels: fmt.Sprintf(`n="%d"`, i)})
			if err != nil {
				t.Fatal(err)
			}
			first.Store(1)
		}
	}
	name := "writer-" + hex.EncodeToString(h.ID[:]) + ".seg"
	file, err := mapped.Create(filepath.Join(dir, name), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if locked, err := file.Lock(); err != nil || !locked {
		t.Fatal(locked, err)
	}
	write := func(from, to int) {
		if _, err := file.WriteAt(memory.data[from:to], int64(from)); err != nil {
			t.Fatal(err)
		}
	}
	taken := func() int64 {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Blocks * 512
	}
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	add(0, 5)
	write(0, int(w.Used()))
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { t.Log(err) }))
	for range 2 {
		if n := walk(t, c); n != 5 {
			t.Fatalf("%d series, want 5", n)
		}
	}
	add(5, 480)
	used := int(w.Used())
	// All of it but the first page that has nothing but rows.
	hole := page
	for rows := 0; rows < page; {
		for rows = 0; rows < page; rows += 4 * 8 {
			if generation, _, live := segment.State(segment.WordAt(memory.data, uint64(hole+rows))); !live || generation != 1 {
				break
			}
		}
		if rows < page {
			hole += page
		}
	}
	write(page, hole)
	write(hole+page, used)
	write(0, page) // which says so
	before := taken()
	if before >= int64(used) {
		t.Skipf("the file system has taken %d bytes for %d with a hole", before, used)
	}
	for range 3 {
		if n := walk(t, c); n < 5 || n >= 480 { // those in the hole are not there
			t.Errorf("%d series", n)
		}
		if after := taken(); after != before {
			t.Fatalf("%d bytes are taken, before %d", after, before)
		}
	}
}

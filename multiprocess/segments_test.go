package multiprocess_test

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/segment"
)

// writer is a process's segment, as other processes see it.
type writer struct {
	*segment.Writer
	tb   testing.TB
	file *mapped.Growing
	name string
}

// growing is a file as a segment's memory.
type growing struct{ *mapped.Growing }

func (g growing) Extend(offset uint64, n int) ([]byte, error) {
	return g.Growing.Extend(int64(offset), n)
}

const firstExtent = 16 << 10

// begin makes the segment of a process that lives.
func begin(tb testing.TB, dir string, h segment.Header) *writer {
	tb.Helper()
	if h.Kind == 0 {
		h.Kind = segment.KindWriter
	}
	if h.ID == [16]byte{} {
		_, _ = rand.Read(h.ID[:])
	}
	name := ".telltale-" + hex.EncodeToString(h.ID[:])
	file, err := mapped.Create(filepath.Join(dir, name), 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	if locked, err := file.Lock(); err != nil || !locked {
		tb.Fatal(locked, err)
	}
	w, err := segment.NewWriter(growing{file}, firstExtent, h)
	if err != nil {
		tb.Fatal(err)
	}
	made := &writer{w, tb, file, name}
	tb.Cleanup(func() { made.die(); file.Unmap() })
	if h.Kind == segment.KindWriter {
		made.rename(dir, "writer-"+hex.EncodeToString(h.ID[:])+".seg")
	}
	return made
}

// writerName is the name of the segment of a writer whose ID begins with a byte.
func writerName(id byte) string {
	return "writer-" + hex.EncodeToString(append([]byte{id}, make([]byte, 15)...)) + ".seg"
}

// takenUp is what an archive says that has taken up the named files.
func takenUp(names ...string) (taken segment.Taken) {
	for _, name := range names {
		var id [16]byte
		digits, _ := strings.CutPrefix(strings.TrimSuffix(name, ".seg"), "writer-")
		if _, err := hex.Decode(id[:], []byte(digits[:min(len(digits), 32)])); err == nil && name == "writer-"+hex.EncodeToString(id[:])+".seg" {
			taken.Writers = append(taken.Writers, id)
		} else {
			taken.Aside = append(taken.Aside, segment.Aside{Name: name})
		}
	}
	return taken
}

// die lets the process end, as far as others can see.
func (w *writer) die() {
	if err := w.file.Close(); err != nil {
		w.tb.Fatal(err)
	}
}

// rename gives the segment another name.
func (w *writer) rename(dir, name string) {
	w.tb.Helper()
	if err := os.Rename(filepath.Join(dir, w.name), filepath.Join(dir, name)); err != nil {
		w.tb.Fatal(err)
	}
	w.name = name
}

// archive makes an archive, which has a temporary name as yet.
func archive(tb testing.TB, dir string, generation uint64, h segment.Header) *writer {
	tb.Helper()
	h.Kind, h.Generation = segment.KindArchive, generation
	w := begin(tb, dir, h)
	w.die()
	return w
}

// rows are the rows of a family.
type rows struct {
	*segment.Rows
	tb testing.TB
}

func (w *writer) family(f segment.Family) rows {
	w.tb.Helper()
	if f.Layout == 0 {
		f.Layout = map[model.Type]segment.Layout{
			model.Unknown: segment.LayoutValue, model.Counter: segment.LayoutCounter, model.Gauge: segment.LayoutValue,
			model.Summary: segment.LayoutSummary, model.Histogram: segment.LayoutHistogram,
			model.GaugeHistogram: segment.LayoutFloats, model.Info: segment.LayoutInfo, model.StateSet: segment.LayoutState,
		}[f.Type]
		if f.Type == model.Gauge && (f.Mode == 4 || f.Mode == 9) {
			f.Layout = segment.LayoutTimed
		}
	}
	if f.Help == "" {
		f.Help = "Help."
	}
	if f.Labels == nil {
		f.Labels = []string{"a"}
	}
	made, err := w.Rows(f)
	if err != nil {
		w.tb.Fatal(err)
	}
	return rows{made, w.tb}
}

// add adds a series with whole numbers as its first words.
func (r rows) add(labels string, words ...uint64) *cell.Word {
	return r.series(segment.Series{Labels: labels}, words...)
}

func (r rows) series(s segment.Series, words ...uint64) *cell.Word {
	r.tb.Helper()
	first, err := r.Add(s)
	if err != nil {
		r.tb.Fatal(err)
	}
	for i, word := range words {
		cell.At(first, i).Store(word)
	}
	return first
}

// value adds a series with a float64 and perhaps a time.
func (r rows) value(labels string, v float64, when ...uint64) *cell.Word {
	r.tb.Helper()
	first := r.add(labels)
	for i, ns := range when {
		cell.At(first, 1+i).Store(ns)
	}
	cell.StoreFloat(first, v)
	return first
}

// pages is memory on the heap.
type pages struct{}

func (pages) Extend(_ uint64, n int) ([]byte, error) {
	words := make([]uint64, n/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n), nil
}

// spread gives the row of a gauge lanes.
func (r rows) spread(first *cell.Word) (lanes *cell.Lanes) {
	room := roomFunc(func(w *cell.Word) *cell.Lanes {
		var err error
		if lanes, err = r.LevelLanes(w); err != nil {
			r.tb.Fatal(err)
		}
		return lanes
	})
	new(cell.Level).Spread(first, room)
	return lanes
}

type roomFunc func(w *cell.Word) *cell.Lanes

func (f roomFunc) LevelLanes(w *cell.Word) *cell.Lanes { return f(w) }

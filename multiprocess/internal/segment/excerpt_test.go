package segment

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"telltale/internal/cell"
	"telltale/model"
)

// What is read through an excerpt is what is read through the segment, and the records
// that a table keeps are not in it.
func TestExcerpt(t *testing.T) {
	w := newWriter(t, Header{})
	counters := mustRows(t, w, counterFamily())
	infos := mustRows(t, w, Family{Name: "i", Type: model.Info, Layout: LayoutInfo, Labels: []string{"a"}})
	var earlier Excerpt
	for round := range 4 {
		for i := range 50 {
			labels := string(model.AppendLabel(nil, "a", string(rune('a'+round))+string(rune('A'+i))))
			first := mustAdd(t, counters, Series{Labels: labels})
			cell.At(first, 0).Store(uint64(round*100 + i))
			if i%7 == 0 {
				if err := counters.SetExemplar(first, 0, &model.Exemplar{Labels: model.LabelsFromText(`id="1"`), Value: 1}); err != nil {
					t.Fatal(err)
				}
				if _, err := counters.Lanes(first, 2); err != nil {
					t.Fatal(err)
				}
			}
			if err := infos.SetInfo(mustAdd(t, infos, Series{Labels: labels}), labels); err != nil {
				t.Fatal(err)
			}
		}
		image := imageFrom(w)
		var table Table
		if _, err := table.Next(image, nil, nil); err != nil {
			t.Fatal(err)
		}
		e := table.ExcerptOf(image, earlier)
		if e.Size() >= len(image) {
			t.Errorf("%d bytes of %d", e.Size(), len(image))
		}
		words := 0
		for _, f := range table.Families() {
			if got, want := f.Shown(&e), f.Shown(image); got != want || e.Bytes(f.shown, 8) == nil {
				t.Errorf("shown is %d, not %d", got, want)
			}
			for _, s := range f.Stretches(nil) {
				if err := s.Locate(image); err != nil {
					t.Fatal(err)
				}
				n := uint64(len(s.Tenants) * f.Words() * 8)
				if got := e.Bytes(s.Offset, n); !bytes.Equal(got, image.Bytes(s.Offset, n)) {
					t.Errorf("rows of %s from %d on differ", f.Name, s.From)
				}
				for i := range s.Tenants {
					row := s.Row(i, f.Words())
					if got, want := f.Exemplar(&e, row, 0), f.Exemplar(image, row, 0); (got == nil) != (want == nil) {
						t.Errorf("the exemplar of row %d is %v, not %v", i, got, want)
					}
					if got, want := f.Info(&e, row), f.Info(image, row); got != want {
						t.Errorf("the info of row %d is %v, not %v", i, got, want)
					}
					got, has := f.SpreadOf(&e, row)
					if want, wanted := f.SpreadOf(image, row); has != wanted || got.Lanes() != want.Lanes() {
						t.Errorf("row %d has %d lanes, not %d", i, got.Lanes(), want.Lanes())
					}
					words++
				}
			}
		}
		if words == 0 || Published(&e) != Published(image) {
			t.Errorf("%d rows, %d bytes published of %d", words, Published(&e), Published(image))
		}
		for range 2000 { // what is there is the same, wherever it is asked for
			offset, n := rand.Uint64N(uint64(len(image))+64), rand.Uint64N(64)
			if got := e.Bytes(offset, n); got != nil && !bytes.Equal(got, image.Bytes(offset, n)) {
				t.Fatalf("%d bytes at %d differ", n, offset)
			}
		}
		if e.Bytes(^uint64(0), 8) != nil || e.Bytes(0, ^uint64(0)) != nil || (&Excerpt{}).Bytes(0, 1) != nil {
			t.Error("bytes that are not there")
		}
		earlier = e
	}
}

// A second excerpt of a segment takes the memory of the first.
func TestExcerptAllocatesNothingAgain(t *testing.T) {
	w := newWriter(t, Header{})
	mustAdd(t, mustRows(t, w, counterFamily()), Series{Labels: `a="1"`})
	image := imageFrom(w)
	var table Table
	if _, err := table.Next(image, nil, nil); err != nil {
		t.Fatal(err)
	}
	e := table.ExcerptOf(image, Excerpt{})
	if n := testing.AllocsPerRun(100, func() { e = table.ExcerptOf(image, e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// imageFrom returns a copy of all that a writer has published.
func imageFrom(w *Writer) Image {
	image := make(Image, Published(w))
	for _, e := range w.extents {
		if e.offset < uint64(len(image)) {
			copy(image[e.offset:], e.data)
		}
	}
	return image
}

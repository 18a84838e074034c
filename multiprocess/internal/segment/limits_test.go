package segment

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"telltale/internal/cell"
	"telltale/model"
)

func counterFamily() Family {
	return Family{Name: "c", Type: model.Counter, Layout: LayoutCounter, Labels: []string{"a"}}
}

func mustRows(t testing.TB, w *Writer, f Family) *Rows {
	t.Helper()
	rows, err := w.Rows(f)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func mustAdd(t testing.TB, rows *Rows, s Series) *cell.Word {
	t.Helper()
	first, err := rows.Add(s)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

// What readers would refuse, and with it the whole segment, is not written.
func TestWriterRefusesWhatReadersWould(t *testing.T) {
	inf := math.Inf(1)
	w := newWriter(t, Header{})
	before := w.Used()
	for _, tt := range []struct {
		name string
		f    Family
	}{
		{"no name", Family{Type: model.Counter, Layout: LayoutCounter}},
		{"a name that is not UTF-8", Family{Name: "a\xff", Type: model.Counter, Layout: LayoutCounter}},
		{"a label without a name", Family{Name: "a", Type: model.Counter, Layout: LayoutCounter, Labels: []string{""}}},
		{"help that is not UTF-8", Family{Name: "a", Help: "\xff", Type: model.Counter, Layout: LayoutCounter}},
		{"no layout", Family{Name: "a", Type: model.Counter}},
		{"a layout that is not known", Family{Name: "a", Type: model.Histogram, Layout: 10}},
		{"a layout of another type", Family{Name: "a", Type: model.Counter, Layout: LayoutValue}},
		{"a type that is not known", Family{Name: "a", Type: 8, Layout: LayoutValue}},
		{"a mode that is not known", Family{Name: "a", Type: model.Gauge, Layout: LayoutValue, Mode: Modes}},
		{"no buckets", Family{Name: "a", Type: model.Histogram, Layout: LayoutHistogram}},
		{"no bucket for all", Family{Name: "a", Type: model.Histogram, Layout: LayoutHistogram, Bounds: []float64{1, 2}}},
		{"bounds out of order", Family{Name: "a", Type: model.Histogram, Layout: LayoutFloats, Bounds: []float64{2, 1, inf}}},
		{"a bound twice", Family{Name: "a", Type: model.Histogram, Layout: LayoutFloats, Bounds: []float64{1, 1, inf}}},
		{"a bound that is no number", Family{Name: "a", Type: model.Histogram, Layout: LayoutFloats, Bounds: []float64{math.NaN(), inf}}},
		{"no native buckets", Family{Name: "a", Type: model.Histogram, Layout: LayoutNative, Bounds: []float64{inf}}},
		{"too many native buckets", Family{Name: "a", Type: model.Histogram, Layout: LayoutNative, Bounds: []float64{inf}, NativeBuckets: 1 << 21}},
		{"too many native exemplars", Family{Name: "a", Type: model.Histogram, Layout: LayoutNative, Bounds: []float64{inf}, NativeBuckets: 2, NativeExemplars: 1001}},
		{"native buckets without the one up to +Inf", Family{Name: "a", Type: model.Histogram, Layout: LayoutNative, NativeBuckets: 2}},
		{"a rule of merging that does not fit", Family{Name: "a", Type: model.Info, Layout: LayoutInfo, Merge: model.MergeMax}},
		{"a rule of merging that is not known", Family{Name: "a", Type: model.Counter, Layout: LayoutCounter, Merge: 9}},
		{"series that end before they begin", Family{Name: "a", Type: model.Counter, Layout: LayoutCounter, Expiry: -1}},
		{"no states", Family{Name: "a", Type: model.StateSet, Layout: LayoutState}},
	} {
		if _, err := w.Rows(tt.f); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
	if w.Used() != before {
		t.Error("something was written")
	}
	rows := mustRows(t, w, counterFamily())
	info := mustRows(t, w, Family{Name: "i", Type: model.Info, Layout: LayoutInfo})
	first := mustAdd(t, info, Series{})
	for _, text := range []string{"a", `a="`, `="x"`, "a=\"\xff\"", `a="x",`} {
		if _, err := rows.Add(Series{Labels: text}); err == nil {
			t.Errorf("a series with the labels %q", text)
		}
		if info.SetInfo(first, text) == nil {
			t.Errorf("an info with the labels %q", text)
		}
	}
	if err := (&walk{space: w}).next(); err != nil {
		t.Error(err)
	}
}

func TestHeaderRefuses(t *testing.T) {
	long := strings.Repeat("x", MaxName+1)
	for _, tt := range []struct {
		name string
		size int
		h    Header
	}{
		{"no kind", firstExtent, Header{}},
		{"long epoch", firstExtent, Header{Kind: KindWriter, Epoch: long}},
		{"long writer", firstExtent, Header{Kind: KindWriter, Writer: long}},
		{"long host", firstExtent, Header{Kind: KindWriter, Host: long}},
		{"long service", firstExtent, Header{Kind: KindWriter, Service: long}},
		{"no room for the header", 256, Header{Kind: KindWriter}},
		{"extents that are not aligned", 1000, Header{Kind: KindWriter}},
	} {
		if _, err := NewWriter(&heap{}, tt.size, tt.h); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
	h := Header{Kind: KindArchive, ID: [16]byte{15: 1}, Start: -1, PID: math.MaxUint64, Namespace: 2, Ticks: 3, Boot: [16]byte{1},
		Generation: 4, Epoch: long[1:], Writer: long[1:], Host: long[1:], Born: 5, EpochFirst: Moment{-6, 7}, Service: long[1:]}
	w := newWriter(t, h)
	if got, err := DecodeHeader(w.Bytes(0, HeaderSize)); err != nil || got != h {
		t.Errorf("read %+v, %v", got, err)
	}
}

// Links have room for offsets below 32 GiB.
func TestGrowthEndsAt32GiB(t *testing.T) {
	w := newWriter(t, Header{})
	w.extents[0].offset = maxSize - maxExtent - firstExtent // as if all before it were full
	w.used, w.end = maxSize-maxExtent, maxSize-maxExtent
	rows := mustRows(t, w, counterFamily())
	if w.end != maxSize {
		t.Fatalf("it ends at %d", w.end)
	}
	var err error
	for i := 0; err == nil; i++ {
		var first *cell.Word
		if first, err = rows.Add(Series{Labels: fmt.Sprintf(`a="%d"`, i)}); err == nil {
			_, err = rows.Lanes(first, 2)
		}
		if i == 0 {
			l, ok := lanesAt(w, lowLink(cell.At(rows.row(first), wordLinks).Load()))
			if !ok || l.words != 2 {
				t.Error("the link does not lead to lanes")
			}
		}
	}
	if !errors.Is(err, errFull) || w.end != maxSize {
		t.Errorf("%v, it ends at %d", err, w.end)
	}
}

func TestRecordsLargerThanAnExtent(t *testing.T) {
	w := newWriter(t, Header{})
	long := strings.Repeat("x", 3*firstExtent)
	bounds := make([]float64, maxExtent/8)
	for i := range bounds {
		bounds[i] = float64(i)
	}
	bounds[len(bounds)-1] = math.Inf(1)
	mustAdd(t, mustRows(t, w, counterFamily()), Series{Labels: `a="` + long + `"`})
	rows := mustRows(t, w, Family{Name: "h", Help: long, Type: model.Histogram, Layout: LayoutHistogram, Bounds: bounds, Labels: []string{"a"}})
	for i := range 2 {
		first := mustAdd(t, rows, Series{Labels: fmt.Sprintf(`a="%d"`, i)})
		cell.At(first, len(bounds)).Store(7)
	}
	if b := rows.blocks[0]; b.rows != 1 {
		t.Errorf("a block of %d rows of %d words", b.rows, rows.words)
	}
	seen := &walk{space: w}
	if err := seen.next(); err != nil {
		t.Fatal(err)
	}
	n := 0
	seen.live(func(f *seenFamily, row *cell.Word, s owner) {
		if f.Name == "h" && cell.At(row, f.Words()-1).Load() == 7 || s.Labels == `a="`+long+`"` {
			n++
		}
	})
	if n != 3 {
		t.Errorf("%d series", n)
	}
	if _, err := w.lay(lanesRecord, nil, 1<<27+1); !errors.Is(err, errLarge) {
		t.Errorf("lanes of more than 1 GiB: %v", err)
	}
}

// The state holds the time in 56 bits, and 0 says that there is no series.
func TestCreatedTimesThatDoNotFit(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, counterFamily())
	for _, tt := range []struct{ created, want int64 }{
		{0, 0}, {-5, 0}, {1e15, 1e15}, {createdMask, createdMask}, {createdMask + 1, createdMask}, {math.MaxInt64, createdMask},
	} {
		first := mustAdd(t, rows, Series{Created: tt.created})
		if generation, created, live := State(rows.row(first)); generation != 1 || created != tt.want || !live {
			t.Errorf("created %d: generation %d, created %d, live %v", tt.created, generation, created, live)
		}
		rows.Touch(first, 5)
		rows.Touch(first, tt.created)
		if generation, created, live := State(rows.row(first)); generation != 1 || created != tt.want || !live {
			t.Errorf("touched %d: generation %d, created %d, live %v", tt.created, generation, created, live)
		}
	}
}

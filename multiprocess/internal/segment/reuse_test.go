package segment

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"telltale/internal/cell"
	"telltale/model"
)

// next removes a series, lets its row rest, and gives it to another.
func next(t *testing.T, w *Writer, rows *Rows, first *cell.Word, labels string) {
	t.Helper()
	rows.Remove(first)
	for range quarantine {
		w.Tick()
	}
	if got := mustAdd(t, rows, Series{Labels: labels}); got != first {
		t.Fatal("another row")
	}
}

// A row that is used again shows nothing of the series before, and takes no more
// room than that one did.
func TestUsedRowsBeginAnew(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, Family{Name: "h", Type: model.Histogram, Layout: LayoutHistogram, Bounds: []float64{1, math.Inf(1)}, Labels: []string{"a"}})
	first := mustAdd(t, rows, Series{Labels: `a="0"`})
	f, row := rows.Family(), rows.row(first)
	var taken uint64
	for i := range 600 { // generations come round
		lanes, err := rows.Lanes(first, 3)
		if err != nil {
			t.Fatal(err)
		}
		for j := range 3 {
			if lanes.Sum(j) != 0 || cell.At(first, j).Load() != 0 {
				t.Fatalf("after %d others a row has %d and %d", i, cell.At(first, j).Load(), lanes.Sum(j))
			}
			lanes.AddFloat(j, 1)
			cell.At(first, j).Store(9)
		}
		for j := range 2 {
			if e := f.Exemplar(w, row, j); e != nil {
				t.Fatalf("after %d others a row has the exemplar %v", i, e)
			}
			if err := rows.SetExemplar(first, j, &model.Exemplar{Labels: model.LabelsFromText(`i="1"`), Value: float64(j)}); err != nil {
				t.Fatal(err)
			}
			if e := f.Exemplar(w, row, j); e == nil || e.Value != float64(j) {
				t.Fatalf("exemplar %v", e)
			}
		}
		before := w.Used()
		next(t, w, rows, first, `a="1"`)
		if taken = w.Used() - before; taken > 128 && i > 0 {
			t.Fatalf("another series in the same row took %d bytes", taken)
		}
	}
	seen := &walk{space: w}
	if err := seen.next(); err != nil {
		t.Fatal(err)
	}
	if got, want := seen.families[0].series[0].generation, uint8(601%256); got != want {
		t.Errorf("generation %d, want %d", got, want)
	}
}

func TestInfoIsReplacedInOneStep(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, Family{Name: "i", Type: model.Info, Layout: LayoutInfo})
	first := mustAdd(t, rows, Series{})
	f, row := rows.Family(), rows.row(first)
	if l := f.Info(w, row); !l.IsEmpty() {
		t.Errorf("at first %v", l)
	}
	for i := range 300 {
		text := fmt.Sprintf(`a="%s"`, strings.Repeat("x", i))
		if err := rows.SetInfo(first, text); err != nil {
			t.Fatal(err)
		}
		if got := f.Info(w, row).Text(); got != text {
			t.Fatalf("read %q, want %q", got, text)
		}
		// Who dies while writing the next leaves this one.
		spare, ok := slotAt(w, lowLink(cell.At(row, wordLinks).Load()))
		if ok {
			spare.begin()
		}
		if got := f.Info(w, row).Text(); got != text {
			t.Fatalf("while another is written: %q, want %q", got, text)
		}
	}
	if used := w.Used(); used > 4<<10 {
		t.Errorf("texts of 300 bytes took %d", used)
	}
	rows.Remove(first)
	for range quarantine {
		w.Tick()
	}
	if again := mustAdd(t, rows, Series{}); again != first || !f.Info(w, row).IsEmpty() {
		t.Errorf("another series begins with %v", f.Info(w, row))
	}
	if err := rows.SetInfo(first, ""); err != nil || !f.Info(w, row).IsEmpty() {
		t.Errorf("%v, %v", err, f.Info(w, row))
	}
}

// An exemplar that needs more room than there is replaces the other when it is
// complete.
func TestLongerExemplars(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, counterFamily())
	first := mustAdd(t, rows, Series{Labels: `a="1"`})
	f, row := rows.Family(), rows.row(first)
	for _, n := range []int{0, 10, 96, 97, 5000, 3} {
		want := model.Exemplar{Labels: model.LabelsFromText(`a="` + strings.Repeat("x", n) + `"`), Value: float64(n), Timestamp: model.Unix(-7, 999999999)}
		if err := rows.SetExemplar(first, 0, &want); err != nil {
			t.Fatal(err)
		}
		if got := f.Exemplar(w, row, 0); got == nil || *got != want {
			t.Errorf("read %v, want %v", got, want)
		}
	}
	if e := f.Exemplar(w, row, 1); e != nil {
		t.Errorf("a counter's second exemplar: %v", e)
	}
	entry, err := rows.exemplarEntry(first, 0)
	if err != nil {
		t.Fatal(err)
	}
	slot, _ := slotAt(w, entry.Load())
	slot.begin()
	if e := f.Exemplar(w, row, 0); e != nil {
		t.Errorf("half an exemplar: %v", e)
	}
	if err := rows.SetExemplar(first, 0, &model.Exemplar{}); err != nil || f.Exemplar(w, row, 0) == nil {
		t.Errorf("after who died writing: %v", err)
	}
}

func TestExemplarsDoNotAllocate(t *testing.T) {
	w := newWriter(t, Header{})
	counters, infos := mustRows(t, w, counterFamily()), mustRows(t, w, Family{Name: "i", Type: model.Info, Layout: LayoutInfo})
	counter, info := mustAdd(t, counters, Series{Labels: `a="1"`}), mustAdd(t, infos, Series{})
	e := &model.Exemplar{Labels: model.LabelsFromText(`trace_id="7f"`), Value: 1, Timestamp: model.Unix(1, 2)}
	for name, set := range map[string]func() error{
		"an exemplar": func() error { return counters.SetExemplar(counter, 0, e) },
		"an info":     func() error { return infos.SetInfo(info, `a="1"`) },
	} {
		var err error
		_ = set()
		_ = set() // an info has two slots
		if n := testing.AllocsPerRun(100, func() { err = set() }); n > 0 || err != nil {
			t.Errorf("%s takes %v allocations, %v", name, n, err)
		}
	}
}

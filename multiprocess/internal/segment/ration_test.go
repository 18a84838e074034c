package segment

import (
	"errors"
	"strings"
	"testing"

	"telltale/internal/cell"
	"telltale/model"
)

// Rows that refer to what is their own are read whole, and ones that all refer to the
// same only until the segment's own bytes are spent.
func TestRation(t *testing.T) {
	const rows, length = 100, 1 << 20
	exemplar := &model.Exemplar{Labels: model.LabelsFromText(`id="` + strings.Repeat("x", length) + `"`), Value: 1}
	for _, test := range []struct {
		name   string
		family Family
		refer  func(r *Rows, first *cell.Word) error
		links  bool // the other rows have those of the first
		read   func(f *Family, s Space, row *cell.Word) bool
	}{
		{"exemplars", counterFamily(), func(r *Rows, first *cell.Word) error { return r.SetExemplar(first, 0, exemplar) }, true,
			func(f *Family, s Space, row *cell.Word) bool { return f.Exemplar(s, row, 0) != nil }},
		{"infos", Family{Name: "i", Type: model.Info, Layout: LayoutInfo, Labels: []string{"a"}},
			func(r *Rows, first *cell.Word) error { return r.SetInfo(first, exemplar.Labels.Text()) }, true,
			func(f *Family, s Space, row *cell.Word) bool { return !f.Info(s, row).IsEmpty() }},
		{"own exemplars", counterFamily(), func(r *Rows, first *cell.Word) error {
			return r.SetExemplar(first, 0, &model.Exemplar{Labels: model.LabelsFromText(`id="1"`), Value: 1})
		}, false, func(f *Family, s Space, row *cell.Word) bool { return f.Exemplar(s, row, 0) != nil }},
		{"own lanes", counterFamily(), func(r *Rows, first *cell.Word) error { _, err := r.Lanes(first, 2); return err }, false,
			func(f *Family, s Space, row *cell.Word) bool { _, ok := f.SpreadOf(s, row); return ok }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWriter(t, Header{})
			made := mustRows(t, w, test.family)
			var all []*cell.Word
			for i := range rows {
				first := mustAdd(t, made, Series{Labels: `a="` + strings.Repeat("y", i) + `"`})
				row := made.row(first)
				if all = append(all, row); i > 0 && test.links {
					cell.At(row, wordLinks).Store(cell.At(all[0], wordLinks).Load())
				} else if err := test.refer(made, first); err != nil {
					t.Fatal(err)
				}
			}
			s := new(Rationed)
			s.Begin(w)
			read := 0
			for _, row := range all {
				if test.read(made.Family(), s, row) {
					read++
				}
			}
			var damage *Corrupt
			switch err := s.Err(); {
			case test.links && (!errors.As(err, &damage) || read > 6): // a slot has up to twice the room
				t.Errorf("read %d of the same, %v", read, err)
			case !test.links && (err != nil || read != rows):
				t.Errorf("read %d of their own, %v", read, err)
			}
			if u, err := UsageOf(w); err != nil || u.Series != rows {
				t.Errorf("%d series in use, %v", u.Series, err)
			}
		})
	}
}

// A page has a sample of each state for each series.
func TestTooManyStates(t *testing.T) {
	for n, good := range map[int]bool{maxStates: true, maxStates + 1: false} {
		f := Family{Name: "e", Type: model.StateSet, Layout: LayoutState, Mode: 9, States: make([]string, n)}
		f.Number = 0
		_, err := decodeFamily(&fields{rest: f.payload()}, HeaderSize)
		if (err == nil) != good {
			t.Errorf("%d states: %v", n, err)
		}
	}
}

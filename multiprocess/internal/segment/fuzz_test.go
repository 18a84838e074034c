package segment

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"telltale/internal/cell"
	"telltale/model"
)

// FuzzReader reads arbitrary bytes, as they are and with checksums that are
// right.
func FuzzReader(f *testing.F) {
	whole := one(f, KindWriter)
	f.Add(one(f, KindArchive))
	f.Add(whole)
	f.Add(whole[:HeaderSize])
	f.Add([]byte(magic))
	for _, i := range []int{offUsed, HeaderSize, HeaderSize + 12, len(whole) / 2, len(whole) - 8} {
		b := slices.Clone(whole)
		b[i] ^= 0xff
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := spaceOf(data)
		fence := newFence(t, len(b))
		_ = try(t, fence, b)
		seal(b)
		_ = try(t, fence, b)
	})
}

// expected is what a row should show.
type expected struct {
	family   int
	labels   string
	created  int64
	values   []uint64 // sums of the row's words and its lanes'
	exemplar [2]*model.Exemplar
	info     string
	rows     *Rows
	first    *cell.Word
}

// fuzzed are the families of scripts: counters, histograms, gauges, infos.
var fuzzed = []Family{
	{Name: "c", Type: model.Counter, Layout: LayoutCounter, Labels: []string{"a"}},
	{Name: "h", Type: model.Histogram, Layout: LayoutHistogram, Bounds: []float64{1, math.Inf(1)}},
	{Name: "g", Type: model.Gauge, Layout: LayoutTimed, Mode: 4, Labels: []string{"a"}},
	{Name: "i", Type: model.Info, Layout: LayoutInfo},
}

// show returns all that a row shows.
func show(s Space, f *Family, row *cell.Word, labels string) string {
	_, created, _ := State(row)
	text := fmt.Sprint(f.Number, labels, created)
	spread, _ := f.SpreadOf(s, row)
	for i := range f.Words() - f.Layout.values() {
		if f.Layout == LayoutInfo {
			break // its links are not a value
		}
		text += fmt.Sprint(" ", cell.At(f.Layout.Values(row), i).Load()+spread.Sum(i))
	}
	for i := range 2 {
		if e := f.Exemplar(s, row, i); e != nil {
			text += fmt.Sprint(" ", *e)
		}
	}
	return text + f.Info(s, row).String()
}

func (e *expected) show() string {
	text := fmt.Sprint(e.family, e.labels, e.created)
	for _, v := range e.values {
		text += fmt.Sprint(" ", v)
	}
	for _, x := range e.exemplar {
		if x != nil {
			text += fmt.Sprint(" ", *x)
		}
	}
	return text + "{" + e.info + "}"
}

// FuzzWriteRead runs a script, three bytes an operation, and reads on now and
// then: what is read is what a model says.
func FuzzWriteRead(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x00\x05\x02\x00\x07\x04\x00\x09\x03\x00\x00\x05\x00\x10\x06\x00\x00\x07\x00\x00"))
	f.Add([]byte("\x00\x03\x00\x01\x00\x05\x05\x00\x30\x05\x00\x90\x03\x00\x00\x08\x00\x00\x01\x03\x01\x05\x00\x02\x09\x00\x00"))
	f.Add([]byte("\x00\x01\x00\x01\x00\x01\x04\x00\x01\x02\x00\x09\x04\x00\x91\x07\x00\x02\x03\x00\x00\x08\x00\x00\x01\x01\x01\x04\x00\x05"))
	f.Fuzz(func(t *testing.T, script []byte) {
		w, err := NewWriter(&heap{limit: 1 << 20}, 1024, Header{Kind: KindWriter})
		if err != nil {
			t.Fatal(err)
		}
		run := &execution{w: w, seen: &walk{space: w}}
		for ; len(script) >= 3; script = script[3:] {
			run.step(t, script[0], script[1], int(script[2]))
		}
		run.compare(t)
	})
}

// execution is a script that runs.
type execution struct {
	w      *Writer
	seen   *walk
	rows   []*Rows
	series []*expected
}

func (r *execution) step(t *testing.T, operation, which byte, n int) {
	if operation%10 == 0 {
		f := fuzzed[int(which)%len(fuzzed)]
		if rows, err := r.w.Rows(f); err == nil {
			r.rows = append(r.rows, rows)
		}
		return
	}
	if len(r.rows) == 0 {
		return
	}
	if operation%10 == 1 {
		r.add(r.rows[int(which)%len(r.rows)], n)
		return
	}
	switch operation % 10 {
	case 8:
		for range quarantine {
			r.w.Tick()
		}
		return
	case 9:
		r.compare(t)
		return
	}
	if len(r.series) == 0 {
		return
	}
	place := int(which) % len(r.series)
	e := r.series[place]
	switch layout := e.rows.Family().Layout; operation % 10 {
	case 2:
		if len(e.values) > 0 {
			cell.At(e.first, n%len(e.values)).Add(uint64(n))
			e.values[n%len(e.values)] += uint64(n)
		}
	case 3:
		e.rows.Remove(e.first)
		r.series = slices.Delete(r.series, place, place+1)
	case 4:
		if layout == LayoutCounter || layout == LayoutHistogram {
			i := n % max(1, len(e.rows.Family().Bounds))
			x := &model.Exemplar{Labels: labelsOf(n), Value: float64(n), Timestamp: model.Unix(int64(n), 5)}
			if e.rows.SetExemplar(e.first, i, x) == nil {
				e.exemplar[i] = x
			}
		}
	case 5:
		if layout == LayoutInfo && e.rows.SetInfo(e.first, labelsOf(n).Text()) == nil {
			e.info = labelsOf(n).Text()
		}
	case 6:
		e.rows.Touch(e.first, int64(n))
		if e.created = int64(n); n == UnknownCreated {
			e.created = 0
		}
	case 7:
		if layout == LayoutCounter || layout == LayoutHistogram {
			if lanes, err := e.rows.Lanes(e.first, len(e.values)); err == nil {
				cell.At(lanes.Mine(), n%len(e.values)).Add(uint64(n))
				e.values[n%len(e.values)] += uint64(n)
			}
		}
	}
}

// labelsOf returns labels whose text has about four times n bytes.
func labelsOf(n int) model.Labels {
	return model.LabelPairs([]string{"a"}, []string{string(make([]byte, 3*n)) + "é\n"})
}

func (r *execution) add(rows *Rows, n int) {
	labels := labelsOf(n).Text()
	first, err := rows.Add(Series{Labels: labels, Created: int64(n)})
	if err != nil {
		return // it is full
	}
	e := &expected{family: int(rows.Family().Number), labels: labels, created: int64(n), rows: rows, first: first}
	if n == UnknownCreated {
		e.created = 0
	}
	if rows.Family().Layout != LayoutInfo {
		e.values = make([]uint64, rows.words-rows.Family().Layout.values())
	}
	r.series = append(r.series, e)
}

func (r *execution) compare(t *testing.T) {
	if err := r.seen.next(); err != nil {
		t.Fatal(err)
	}
	got, want := map[string]int{}, map[string]int{}
	r.seen.live(func(f *seenFamily, row *cell.Word, s owner) { got[show(r.w, f.Family, row, s.Labels)]++ })
	for _, e := range r.series {
		want[e.show()]++
	}
	if !maps.Equal(got, want) {
		t.Fatalf("read\n%v\nwant\n%v", got, want)
	}
}

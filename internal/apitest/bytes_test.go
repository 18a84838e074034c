package apitest

import (
	"maps"
	"strings"
	"testing"
	"unsafe"

	"telltale"
)

// borrowed is a string in memory that its owner reuses, as in frameworks that
// avoid copies.
type borrowed []byte

func lend(s string) borrowed { return borrowed(s) }

func (b borrowed) string() string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (b borrowed) spoil() {
	for i := range b {
		b[i] = '!'
	}
}

// No way of naming a series keeps the caller's bytes, whether the series exists
// or not and whether the value is escaped or mended.
func TestCallersBytesAreNotKept(t *testing.T) {
	values := map[string]string{ // to the value that is kept
		"plain": "plain", "": "", `quo"te\`: `quo"te\`, "a\xffb": "a\uFFFDb", strings.Repeat("x", 5000): strings.Repeat("x", telltale.DefaultLabelValueLimit),
	}
	for name, use := range map[string]func(v *telltale.CounterVec, value string) *telltale.Counter{
		"With": func(v *telltale.CounterVec, value string) *telltale.Counter { return v.With(value, "y") },
		"WithLabels": func(v *telltale.CounterVec, value string) *telltale.Counter {
			return v.WithLabels(map[string]string{"l": value, "m": "y"})
		},
		"Curry": func(v *telltale.CounterVec, value string) *telltale.Counter { return curry(t, v, "l", value).With("y") },
		"Init": func(v *telltale.CounterVec, value string) *telltale.Counter {
			if err := v.Init([]string{value, "y"}); err != nil {
				t.Error(err)
			}
			return v.With(value, "y")
		},
		"Replace": func(v *telltale.CounterVec, value string) (c *telltale.Counter) {
			v.Replace(func(next *telltale.CounterVec) { c = next.With(value, "y") })
			return c
		},
	} {
		for value, kept := range values {
			var w witness
			reg, v := newVec(&w, []string{"l", "m"})
			for range 2 { // a miss, then a hit
				bytes := lend(value)
				use(v, bytes.string()).Inc()
				before := page(t, reg)
				told := ""
				for _, fault := range w.heard() {
					told += fault.Error()
				}
				bytes.spoil()
				wantPage(t, reg, before)
				again := ""
				for _, fault := range w.heard() {
					again += fault.Error()
				}
				if again != told {
					t.Errorf("%s(%.20q): the faults became %q", name, value, again)
				}
			}
			if c := v.With(kept, "y"); c.Value() == 0 || v.Len() != 1 {
				t.Errorf("%s(%.20q): the series is lost; it is at %v of %d", name, value, c.Value(), v.Len())
			}
		}
	}
}

// A curried Vec keeps its label values when the caller's bytes change.
func TestCurryKeepsItsOwnBytes(t *testing.T) {
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l", "m"}, telltale.Unregistered()))
	bytes := lend("value")
	curried := curry(t, v, "l", bytes.string())
	bytes.spoil()
	curried.With("y").Inc()
	wantSeries(t, v, `l="value",m="y"`)
}

func TestTypedKeepsNoBytes(t *testing.T) {
	v := telltale.Must(telltale.NewCounterOf[route]("c", "", telltale.Unregistered()))
	for range 2 {
		method, path := lend("GET"), lend("a\xffb")
		v.With(route{method.string(), path.string(), 200}).Inc()
		method.spoil()
		path.spoil()
	}
	texts, values := seriesOf(t, v)
	want := "method=\"GET\",path=\"a\uFFFDb\",code=\"200\""
	if len(texts) != 1 || values[want] != 2 {
		t.Errorf("series %q, values %v", texts, values)
	}
}

func TestOtherCallersBytes(t *testing.T) {
	id := lend("id")
	h := telltale.Must(telltale.NewHistogram("h", "", telltale.Unregistered(), telltale.WithBuckets(1)))
	c := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered()))
	i := telltale.Must(telltale.NewInfo("i", "", telltale.Unregistered()))
	for _, err := range []error{
		h.ObserveWithExemplar(1, map[string]string{"trace": id.string()}),
		c.AddWithExemplar(1, map[string]string{"trace": id.string()}),
		i.Set(map[string]string{"trace": id.string()}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	g := telltale.Must(telltale.NewGauge("g", "", telltale.Unregistered(), telltale.WithConstLabels(map[string]string{"trace": id.string()})))
	id.spoil()
	want := map[string]string{"trace": "id"}
	for name, got := range map[string]map[string]string{
		"histogram's exemplar": only(t, h).Histogram.Exemplar(0).Labels.Map(), "counter's exemplar": only(t, c).Exemplar.Labels.Map(),
		"info": only(t, i).Info.Map(), "info's value": i.Value(), "constant labels": only(t, g).Labels.Map(),
	} {
		if !maps.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

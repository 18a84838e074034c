package apitest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
)

// newVec returns a vector of counters whose faults the witness records.
func newVec(w *witness, labels []string, opts ...telltale.CounterOption) (*telltale.Registry, *telltale.CounterVec) {
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	return reg, telltale.Must(telltale.NewCounterVec("c", "", labels, append(opts, telltale.In(reg))...))
}

// seriesOf reads a collector of counters: values by the text of the labels, in
// the order of the page.
func seriesOf(t *testing.T, c telltale.Collector) (texts []string, values map[string]float64) {
	t.Helper()
	values = make(map[string]float64)
	err := c.Collect(t.Context(), func(f *model.Family) error {
		var scratch model.Point
		return f.Visit(&scratch, func(p *model.Point) error {
			text := strings.Clone(p.Labels.Text())
			if _, twice := values[text]; twice {
				t.Errorf("the series {%s} is there twice", text)
			}
			texts, values[text] = append(texts, text), p.Value
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts, values
}

func wantSeries(t *testing.T, c telltale.Collector, want ...string) {
	t.Helper()
	if got, _ := seriesOf(t, c); !slices.Equal(got, want) {
		t.Errorf("series %q, want %q", got, want)
	}
}

func TestVecByPositionAndByName(t *testing.T) {
	var w witness
	reg, v := newVec(&w, []string{"method", "code"}, telltale.WithConstLabels(map[string]string{"zone": "a"}))
	wantPage(t, reg, "# TYPE c_total counter\n")
	v.With("GET", "200").Inc()
	v.WithLabels(map[string]string{"code": "200", "method": "GET"}).Inc()
	v.With("POST", "").Add(5)
	if get := v.With("GET", "200"); get != v.With("GET", "200") || get == v.With("200", "GET") {
		t.Error("With does not give one handle for each series")
	}
	wantPage(t, reg, `# TYPE c_total counter
c_total{zone="a",method="GET",code="200"} 2.0
c_total{zone="a",method="POST",code=""} 5.0
c_total{zone="a",method="200",code="GET"} 0.0
`)
	if v.Len() != 3 {
		t.Errorf("Len() = %d, want 3", v.Len())
	}
	w.want(t)
}

func TestVecDefinitions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		labels []string
		consts map[string]string
	}{
		{"no labels", nil, nil},
		{"empty name", []string{"a", ""}, nil},
		{"invalid name", []string{"\xff"}, nil},
		{"twice", []string{"a", "b", "a"}, nil},
		{"reserved", []string{"__a"}, nil},
		{"constant too", []string{"a"}, map[string]string{"a": "1"}},
	} {
		if _, err := telltale.NewCounterVec("c", "", tt.labels, telltale.Unregistered(), telltale.WithConstLabels(tt.consts)); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
	given := []string{"a", "b"}
	v := telltale.Must(telltale.NewCounterVec("c", "", given, telltale.Unregistered()))
	given[0] = "changed"
	v.With("1", "2")
	wantSeries(t, v, `a="1",b="2"`)
}

// The wrong number of values, or wrong names, lose only the caller's own count,
// and are reported.
func TestVecMisuse(t *testing.T) {
	arity, name := telltale.ReasonArity, telltale.ReasonUnknownLabel
	for _, tt := range []struct {
		name   string
		use    func(v *telltale.CounterVec) *telltale.Counter
		reason telltale.Reason
	}{
		{"too few", func(v *telltale.CounterVec) *telltale.Counter { return v.With("1") }, arity},
		{"too many", func(v *telltale.CounterVec) *telltale.Counter { return v.With("1", "2", "3") }, arity},
		{"none", func(v *telltale.CounterVec) *telltale.Counter { return v.With() }, arity},
		{"missing name", func(v *telltale.CounterVec) *telltale.Counter { return v.WithLabels(map[string]string{"a": "1"}) }, name},
		{"unknown name", func(v *telltale.CounterVec) *telltale.Counter {
			return v.WithLabels(map[string]string{"a": "1", "x": "2"})
		}, name},
		{"unknown name more", func(v *telltale.CounterVec) *telltale.Counter {
			return v.WithLabels(map[string]string{"a": "1", "b": "2", "x": "3"})
		}, name},
		{"curried, too many", func(v *telltale.CounterVec) *telltale.Counter { return curry(t, v, "a", "1").With("1", "2") }, arity},
		{"curried, by its name", func(v *telltale.CounterVec) *telltale.Counter {
			return curry(t, v, "a", "1").WithLabels(map[string]string{"a": "1", "b": "2"})
		}, name},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w witness
			reg, v := newVec(&w, []string{"a", "b"})
			c := tt.use(v)
			c.Inc()
			c.Add(0.5)
			if err := c.AddWithExemplar(1, map[string]string{"x": "y"}); err != nil {
				t.Error(err)
			}
			c.Reset()
			w.want(t, tt.reason)
			if n := reg.Stats().Faults[tt.reason]; n != 1 {
				t.Errorf("counted %d times, want once", n)
			}
			if v.Len() != 0 {
				t.Errorf("there are %d series", v.Len())
			}
			wantPage(t, reg, "# TYPE c_total counter\n")
		})
	}
}

func TestRemoveMisuse(t *testing.T) {
	var w witness
	_, v := newVec(&w, []string{"a", "b"})
	v.With("1", "2").Inc()
	if v.Remove("1") || v.Remove("1", "2", "3") || curry(t, v, "a", "1").Remove("1", "2") {
		t.Error("the wrong number of values removes a series")
	}
	if n := v.RemoveMatching(map[string]string{"a": "1", "x": "2"}); n != 0 {
		t.Errorf("an unknown label removes %d series", n)
	}
	w.want(t, telltale.ReasonArity, telltale.ReasonArity, telltale.ReasonArity, telltale.ReasonUnknownLabel)
	if v.Len() != 1 {
		t.Errorf("%d series are left, want 1", v.Len())
	}
}

func TestVecMisuseStrictly(t *testing.T) {
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"a"}, telltale.In(telltale.NewRegistry(telltale.WithStrict()))))
	defer func() {
		if fault, ok := recover().(*telltale.Fault); !ok || fault.Reason != telltale.ReasonArity {
			t.Errorf("panicked with %v", fault)
		}
		v.With("1").Inc() // no lock is left locked
	}()
	v.With("1", "2")
	t.Error("strict mode does not panic")
}

func curry[H any](t *testing.T, v *telltale.Vec[H], name, value string) *telltale.Vec[H] {
	t.Helper()
	curried, err := v.Curry(map[string]string{name: value})
	if err != nil {
		t.Fatal(err)
	}
	return curried
}

func TestCurry(t *testing.T) {
	var w witness
	_, v := newVec(&w, []string{"a", "b", "c"})
	b := curry(t, v, "b", "2")
	ab := curry(t, b, "a", "1")
	all := curry(t, ab, "c", "3")
	for i, h := range []*telltale.Counter{
		b.With("1", "3"), ab.With("3"), all.With(), all.WithLabels(nil), ab.WithLabels(map[string]string{"c": "3"}),
		b.WithLabels(map[string]string{"a": "1", "c": "3"}),
	} {
		if h != v.With("1", "2", "3") {
			t.Errorf("way %d leads to another series", i)
		}
	}
	if _, err := b.Curry(map[string]string{"b": "2"}); err == nil {
		t.Error("a label is curried twice")
	}
	if _, err := b.Curry(map[string]string{"x": "2"}); err == nil {
		t.Error("an unknown label is curried")
	}
	v.With("1", "9", "3").Inc()
	v.With("9", "2", "3").Inc()
	if n := ab.RemoveMatching(map[string]string{"c": "3"}); n != 1 {
		t.Errorf("matching within curried labels removed %d series, want 1", n)
	}
	if n := b.RemoveMatching(map[string]string{"b": "9"}); n != 0 {
		t.Errorf("a contradiction of curried labels removed %d series", n)
	}
	if n := b.RemoveMatching(nil); n != 0 {
		t.Errorf("no labels removed %d series", n)
	}
	wantSeries(t, v, `a="1",b="9",c="3"`, `a="9",b="2",c="3"`)
	b.Clear()
	wantSeries(t, v, `a="1",b="9",c="3"`)
	if !curry(t, v, "b", "9").Remove("1", "3") {
		t.Error("Remove through a curried Vec finds nothing")
	}
	wantSeries(t, v)
	w.want(t)
}

func TestInit(t *testing.T) {
	var w witness
	_, v := newVec(&w, []string{"a", "b"})
	if err := v.Init([]string{"1", "2"}, []string{"1"}); err == nil || v.Len() != 0 {
		t.Errorf("a short row: error %v, %d series; want an error and none", err, v.Len())
	}
	v.With("3", "4").Inc()
	if err := v.Init([]string{"1", "2"}, []string{"3", "4"}, []string{"1", "2"}); err != nil {
		t.Error(err)
	}
	if err := curry(t, v, "a", "5").Init([]string{"6"}); err != nil {
		t.Error(err)
	}
	texts, values := seriesOf(t, v)
	if !slices.Equal(texts, []string{`a="3",b="4"`, `a="1",b="2"`, `a="5",b="6"`}) || values[texts[0]] != 1 {
		t.Errorf("series %q, values %v", texts, values)
	}
	w.want(t)
}

func TestRemoveMatching(t *testing.T) {
	var w witness
	_, v := newVec(&w, []string{"a", "b"})
	fill := func() {
		v.Clear()
		for _, a := range []string{"1", "2", `",b="1`, "x\n", `x\n`} {
			for _, b := range []string{"1", "2"} {
				v.With(a, b).Inc()
			}
		}
	}
	for _, tt := range []struct {
		labels map[string]string
		want   int
	}{
		{map[string]string{"a": "1"}, 2},
		{map[string]string{"b": "1"}, 5},
		{map[string]string{"a": "1", "b": "1"}, 1},
		{map[string]string{"a": "x\n"}, 2},
		{map[string]string{"a": `x\n`, "b": "2"}, 1},
		{map[string]string{"a": "3"}, 0},
		{map[string]string{}, 0},
		{nil, 0},
	} {
		fill()
		if n := v.RemoveMatching(tt.labels); n != tt.want || v.Len() != 10-tt.want {
			t.Errorf("RemoveMatching(%q) = %d, %d are left; want %d", tt.labels, n, v.Len(), tt.want)
		}
		texts, _ := seriesOf(t, v)
		for _, text := range texts {
			labels := model.LabelsFromText(text).Map()
			matches := len(tt.labels) > 0
			for name, value := range tt.labels {
				matches = matches && labels[name] == value
			}
			if matches {
				t.Errorf("RemoveMatching(%q) leaves {%s}", tt.labels, text)
			}
		}
	}
	w.want(t)
}

// A handle outlives its series: it still accepts updates, which no page shows,
// and does not become the handle of a new series with the same labels.
func TestHandleOfRemovedSeries(t *testing.T) {
	for name, remove := range map[string]func(v *telltale.CounterVec){
		"Remove": func(v *telltale.CounterVec) {
			if !v.Remove("x") {
				t.Error("Remove found nothing")
			}
		},
		"RemoveMatching": func(v *telltale.CounterVec) { v.RemoveMatching(map[string]string{"l": "x"}) },
		"Clear":          func(v *telltale.CounterVec) { v.Clear() },
		"Replace":        func(v *telltale.CounterVec) { v.Replace(func(*telltale.CounterVec) {}) },
	} {
		var w witness
		_, v := newVec(&w, []string{"l"})
		held := v.With("x")
		held.Add(5)
		remove(v)
		if v.Len() != 0 || v.Remove("x") {
			t.Errorf("%s: %d series are left", name, v.Len())
		}
		held.Inc()
		held.Reset()
		held.Inc()
		wantSeries(t, v)
		again := v.With("x")
		held.Add(100)
		if _, values := seriesOf(t, v); again == held || values[`l="x"`] != 0 {
			t.Errorf("%s: the series begins at %v", name, values[`l="x"`])
		}
		again.Add(0.5)
		if held.Value() != 101 || again.Value() != 0.5 {
			t.Errorf("%s: the old handle is at %v, the new at %v; want 101 and 0.5", name, held.Value(), again.Value())
		}
		w.want(t)
	}
}

// More labels than a lookup can hold without allocating.
func TestManyLabels(t *testing.T) {
	for _, n := range []int{1, 7, 8, 9, 40} {
		var w witness
		var names, values []string
		labels := map[string]string{}
		for i := range n {
			names, values = append(names, fmt.Sprintf("l%d", i)), append(values, strconv.Itoa(i))
			labels[names[i]] = values[i]
		}
		_, v := newVec(&w, names)
		c := v.With(values...)
		if c != v.WithLabels(labels) || c != curry(t, v, "l0", "0").With(values[1:]...) {
			t.Errorf("%d labels: another series by name or curried", n)
		}
		if v.Len() != 1 || !curry(t, v, names[n-1], values[n-1]).Remove(values[:n-1]...) || v.Len() != 0 {
			t.Errorf("%d labels: Remove fails", n)
		}
		c = v.With(values...)
		c.Inc()
		texts, _ := seriesOf(t, v)
		if got := model.LabelsFromText(texts[0]); !slices.Equal(got.Names(), names) || !maps.Equal(got.Map(), labels) {
			t.Errorf("%d labels: they came out as %s", n, got)
		}
		w.want(t)
	}
}

func TestUTF8LabelNames(t *testing.T) {
	var w witness
	_, v := newVec(&w, []string{"http.route", `a"b\`, `x="`})
	c := v.With("/", "1", "2")
	if c != v.With("/", "1", "2") || c == v.With("/", "1", `"`) || v.Len() != 2 {
		t.Errorf("%d series, want 2", v.Len())
	}
	wantSeries(t, v, `"http.route"="/","a\"b\\"="1","x=\""="2"`, `"http.route"="/","a\"b\\"="1","x=\""="\""`)
	if !v.Remove("/", "1", "2") || v.Len() != 1 {
		t.Error("Remove fails")
	}
}

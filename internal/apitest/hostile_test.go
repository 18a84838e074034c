package apitest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"telltale"
	"telltale/model"
)

// hostileValues are values that could be confused with each other in text.
var hostileValues = []string{
	"", " ", "a", "aa", `"`, `""`, `\`, `\\`, `\"`, "\n", `\n`, "a\n", `a\n`, "a\\\n", `a\\n`, ",", "=", "{", "}", `",b="`, `a",b="`, `",b="a`,
	`",b="",b="`, `a="x",b="y"`, "\x00", "\t\r", "\u2028", "\uFFFD", "ÿ", "😱", "a b", "#", "# EOF", strings.Repeat("x", 4096),
}

// Each pair of values is a series of its own, found in every way, and never
// taken for another.
func TestHostileValues(t *testing.T) {
	var w witness
	_, v := newVec(&w, []string{"a", "b"})
	handles := map[*telltale.Counter][2]string{}
	var want []string
	for _, a := range hostileValues {
		for _, b := range hostileValues {
			h := v.With(a, b)
			if other, taken := handles[h]; taken {
				t.Fatalf("%.40q is taken for %.40q", [2]string{a, b}, other)
			}
			handles[h] = [2]string{a, b}
			want = append(want, model.LabelPairs([]string{"a", "b"}, []string{a, b}).Text())
		}
	}
	for h, values := range handles {
		h.Inc()
		for i, found := range []*telltale.Counter{
			v.With(values[0], values[1]),
			v.WithLabels(map[string]string{"a": values[0], "b": values[1]}),
			curry(t, v, "a", values[0]).With(values[1]),
		} {
			if found != h {
				t.Errorf("way %d does not find %.40q again", i, values)
			}
		}
	}
	wantSeries(t, v, want...)
	n := len(hostileValues)
	for i, a := range hostileValues {
		if !v.Remove(a, hostileValues[0]) || v.Remove(a, hostileValues[0]) {
			t.Errorf("Remove(%.40q) does not remove once", a)
		}
		if got := v.RemoveMatching(map[string]string{"a": a}); got != n-1 {
			t.Errorf("RemoveMatching(%.40q) = %d, want %d", a, got, n-1)
		}
		if left := (n - i - 1) * n; v.Len() != left {
			t.Errorf("after all of %.40q is gone %d series are left, want %d", a, v.Len(), left)
		}
	}
	w.want(t)
}

// Invalid UTF-8 is replaced; the series is found by the original bytes and by
// the replaced ones, and each use is counted as a fault.
func TestInvalidUTF8Values(t *testing.T) {
	var w witness
	reg, v := newVec(&w, []string{"l", "m"})
	bad := v.With("a\xff\xfeb", "x")
	for i, same := range []*telltale.Counter{
		v.With("a\xff\xfeb", "x"), v.With("a\uFFFDb", "x"), v.With("a\xc0b", "x"), v.WithLabels(map[string]string{"l": "a\xffb", "m": "x"}),
		curry(t, v, "l", "a\xffb").With("x"),
	} {
		if same != bad {
			t.Errorf("way %d leads to another series", i)
		}
	}
	wantSeries(t, v, "l=\"a\uFFFDb\",m=\"x\"")
	if n := reg.Stats().Faults[telltale.ReasonInvalidUTF8]; n != 5 {
		t.Errorf("counted %d times, want 5", n)
	}
	for _, fault := range w.heard() {
		if fault.Family != "c" || !strings.Contains(fault.Error(), `"l"`) || !utf8.ValidString(fault.Error()) {
			t.Errorf("the fault does not say what it is about: %v", fault)
		}
	}
	for name, remove := range map[string]func() bool{
		"Remove":          func() bool { return v.Remove("a\xffb", "x") },
		"RemoveMatching":  func() bool { return v.RemoveMatching(map[string]string{"l": "a\xffb"}) == 1 },
		"Clear, curried":  func() bool { curry(t, v, "l", "a\xffb").Clear(); return true },
		"Remove, curried": func() bool { return curry(t, v, "l", "a\xffb").Remove("x") },
	} {
		v.With("a\xffb", "x")
		if !remove() || v.Len() != 0 {
			t.Errorf("%s does not find it: %d series are left", name, v.Len())
		}
	}
}

func TestOversizedValues(t *testing.T) {
	long := strings.Repeat("x", telltale.DefaultLabelValueLimit)
	for _, tt := range []struct {
		name, value, want string
		opts              []telltale.CounterOption
		faults            int
	}{
		{"at the limit", long, long, nil, 0},
		{"over the limit", long + "y", long, nil, 1},
		{"far over the limit", strings.Repeat(long, 100), long, nil, 1},
		{"a character across the limit", "ab\u00e9", "ab", []telltale.CounterOption{telltale.WithLabelValueLimit(3)}, 1},
		{"a character up to the limit", "a\u00e9b", "a\u00e9", []telltale.CounterOption{telltale.WithLabelValueLimit(3)}, 1},
		{"nothing fits", "😱", "", []telltale.CounterOption{telltale.WithLabelValueLimit(1)}, 1},
		{"mended to more than the limit", "a\xffb", "a", []telltale.CounterOption{telltale.WithLabelValueLimit(3)}, 2},
		{"no limit", long + "y", long + "y", []telltale.CounterOption{telltale.WithLabelValueLimit(0)}, 0},
		{"no limit either", long + "y", long + "y", []telltale.CounterOption{telltale.WithLabelValueLimit(-1)}, 0},
	} {
		var w witness
		_, v := newVec(&w, []string{"l"}, tt.opts...)
		h := v.With(tt.value)
		if n := len(w.heard()); n != tt.faults {
			t.Errorf("%s: %d faults, want %d", tt.name, n, tt.faults)
		}
		if h != v.With(tt.value) || h != v.With(tt.want) {
			t.Errorf("%s: it is not found again", tt.name)
		}
		wantSeries(t, v, `l="`+tt.want+`"`)
		for _, fault := range w.heard() {
			if len(fault.Error()) > 400 {
				t.Errorf("%s: the fault repeats the value: %d bytes", tt.name, len(fault.Error()))
			}
		}
		if !v.Remove(tt.value) || v.Len() != 0 {
			t.Errorf("%s: Remove does not find it", tt.name)
		}
		v.With(tt.value)
		if v.RemoveMatching(map[string]string{"l": tt.value}) != 1 {
			t.Errorf("%s: RemoveMatching does not find it", tt.name)
		}
	}
}

// A hook may do anything; it may also use the instrument that calls it.
func TestHookUsesTheInstrument(t *testing.T) {
	var v *telltale.CounterVec
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) { v.With("from the hook").Inc() }))
	v = telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg)))
	v.With("\xff").Inc()
	v.With("1", "2").Inc()
	v.Remove()
	v.RemoveMatching(map[string]string{"x": "y"})
	v.WithLabels(nil)
	if got := v.With("from the hook").Value(); got != 5 {
		t.Errorf("the hook counted %v faults, want 5", got)
	}
}

// Values whose hashes share their low bits share a chain in the index; removing
// some of them must not lose others.
func TestManySeries(t *testing.T) {
	var w witness
	_, v := newVec(&w, []string{"a", "b"})
	const n = 5000
	handles := make([]*telltale.Counter, n)
	for i := range n {
		handles[i] = v.With(fmt.Sprint(i), "x")
		handles[i].Add(float64(i))
	}
	for i := 0; i < n; i += 3 {
		if !v.Remove(fmt.Sprint(i), "x") {
			t.Fatalf("series %d is not there", i)
		}
	}
	for i := range n {
		if i%3 == 0 {
			if v.Remove(fmt.Sprint(i), "x") {
				t.Errorf("series %d is there again", i)
			}
		} else if v.With(fmt.Sprint(i), "x") != handles[i] {
			t.Errorf("series %d is another", i)
		}
	}
	texts, values := seriesOf(t, v)
	if len(texts) != n-(n+2)/3 || v.Len() != len(texts) {
		t.Errorf("%d series on the page, Len() = %d, want %d", len(texts), v.Len(), n-(n+2)/3)
	}
	if !slices.IsSortedFunc(texts, func(a, b string) int { return int(values[a] - values[b]) }) {
		t.Error("the series are not in the order of their creation")
	}
	w.want(t)
}

package model_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"telltale/model"
)

func TestLabelText(t *testing.T) {
	for _, tt := range []struct {
		name   string
		labels map[string]string
		want   string
	}{
		{"none", nil, ""},
		{"one", map[string]string{"a": "x"}, `a="x"`},
		{"sorted", map[string]string{"b": "2", "a": "1", "_": "0", "c": "3"}, `_="0",a="1",b="2",c="3"`},
		{"empty value", map[string]string{"a": ""}, `a=""`},
		{"escapes", map[string]string{"a": "\\ \n \""}, `a="\\ \n \""`},
		{"backslash n is not a newline", map[string]string{"a": `x\n`, "b": "x\n"}, `a="x\\n",b="x\n"`},
		{"other control characters stay", map[string]string{"a": "\t\r\x00"}, "a=\"\t\r\x00\""},
		{"a value that looks like labels", map[string]string{"a": `",b="`}, `a="\",b=\""`},
		{"quoted name", map[string]string{"http.route": "/"}, `"http.route"="/"`},
		{"name with quotes", map[string]string{`a"b\`: "x"}, `"a\"b\\"="x"`},
		{"name with equals and comma", map[string]string{`a="x",b`: "y"}, `"a=\"x\",b"="y"`},
		{"a colon needs quotes in a label", map[string]string{"a:b": "x"}, `"a:b"="x"`},
		{"invalid UTF-8", map[string]string{"a": "x\xffy"}, `a="x` + "\uFFFD" + `y"`},
		{"empty name is left out", map[string]string{"": "x", "a": "y"}, `a="y"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := model.LabelsOf(tt.labels)
			if l.Text() != tt.want {
				t.Errorf("text is %s, want %s", l.Text(), tt.want)
			}
			if l.String() != "{"+tt.want+"}" {
				t.Errorf("String() is %s", l)
			}
			want := maps.Clone(tt.labels)
			delete(want, "")
			for n, v := range want {
				want[n] = strings.ToValidUTF8(v, "\uFFFD")
			}
			checkLabels(t, l, want)
		})
	}
}

// checkLabels checks all that can be read of labels.
func checkLabels(t *testing.T, l model.Labels, want map[string]string) {
	t.Helper()
	if got := l.Map(); got == nil || !maps.Equal(got, want) {
		t.Errorf("Map() = %q, want %q", got, want)
	}
	if l.Len() != len(want) || l.IsEmpty() != (len(want) == 0) {
		t.Errorf("Len() = %d, IsEmpty() = %v, want %d labels", l.Len(), l.IsEmpty(), len(want))
	}
	legacy := true
	for name, value := range want {
		legacy = legacy && model.LegacyLabelName(name)
		if got, ok := l.Get(name); !ok || got != value {
			t.Errorf("Get(%q) = %q, %v; want %q", name, got, ok, value)
		}
	}
	if l.AllLegacy() != legacy {
		t.Errorf("AllLegacy() = %v, want %v", l.AllLegacy(), legacy)
	}
	if !slices.Equal(slices.Sorted(slices.Values(l.Names())), slices.Sorted(maps.Keys(want))) {
		t.Errorf("Names() = %q", l.Names())
	}
	if _, ok := l.Get("not there"); ok {
		t.Error("Get finds a label that is not there")
	}
	if again := model.LabelsFromText(l.Text()); again != l {
		t.Errorf("LabelsFromText gives %s, want %s", again, l)
	}
	if c := l.Clone(); c != l {
		t.Errorf("Clone() = %s, want %s", c, l)
	}
}

func TestLabelOrder(t *testing.T) {
	ba := model.LabelPairs([]string{"b", "a"}, []string{"2", "1"})
	ab := model.LabelsOf(map[string]string{"a": "1", "b": "2"})
	if ba.Text() != `b="2",a="1"` {
		t.Errorf("LabelPairs changes the order: %s", ba)
	}
	if ba == ab || !ba.Same(ab) || !ab.Same(ba) || ba.Sorted() != ab {
		t.Errorf("%s and %s: ==, Same or Sorted is wrong", ba, ab)
	}
	for _, other := range []map[string]string{
		{"a": "2", "b": "1"}, {"a": "1"}, {"a": "1", "b": "22"}, {"a": `1",b="2`}, {"a": "1", "c": "2"}, nil,
	} {
		if l := model.LabelsOf(other); l.Same(ab) || ab.Same(l) {
			t.Errorf("%s is the Same as %s", l, ab)
		}
	}
	none := model.Labels{}
	if none.Append(ab) != ab || ab.Append(none) != ab {
		t.Error("appending no labels changes something")
	}
	if got := ab.Append(model.LabelPairs([]string{"le"}, []string{"+Inf"})).Text(); got != `a="1",b="2",le="+Inf"` {
		t.Errorf("Append gives %s", got)
	}
	for _, tt := range []struct{ names, values []string }{
		{[]string{"a", "b"}, []string{"1"}}, {[]string{"a"}, []string{"1", "2"}},
	} {
		if got := model.LabelPairs(tt.names, tt.values).Text(); got != `a="1"` {
			t.Errorf("LabelPairs(%q, %q) = %s", tt.names, tt.values, got)
		}
	}
}

func TestLabelsStopEarly(t *testing.T) {
	n := 0
	for name := range model.LabelsOf(map[string]string{"a": "1", "b": "2"}).All() {
		n++
		if name != "a" {
			t.Errorf("the first label is %q", name)
		}
		break
	}
	if n != 1 {
		t.Errorf("%d labels were walked before break", n)
	}
}

func TestExemplarLabels(t *testing.T) {
	l, err := model.NewExemplarLabels(map[string]string{"trace_id": "x", "a": "y"})
	if err != nil || l.Text() != `a="y",trace_id="x"` {
		t.Errorf("got %s, %v", l, err)
	}
	for _, tt := range []struct {
		name   string
		labels map[string]string
		ok     bool
	}{
		{"none", nil, true},
		{"128 characters", map[string]string{"abc": strings.Repeat("x", 125)}, true},
		{"128 characters of four bytes", map[string]string{"abc": strings.Repeat("😱", 125)}, true},
		{"129 characters", map[string]string{"abc": strings.Repeat("x", 126)}, false},
		{"129 characters in two labels", map[string]string{"a": strings.Repeat("x", 63), "b": strings.Repeat("x", 64)}, false},
		{"empty name", map[string]string{"": "x"}, false},
		{"invalid name", map[string]string{"\xff": "x"}, false},
	} {
		if _, err := model.NewExemplarLabels(tt.labels); (err == nil) != tt.ok {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
}

func FuzzLabels(f *testing.F) {
	f.Add("a", "x", "b", "y")
	f.Add(`a"`, `",b="`, `\`, "\n")
	f.Add("", "", "\xff", "\xfe\\n")
	f.Add("a", `a\n`, "a", "a\n")
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string) {
		want := map[string]string{}
		given := map[string]string{n1: v1, n2: v2}
		for n, v := range given {
			if n != "" {
				want[strings.ToValidUTF8(n, "\uFFFD")] = strings.ToValidUTF8(v, "\uFFFD")
			}
		}
		l := model.LabelsOf(given)
		if len(want) < len(given) && n1 != "" && n2 != "" {
			return // two names became one by mending
		}
		if !utf8.ValidString(l.Text()) || strings.Contains(l.Text(), "\n") {
			t.Fatalf("the text %q breaks its line", l.Text())
		}
		checkLabels(t, l, want)
		if again := model.LabelsOf(l.Map()); !again.Same(l) {
			t.Errorf("after a round trip %s is %s", l, again)
		}
	})
}

// A byte that needs an escape is found wherever it is, and so is one that is not UTF-8.
func TestAppendEscapedEverywhere(t *testing.T) {
	for special, want := range map[string]string{
		`\`: `\\`, "\n": `\n`, `"`: `\"`, "\xff": "\uFFFD", "é": "é", "\x00": "\x00", "\x7f": "\x7f", "!": "!", "#": "#", "[": "[", "]": "]", "\x0b": "\x0b",
	} {
		for n := range 20 {
			for at := range n + 1 {
				before, after := strings.Repeat("x", at), strings.Repeat("y", n-at)
				if got := string(model.AppendEscaped([]byte("<"), before+special+after)); got != "<"+before+want+after {
					t.Errorf("AppendEscaped(%q) = %q", before+special+after, got)
				}
			}
		}
	}
}

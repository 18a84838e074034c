package model_test

import (
	"strings"
	"testing"

	"telltale/model"
)

func TestValidLabelsText(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"none", ``, true},
		{"one", `a="x"`, true},
		{"two", `a="x",b=""`, true},
		{"a name twice", `a="x",a="y"`, true},
		{"escapes", `a="\\\n\""`, true},
		{"characters that need no escape", "a=\"\t\r\x00é,}\"", true},
		{"a quoted name", `"a.b"="x"`, true},
		{"a quoted name with escapes", `"a\"\n\\"="x"`, true},
		{"a quoted name with an equals sign", `"a="="x"`, true},

		{"no value", `a`, false},
		{"no quotes", `a=x`, false},
		{"no name", `="x"`, false},
		{"only a comma", `,`, false},
		{"comma at the beginning", `,a="x"`, false},
		{"comma at the end", `a="x",`, false},
		{"two commas", `a="x",,b="y"`, false},
		{"no comma", `a="x"b="y"`, false},
		{"space after the comma", `a="x", b="y"`, false},
		{"space before the value", `a= "x"`, false},
		{"in braces", `{a="x"}`, false},
		{"open value", `a="x`, false},
		{"value that ends in its escape", `a="x\"`, false},
		{"value that ends in a backslash", `a="x\`, false},
		{"value that is not there", `a="`, false},
		{"newline in a value", "a=\"\n\"", false},
		{"newline in a quoted name", "\"a\n\"=\"x\"", false},
		{"another escape", `a="\t"`, false},
		{"an escape of half a character", "a=\"\\\xc3\xa9\"", false},
		{"empty quoted name", `""="x"`, false},
		{"quotes that the name does not need", `"a"="x"`, false},
		{"no quotes where the name needs them", `a.b="x"`, false},
		{"a name that begins with a digit", `0a="x"`, false},
		{"open quoted name", `"a.b`, false},
		{"only a quote", `"`, false},
		{"a quoted name without a value", `"a.b"`, false},
		{"a quoted name and something else", `"a.b"x="y"`, false},
		{"not UTF-8 in a value", "a=\"\xff\"", false},
		{"not UTF-8 in a name", "\"a\xff\"=\"x\"", false},
	} {
		if got := model.ValidLabelsText(tt.text); got != tt.want {
			t.Errorf("%s: ValidLabelsText(%q) = %v", tt.name, tt.text, got)
		}
	}
}

func TestSortingLabelsAllocatesTheirText(t *testing.T) {
	for text, want := range map[string]float64{`a="1",b="2"`: 0, `method="GET",handler="/",code="200"`: 1} {
		labels := model.LabelsFromText(text)
		if got := testing.AllocsPerRun(100, func() { _ = labels.Sorted() }); got != want {
			t.Errorf("sorting %s allocates %v times, want %v", text, got, want)
		}
	}
}

// FuzzValidLabelsText holds text that is accepted to what AppendLabel makes of
// its labels, and what AppendLabel makes to being accepted.
func FuzzValidLabelsText(f *testing.F) {
	for _, text := range []string{``, `a="x"`, `a="x",b="\\\n\""`, `"a.b"="x","c\"d"=""`, `a="x",`, `""="x"`, "a=\"\xff\"", `"a"="x"`,
		`b="1",a="2"`, `c="",b="2",a="3"`, `b="1",a="2",b="3"`, `"a\"b"="1","a!"="2",a="3"`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		made := model.AppendLabel(nil, text, text)
		for part := range strings.SplitSeq(text, ",") {
			made = model.AppendLabel(made, part, text)
		}
		if !model.ValidLabelsText(string(made)) {
			t.Fatalf("%q, which AppendLabel made, is refused", made)
		}
		if !model.ValidLabelsText(text) {
			return
		}
		l, n := model.LabelsFromText(text), 0
		var again []byte
		for name, value := range l.All() {
			again = model.AppendLabel(again, name, value)
			n++
		}
		if string(again) != text {
			t.Errorf("%q comes back as %q", text, again)
		}
		if l.Len() != n || l.IsEmpty() != (n == 0) || len(l.Names()) != n {
			t.Errorf("%q has %d labels, Len() says %d", text, n, l.Len())
		}
		if sorted := model.LabelsOf(l.Map()); l.Sorted() != sorted {
			t.Errorf("%q sorted is %q, want %q", text, l.Sorted().Text(), sorted.Text())
		}
		_ = l.AllLegacy()
	})
}

package text_test

import (
	"testing"

	"telltale/exposition/text"
)

// A help text is what stands behind the blanks after the metric name, and has
// two escapes: "the backslash and the line feed characters have to be escaped as
// \\ and \n" (Exposition formats, "Comments, help text, and type information";
// "Line format" has any number of blanks between tokens).
func TestHelp(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"blanks before", "# HELP a \t  b  c \n", "b  c "},
		{"blanks alone", "# HELP a  \t \n", ""},
		{"escapes", `# HELP a \\ \n \\n` + "\n", "\\ \n \\n"},
		{"quotes", `# HELP a "b" \\"` + "\n", `"b" \"`},
		{"quoted name", `# HELP "a\"b"   "c"` + "\n", `"c"`},
	} {
		for _, opts := range [][]text.ParserOption{nil, {text.WithLenient()}} {
			all, err := parse(c.in, opts...)
			if err != nil || len(all) != 1 || all[0].Help != c.want {
				t.Errorf("%s: got %v, error %v, want the help %q", c.name, all, err, c.want)
			}
		}
	}
	// What is no escape is kept by lenient readers, as Python's client and the
	// Prometheus server do.
	const in = `# HELP a say \"hi\" \t \\ \n \`
	if _, err := parse(in + "\n"); err == nil {
		t.Error("there is no error")
	}
	all, err := parse(in+"\n", text.WithLenient())
	if want := "say \\\"hi\\\" \\t \\ \n \\"; err != nil || all[0].Help != want {
		t.Errorf("got %v, error %v, want %q", all, err, want)
	}
}

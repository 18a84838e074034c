package text_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"telltale/exposition/text"
	"telltale/model"
)

// parse returns the families of a page.
func parse(in string, opts ...text.ParserOption) ([]*model.Family, error) {
	p := text.NewParser(strings.NewReader(in), opts...)
	var all []*model.Family
	for {
		f, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		}
		all = append(all, f)
	}
}

// Every way to be wrong, and where the error says it is.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, in     string
		line, column int
		found        string
	}{
		{"no line feed", "a 1\na 12", 2, 5, "the end of the page"},
		{"no line feed after a comment", "# b", 1, 4, "the end of the page"},
		{"not UTF-8", "a{b=\"\xff\"} 1\n", 1, 6, `"\xff"`},
		{"carriage return", "a 1\r\n", 1, 3, `"1\r"`},
		{"carriage return alone", "\r\n", 1, 1, `"\r"`},

		{"help without a name", "# HELP\n", 1, 7, "the end of the line"},
		{"bad escape in help", "# HELP a b\\c\n", 1, 11, `the escape "\\c"`},
		{"escaped quote in help", "# HELP a say \\\"b\\\"\n", 1, 14, `the escape "\\\""`},
		{"lone backslash in help", "# HELP a b\\\n", 1, 11, `the escape "\\"`},
		{"not UTF-8 in help", "# HELP a \xff\n", 1, 10, `"\xff"`},
		{"type without a word", "# TYPE a\n", 1, 9, "the end of the line"},
		{"type of none", "# TYPE a info\n", 1, 10, `"info"`},
		{"type in capitals", "# TYPE a Gauge\n", 1, 10, `"Gauge"`},
		{"type and more", "# TYPE a gauge b\n", 1, 16, `"b"`},
		{"type of a digit", "# TYPE 1 gauge\n", 1, 8, `"1 gauge"`},
		{"second help", "# HELP a b\n# HELP a b\n", 2, 1, `a second HELP of "a"`},
		{"second type", "# TYPE a gauge\n# TYPE a gauge\n", 2, 1, `a second TYPE of "a"`},
		{"help after samples", "a 1\n# HELP a b\n", 2, 1, `HELP after samples of "a"`},
		{"type after samples", "a 1\n# TYPE a gauge\n", 2, 1, `TYPE after samples of "a"`},
		{"type far after samples", "a 1\nb 1\n# TYPE a gauge\n", 3, 8, `the family "a" again`},
		{"family in pieces", "a 1\nb 1\na 2\n", 3, 1, `the family "a" again`},

		{"no value", "a\n", 1, 2, "the end of the line"},
		{"three numbers", "a 1 2 3\n", 1, 7, `"3"`},
		{"hexadecimal", "a 0x1p3\n", 1, 3, `"0x1p3"`},
		{"underscore", "a 1_0\n", 1, 3, `"1_0"`},
		{"too large", "a 1e999\n", 1, 3, `"1e999"`},
		{"fraction of a timestamp", "a 1 1.5\n", 1, 5, `"1.5"`},
		{"timestamp too large", "a 1 9223372036854775808\n", 1, 5, `"9223372036854775808"`},
		{"exemplar", "a 1 # {} 1\n", 1, 5, `"#"`},
		{"odd name", "a-b 1\n", 1, 2, `"-b 1"`},
		{"blank in a name", "a b 1\n", 1, 3, `"b"`},

		{"labels without a name", "{b=\"c\"} 1\n", 1, 1, "labels without a metric name"},
		{"two names", "a{\"b\"} 1\n", 1, 6, `"} 1"`},
		{"two commas", "a{b=\"c\",,} 1\n", 1, 9, `",} 1"`},
		{"comma alone", "a{,} 1\n", 1, 3, `",} 1"`},
		{"bad escape", "a{b=\"\\c\"} 1\n", 1, 6, `the escape "\\c"`},
		{"escaped end", "a{b=\"\\\"} 1\n", 1, 5, "an opening quote"},
		{"label twice", "a{b=\"c\", b=\"d\"} 1\n", 1, 10, `the label name "b" again`},
		{"label twice of many", "a{" + manyLabels(20) + ",l3=\"\"} 1\n", 1, 133, `the label name "l3" again`},
		{"no comma", "a{b=\"c\" d=\"e\"} 1\n", 1, 9, `"d=\"e\"} 1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(c.in)
			var got *text.SyntaxError
			if !errors.As(err, &got) {
				t.Fatalf("error %v", err)
			}
			if got.Line != c.line || got.Column != c.column || got.Found != c.found || got.Expected == "" {
				t.Errorf("got %v, want line %d, column %d: found %s", got, c.line, c.column, c.found)
			}
		})
	}
}

func manyLabels(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`l%d=""`, i))
	}
	return strings.Join(all, ",")
}

// Blanks, comments and empty lines stand where they like.
func TestTolerance(t *testing.T) {
	const in = "\n \t\n# a comment\n#\n#TYPES a b\n" +
		"\t#\tHELP\ta \tb \\\\ \\n \" \n# TYPE  a\tgauge \n" +
		" a\t{ b = \"c\" ,\"d\"=\"\\\"\", } 1\t-2 \n" +
		"a{b=\"d\"}1\na 2\n" +
		"# HELP b\n" +
		" { \"c.d\" , \"e f\" = \"\" } +Inf\n"
	all, err := parse(in)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e := text.NewEncoder(&out, text.WithEscaping(model.AllowUTF8))
	for _, f := range all {
		if err := e.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	const want = "# HELP a b \\\\ \\n \" \n# TYPE a gauge\n" +
		"a{b=\"c\",d=\"\\\"\"} 1.0 -2\na{b=\"d\"} 1.0\na 2.0\n" +
		"# HELP b \n# TYPE b untyped\n" +
		"# HELP \"c.d\" \n# TYPE \"c.d\" untyped\n{\"c.d\",\"e f\"=\"\"} +Inf\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

// Lenient readers put samples together in any order; what does not fit is loose.
func TestPieces(t *testing.T) {
	all, err := parse(`# TYPE h histogram
h_count{a="1",b="2"} 3
h_count{a="2",b="2"} 4
h_bucket{b="2",le="2",a="1"} 2
h_bucket{le="1",a="1",b="2"} 1
h_bucket{le="2.0",a="1",b="2"} 5
h_bucket{le="+Inf",a="2",b="2"} 4
h_count{a="1",b="2"} 6
h_count{a="1",b="2"} 7 1
h_bucket{a="1",b="2"} 8
h 9
# TYPE s summary
s{quantile="1"} 2
s{quantile="0.5"} 1
s_sum 3
s_sum{quantile="1"} 4
x_created 5
`, text.WithLenient())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range all {
		for s := range f.Samples() {
			got = append(got, fmt.Sprintf("%s%s %v %v", s.Name, s.Labels, s.Value, s.Timestamp))
		}
	}
	want := []string{
		`h_bucket{a="1",b="2",le="1.0"} 1 `, `h_bucket{a="1",b="2",le="2.0"} 2 `, `h_count{a="1",b="2"} 3 `,
		`h_bucket{a="2",b="2",le="+Inf"} 4 `, `h_count{a="2",b="2"} 4 `,
		`h_count{a="1",b="2"} 7 0.001`,
		`h_count{a="1",b="2"} 6 `, `h_bucket{a="1",b="2"} 8 `, `h{} 9 `, `h_bucket{a="1",b="2",le="2.0"} 5 `,
		`s{quantile="0.5"} 1 `, `s{quantile="1.0"} 2 `, `s_sum{} 3 `, `s_sum{quantile="1"} 4 `,
		`x_created{} 5 `,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Loose samples stand where a reader takes them: with their family, or behind
// it, name by name.
func TestLooseSamplesParse(t *testing.T) {
	waiting := &model.Family{Name: "waiting", Type: model.GaugeHistogram}
	for _, name := range []string{"waiting_max", "waiting_bucket", "other", "waiting", "waiting_max", "waiting_gcount"} {
		waiting.AddSample(name, map[string]string{"n": "1"}, 1)
		waiting.AddSample(name, map[string]string{"n": "2"}, 2)
	}
	waiting.AddSample("waiting_bucket", map[string]string{"le": "+Inf"}, 3)
	alone := (&model.Family{Name: "alone", Type: model.Counter}).WithLoose([]model.Sample{{Name: "b"}, {Name: "alone_total"}, {Name: "b"}})
	var out bytes.Buffer
	e := text.NewEncoder(&out)
	if err := errors.Join(e.Encode(waiting), e.Encode(alone), e.Close()); err != nil {
		t.Fatal(err)
	}
	const want = `# HELP waiting 
# TYPE waiting histogram
waiting_bucket{le="+Inf"} 3.0
waiting_bucket{n="1"} 1.0
waiting_bucket{n="2"} 2.0
waiting{n="1"} 1.0
waiting{n="2"} 2.0
# HELP waiting_gcount 
# TYPE waiting_gcount gauge
waiting_gcount{n="1"} 1.0
waiting_gcount{n="2"} 2.0
other{n="1"} 1.0
other{n="2"} 2.0
waiting_max{n="1"} 1.0
waiting_max{n="2"} 2.0
waiting_max{n="1"} 1.0
waiting_max{n="2"} 2.0
# HELP alone_total 
# TYPE alone_total counter
alone_total 0.0
b 0.0
b 0.0
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
	if _, err := parse(out.String(), text.WithLenient()); err != nil {
		t.Error(err)
	}
}

// Names stay as they are, also of counters.
func TestNames(t *testing.T) {
	all, err := parse("# TYPE a_total counter\na_total 1\n# TYPE b counter\nb 1\n# TYPE c counter\n# TYPE d counter\nd_total 1\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range all {
		got = append(got, fmt.Sprintf("%s %s %v %v", f.Name, f.Type, f.IsLiteral(), len(slices.Collect(f.Samples()))))
	}
	want := []string{"a_total counter false 1", "b counter true 1", "c counter true 0", "d counter true 0", "d_total unknown false 1"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// brittle is a reader that fails after its text.
type brittle struct{ io.Reader }

var errBroken = errors.New("broken")

func (b brittle) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p[:min(len(p), 3)])
	if err == io.EOF {
		err = errBroken
	}
	return n, err
}

// still is a reader that has nothing to say.
type still struct{}

func (still) Read([]byte) (int, error) { return 0, nil }

func TestReaders(t *testing.T) {
	p := text.NewParser(brittle{strings.NewReader("a 1\nb 1\n")})
	if f, err := p.Next(); err != nil || f.Name != "a" {
		t.Errorf("family %v, error %v", f, err)
	}
	for range 2 {
		if f, err := p.Next(); !errors.Is(err, errBroken) {
			t.Errorf("family %v, error %v", f, err)
		}
	}
	if _, err := text.NewParser(still{}).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error %v", err)
	}
	long := func(end string) string { return "a{b=\"" + strings.Repeat("x", 300_000) + end + "\"} 1\n" }
	if all, err := parse(long("1") + long("2")); err != nil || len(slices.Collect(all[0].Samples())) != 2 {
		t.Errorf("error %v", err)
	}
}

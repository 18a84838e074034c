package exposition_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// allErrors returns what is wrong with a page, as "line:column found".
func allErrors(t testing.TB, page string, f exposition.Format, opts ...exposition.ParserOption) []string {
	t.Helper()
	p := exposition.NewParser(strings.NewReader(page), f, append(opts, exposition.WithAllErrors())...)
	var found []string
	for range len(page) + 1000 {
		_, err := p.Next()
		var wrong *exposition.SyntaxError
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return found
		case errors.As(err, &wrong):
			found = append(found, fmt.Sprintf("%d:%d %s", wrong.Line, wrong.Column, wrong.Found))
		case errors.Is(err, exposition.ErrUnread):
			return append(found, "unread")
		default:
			t.Fatal(err)
		}
	}
	t.Fatalf("the parser does not end with\n%s", page)
	return nil
}

// All errors of a page are reported, and nothing else.
func TestAllErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		format exposition.Format
		page   string
		want   []string
	}{
		{"nothing wrong", exposition.OpenMetrics1, "a 1\n# EOF\n", nil},
		{"each line", exposition.Text004, "a\nb{ 1\nc 1 x\nd 1\n# TYPE e e\n", []string{"1:2 the end of the line", `2:4 "1"`, `3:5 "x"`, `5:10 "e"`}},
		{"no line feed", exposition.Text004, "a x\na 12", []string{`1:3 "x"`, "2:5 the end of the page"}},
		{"families again, once each", exposition.Text004, "a 1\nb 1\na 1\nb 1\na 1\n", []string{`3:1 the family "a" again`, `4:1 the family "b" again`}},
		{"metadata twice and late", exposition.Text004, "# TYPE a gauge\n# TYPE a gauge\n# HELP a b\na 1\n# HELP a c\na 2\n", []string{`2:1 a second TYPE of "a"`, `5:1 a second HELP of "a"`}},
		{
			"type that came late", exposition.Text004,
			"a_bucket{le=\"+Inf\"} 1\na 1\n# TYPE a histogram\na_bucket 1\na_sum 1\na_bucket 1\na_sum 1\n", []string{`3:1 TYPE after samples of "a"`},
		},
		{
			"type of none", exposition.Text004,
			"# TYPE a histogramm\na_bucket{le=\"1\"} 1\na_sum 1\na_bucket{le=\"1\"} 1\na_sum 1\n# TYPE b gauge\nb x\n", []string{`1:10 "histogramm"`, `7:3 "x"`},
		},
		{
			"metadata of nobody", exposition.Text004,
			"# TYPE 0 histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_bucket{le=\"1\"} 1\na_sum 1\n# TYPE b gauge\nb x\n", []string{`1:8 "0 histogram"`, `7:3 "x"`},
		},

		{"each line", exposition.OpenMetrics1, "\na\n# b\na{b=\"\xff\"} 1\n# HELP a\na 1 \n# EOF", []string{
			"1:1 an empty line", "2:2 the end of the line", `3:1 "# b"`, `4:6 "\xff"`, "5:9 the end of the line", "6:5 the end of the line"}},
		{"no end", exposition.OpenMetrics1, "a x\n", []string{`1:3 "x"`, "2:1 the end of the page"}},
		{"behind the end", exposition.OpenMetrics1, "a x\n# EOF\nb\nc x\n", []string{`1:3 "x"`, `3:1 "b"`}},
		{
			"type of none", exposition.OpenMetrics1,
			"# TYPE a histogramm\na_bucket 1\na_sum 1\na_bucket 1\na_sum 1\n# TYPE b counter\nb_total -1\n# EOF\n", []string{`1:10 "histogramm"`, `7:9 -1.0`},
		},
		{
			"metadata of nobody", exposition.OpenMetrics1,
			"# type a histogram\na_bucket 1\na_sum 1\na_bucket 1\na_sum 1\n# TYPE b counter\nb_total -1\n# EOF\n", []string{`1:1 "# type a histogram"`, `7:9 -1.0`},
		},
		{
			"comment within a family", exposition.OpenMetrics1,
			"# TYPE a histogram\n# b\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\n# EOF\n", []string{`2:1 "# b"`},
		},
		{
			"counter under its sample's name", exposition.OpenMetrics1,
			"# TYPE a_total counter\na_total{b=\"1\"} 1\na_created{b=\"1\"} 1\na_total{b=\"2\"} 1\na_created{b=\"2\"} 1\nc x\n# EOF\n",
			[]string{`2:1 a sample of the counter "a_total" without a suffix`, `6:3 "x"`},
		},
		{
			"counter of that name without samples", exposition.OpenMetrics1,
			"# TYPE a_total counter\n# TYPE b gauge\nb x\n# EOF\n", []string{`3:3 "x"`},
		},
		{
			"family in pieces", exposition.OpenMetrics1,
			"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\n# TYPE b gauge\nb x\na_count 1\na_sum 1\n# EOF\n",
			[]string{`4:3 "x"`, `5:1 the family "a_count", which clashes with one before it`},
		},
		{
			"clashing names", exposition.OpenMetrics1,
			"# TYPE a_count gauge\na_count 1\n# TYPE a summary\na_count 1\na_sum 1\na_count 1\n# EOF\n",
			[]string{`3:8 the family "a", which clashes with one before it`},
		},
		{
			"bucket that cannot be read", exposition.OpenMetrics1,
			"# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} x\na_count 1\na_sum 1\n# EOF\n", []string{`3:21 "x"`},
		},
		{
			"labels that cannot be read", exposition.OpenMetrics1,
			"# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf} 2\na_count 1\na_sum 1\n# EOF\n", []string{`3:13 an opening quote`},
		},
		{
			"bucket, and another histogram", exposition.OpenMetrics1,
			"# TYPE a histogram\na_bucket{b=\"1\",le=\"1\"} x\na_bucket{b=\"1\",le=\"+Inf\"} 1\na_bucket{b=\"2\",le=\"1\"} 1\n# EOF\n",
			[]string{`2:24 "x"`, "4:1 a histogram without the bucket +Inf"},
		},
		{
			"one bucket too high", exposition.OpenMetrics1,
			"# TYPE a histogram\na_bucket{le=\"1\"} 9\na_bucket{le=\"2\"} 1\na_bucket{le=\"3\"} 1\na_bucket{le=\"+Inf\"} 1\na_count 1\na_sum 1\n# EOF\n",
			[]string{"3:18 a bucket of less than the one before"},
		},
		{
			"metric in pieces", exposition.OpenMetrics1,
			"# TYPE a summary\na_count{b=\"1\"} 1\na_count{b=\"2\"} 1\na_count{b=\"3\"} 1\na_sum{b=\"1\"} 1\na_sum{b=\"2\"} -1\na_sum{b=\"1\"} 2\n# EOF\n",
			[]string{"5:1 a metric that others have come after", "6:14 -1.0"},
		},
		{
			"with and without timestamps", exposition.OpenMetrics1,
			"# TYPE a summary\na_count 1\na_sum 1 1\na{quantile=\"1\"} 1 1\na{quantile=\"0\"} -1 1\n# EOF\n",
			[]string{"3:7 samples of one metric with and without timestamp"},
		},

		{"each line", exposition.OpenMetrics2, "\na\n# b\na{b=\"\xff\"} 1\n# HELP a\na 1 \n# EOF", []string{
			"1:1 an empty line", "2:2 the end of the line", `3:1 "# b"`, `4:6 "\xff"`, "5:9 the end of the line", "6:5 the end of the line"}},
		{"no end", exposition.OpenMetrics2, "a x\n", []string{`1:3 "x"`, "2:1 the end of the page"}},
		{"behind the end", exposition.OpenMetrics2, "a x\n# EOF\nb\nc x\n", []string{`1:3 "x"`, `3:1 "b"`}},
		{
			"type of none", exposition.OpenMetrics2,
			"# TYPE a countr\na 1 st@1 # {} 1 1\na {count:1}\n# TYPE b counter\nb -1\n# EOF\n", []string{`1:10 "countr"`, `3:11 "}"`, `5:3 -1.0`},
		},
		{
			"metadata of nobody", exposition.OpenMetrics2,
			"# HELP a b\n# type a counter\na 1 st@1 # {} 1 1\n# TYPE b counter\nb -1\n# EOF\n", []string{`2:1 "# type a counter"`, `5:3 -1.0`},
		},
		{
			"line within a family", exposition.OpenMetrics2,
			"a{b=\"1\"} 1\na{{\na{b=\"2\"} 1 st@1\n# EOF\n", []string{`2:3 "{"`, "3:15 a start timestamp"},
		},
		{
			"type twice", exposition.OpenMetrics2,
			"# TYPE a gauge\n# TYPE a counter\na 1 st@1\n# EOF\n", []string{`2:1 the same metadata of "a" again`},
		},
		{
			"families in pieces", exposition.OpenMetrics2,
			"# TYPE a counter\na 1\nb 1\na 1 st@1\na 2\nb -x\n# EOF\n", []string{`4:1 the family "a" again`, `6:3 "-x"`},
		},
		{
			"metric in pieces", exposition.OpenMetrics2,
			"# TYPE a gauge\na{b=\"1\"} 1 1\na{b=\"2\"} 1 1\na{b=\"1\"} 1 2\na{b=\"1\"} 1 3\n# EOF\n", []string{"4:1 a metric that others have come after"},
		},
		{
			"with and without timestamps", exposition.OpenMetrics2,
			"# TYPE a gauge\na 1\na 1 1\na 1 2\na{b=\"1\"} 1 2\na{b=\"1\"} 1 1\n# EOF\n",
			[]string{"3:3 samples of one metric with and without timestamp", "6:12 the timestamp 1 after 2"},
		},
		{
			"each histogram", exposition.OpenMetrics2,
			"# TYPE a histogram\na{b=\"1\"} {count:2,sum:1.0,bucket:[1.0:1,+Inf:3]}\na{b=\"2\"} 1\na{b=\"3\"} {count:2,sum:1.0,bucket:[1.0:1,+Inf:2]}\n# EOF\n",
			[]string{"2:10 the count 2.0 beside the bucket +Inf of 3.0", "3:10 1.0"},
		},
		{
			"states", exposition.OpenMetrics2,
			"# TYPE a stateset\na{a=\"x\"} 2\na{a=\"y\"} 1\na 1\na{a=\"y\"} 1\n# EOF\n",
			[]string{"2:10 2.0", "4:1 no label for the state", "5:1 the same series again"},
		},
		{
			"a unit, then info", exposition.OpenMetrics1,
			"# UNIT a_s s\n# TYPE a_s info\na_s_info 1\na_s_info 1\n# EOF\n",
			[]string{"2:12 a unit of an info or a state set", "4:1 the same series again"},
		},
	} {
		t.Run(c.format.String()+" "+c.name, func(t *testing.T) {
			if got := allErrors(t, c.page, c.format); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s\nin\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"), c.page)
			}
		})
	}
}

// One line that is wrong is one error, whichever it is.
func TestNoCascades(t *testing.T) {
	for _, f := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2} {
		right := page(t, f.WithEscaping(model.AllowUTF8), whole(families(t)), exposition.WithCreated())
		lines := bytes.SplitAfter(right, []byte{'\n'})
		for i, line := range lines[:len(lines)-1] {
			if bytes.Equal(line, []byte("# EOF\n")) {
				continue
			}
			wrong := []string{"{{{\n", string(line[:len(line)-1]) + "\xff\n"}
			if line[0] == '#' {
				wrong = append(wrong, "# HELP {\n")
			}
			if bytes.HasPrefix(line, []byte("# TYPE")) {
				wrong = append(wrong, string(line[:len(line)-1])+"s\n")
			}
			for _, other := range wrong {
				changed := slices.Clone(lines)
				changed[i] = []byte(other)
				got := allErrors(t, string(bytes.Join(changed, nil)), f)
				if len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprintf("%d:", i+1)) {
					t.Errorf("%s: line %d, %q, became %q: %q", f, i+1, line, other, got)
				}
			}
		}
	}
}

func TestErrorLimits(t *testing.T) {
	bad := strings.Repeat("{\n", 200)
	for _, f := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2} {
		for _, c := range []struct {
			page   string
			limits exposition.Limits
			count  int
			last   string
		}{
			{bad, exposition.Limits{}, 101, "unread"},
			{bad, exposition.Limits{Errors: 3}, 4, "unread"},
			{bad, exposition.Limits{Input: 20}, 2, "unread"},
			{strings.Repeat("a", 20) + "\nb 1\nc x\n# EOF\n", exposition.Limits{Line: 10}, 2, `3:3 "x"`},
			{strings.Repeat("a", 200_000) + "\nb 1\nc x\n# EOF\n", exposition.Limits{Line: 10}, 2, `3:3 "x"`},
		} {
			got := allErrors(t, c.page, f, exposition.WithLimits(c.limits))
			if len(got) != c.count || got[len(got)-1] != c.last {
				t.Errorf("%s, %+v: %d errors, the last of them %q; want %d and %q", f, c.limits, len(got), got[len(got)-1], c.count, c.last)
			}
		}
	}
}

// The first of all errors is the one that strict reading finds, and whoever goes
// on comes to the end.
func FuzzAllErrors(f *testing.F) {
	seeds(f, exposition.OpenMetrics1)
	seeds(f, exposition.OpenMetrics2)
	f.Add([]byte("# TYPE a histogramm\na_bucket 1\n# type\nb 1\nb 1\n# EOF\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, format := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2} {
			_, err := parse(in, format)
			first := ""
			var wrong *exposition.SyntaxError
			if errors.As(err, &wrong) {
				first = fmt.Sprintf("%d:%d %s", wrong.Line, wrong.Column, wrong.Found)
			}
			all := allErrors(t, string(in), format)
			if first == "" && len(all) > 0 || first != "" && (len(all) == 0 || all[0] != first) {
				t.Fatalf("%s: %q, then %q in\n%s", format, first, all, in)
			}
		}
	})
}

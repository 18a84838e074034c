package text_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"telltale/exposition/text"
)

// The clauses of the format's specification (Prometheus documentation,
// "Exposition formats", section "Text format details").
const (
	grouping   = "Grouping and sorting: All lines for a given metric must be provided as one single group"
	unique     = "Grouping and sorting: Each line must have a unique combination of a metric name and labels"
	inf        = `Histograms and summaries: A histogram must have a bucket with {le="+Inf"}`
	infCount   = "Histograms and summaries: Its value must be identical to the value of x_count"
	increasing = "Histograms and summaries: The buckets of a histogram and the quantiles of a summary must appear in increasing numerical order"
	bucketLe   = `Histograms and summaries: Each bucket count of a histogram named x is given as a separate sample line with the name x_bucket and a label {le="y"}`
	quantileY  = `Histograms and summaries: Each quantile of a summary named x is given as a separate sample line with the same name x and a label {quantile="y"}`
	counts     = "Metric types, Histogram: cumulative counters for the observation buckets"
	reserved   = "Data model: the metric name is stored in the label __name__"
)

// Pages that break a rule of the format, and the errors of each: all errors,
// as "line:column found". Lenient readers take them all, as others do.
func TestRules(t *testing.T) {
	for _, c := range []struct{ clause, name, in, want string }{
		{unique, "series twice", "a 1\na 2\n", "2:1 the same series again"},
		{unique, "and again", "a 1\na 2\na 1\n", "2:1 the same series again;3:1 the same series again"},
		{unique, "behind others", "# TYPE a gauge\na{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"3\"} 1\na{b=\"2\"} 1\n", "5:1 the same series again"},
		{unique, "behind comments", "# TYPE a gauge\n\na{b=\"1\"} 1\na{b=\"2\"} 1\n# c\na{b=\"3\"} 1\n\n\na{b=\"4\"} 1\na{b=\"3\"} 1\n# c\na{b=\"1\"} 1\n", "10:1 the same series again;12:1 the same series again"},
		{unique, "labels in another order", "# TYPE a counter\na{b=\"1\",c=\"2\"} 1\na{c=\"2\",b=\"1\"} 1\n", "3:1 the same series again"},
		{unique, "names in quotes", "a{b=\"1\"} 1\n{\"a\",\"b\"=\"1\"} 1\n", "2:1 the same series again"},
		{unique, "blanks", "a{b=\"1\"} 1\n a { b = \"1\" , } 1\n", "2:1 the same series again"},
		{unique, "same time", "a 1 5\na 1 6\na 2 5\n", "3:1 the same series again"},
		{unique, "with timestamp and without", "a 1 5\na 1\na{b=\"\"} 1\na{b=\"\"} 1 5\n", "2:1 the same series with and without timestamp;4:1 the same series with and without timestamp"},
		{unique, "count twice", "# TYPE a summary\na_count 1\na_count 1\n", "3:1 the same series again"},
		{unique, "sum twice, apart", "# TYPE a summary\na_sum{b=\"1\"} 1\na_sum{b=\"2\"} 1\na_sum{b=\"1\"} 1\n", "4:1 the same series again"},
		{unique, "bucket twice", "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"1.0\"} 1\na_bucket{le=\"+Inf\"} 1\n", `3:10 the bound "1.0" after 1.0`},

		{grouping, "gauge in pieces", "# TYPE a gauge\na 1\nb 1\na{c=\"d\"} 1\n", `4:1 the family "a" again`},
		{grouping, "histogram in pieces", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\nb 1\na_bucket{c=\"1\",le=\"+Inf\"} 2\na_sum 1\na_count 2\n", `4:1 the family "a" again`},
		{grouping, "count of a summary", "# TYPE a summary\na{quantile=\"0\"} 1\n# TYPE b gauge\na_count 1\na_sum 2\n", `4:1 the family "a" again`},
		{grouping, "count before its summary", "a_count 1\n# TYPE a summary\na_sum 1\na_count 1\na_count{b=\"c\"} 1\n", `4:1 the family "a_count" again`},
		{grouping, "metadata of a count", "# TYPE a summary\na_count 1\n# TYPE a_count gauge\na_count 1\n", `3:8 "a_count", the name of samples of the family "a"`},
		{grouping, "bucket without its type", "a_bucket{le=\"+Inf\"} 1\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\n", `3:1 the family "a_bucket" again`},

		{inf, "no +Inf", "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n", "4:1 a histogram without the bucket +Inf"},
		{inf, "no buckets", "# TYPE a histogram\na_sum 1\na_count 1\n", "3:1 a histogram without the bucket +Inf"},
		{inf, "one of two", "# TYPE a histogram\na_bucket{b=\"1\",le=\"1\"} 1\na_bucket{b=\"2\",le=\"1\"} 1\na_bucket{b=\"2\",le=\"+Inf\"} 1\n", "2:1 a histogram without the bucket +Inf"},
		{inf, "another spelling", "# TYPE a histogram\na_bucket{le=\"Inf\"} 1\n", `2:10 the bound "Inf"`},
		{inf, "one of another time", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1 1\na_count 1 1\na_count 1 2\n", "4:1 a histogram without the bucket +Inf"},
		{infCount, "less", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 20\na_sum 1\na_count 0\n", "4:1 the count 0.0"},
		{infCount, "count first", "# TYPE a histogram\na_count 3\na_bucket{le=\"+Inf\"} 2\n", "3:1 the count 3.0"},

		{increasing, "+Inf first", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_bucket{le=\"1\"} 1\n", `3:10 the bound "1" after +Inf`},
		{increasing, "by text", "# TYPE a histogram\na_bucket{le=\"10\"} 1\na_bucket{le=\"2\"} 1\na_bucket{le=\"+Inf\"} 1\n", `3:10 the bound "2" after 10.0`},
		{increasing, "quantiles", "# TYPE a summary\na{quantile=\"0.9\"} 1\na{quantile=\"0.5\"} 1\na{quantile=\"0.5\"} 1\n", `3:3 the quantile "0.5" after 0.9;4:3 the quantile "0.5" after 0.5`},

		{counts, "falling", "# TYPE a histogram\na_bucket{le=\"1\"} 9\na_bucket{le=\"2\"} 1\na_bucket{le=\"+Inf\"} 9\n", "3:18 a bucket of less than the one before"},
		{counts, "negative", "# TYPE a histogram\na_bucket{le=\"1\"} -1\na_bucket{le=\"+Inf\"} 1\n", "2:18 -1.0"},
		{counts, "NaN", "# TYPE a histogram\na_bucket{le=\"+Inf\"} NaN\na_count NaN\n", "2:21 NaN;3:9 NaN"},

		{bucketLe, "none", "# TYPE a histogram\na_bucket 1\na_bucket{le=\"+Inf\"} 1\n", "2:1 no label of the bucket or quantile"},
		{bucketLe, "no number", "# TYPE a histogram\na_bucket{le=\"x\"} 1\na_bucket{le=\"+Inf\"} 1\n", `2:10 the bound "x"`},
		{bucketLe, "NaN", "# TYPE a histogram\na_bucket{le=\"NaN\"} 1\na_bucket{le=\"+Inf\"} 1\n", `2:10 the bound "NaN"`},
		{bucketLe, "on a sum", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum{le=\"+Inf\"} 1\n", `3:7 the label "le"`},
		{bucketLe, "no suffix", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na 1\n", `3:1 a sample of the histogram "a" without a suffix`},
		{quantileY, "none", "# TYPE a summary\na 1\n", "2:1 no label of the bucket or quantile"},
		{quantileY, "no number", "# TYPE a summary\na{quantile=\"x\"} 1\na_sum 1\na_count 1\n", `2:3 the quantile "x"`},
		{quantileY, "on a count", "# TYPE a summary\na_count{quantile=\"0.5\"} 1\n", `2:9 the label "quantile"`},
		{reserved, "__name__", "a{__name__=\"b\"} 1\na{\"__name__\"=\"b\"} 1\n", "1:3 the label name __name__;2:3 the label name __name__"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := allErrors(t, c.in); got != c.want {
				t.Errorf("%s: got\n%s\nwant\n%s\nin\n%s", c.clause, got, c.want, c.in)
			}
			if _, err := parse(c.in, text.WithLenient()); err != nil {
				t.Errorf("leniently: %v in\n%s", err, c.in)
			}
		})
	}
}

// allErrors returns what is wrong with a page.
func allErrors(t *testing.T, page string) string {
	t.Helper()
	p := text.NewParser(strings.NewReader(page), text.WithAllErrors())
	var found []string
	for {
		_, err := p.Next()
		var wrong *text.SyntaxError
		switch {
		case err == nil:
		case errors.As(err, &wrong):
			found = append(found, fmt.Sprintf("%d:%d %s", wrong.Line, wrong.Column, wrong.Found))
		default:
			return strings.Join(found, ";")
		}
	}
}

// What the format leaves open is right.
func TestRulesLeaveOpen(t *testing.T) {
	for _, c := range []struct{ name, in string }{
		{"le and quantile of others", "# TYPE a gauge\na{le=\"x\",quantile=\"y\"} 1\n# TYPE b summary\nb{le=\"1\",quantile=\"1\"} 1\n# TYPE c histogram\nc_bucket{quantile=\"1\",le=\"+Inf\"} 1\n"},
		{"other labels with underscores", "a{__b=\"1\",_c=\"2\"} 1\n"},
		{"samples of several histograms in turn", "# TYPE a histogram\na_bucket{b=\"1\",le=\"1\"} 1\na_bucket{b=\"2\",le=\"1\"} 2\na_bucket{b=\"1\",le=\"+Inf\"} 3\na_bucket{b=\"2\",le=\"+Inf\"} 4\na_sum{b=\"1\"} 1\na_sum{b=\"2\"} 1\na_count{b=\"1\"} 3\na_count{b=\"2\"} 4\n"},
		{"le among the labels", "# TYPE a histogram\na_bucket{le=\"1\",b=\"1\"} 1\na_bucket{b=\"1\",le=\"+Inf\"} 1\n"},
		{"count and sum first", "# TYPE a histogram\na_count 1\na_sum NaN\na_bucket{le=\"-Inf\"} 0\na_bucket{le=\"+Inf\"} 1\n"},
		{"no count, no sum", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\n"},
		{"no samples", "# TYPE a histogram\n# TYPE b summary\n"},
		{"several times", "# TYPE a gauge\na 1 2\na 1 1\n# TYPE b histogram\nb_bucket{le=\"+Inf\"} 1 1\nb_count 1 1\nb_bucket{le=\"+Inf\"} 1 2\nb_count 1 2\n"},
		{"an empty label", "a{b=\"\"} 1\na 1\n"},
		{"untyped", "a_bucket{le=\"2\"} 2\na_bucket{le=\"1\"} 9\na_count 1\n"},
		{"suffixes of a gauge", "# TYPE a gauge\na 1\n# TYPE a_count gauge\na_count 1\n# TYPE a_bucket gauge\na_bucket 1\n"},
		{"suffixes of no samples", "# TYPE a_count gauge\na_count 1\n# TYPE a summary\na_sum 1\n# TYPE b summary\nb_count 1\nb_bucket 1\n"},
		{"counts of floats", "# TYPE a histogram\na_bucket{le=\"1\"} 0.5\na_bucket{le=\"+Inf\"} +Inf\na_count +Inf\n"},
	} {
		if got := allErrors(t, c.in); got != "" {
			t.Errorf("%s: %s in\n%s", c.name, got, c.in)
		}
	}
}

// Of many series, whichever repeats one before is found, and no other.
func TestEveryRepetitionIsFound(t *testing.T) {
	for _, n := range []int{1, 2, 31, 32, 33, 100, 5000} {
		var page strings.Builder
		for i := range n {
			fmt.Fprintf(&page, "a{b=\"%d\"} 1\n", i)
		}
		once := page.String()
		if got := allErrors(t, once+strings.ReplaceAll(once, "a{", "c{")); got != "" {
			t.Fatalf("%d series: %s", n, got)
		}
		for _, i := range slices.Compact([]int{0, n / 2, n - 1}) {
			if got, want := allErrors(t, once+fmt.Sprintf("a{b=\"%d\"} 1\n", i)), fmt.Sprintf("%d:1 the same series again", n+1); got != want {
				t.Errorf("series %d of %d: got %q, want %q", i, n, got, want)
			}
		}
	}
}

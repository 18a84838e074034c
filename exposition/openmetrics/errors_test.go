package openmetrics_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"telltale/exposition/openmetrics"
)

// Every rule, by an input that breaks it, and where the error says it is.
func TestErrors(t *testing.T) {
	const tail = "# EOF\n"
	for _, c := range []struct {
		name, in     string
		line, column int
		found        string
	}{
		// The page.
		{"no end", "a 1\n", 2, 1, "the end of the page"},
		{"nothing", "", 1, 1, "the end of the page"},
		{"no end and no line feed", "a 1", 2, 1, "the end of the page"},
		{"two ends", "# EOF\n# EOF\n", 2, 1, `"# EOF"`},
		{"text after the end", "# EOF\nblah", 2, 1, `"blah"`},
		{"empty line after the end", "# EOF\n\n", 2, 1, `""`},
		{"end with a space", "# EOF \n", 1, 1, `"# EOF "`},
		{"empty line", "a 1\n\n" + tail, 2, 1, "an empty line"},
		{"byte order mark", "\ufeffa 1\n" + tail, 1, 1, `"\ufeffa 1"`},
		{"not UTF-8", "a{b=\"\xff\"} 1\n" + tail, 1, 6, `"\xff"`},
		{"carriage return", "a 1\r\n" + tail, 1, 3, `"1\r"`},
		{"carriage return after a type", "# TYPE a gauge\r\n" + tail, 1, 10, `"gauge\r"`},
		{"carriage return after the end", "# EOF\r\n", 1, 1, `"# EOF\r"`},
		{"comment", "# hello\n" + tail, 1, 1, `"# hello"`},
		{"lower case keyword", "# type a gauge\n" + tail, 1, 1, `"# type a gauge"`},
		{"two spaces", "#  TYPE a gauge\n" + tail, 1, 1, `"#  TYPE a gauge"`},

		// Metadata.
		{"help without a name", "# HELP \n" + tail, 1, 8, "the end of the line"},
		{"help without a space", "# HELP a\n" + tail, 1, 9, "the end of the line"},
		{"help with a lone backslash", "# HELP a b\\\n" + tail, 1, 11, `the escape "\\"`},
		{"bare quote in help", "# HELP a say \"hi\\\"\n" + tail, 1, 14, "a double quote"}, // ABNF: normal-char
		{"type of none", "# TYPE a untyped\n" + tail, 1, 10, `"untyped"`},
		{"type and a space", "# TYPE a gauge \n" + tail, 1, 10, `"gauge "`},
		{"type in capitals", "# TYPE a GAUGE\n" + tail, 1, 10, `"GAUGE"`},
		{"name of a digit", "# TYPE 0a gauge\n" + tail, 1, 8, `"0a gauge"`},
		{"empty quoted name", "# TYPE \"\" gauge\n" + tail, 1, 8, "an empty name"},
		{"quoted name without an end", "# TYPE \"a gauge\n" + tail, 1, 8, "an opening quote"},
		{"unit that is no suffix", "# UNIT a seconds\n" + tail, 1, 10, `the unit "seconds"`},
		{"unit that is the name", "# UNIT seconds seconds\n" + tail, 1, 16, `the unit "seconds"`},
		{"unit of odd characters", "# UNIT a_x x-y\n" + tail, 1, 12, `"x-y"`},
		{"unit of a space", "# UNIT a_s s \n" + tail, 1, 12, `"s "`},
		{"unit of an info", "# TYPE a_s info\n# UNIT a_s s\n" + tail, 2, 12, "a unit of an info or a state set"},
		{"unit, then stateset", "# UNIT a_s s\n# TYPE a_s stateset\n" + tail, 2, 12, "a unit of an info or a state set"},
		{"second help", "# HELP a b\n# HELP a b\n" + tail, 2, 1, `the same metadata of "a" again`},
		{"second empty help", "# HELP a \n# HELP a \n" + tail, 2, 1, `the same metadata of "a" again`},
		{"second type", "# TYPE a gauge\n# TYPE a gauge\n" + tail, 2, 1, `the same metadata of "a" again`},
		{"second unit", "# UNIT a_s s\n# UNIT a_s s\n" + tail, 2, 1, `the same metadata of "a_s" again`},
		{"help after samples", "a 1\n# HELP a b\n" + tail, 2, 1, `metadata after samples of "a"`},
		{"type after samples", "# HELP a b\na 1\n# TYPE a gauge\n" + tail, 3, 1, `metadata after samples of "a"`},

		// Names.
		{"family again", "# TYPE a gauge\na 1\n# TYPE b gauge\n# TYPE a gauge\n" + tail, 4, 8, `the family "a", which clashes with one before it`},
		{"samples again", "a 1\nb 1\na{b=\"c\"} 1\n" + tail, 3, 1, `the family "a", which clashes with one before it`},
		{"suffix taken", "# TYPE a_count gauge\n# TYPE a summary\na_sum 1\n" + tail, 2, 8, `the family "a", which clashes with one before it`},
		{"suffix taken by a family after", "# TYPE a info\n# TYPE a_info gauge\n" + tail, 2, 8, `the family "a_info", which clashes with one before it`},
		{"counter without suffix", "# TYPE a counter\na 1\n" + tail, 2, 1, `a sample of the counter "a" without a suffix`},
		{"info without suffix", "# TYPE a info\na{b=\"c\"} 1\n" + tail, 2, 1, `a sample of the info "a" without a suffix`},
		{"histogram without suffix", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na 1\n" + tail, 3, 1, `a sample of the histogram "a" without a suffix`},
		{"counter named like a sample", "# TYPE a counter\n# TYPE a_total counter\n" + tail, 2, 8, `the family "a_total", which clashes with one before it`},
		{"counter named total with a sample named alike", "# TYPE a_total counter\na_total 1\n" + tail, 2, 1, `a sample of the counter "a_total" without a suffix`},

		// Samples.
		{"no value", "a\n" + tail, 1, 2, "the end of the line"},
		{"no value after a space", "a \n" + tail, 1, 3, "the end of the line"},
		{"tab", "a\t1\n" + tail, 1, 2, `"\t1"`},
		{"two spaces before the value", "a  1\n" + tail, 1, 3, `" 1"`},
		{"space before the name", " a 1\n" + tail, 1, 1, `" a 1"`},
		{"space before labels", "a {} 1\n" + tail, 1, 3, `"{}"`},
		{"space after the value", "a 1 \n" + tail, 1, 5, "the end of the line"},
		{"three numbers", "a 1 2 3\n" + tail, 1, 6, `" 3"`},
		{"hexadecimal", "a 0x1p3\n" + tail, 1, 3, `"0x1p3"`},
		{"underscore", "a 1_0\n" + tail, 1, 3, `"1_0"`},
		{"signed NaN", "a +NaN\n" + tail, 1, 3, `"+NaN"`},
		{"too large", "a 1e999\n" + tail, 1, 3, `"1e999"`},
		{"exponent without digits", "a 1e\n" + tail, 1, 3, `"1e"`},
		{"a point", "a .\n" + tail, 1, 3, `"."`},
		{"other digits", "a ١\n" + tail, 1, 3, `"١"`},
		{"bad timestamp", "a 1 z\n" + tail, 1, 5, `"z"`},
		{"timestamp that is NaN", "a 1 NaN\n" + tail, 1, 5, `"NaN"`},
		{"timestamp too large", "a 1 1e309\n" + tail, 1, 5, `"1e309"`},

		// Names that are reserved (sections "Label" and "MetricFamily", "Name").
		{"reserved family", "a 1\n# TYPE _m gauge\n_m 1\n" + tail, 2, 8, `the family "_m"`},
		{"reserved family without metadata", "_m 1\n" + tail, 1, 1, `the family "_m"`},
		{"reserved family in quotes", "{\"_é\"} 1\n" + tail, 1, 1, `the family "_é"`},
		{"reserved label", "a{b=\"c\",_d=\"e\"} 1\n" + tail, 1, 9, `the label name "_d"`},
		{"reserved label of readers", "a{__name__=\"b\"} 1\n" + tail, 1, 3, `the label name "__name__"`},
		{"reserved label in quotes", "a{\"_é\"=\"c\"} 1\n" + tail, 1, 3, `the label name "\"_é\""`},
		{"reserved label of an exemplar", "# TYPE a counter\na_total 1 # {_b=\"c\"} 1\n" + tail, 2, 14, `the label name "_b"`},

		// Labels.
		{"labels without a name", "{} 1\n" + tail, 1, 1, "labels without a metric name"},
		{"two names", "a{\"b\"} 1\n" + tail, 1, 6, `"} 1"`},
		{"name behind a label", "{a=\"b\",\"c\"} 1\n" + tail, 1, 11, `"} 1"`},
		{"trailing comma", "a{b=\"c\",} 1\n" + tail, 1, 9, `"} 1"`},
		{"comma behind the name", "{\"a\",} 1\n" + tail, 1, 6, `"} 1"`},
		{"comma alone", "a{,} 1\n" + tail, 1, 3, `",} 1"`},
		{"space between labels", "a{b=\"c\", d=\"e\"} 1\n" + tail, 1, 9, `" d=\"e\"} 1"`},
		{"colon", "a{b:c=\"d\"} 1\n" + tail, 1, 4, `":c=\"d\"} 1"`},
		{"no quotes", "a{b=c} 1\n" + tail, 1, 5, `"c} 1"`},
		{"no equals sign", "a{b} 1\n" + tail, 1, 4, `"} 1"`},
		{"no end of value", "a{b=\"c} 1\n" + tail, 1, 5, "an opening quote"},
		{"no brace", "a{b=\"c\" 1\n" + tail, 1, 8, `" 1"`},
		{"empty label name", "a{\"\"=\"c\"} 1\n" + tail, 1, 3, "an empty name"},
		{"label twice", "a{b=\"c\",b=\"d\"} 1\n" + tail, 1, 9, `the label name "b" again`},
		{"label twice, once quoted", "a{b=\"c\",\"b\"=\"d\"} 1\n" + tail, 1, 9, `the label name "b" again`},
		{"no space after labels", "a{}1\n" + tail, 1, 4, `"1"`},

		// Order.
		{"metric in pieces", "# TYPE a gauge\na{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"1\"} 1\n" + tail, 4, 1, "a metric that others have come after"},
		{"metric in pieces, otherwise ordered", "a{b=\"1\",c=\"1\"} 1\na 1\na{c=\"1\",b=\"1\"} 1\n" + tail, 3, 1, "a metric that others have come after"},
		{"series twice", "a{b=\"1\",c=\"1\"} 1\na{c=\"1\",b=\"1\"} 2\n" + tail, 2, 1, "the same series again"},
		{"count twice", "# TYPE a summary\na_count 1 1\na_count 1 1\n" + tail, 3, 1, "the same series again"},
		{"points in pieces", "# TYPE a summary\na_count 0 1\na_count 0 2\na_sum 0 1\na_sum 0 2\n" + tail, 4, 9, "the timestamp 1 after 2"},
		{"back in time", "a 1 -1\na 1 -1.1\n" + tail, 2, 5, "the timestamp -1.1 after -1"},
		{"with timestamp after without", "a 1\na 1 1\n" + tail, 2, 3, "samples of one metric with and without timestamp"},
		{"without timestamp after with", "a 1 1\na 1\n" + tail, 2, 3, "samples of one metric with and without timestamp"},

		// Values.
		{"negative counter", "# TYPE a counter\na_total -1\n" + tail, 2, 9, "-1.0"},
		{"counter of NaN", "# TYPE a counter\na_total NaN\n" + tail, 2, 9, "NaN"},
		{"counter without total", "# TYPE a counter\na_created 1\n" + tail, 2, 1, "a counter without a total"},
		{"created that is no time", "# TYPE a counter\na_total 1\na_created Inf\n" + tail, 3, 11, "+Inf"},
		{"info of 2", "# TYPE a info\na_info 2\n" + tail, 2, 8, "2.0"},
		{"state of 2", "# TYPE a stateset\na{a=\"b\"} 2\n" + tail, 2, 10, "the state 2"},
		{"state without label", "# TYPE a stateset\na{b=\"c\"} 1\n" + tail, 2, 1, "no label for the bucket, quantile or state"},
		{"state twice", "# TYPE a stateset\na{a=\"b\"} 1\na{a=\"b\"} 1\n" + tail, 3, 1, `the state "b" twice in this state set`},
		{"quantile without label", "# TYPE a summary\na 1\n" + tail, 2, 1, "no label for the bucket, quantile or state"},
		{"quantile above 1", "# TYPE a summary\na{quantile=\"1.1\"} 1\n" + tail, 2, 3, `the quantile "1.1"`},
		{"quantile that is no number", "# TYPE a summary\na{quantile=\"NaN\"} 1\n" + tail, 2, 3, `the quantile "NaN"`},
		{"quantile twice", "# TYPE a summary\na{quantile=\"1\"} 1\na{quantile=\"1.0\"} 1\n" + tail, 3, 1, "the quantile 1.0 twice in this summary"},
		{"negative quantile", "# TYPE a summary\na{quantile=\"1\"} -1\n" + tail, 2, 17, "a negative quantile"},
		{"count that is not whole", "# TYPE a summary\na_count 1.5\n" + tail, 2, 9, "1.5"},
		{"quantile label on a sum", "# TYPE a summary\na_sum{quantile=\"1\"} 1\n" + tail, 2, 7, `the label "quantile"`},

		// Histograms.
		{"bucket without label", "# TYPE a histogram\na_bucket 1\n" + tail, 2, 1, "no label for the bucket, quantile or state"},
		{"bound of NaN", "# TYPE a histogram\na_bucket{le=\"NaN\"} 1\n" + tail, 2, 10, `the bound "NaN"`},
		{"bound that is not canonical", "# TYPE a histogram\na_bucket{le=\"Inf\"} 1\n" + tail, 2, 10, `the bound "Inf"`},
		{"bucket that is not whole", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1.5\n" + tail, 2, 21, "1.5"},
		{"infinite bucket", "# TYPE a histogram\na_bucket{le=\"+Inf\"} +Inf\n" + tail, 2, 21, "+Inf"},
		{"bounds out of order", "# TYPE a histogram\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\n" + tail, 3, 10, `the bound "1" after 2.0`},
		{"bound twice", "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"1.0\"} 1\n" + tail, 3, 10, `the bound "1.0" after 1.0`},
		{"not cumulative", "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n" + tail, 3, 21, "a bucket of less than the one before"},
		{"no +Inf", "# TYPE a histogram\na_bucket{le=\"1\"} 2\n" + tail, 2, 1, "a histogram without the bucket +Inf"},
		{"no buckets", "# TYPE a histogram\na_created 2\n" + tail, 2, 1, "a histogram without the bucket +Inf"},
		{"count is not +Inf", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_count 1\na_sum 1\n" + tail, 4, 1, "the count 1.0"},
		{"count alone", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_count 2\n" + tail, 3, 1, "a count without a sum"},
		{"sum alone", "# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 2\na_gsum 2\n" + tail, 3, 1, "a sum without a count"},
		{"sum beside negative bound", "# TYPE a histogram\na_bucket{le=\"-1\"} 2\na_bucket{le=\"+Inf\"} 2\na_count 2\na_sum 1\n" + tail, 5, 1, "a sum beside a negative bound"},
		{"negative gsum", "# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 2\na_gcount 2\na_gsum -1\n" + tail, 4, 1, "a negative sum"},
		{"gsum of NaN", "# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 2\na_gcount 2\na_gsum NaN\n" + tail, 4, 8, "NaN"},
		{"le on a count", "# TYPE a histogram\na_count{le=\"1\"} 1\n" + tail, 2, 9, `the label "le"`},

		// Exemplars.
		{"exemplar on a gauge", "# TYPE a gauge\na 1 # {} 1\n" + tail, 2, 5, "an exemplar"},
		{"exemplar on a count", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1 # {} 1\n" + tail, 3, 11, "an exemplar"},
		{"exemplar without labels", "# TYPE a counter\na_total 1 # 1\n" + tail, 2, 13, `"1"`},
		{"exemplar without value", "# TYPE a counter\na_total 1 # {}\n" + tail, 2, 15, "the end of the line"},
		{"exemplar with bad timestamp", "# TYPE a counter\na_total 1 # {} 1 Inf\n" + tail, 2, 18, `"Inf"`},
		{"exemplar with a third number", "# TYPE a counter\na_total 1 # {} 1 2 3\n" + tail, 2, 19, `" 3"`},
		{"two exemplars", "# TYPE a counter\na_total 1 # {} 1 # {} 1\n" + tail, 2, 17, `" # {} 1"`},
		{"exemplar above its bucket", "# TYPE a histogram\na_bucket{le=\"1\"} 1 # {} 2\n" + tail, 2, 25, "an exemplar above the bound of its bucket"},
		{"long exemplar", "# TYPE a counter\na_total 1 # {a=\"" + strings.Repeat("ü", 128) + "\"} 1\n" + tail, 2, 11, "an exemplar with labels of more than 128 characters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := all([]byte(c.in))
			var got *openmetrics.SyntaxError
			if !errors.As(err, &got) {
				t.Fatalf("error %v", err)
			}
			if got.Line != c.line || got.Column != c.column || got.Found != c.found || got.Expected == "" {
				t.Errorf("got %v, want line %d, column %d: found %s", got, c.line, c.column, c.found)
			}
			if want := fmt.Sprintf("line %d, column %d: found %s, expected %s", got.Line, got.Column, got.Found, got.Expected); err.Error() != want {
				t.Errorf("the text is %q, want %q", err, want)
			}
		})
	}
}

// What looks odd and is right.
func TestRight(t *testing.T) {
	for _, in := range []string{
		"# EOF",
		"# EOF\n",
		"# HELP a \n# UNIT a \n# TYPE a info\n# EOF\n",
		"# UNIT a_s s\n# HELP a_s b\n# TYPE a_s counter\n# EOF\n",
		"# HELP a say \\\"hi\\z\\\\\"\n# EOF\n", // the last like one in the tests of the specification
		"# HELP a b\r\n# EOF\n",
		"a{} 1\n# EOF\n",
		"a 00.5E-03\na{b=\"\"} -inf\na{b=\"c\"} InFiNiTy\na{b=\"d\"} nan\na{b=\"e\"} +.5 5.\n# EOF\n",
		"a 1 1e3\na 1 1000.5\n# EOF\n",
		"{\"a.b\",\"c.d\"=\"e\",f=\"\\n\"} 1\n{\"a.b\"} 2\n# EOF\n",
		"{\"a\"} 1\n# EOF\n",
		"# TYPE a histogram\na_count 1\na_created 5\na_sum 1\na_bucket{le=\"1.1e-4\"} 0\na_bucket{le=\"+Inf\"} 1 # {} NaN\n# EOF\n",
		"# TYPE a gaugehistogram\na_bucket{le=\"-1\"} 0\na_bucket{le=\"+Inf\"} 1\na_gcount 1\na_gsum -1\n# EOF\n",
		"# TYPE a summary\na_created 1\n# EOF\n",
		"# TYPE a summary\na{quantile=\"1\"} NaN\na{quantile=\"0\"} 1\n# EOF\n",
		"# TYPE a counter\na_total 1 1 # {a=\"" + strings.Repeat("ü", 127) + "\"} -1 -1e3\na_total 1 2\na_created 0 2\n# EOF\n",
		"# TYPE a info\na_info{b=\"1\"} 1 2\na_info{b=\"2\"} 1.0\n# EOF\n",
		"# TYPE \"a.b\" stateset\n{\"a.b\",\"a.b\"=\"c\"} 1\n# EOF\n",
		"# TYPE a_count gauge\n# TYPE a counter\n# EOF\n",
		"# TYPE a_total counter\na_total_total 1\na_total_created 1\n# EOF\n",
	} {
		if _, err := all([]byte(in)); err != nil {
			t.Errorf("%v in\n%s", err, in)
		}
	}
}

// The families before an error come first, and the error stays.
func TestErrorStays(t *testing.T) {
	p := openmetrics.NewParser(strings.NewReader("a 1\nb 1\nc x\n# EOF\n"))
	for _, want := range []string{"a", "b"} {
		if f, err := p.Next(); err != nil && want == "a" || err == nil && f.Name != want {
			t.Fatalf("family %v, error %v, want %s", f, err, want)
		}
	}
	_, first := p.Next()
	if _, err := p.Next(); err == nil || !errors.Is(err, first) {
		t.Errorf("error %v after %v", err, first)
	}
}

func TestLimits(t *testing.T) {
	page := []byte("a{b=\"c\",d=\"e\"} 1\n# EOF\n")
	for _, c := range []struct {
		limits openmetrics.Limits
		found  string
	}{
		{openmetrics.Limits{Input: 22}, "a page of more than 22 bytes"},
		{openmetrics.Limits{Line: 15}, "a line of more than 15 bytes"},
		{openmetrics.Limits{Labels: 1}, "more than 1 labels"},
		{openmetrics.Limits{Input: 23, Line: 16, Labels: 2}, ""},
		{openmetrics.Limits{}, ""},
	} {
		_, err := all(page, openmetrics.WithLimits(c.limits))
		var got *openmetrics.SyntaxError
		if c.found == "" && err != nil || c.found != "" && (!errors.As(err, &got) || got.Found != c.found) {
			t.Errorf("%+v: error %v, want %q", c.limits, err, c.found)
		}
	}
}

// A missing suffix is named (OpenMetrics 1.0, sections "Suffixes", "Counter" and
// "Info").
func TestMissingSuffix(t *testing.T) {
	for in, want := range map[string]string{
		"# TYPE a counter\na 1\n":             `line 2, column 1: found a sample of the counter "a" without a suffix, expected its name to end in _total`,
		"# TYPE a info\na{b=\"c\"} 1\n":       `line 2, column 1: found a sample of the info "a" without a suffix, expected its name to end in _info`,
		"# TYPE a_total counter\na_total 1\n": `line 2, column 1: found a sample of the counter "a_total" without a suffix, expected the family to be named "a": the suffix is that of its samples alone`,
		"# TYPE a histogram\na 1\n":           `line 2, column 1: found a sample of the histogram "a" without a suffix, expected its name to end in _bucket, _count, _sum`,
	} {
		_, err := openmetrics.NewParser(strings.NewReader(in + "# EOF\n")).Next()
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

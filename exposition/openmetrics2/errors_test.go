package openmetrics2_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"telltale/exposition/openmetrics2"
	"telltale/model"
)

// all returns the families of a page.
func all(page string, opts ...openmetrics2.ParserOption) ([]*model.Family, error) {
	p := openmetrics2.NewParser(strings.NewReader(page), opts...)
	var families []*model.Family
	for {
		f, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return families, nil
		case err != nil:
			return families, err
		}
		families = append(families, f)
	}
}

// written returns a page of the families, and what is dropped.
func written(t *testing.T, families ...*model.Family) (page string, dropped []openmetrics2.Drop) {
	t.Helper()
	var out bytes.Buffer
	e := openmetrics2.NewEncoder(&out, openmetrics2.WithDropped(func(d openmetrics2.Drop) { dropped = append(dropped, d) }))
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String(), dropped
}

const (
	counter   = "# TYPE a counter\na "
	gauge     = "# TYPE a gauge\na "
	histogram = "# TYPE a histogram\na "
	waiting   = "# TYPE a gaugehistogram\na "
	summary   = "# TYPE a summary\na "
	tail      = "\n# EOF\n"
)

// Every rule of the draft, by its section, with an input that breaks it and
// where the error says it is.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		section, in  string
		line, column int
		found        string
	}{
		{"Overall Structure: the end", "a 1\n", 2, 1, "the end of the page"},
		{"Overall Structure: nothing behind the end", "# EOF\n\n", 2, 1, `""`},
		{"Overall Structure: UTF-8", "a{b=\"\xff\"} 1" + tail, 1, 6, `"\xff"`},
		{"Overall Structure: byte order mark", "\ufeffa 1" + tail, 1, 1, `"\ufeffa 1"`},
		{"Overall Structure: carriage return", "a 1\r" + tail, 1, 3, `"1\r"`},
		{"Overall Structure: carriage return behind a type", "# TYPE a gauge\r" + tail, 1, 10, `"gauge\r"`},
		{"ABNF: empty line", "a 1\n" + tail, 2, 1, "an empty line"},
		{"MetricFamily metadata: other comments", "# b" + tail, 1, 1, `"# b"`},
		{"MetricFamily metadata: twice", "# TYPE a gauge\n# TYPE a gauge" + tail, 2, 1, `the same metadata of "a" again`},
		{"MetricFamily metadata: help twice", "# HELP a b\n# HELP a b" + tail, 2, 1, `the same metadata of "a" again`},
		{"ABNF: metadata behind samples", "a 1\n# TYPE a gauge" + tail, 2, 1, `metadata after samples of "a"`},
		{"ABNF: empty metadata behind samples", "a 1\n# HELP a " + tail, 2, 1, `metadata after samples of "a"`},
		{"Type: none of the eight", "# TYPE a untyped" + tail, 1, 10, `"untyped"`},
		{"Escaping: a quote in a help text", "# HELP a b\"c" + tail, 1, 11, "a double quote"},
		{"ABNF: a unit's characters", "# UNIT a b-c" + tail, 1, 10, `"b-c"`},
		{"StateSet: no unit", "# TYPE a stateset\n# UNIT a b" + tail, 2, 10, "a unit of an info or a state set"},
		{"Info: no unit", "# UNIT a_info b\n# TYPE a_info info" + tail, 2, 15, "a unit of an info or a state set"},
		{"Info: its name", "# TYPE a info" + tail, 1, 8, `the info "a"`},
		{"MetricSet: names are unique", "# TYPE a gauge\n# TYPE b gauge\n# TYPE a gauge" + tail, 3, 8, `the family "a" again`},
		{"MetricFamily: interleaved", "a 1\nb 1\na{c=\"d\"} 1" + tail, 3, 1, `the family "a" again`},
		{"UTF-8 Quoting: empty name", "{\"\"} 1" + tail, 1, 2, "an empty name"},
		{"UTF-8 Quoting: the name is first", "{a=\"b\",\"c\"} 1" + tail, 1, 11, `"} 1"`},
		{"LabelSet: names are unique", "a{b=\"\",\"b\"=\"\"} 1" + tail, 1, 8, `the label name "b" again`},
		{"ABNF: trailing comma", "a{b=\"\",} 1" + tail, 1, 8, `"} 1"`},
		{"ABNF: spaces", "a  1" + tail, 1, 3, `" 1"`},
		{"Numbers: hexadecimal", "a 0x1" + tail, 1, 3, `"0x1"`},
		{"Numbers: too large", "a 1e999" + tail, 1, 3, `"1e999"`},
		{"Timestamps: infinite", "a 1 Inf" + tail, 1, 5, `"Inf"`},
		{"Metric: interleaved", "a{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"1\"} 1" + tail, 3, 1, "a metric that others have come after"},
		{"Metric: twice", "a 1\na 1" + tail, 2, 1, "the same series again"},
		{"Metric: twice in another order", "a{b=\"\",c=\"\"} 1 5\na{c=\"\",b=\"\"} 1 5" + tail, 2, 1, "the same series again"},
		{"Metric: back in time", "a 1 2\na 1 1" + tail, 2, 5, "the timestamp 1 after 2"},
		{"Metric: with and without time", "a 1 2\na 1" + tail, 2, 3, "samples of one metric with and without timestamp"},
		{"Name: no created samples", "# TYPE a counter\na 1\na_created 1\n# TYPE a_created gauge" + tail, 4, 1, `metadata after samples of "a_created"`},

		{"Counter: NaN", counter + "NaN" + tail, 2, 3, "NaN"},
		{"Counter: negative", counter + "-1" + tail, 2, 3, "-1.0"},
		{"Counter: composite", counter + "{count:1,sum:1,bucket:[+Inf:1]}" + tail, 2, 3, "a composite value"},
		{"Gauge: composite", gauge + "{count:1,sum:1,quantile:[]}" + tail, 2, 3, "a composite value"},
		{"Gauge: exemplar", gauge + "1 # {} 1 1" + tail, 2, 5, "an exemplar"},
		{"Gauge: start", gauge + "1 st@1" + tail, 2, 8, "a start timestamp"},
		{"Unknown: numbers and composites", "a 1\na{b=\"\"} {count:1,sum:1,quantile:[]}" + tail, 2, 9, "a composite value"},
		{"Info: value", "# TYPE a_info info\na_info 2" + tail, 2, 8, "2.0"},
		{"StateSet: value", "# TYPE a stateset\na{a=\"b\"} 2" + tail, 2, 10, "2.0"},
		{"StateSet: label", "# TYPE a stateset\na{b=\"c\"} 1" + tail, 2, 1, "no label for the state"},
		{"StateSet: state twice", "# TYPE a stateset\na{a=\"b\"} 1\na{a=\"b\"} 1" + tail, 3, 1, "the same series again"},
		{"StateSet: metrics interleaved", "# TYPE a stateset\na{a=\"b\"} 1 1\na{a=\"c\"} 1 1\na{a=\"b\"} 1 2" + tail, 4, 1, "a metric that others have come after"},
		{"StateSet: groups interleaved", "# TYPE a stateset\na{g=\"1\",a=\"b\"} 1\na{g=\"2\",a=\"b\"} 1\na{g=\"1\",a=\"c\"} 1" + tail, 4, 1, "a metric that others have come after"},

		{"ABNF: start before the timestamp", counter + "1 st@1 2" + tail, 2, 9, `" 2"`},
		{"ABNF: two starts", counter + "1 st@1 st@1" + tail, 2, 9, `" st@1"`},
		{"ABNF: start in capitals", counter + "1 ST@1" + tail, 2, 5, `"ST@1"`},
		{"ABNF: start without a time", counter + "1 st@" + tail, 2, 8, `""`},
		{"ABNF: infinite start", counter + "1 st@Inf" + tail, 2, 8, `"Inf"`},
		{"ABNF: start behind an exemplar", counter + "1 # {} 1 1 st@1" + tail, 2, 13, `" st@1"`},
		{"Exemplars: no timestamp", counter + "1 # {} 1" + tail, 2, 11, "the end of the line"},
		{"Exemplars: no timestamp before another", counter + "1 # {} 1 # {} 1 1" + tail, 2, 11, `" # {} 1 1"`},
		{"Exemplars: no labels", counter + "1 # 1 1" + tail, 2, 7, `"1 1"`},
		{"Exemplars: on a summary", summary + "{count:1,sum:1,quantile:[]} # {} 1 1" + tail, 2, 31, "an exemplar"},

		{"CompositeValues: spaces", histogram + "{count:1, sum:1,bucket:[+Inf:1]}" + tail, 2, 11, `", sum:1,bucket:[+Inf:1]}"`},
		{"CompositeValues: order", histogram + "{sum:1,count:1,bucket:[+Inf:1]}" + tail, 2, 4, `"sum:1,count:1,bucket:[+Inf:1]}"`},
		{"CompositeValues: a field too many", histogram + "{count:1,sum:1,bucket:[+Inf:1],min:1}" + tail, 2, 33, `",min:1}"`},
		{"CompositeValues: no end", histogram + "{count:1,sum:1,bucket:[+Inf:1]" + tail, 2, 33, "the end of the line"},
		{"CompositeValues: a number missing", histogram + "{count:,sum:1,bucket:[+Inf:1]}" + tail, 2, 10, `",sum:1,bucket:[+Inf:1]}"`},
		{"CompositeValue: a number for a histogram", histogram + "1" + tail, 2, 3, "1.0"},
		{"CompositeValue: a number for a summary", summary + "1" + tail, 2, 3, "1.0"},
		{"CompositeValue: a summary for a histogram", histogram + "{count:1,sum:1,quantile:[]}" + tail, 2, 3, "the value of a summary"},
		{"CompositeValue: a histogram for a gauge histogram", waiting + "{count:1,sum:1,bucket:[+Inf:1]}" + tail, 2, 3, "the value of a histogram"},

		{"Histogram: no sum", histogram + "{count:1,bucket:[+Inf:1]}" + tail, 2, 11, `",bucket:[+Inf:1]}"`},
		{"Histogram: no buckets", histogram + "{count:1,sum:1}" + tail, 2, 17, `"}"`},
		{"Histogram: negative count", histogram + "{count:-1,sum:1,bucket:[+Inf:-1]}" + tail, 2, 3, "a count of less than zero"},
		{"Histogram: le", "# TYPE a histogram\na{b=\"\",le=\"1\"} {count:1,sum:1,bucket:[+Inf:1]}" + tail, 2, 8, "the label of a bucket or quantile"},
		{"Classic Buckets: no +Inf", histogram + "{count:1,sum:1,bucket:[1:1]}" + tail, 2, 29, "buckets without +Inf"},
		{"Classic Buckets: none", histogram + "{count:0,sum:0,bucket:[]}" + tail, 2, 26, "buckets without +Inf"},
		{"Classic Buckets: +Inf in the middle", histogram + "{count:1,sum:1,bucket:[+Inf:1,+Inf:1]}" + tail, 2, 32, `",+Inf:1]}"`},
		{"Classic Buckets: -Inf behind others", histogram + "{count:1,sum:1,bucket:[1:1,-Inf:1,+Inf:1]}" + tail, 2, 30, `"-Inf:1,+Inf:1]}"`},
		{"Classic Buckets: Inf without a sign", histogram + "{count:1,sum:1,bucket:[Inf:1]}" + tail, 2, 26, `"Inf:1]}"`},
		{"Classic Buckets: NaN", histogram + "{count:1,sum:1,bucket:[NaN:1,+Inf:1]}" + tail, 2, 26, `"NaN:1,+Inf:1]}"`},
		{"Classic Buckets: not sorted", histogram + "{count:1,sum:1,bucket:[2:1,1:1,+Inf:1]}" + tail, 2, 3, "the bound 1.0 after 2.0"},
		{"Classic Buckets: twice", histogram + "{count:1,sum:1,bucket:[1:1,1.0:1,+Inf:1]}" + tail, 2, 3, "the bound 1.0 after 1.0"},
		{"Classic Buckets: not cumulative", histogram + "{count:1,sum:1,bucket:[1:2,+Inf:1]}" + tail, 2, 3, "a bucket of less than the one before"},
		{"Classic Buckets: not the count", histogram + "{count:2,sum:1,bucket:[+Inf:1]}" + tail, 2, 3, "the count 2.0 beside the bucket +Inf of 1.0"},
		{"Classic before Native Buckets", histogram + "{count:0,sum:0,bucket:[+Inf:0],schema:0,zero_threshold:0,zero_count:0}" + tail, 2, 33, `",schema:0,zero_threshold:0,zero_count:0}"`},
		{"Native Buckets: schema", histogram + "{count:0,sum:0,schema:9,zero_threshold:0,zero_count:0}" + tail, 2, 3, "a schema that is reserved"},
		{"Native Buckets: custom schema", histogram + "{count:0,sum:0,schema:-53,zero_threshold:0,zero_count:0}" + tail, 2, 3, "a schema that is reserved"},
		{"Native Buckets: schema that is not whole", histogram + "{count:0,sum:0,schema:1.0,zero_threshold:0,zero_count:0}" + tail, 2, 25, `"1.0,zero_threshold:0,zero_count:0}"`},
		{"Native Buckets: no zero bucket", histogram + "{count:0,sum:0,schema:1,zero_threshold:0}" + tail, 2, 43, `"}"`},
		{"Native Buckets: negative threshold", histogram + "{count:0,sum:0,schema:0,zero_threshold:-1,zero_count:0}" + tail, 2, 3, "a zero threshold of less than zero"},
		{"Native Buckets: infinite threshold", histogram + "{count:0,sum:0,schema:0,zero_threshold:+Inf,zero_count:0}" + tail, 2, 42, `"+Inf,zero_count:0}"`},
		{"Native Buckets: not the count", histogram + "{count:3,sum:1,schema:0,zero_threshold:0,zero_count:1,positive_spans:[0:1],positive_buckets:[1]}" + tail, 2, 3, "the count 3.0 beside buckets of 2.0"},
		{"Native Buckets: more than the count", histogram + "{count:1,sum:NaN,schema:0,zero_threshold:0,zero_count:1,positive_spans:[0:1],positive_buckets:[1]}" + tail, 2, 3, "the count 1.0 beside buckets of 2.0"},
		{"Native Buckets: negative bucket", histogram + "{count:0,sum:1,schema:0,zero_threshold:0,zero_count:1,positive_spans:[0:1],positive_buckets:[-1]}" + tail, 2, 3, "a bucket of less than zero"},
		{"Native Buckets: beyond infinity", histogram + "{count:1,sum:1,schema:-4,zero_threshold:0,zero_count:0,positive_spans:[66:1],positive_buckets:[1]}" + tail, 2, 3, "buckets beyond infinity"},
		{"Native Buckets: spans and buckets", histogram + "{count:1,sum:1,schema:0,zero_threshold:0,zero_count:0,positive_spans:[0:2],positive_buckets:[1]}" + tail, 2, 3, "spans that cover another number of buckets"},
		{"Native Buckets: spans alone", histogram + "{count:0,sum:1,schema:0,zero_threshold:0,zero_count:0,positive_spans:[]}" + tail, 2, 74, `"}"`},
		{"Native Buckets: positive before negative", histogram + "{count:0,sum:1,schema:0,zero_threshold:0,zero_count:0,positive_spans:[],positive_buckets:[],negative_spans:[],negative_buckets:[]}" + tail, 2, 94, `",negative_spans:[],negative_buckets:[]}"`},
		{"Native Buckets: a span back", histogram + "{count:2,sum:1,schema:0,zero_threshold:0,zero_count:0,positive_spans:[3:1,-1:1],positive_buckets:[1,1]}" + tail, 2, 77, "a span before the end of the one before"},
		{"Native Buckets: a span of negative length", histogram + "{count:0,sum:1,schema:0,zero_threshold:0,zero_count:0,positive_spans:[3:-1],positive_buckets:[]}" + tail, 2, 75, `"-1],positive_buckets:[]}"`},
		{"Native Buckets: a span too far", histogram + "{count:0,sum:1,schema:0,zero_threshold:0,zero_count:0,positive_spans:[2147483648:0],positive_buckets:[]}" + tail, 2, 73, `"2147483648:0],positive_buckets:[]}"`},

		{"GaugeHistogram: start", waiting + "{gcount:1,gsum:1,bucket:[+Inf:1]} st@1" + tail, 2, 40, "a start timestamp"},
		{"GaugeHistogram: sum", waiting + "{gcount:1,sum:1,bucket:[+Inf:1]}" + tail, 2, 12, `",sum:1,bucket:[+Inf:1]}"`},
		{"GaugeHistogram: not the count", waiting + "{gcount:1,gsum:1,bucket:[+Inf:2]}" + tail, 2, 3, "the count 1.0 beside the bucket +Inf of 2.0"},

		{"Summary: count that is not whole", summary + "{count:1.5,sum:1,quantile:[]}" + tail, 2, 3, "the count 1.5"},
		{"Summary: count of NaN", summary + "{count:NaN,sum:1,quantile:[]}" + tail, 2, 3, "the count NaN"},
		{"Summary: sum of NaN", summary + "{count:1,sum:NaN,quantile:[]}" + tail, 2, 3, "the sum NaN"},
		{"Summary: negative sum", summary + "{count:1,sum:-1,quantile:[]}" + tail, 2, 3, "the sum -1.0"},
		{"Summary: no quantiles", summary + "{count:1,sum:1}" + tail, 2, 17, `"}"`},
		{"Summary: quantile above 1", summary + "{count:1,sum:1,quantile:[1.1:1]}" + tail, 2, 3, "the quantile 1.1"},
		{"Summary: quantile of NaN", summary + "{count:1,sum:1,quantile:[NaN:1]}" + tail, 2, 28, `"NaN:1]}"`},
		{"Summary: quantiles not sorted", summary + "{count:1,sum:1,quantile:[1:1,0:1]}" + tail, 2, 3, "the quantile 0.0 after 1.0"},
		{"Summary: negative value", summary + "{count:1,sum:1,quantile:[1:-1]}" + tail, 2, 3, "a quantile of -1.0"},
		{"Summary: quantile label", "# TYPE a summary\na{quantile=\"\"} {count:1,sum:1,quantile:[]}" + tail, 2, 3, "the label of a bucket or quantile"},
	} {
		t.Run(c.section, func(t *testing.T) {
			_, err := all(c.in)
			var got *openmetrics2.SyntaxError
			if !errors.As(err, &got) {
				t.Fatalf("error %v in\n%s", err, c.in)
			}
			if got.Line != c.line || got.Column != c.column || got.Found != c.found || got.Expected == "" {
				t.Errorf("got %v, want line %d, column %d: found %s", got, c.line, c.column, c.found)
			}
		})
	}
}

// What the draft allows, by its section, and how it is written again.
func TestRight(t *testing.T) {
	const untyped = "# TYPE a unknown\n"
	for _, c := range []struct{ section, in, want string }{
		{"ABNF: no line feed at the end", "# EOF", ""},
		{"ABNF: order of metadata", "# HELP a b\n# UNIT a s\n# TYPE a gauge\n", "# TYPE a gauge\n# UNIT a s\n# HELP a b\n"},
		{"MetricFamily metadata: a unit that the name lacks", "# TYPE a counter\n# UNIT a 1s\n", "# TYPE a counter\n# UNIT a 1s\n"},
		{"MetricFamily metadata: empty ones are none", "# HELP a \n# UNIT a \n# HELP a b\n# TYPE a gauge\n", "# TYPE a gauge\n# HELP a b\n"},
		{"Unknown metadata", "a_bucket 1\na_count 2\n", "# TYPE a_bucket unknown\na_bucket 1.0\n# TYPE a_count unknown\na_count 2.0\n"},
		{"Escaping: undefined escapes", "# HELP a b\\c \\\" \\n \\\\\na{b=\"\\d\"} 1\n", "# TYPE a unknown\n# HELP a b\\\\c \\\" \\n \\\\\na{b=\"\\\\d\"} 1.0\n"},
		{"ABNF: a help text that ends in a carriage return", "# HELP a b\r\n", "# TYPE a unknown\n# HELP a b\r\n"},
		{"UTF-8 Quoting: any name", "{\"a\",\"b\"=\"c\"} 1\n", untyped + "a{b=\"c\"} 1.0\n"},
		{"UTF-8 Quoting: both in one family", "{\"a\",b=\"c\"} 1\na 1\n", untyped + "a{b=\"c\"} 1.0\na 1.0\n"},
		{"UTF-8 Quoting: metadata", "# TYPE \"a.b\" gauge\n{\"a.b\",\"c d\"=\"\"} 1\n", "# TYPE \"a.b\" gauge\n{\"a.b\",\"c d\"=\"\"} 1.0\n"},
		{"Numbers", "a 0042\na{b=\"1\"} -.5e-3\na{b=\"2\"} nAn\na{b=\"3\"} -infinity\n", untyped + "a 42.0\na{b=\"1\"} -0.0005\na{b=\"2\"} NaN\na{b=\"3\"} -Inf\n"},
		{"Timestamps: negative", "a 1 -1.5\na 2 1e3\n", untyped + "a 1.0 -1.5\na 2.0 1000\n"},
		{"Counter: without _total", counter + "+Inf 1 st@2\n", "# TYPE a counter\na +Inf 1 st@2\n"},
		{"Counter: several exemplars, by time", counter + "1 # {b=\"1\"} 1 2 # {b=\"2\"} 2 3 # {b=\"3\"} 3 1\n", "# TYPE a counter\na 1.0 # {b=\"3\"} 3.0 1 # {b=\"1\"} 1.0 2 # {b=\"2\"} 2.0 3\n"},
		{"Exemplars: as long as they like", counter + "1 # {b=\"" + strings.Repeat("x", 200) + "\"} NaN 2\n", "# TYPE a counter\na 1.0 # {b=\"" + strings.Repeat("x", 200) + "\"} NaN 2\n"},
		{"Info: name", "# TYPE a_info info\na_info{b=\"c\"} 1\n", "# TYPE a_info info\na_info{b=\"c\"} 1.0\n"},
		{"StateSet: quoted label", "# TYPE a:b stateset\na:b{\"a:b\"=\"c\"} 1\n", "# TYPE a:b stateset\na:b{\"a:b\"=\"c\"} 1.0\n"},
		{
			"StateSet: several samples of each metric",
			"# TYPE a stateset\na{g=\"1\",a=\"b\"} 1 1\na{g=\"1\",a=\"b\"} 0 3\na{g=\"1\",a=\"c\"} 0 2\na{g=\"1\",a=\"c\"} 1 3\na{g=\"2\",a=\"b\"} 1\n",
			"# TYPE a stateset\na{g=\"1\",a=\"b\"} 1.0 1\na{g=\"1\",a=\"b\"} 0.0 3\na{g=\"1\",a=\"c\"} 0.0 2\na{g=\"1\",a=\"c\"} 1.0 3\na{g=\"2\",a=\"b\"} 1.0\n",
		},
		{"Summary", summary + "{count:1.0,sum:2,quantile:[0:NaN,1:3]} 5 st@-1\n", "# TYPE a summary\na {count:1,sum:2.0,quantile:[0.0:NaN,1.0:3.0]} 5 st@-1\n"},
		{"Summary: without quantiles", summary + "{count:1,sum:2,quantile:[]}\n", "# TYPE a summary\na {count:1,sum:2.0,quantile:[]}\n"},
		{"Classic Buckets", histogram + "{count:3,sum:NaN,bucket:[-Inf:0,-1:1,1e-5:2,+Inf:3]} st@1\n", "# TYPE a histogram\na {count:3,sum:NaN,bucket:[-Inf:0,-1.0:1,1e-05:2,+Inf:3]} st@1\n"},
		{"Classic Buckets: fractions", histogram + "{count:1.5,sum:1,bucket:[+Inf:1.5]}\n", "# TYPE a histogram\na {count:1.5,sum:1.0,bucket:[+Inf:1.5]}\n"},
		{"Classic Buckets: large counts", histogram + "{count:9007199254740992,sum:1,bucket:[+Inf:9007199254740992]}\n", "# TYPE a histogram\na {count:9007199254740992,sum:1.0,bucket:[+Inf:9007199254740992]}\n"},
		{
			"Histogram: exemplars go to their buckets, by time",
			histogram + "{count:3,sum:1,bucket:[1:1,2:2,+Inf:3]} # {} 9 1 # {b=\"old\"} 1.5 1 # {b=\"new\"} 1.6 2 # {} 1 1\n",
			"# TYPE a histogram\na {count:3,sum:1.0,bucket:[1.0:1,2.0:2,+Inf:3]} # {} 1.0 1 # {b=\"old\"} 1.5 1 # {b=\"new\"} 1.6 2 # {} 9.0 1\n",
		},
		{
			"Native Buckets",
			histogram + "{count:59,sum:1.2e2,schema:7,zero_threshold:1e-4,zero_count:0,negative_spans:[1:2],negative_buckets:[5,7],positive_spans:[-1:2,3:4],positive_buckets:[5,7,10,9,8,8]} # {} 1 1 # {} 1 2\n",
			"# TYPE a histogram\na {count:59,sum:120.0,schema:7,zero_threshold:0.0001,zero_count:0,negative_spans:[1:2],negative_buckets:[5,7],positive_spans:[-1:2,3:4],positive_buckets:[5,7,10,9,8,8]} # {} 1.0 1 # {} 1.0 2\n",
		},
		{"Native Buckets: floats", histogram + "{count:1,sum:1,schema:-4,zero_threshold:0,zero_count:0,positive_spans:[65:1],positive_buckets:[1.0]}\n", "# TYPE a histogram\na {count:1.0,sum:1.0,schema:-4,zero_threshold:0.0,zero_count:0.0,positive_spans:[65:1],positive_buckets:[1.0]}\n"},
		{"Native Buckets: observations of NaN", histogram + "{count:5,sum:NaN,schema:0,zero_threshold:0,zero_count:2}\n", "# TYPE a histogram\na {count:5,sum:NaN,schema:0,zero_threshold:0.0,zero_count:2}\n"},
		{"Native Buckets: empty lists", histogram + "{count:0,sum:0,schema:+0,zero_threshold:0,zero_count:0,negative_spans:[],negative_buckets:[],positive_spans:[],positive_buckets:[]}\n", "# TYPE a histogram\na {count:0,sum:0.0,schema:0,zero_threshold:0.0,zero_count:0}\n"},
		{"Native Buckets: le", "# TYPE a histogram\na{le=\"\"} {count:0,sum:0,schema:0,zero_threshold:0,zero_count:0}\n", "# TYPE a histogram\na{le=\"\"} {count:0,sum:0.0,schema:0,zero_threshold:0.0,zero_count:0}\n"},
		{"both", histogram + "{count:2,sum:1,schema:0,zero_threshold:0,zero_count:0,positive_spans:[1:2],positive_buckets:[1,1],bucket:[0.5:1,+Inf:2]}\n", "# TYPE a histogram\na {count:2,sum:1.0,schema:0,zero_threshold:0.0,zero_count:0,positive_spans:[1:2],positive_buckets:[1,1],bucket:[0.5:1,+Inf:2]}\n"},
		{"GaugeHistogram: negative", waiting + "{gcount:-1,gsum:-2,bucket:[1:2,+Inf:-1]} # {} 1 1\n", "# TYPE a gaugehistogram\na {gcount:-1,gsum:-2.0,bucket:[1.0:2,+Inf:-1]} # {} 1.0 1\n"},
		{"GaugeHistogram: native", waiting + "{gcount:0.01,gsum:2,schema:0,zero_threshold:0,zero_count:0.0,positive_spans:[1:1],positive_buckets:[0.01]}\n", "# TYPE a gaugehistogram\na {gcount:0.01,gsum:2.0,schema:0,zero_threshold:0.0,zero_count:0.0,positive_spans:[1:1],positive_buckets:[0.01]}\n"},
		{"Unknown: composite", "a {count:1,sum:2,quantile:[]}\n", "# TYPE a summary\na {count:1,sum:2.0,quantile:[]}\n"},
		{"Unknown: composite of a type", "# TYPE a unknown\na {gcount:1,gsum:2,bucket:[+Inf:1]}\n", "# TYPE a gaugehistogram\na {gcount:1,gsum:2.0,bucket:[+Inf:1]}\n"},
	} {
		t.Run(c.section, func(t *testing.T) {
			in := c.in
			if !strings.HasSuffix(in, "# EOF") {
				in += "# EOF\n"
			}
			families, err := all(in)
			if err != nil {
				t.Fatal(err)
			}
			got, dropped := written(t, families...)
			if got != c.want+"# EOF\n" || len(dropped) > 0 {
				t.Errorf("dropped %v, got\n%s\nwant\n%s", dropped, got, c.want)
			}
		})
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readable are the formats that are read and written.
var readable = []string{"text", "text1", "openmetrics", "openmetrics2", "protobuf", "json"}

// A page with everything, in every format: what comes out and what is said.
func TestConvert(t *testing.T) {
	page := filepath.Join("testdata", "right.openmetrics")
	for _, format := range readable {
		t.Run(format, func(t *testing.T) {
			stdout, stderr, status := outcome(t, "convert", "--from=openmetrics", "--to", format, page)
			if status != 0 {
				t.Errorf("status %d", status)
			}
			golden(t, "right."+format+".golden", stdout)
			golden(t, "right."+format+".stderr.golden", stderr)

			strict, refusal, status := outcome(t, "convert", "--strict", "--to", format, page)
			switch {
			case stderr == "" && (strict != stdout || refusal != "" || status != 0):
				t.Errorf("strictly: status %d, stderr %q", status, refusal)
			case stderr != "" && (strict != "" || status != 1):
				t.Errorf("strictly: status %d, stdout %q", status, strict)
			case stderr != "" && refusal != strings.ReplaceAll(stderr, "warning: ", "")+"telltale: "+page+" is not converted: "+format+" cannot hold all of it\n":
				t.Errorf("strictly: stderr %q", refusal)
			}
		})
	}
}

// JSON holds everything that these pages have: the way there and back changes nothing.
func TestConvertThereAndBack(t *testing.T) {
	for _, format := range []string{"openmetrics", "openmetrics2", "protobuf", "text1"} {
		from := filepath.Join("testdata", "right."+format+".golden")
		want, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		page, stderr, status := outcome(t, "convert", "--strict", "--to=json", "--from", format, from)
		if status != 0 || stderr != "" {
			t.Fatalf("status %d, stderr %q", status, stderr)
		}
		back, stderr, status := outcomeOf(t, page, "convert", "--strict", "--to", format, "-")
		if status != 0 || stderr != "" || back != string(want) {
			t.Errorf("%s: status %d, stderr %q, stdout\n%s", format, status, stderr, back)
		}
	}
}

// Between all formats: what is written is right, and written again the same; and
// what loses nothing comes back.
func TestConvertPairs(t *testing.T) {
	convert := func(t *testing.T, from, to, page string) (converted, lost string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), []string{"convert", "--from", from, "--to", to, page}, &stdout, &stderr); status != 0 {
			t.Fatalf("from %s to %s: status %d, stderr %s", from, to, status, &stderr)
		}
		return stdout.String(), stderr.String()
	}
	for _, from := range readable {
		page := filepath.Join("testdata", "right."+from+".golden")
		want, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range readable {
			t.Run(from+" to "+to, func(t *testing.T) {
				first, lost := convert(t, from, to, page)
				converted := file(t, first)
				var stdout, stderr bytes.Buffer
				if status := run(t.Context(), []string{"check", "--format", to, converted}, &stdout, &stderr); status != 0 {
					t.Errorf("what is written is not right: %s", &stderr)
				}
				if again, lost := convert(t, to, to, converted); again != first || lost != "" {
					t.Errorf("written again: stderr %q, stdout\n%s\nwant\n%s", lost, again, first)
				}
				if lost != "" {
					return
				}
				back, lost := convert(t, to, from, converted)
				if lost != "" || back != string(want) {
					t.Errorf("there and back: stderr %q, stdout\n%s\nwant\n%s", lost, back, want)
				}
			})
		}
	}
}

func TestConvertCases(t *testing.T) {
	for _, test := range []struct {
		name, stdin    string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"text to openmetrics", "# HELP a_total b\n# TYPE a_total counter\na_total{c=\"d\"} 1 1500\n", []string{"--to=openmetrics"}, 0,
			"# HELP a b\n# TYPE a counter\na_total{c=\"d\"} 1.0 1.5\n# EOF\n", ""},
		{"names as written", "# TYPE requests_total counter\nrequests_total 1\n", []string{"--to=json", "-"}, 0,
			"[\n{\"name\":\"requests_total\",\"type\":\"counter\",\"help\":\"\",\"unit\":\"\",\"samples\":[\n{\"name\":\"requests_total\",\"labels\":{},\"value\":\"1.0\"}]}\n]\n", ""},
		{"counter without suffix", "# TYPE a counter\na 1\n# TYPE b counter\nb 1\n", []string{"--to=openmetrics"}, 0,
			"# HELP a \n# TYPE a unknown\na 1.0\n# HELP b \n# TYPE b unknown\nb 1.0\n# EOF\n",
			"telltale: warning: openmetrics: the type counter becomes unknown, since its samples have no suffix, 2 times, first: a\n"},
		{"that rule broken", "# TYPE a_total counter\na_total -1\n", []string{"--to=openmetrics"}, 0,
			"# HELP a_total \n# TYPE a_total unknown\na_total -1.0\n# EOF\n",
			"telltale: warning: openmetrics: a family is written as samples of unknown type, since it breaks a rule of its own type: a_total (the format has no place for a total that is NaN or below zero)\n"},
		{"strictly", "# TYPE a_total counter\na_total -1\n", []string{"--to=openmetrics", "--strict"}, 1, "",
			"telltale: openmetrics: a family is written as samples of unknown type, since it breaks a rule of its own type: a_total (the format has no place for a total that is NaN or below zero)\ntelltale: stdin is not converted: openmetrics cannot hold all of it\n"},
		{"names that clash in openmetrics", "# TYPE a_bytes gauge\na_bytes 1\n# TYPE a_bytes_total counter\na_bytes_total 2\n", []string{"--to=openmetrics"}, 0,
			"# HELP a_bytes \n# TYPE a_bytes gauge\na_bytes 1.0\n# HELP a_bytes_total \n# TYPE a_bytes_total unknown\na_bytes_total 2.0\n# EOF\n",
			"telltale: warning: openmetrics: a family is written as samples of unknown type, since a name that its type needs belongs to another family: a_bytes_total (beside a_bytes)\n"},
		{"the counter first", "# TYPE a_total counter\na_total 2\n# TYPE a gauge\na 1\n", []string{"--to=openmetrics"}, 0,
			"# HELP a_total \n# TYPE a_total unknown\na_total 2.0\n# HELP a \n# TYPE a gauge\na 1.0\n# EOF\n",
			"telltale: warning: openmetrics: a family is written as samples of unknown type, since a name that its type needs belongs to another family: a_total (beside a)\n"},
		{"names that clash strictly", "# TYPE a_bytes gauge\na_bytes 1\n# TYPE a_bytes_total counter\na_bytes_total 2\n", []string{"--to=openmetrics", "--strict"}, 1, "",
			"telltale: openmetrics: a family is written as samples of unknown type, since a name that its type needs belongs to another family: a_bytes_total (beside a_bytes)\ntelltale: stdin is not converted: openmetrics cannot hold all of it\n"},
		{"times of creation", "# TYPE a_created gauge\na_created 5\n# TYPE a_total counter\na_total 2\n", []string{"--to=openmetrics"}, 0,
			"# HELP a \n# TYPE a counter\na_total 2.0\na_created 5.0\n# EOF\n",
			"telltale: warning: openmetrics: a family of created times becomes the created timestamps of the family that they are about: a_created\n"},
		{"times of creation of other series", "# TYPE a_created gauge\na_created{b=\"c\"} 5\n# TYPE a_total counter\na_total 2\n", []string{"--to=openmetrics"}, 0,
			"# HELP a_created \n# TYPE a_created gauge\na_created{b=\"c\"} 5.0\n# HELP a_total \n# TYPE a_total unknown\na_total 2.0\n# EOF\n",
			"telltale: warning: openmetrics: a family is written as samples of unknown type, since a name that its type needs belongs to another family: a_total (beside a_created)\n"},
		{"names equal when escaped", "{\"a.b\"} 1\na_b 2\n", []string{"--to=text"}, 0, "# HELP a_b \n# TYPE a_b untyped\na_b 1.0\n",
			"telltale: warning: text: a name is written with other characters: a.b\ntelltale: warning: text: a family is written as samples of unknown type, since a name that its type needs belongs to another family: a_b (beside a.b)\ntelltale: warning: text: samples are left out, since their name belongs to another family: a_b\n"},
		{"reserved names", "a{_b=\"c\"} 1\n_d 2\ne 3\n", []string{"--to=openmetrics"}, 1, "",
			"telltale: stdin is not converted: openmetrics reserves names that begin with an underscore: a label of \"a\", the family \"_d\"\n"},
		{"a negative sum", "# TYPE a summary\na_sum -1\na_count 2\n", []string{"--to=openmetrics"}, 0, "# HELP a \n# TYPE a summary\na_count 2.0\n# EOF\n",
			"telltale: warning: openmetrics: a sum, with what cannot stand without it, is left out, since the format has no place for a sum that is NaN or negative, beside negative bounds, or without a count: a_sum\n"},
		{"a histogram without buckets", "# TYPE h histogram\nh_sum 123.5\nh_count 42\n", []string{"--to=openmetrics", "--lenient"}, 0,
			"# HELP h \n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 42.0\nh_count 42.0\nh_sum 123.5\n# EOF\n",
			"telltale: warning: openmetrics: a histogram without buckets is written with the bucket +Inf: h\n"},
		{"quantiles that become one spelling", "# TYPE s summary\ns{quantile=\"0.50\"} 1\ns{quantile=\"0.5\"} 2\ns_sum 1\ns_count 7\n", []string{"--to=text", "--strict", "--lenient"}, 1, "",
			"telltale: text: a series that comes twice is written once: s\ntelltale: stdin is not converted: text cannot hold all of it\n"},
		{"bounds that become one spelling", "# TYPE h histogram\nh_bucket{le=\"0.0050\"} 1\nh_bucket{le=\"0.005\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n", []string{"--to=text", "--lenient"}, 0,
			"# HELP h \n# TYPE h histogram\nh_bucket{le=\"0.005\"} 1.0\nh_bucket{le=\"+Inf\"} 1.0\nh_count 1.0\nh_sum 1.0\n", "telltale: warning: text: a series that comes twice is written once: h\n"},
		{"a state set that no label can name", "# TYPE job:a stateset\njob:a{\"job:a\"=\"x\"} 1\n# EOF\n", []string{"--to=openmetrics", "--strict"}, 1, "",
			"telltale: openmetrics: the type stateset becomes unknown, since the name of the family cannot be that of a label: job:a\ntelltale: stdin is not converted: openmetrics cannot hold all of it\n"},
		{"several exemplars", "# TYPE c_total counter\nc_total 3 # {a=\"1\"} 1 1 # {a=\"2\"} 2 2\n# EOF\n", []string{"--from=openmetrics2", "--to=openmetrics2", "--strict"}, 0,
			"# TYPE c_total counter\nc_total 3.0 # {a=\"1\"} 1.0 1 # {a=\"2\"} 2.0 2\n# EOF\n", ""},
		{"several exemplars where one has a place", "# TYPE c_total counter\nc_total 3 # {a=\"1\"} 1 1 # {a=\"2\"} 2 2\n# EOF\n", []string{"--from=openmetrics2", "--to=openmetrics"}, 0,
			"# HELP c \n# TYPE c counter\nc_total 3.0 # {a=\"2\"} 2.0 2\n# EOF\n",
			"telltale: warning: openmetrics: an exemplar is left out, since the format has a place for one exemplar here, and there are more: c_total\n"},
		{"a time rounded once", "# TYPE c counter\nc_total 1 1e300\nc_created 3.847116 1e300\n# EOF\n", []string{"--to=openmetrics", "--strict"}, 0,
			"# HELP c \n# TYPE c counter\nc_total 1.0 1e+300\nc_created 3.847116 1e+300\n# EOF\n", ""},
		{"a sum that is not known", "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\n# EOF\n", []string{"--to=openmetrics2"}, 0,
			"# TYPE h histogram\nh {count:1,sum:NaN,bucket:[+Inf:1]}\n# EOF\n", "telltale: warning: openmetrics2: a histogram's sum is not known, and is written as NaN: h\n"},
		{"names in underscores", "{\"a.b\",\"c.d\"=\"\"} 1\n", []string{"--to=text"}, 0, "# HELP a_b \n# TYPE a_b untyped\na_b{c_d=\"\"} 1.0\n",
			"telltale: warning: text: a name is written with other characters: a.b\ntelltale: warning: text: a label's name is written with other characters: a.b\n"},
		{"help with blanks", "# HELP a  \tb\n# EOF\n", []string{"--to=text", "--strict"}, 1, "",
			"telltale: text: the blanks that a help text begins with are no part of it: a\ntelltale: stdin is not converted: text cannot hold all of it\n"},
		{"help with blanks to what keeps them", "# HELP a  \tb\n# EOF\n", []string{"--to=openmetrics", "--strict"}, 0, "# HELP a  \tb\n# TYPE a unknown\n# EOF\n", ""},
		{"wrong page", "a 1\nb x\n", []string{"--to=json"}, 1, "", "telltale: stdin:2:3: found \"x\", expected a number\n    b x\n      ^\n"},
		{"wrong json", "[{}]", []string{"--to=text"}, 1, "", "telltale: stdin:1:2: found the type \"\", expected a family of metrics\n    [{}]\n     ^\n"},
		{"leniently", "a 1\r\nb-c 2", []string{"--to=text1", "--lenient"}, 0, "# HELP a \n# TYPE a untyped\na 1.0\n# HELP \"b-c\" \n# TYPE \"b-c\" untyped\n{\"b-c\"} 2.0\n", ""},
		{"openmetrics2 leniently", "a  {count:1,sum:2,quantile:[]}\r\n", []string{"--from=openmetrics2", "--to=openmetrics", "--lenient"}, 0, "# HELP a \n# TYPE a summary\na_count 1.0\na_sum 2.0\n# EOF\n", ""},
		{"json leniently", rightJSON, []string{"--to=text", "--lenient"}, 1, "", "telltale: --lenient is for the text formats\n"},
		{"protobuf leniently", rightProtobuf, []string{"--to=text", "--lenient"}, 1, "", "telltale: --lenient is for the text formats\n"},
		{"wrong protobuf", "\x05\x0a\x01a\x18\x06", []string{"--from=protobuf", "--to=text"}, 1, "", "telltale: stdin: offset 4, family \"a\", MetricFamily.type: found 6, expected a type from 0 to 5\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := outcomeOf(t, test.stdin, append([]string{"convert"}, test.args...)...)
			if status != test.status || stdout != test.stdout || stderr != test.stderr {
				t.Errorf("status %d, stdout\n%sstderr\n%swant %d\n%s%s", status, stdout, stderr, test.status, test.stdout, test.stderr)
			}
		})
	}
}

// A native histogram has a place in JSON, and none in text.
func TestConvertNativeHistograms(t *testing.T) {
	const page = `[
{"name":"a","type":"histogram","help":"","unit":"","samples":[
{"name":"a","labels":{},"value":"3.0","native_histogram":{"schema":0,"zero_threshold":"0.001","zero_count":"0.0","count":"3.0","sum":"2.5","positive_spans":[{"offset":0,"length":1}],"positive_buckets":["3.0"],"negative_spans":[],"negative_buckets":[],"custom_bounds":[],"float":false,"exemplars":[]}}]}
]
`
	stdout, stderr, status := outcomeOf(t, page, "convert", "--to=json", "--strict")
	if status != 0 || stdout != page || stderr != "" {
		t.Errorf("status %d, stdout %s, stderr %q", status, stdout, stderr)
	}
	stdout, stderr, status = outcomeOf(t, page, "convert", "--to=text")
	if status != 0 || !strings.Contains(stdout, "a_bucket{le=\"+Inf\"} 3.0\na_count 3.0\na_sum 2.5\n") ||
		stderr != "telltale: warning: text: a native histogram is left out, but for its count and sum: a\n" {
		t.Errorf("status %d, stdout %s, stderr %q", status, stdout, stderr)
	}
}

func TestConvertURL(t *testing.T) {
	url, _ := exporter(t, "application/openmetrics-text; version=1.0.0", rightOpenMetrics)
	stdout, stderr, status := outcome(t, "convert", "--to=text", url)
	if status != 0 || stderr != "" || stdout != "# HELP a_total \n# TYPE a_total counter\na_total 1.0\n" {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

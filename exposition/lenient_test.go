package exposition_test

import (
	"bytes"
	"strings"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// What sloppy exporters write, what it is read as, in OpenMetrics, and that it
// is an error for strict parsers. Where nothing else is said, both text formats
// are lenient alike.
func TestLenient(t *testing.T) {
	const both, textOnly, openMetricsOnly = 3, 1, 2
	for _, c := range []struct {
		name     string
		wrong    int // the formats in which it is an error
		in, want string
	}{
		{"no # EOF", openMetricsOnly, "a 1\n", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"lines behind # EOF", openMetricsOnly, "a 1\n# EOF\nb 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\n# HELP b \n# TYPE b unknown\nb 1.0\n"},
		{"no line feed", textOnly, "a 1\n# EOF", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"carriage returns", both, "# HELP a b\r\n# TYPE a gauge\r\na 1\r\n# EOF\r\n", "# HELP a b\n# TYPE a gauge\na 1.0\n"},
		{"byte order mark", both, "\ufeffa 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"not UTF-8", both, "# HELP a \xff\na{b=\"\xfe\"} 1\n# EOF\n", "# HELP a \ufffd\n# TYPE a unknown\na{b=\"\ufffd\"} 1.0\n"},
		{"blank lines", openMetricsOnly, "\n \t\na 1\n\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"blanks", openMetricsOnly, " #\tTYPE  a\tgauge \n a { b = \"c\" , d=\"e\" }  1   0 \na\t1\n# EOF \n", "# HELP a \n# TYPE a gauge\na{b=\"c\",d=\"e\"} 1.0 0\na 1.0\n"},
		{"comments", openMetricsOnly, "# b\n#c\na 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"comment behind a sample", both, "a 1 # b\na 1 0#c\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\na 1.0 0\n"},
		{"metadata of nothing", both, "# HELP\n# TYPE {}\na 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"type without a word", both, "# TYPE a\na 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"metadata behind samples", openMetricsOnly, "a_sum 1\na_count 2\n# TYPE a summary\n# HELP a b\n# EOF\n", "# HELP a b\n# TYPE a summary\na_count 2.0\na_sum 1.0\n"},
		{"metadata of another family between", both, "# TYPE a gauge\n# TYPE b gauge\na 1\nb 2\n# EOF\n", "# HELP a \n# TYPE a gauge\na 1.0\n# HELP b \n# TYPE b gauge\nb 2.0\n"},
		{
			"families in pieces", both,
			"# TYPE a histogram\na_bucket{le=\"1\"} 1\nb 1\na_count 2\na_sum 3\nb 2\na_bucket{le=\"+Inf\"} 2\n# EOF\n",
			"# HELP a \n# TYPE a histogram\na_bucket{le=\"1.0\"} 1.0\na_bucket{le=\"+Inf\"} 2.0\na_count 2.0\na_sum 3.0\n# HELP b \n# TYPE b unknown\nb 1.0\nb 2.0\n",
		},
		{
			"metrics in pieces", openMetricsOnly,
			"# TYPE a histogram\na_bucket{c=\"1\",le=\"+Inf\"} 1\na_bucket{c=\"2\",le=\"+Inf\"} 2\na_count{c=\"1\"} 1\na_count{c=\"2\"} 2\na_sum{c=\"1\"} 1\na_sum{c=\"2\"} 1\n# EOF\n",
			"# HELP a \n# TYPE a histogram\na_bucket{c=\"1\",le=\"+Inf\"} 1.0\na_count{c=\"1\"} 1.0\na_sum{c=\"1\"} 1.0\na_bucket{c=\"2\",le=\"+Inf\"} 2.0\na_count{c=\"2\"} 2.0\na_sum{c=\"2\"} 1.0\n",
		},
		{"second help", both, "# HELP a b\n# HELP a c\na 1\n# EOF\n", "# HELP a b\n# TYPE a unknown\na 1.0\n"},
		{"second type", both, "# TYPE a gauge\n# TYPE a counter\na 1\n# EOF\n", "# HELP a \n# TYPE a gauge\na 1.0\n"},
		{"second unit", openMetricsOnly, "# UNIT a_s s\n# UNIT a_s x\na_s 1\n# EOF\n", "# HELP a_s \n# TYPE a_s unknown\n# UNIT a_s s\na_s 1.0\n"},
		{"type in capitals", both, "# TYPE a GAUGE\na 1\n# EOF\n", "# HELP a \n# TYPE a gauge\na 1.0\n"},
		{"type of none", both, "# TYPE a meter\na 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"type of text", openMetricsOnly, "# TYPE a untyped\na 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"type of OpenMetrics", textOnly, "# TYPE a info\na_info{b=\"c\"} 1\n# TYPE d stateset\nd{d=\"e\"} 1\nd{d=\"f\"} 0\n# EOF\n", "# HELP a \n# TYPE a info\na_info{b=\"c\"} 1.0\n# HELP d \n# TYPE d stateset\nd{d=\"e\"} 1.0\nd{d=\"f\"} 0.0\n"},
		{"type unknown", textOnly, "# TYPE a unknown\na 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"gauge histogram", textOnly, "# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 1\na_gcount 1\na_gsum 2\n# EOF\n", "# HELP a \n# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 1.0\na_gcount 1.0\na_gsum 2.0\n"},
		{
			"exemplars in text", both,
			"# TYPE a_total counter\na_total 1 # {t=\"x\"} 1 1.5\n# TYPE b histogram\nb_bucket{le=\"1\"} 1\nb_bucket{le=\"+Inf\"} 1 # {t=\"y\"} 2\nb_count 1\nb_sum 2\n# EOF\n",
			"# HELP a \n# TYPE a counter\na_total 1.0 # {t=\"x\"} 1.0 1.5\n# HELP b \n# TYPE b histogram\nb_bucket{le=\"1.0\"} 1.0\nb_bucket{le=\"+Inf\"} 1.0 # {t=\"y\"} 2.0\nb_count 1.0\nb_sum 2.0\n",
		},
		{"exemplar on a sum", both, "# TYPE a summary\na_sum 1 # {} 1\na_count 1\n# EOF\n", "# HELP a \n# TYPE a summary\na_count 1.0\na_sum 1.0\n"},
		{"exemplar without blanks", both, "# TYPE a counter\na_total 1#{t=\"x\"}1\n# EOF\n", "# HELP a \n# TYPE a counter\na_total 1.0 # {t=\"x\"} 1.0\n"},
		{"counter without _total", openMetricsOnly, "# TYPE a counter\na 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\n"},
		{"counter named with _total", openMetricsOnly, "# TYPE a_total counter\na_total 1\n# EOF\n", "# HELP a \n# TYPE a counter\na_total 1.0\n"},
		{"unknown escape", textOnly, "# HELP a \\z\na{b=\"\\c\"} 1\n# EOF\n", "# HELP a \\\\z\n# TYPE a unknown\na{b=\"\\\\c\"} 1.0\n"},
		{"backslash at the end", both, "# HELP a b\\\n# EOF\n", "# HELP a b\\\\\n# TYPE a unknown\n"},
		{"comma behind labels", openMetricsOnly, "a{b=\"c\",} 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na{b=\"c\"} 1.0\n"},
		{"names without quotes", both, "# TYPE a-b.c gauge\na-b.c{d.e=\"f\",1=\"g\"} 1\n# EOF\n", "# HELP \"a-b.c\" \n# TYPE \"a-b.c\" gauge\n{\"a-b.c\",\"d.e\"=\"f\",\"1\"=\"g\"} 1.0\n"},
		{"name behind labels", both, "{b=\"c\" , \"a\", d=\"e\"} 1\n# EOF\n", "# HELP a \n# TYPE a unknown\na{b=\"c\",d=\"e\"} 1.0\n"},
		{"created", 0, "# TYPE a summary\na_count 1\na_sum 1\na_created 5\n# EOF\n", "# HELP a \n# TYPE a summary\na_count 1.0\na_sum 1.0\na_created 5.0\n"},
		{"created in pieces", openMetricsOnly, "# TYPE a counter\na_total{b=\"1\"} 1\na_total{b=\"2\"} 1\na_created{b=\"1\"} 5\n# EOF\n", "# HELP a \n# TYPE a counter\na_total{b=\"1\"} 1.0\na_created{b=\"1\"} 5.0\na_total{b=\"2\"} 1.0\n"},
		{"negative counter, which OpenMetrics does not have", openMetricsOnly, "# TYPE a counter\na_total -1\n# EOF\n", "# HELP a \n# TYPE a counter\n"},
		{"repeated series", openMetricsOnly, "a 1\na 2\n# EOF\n", "# HELP a \n# TYPE a unknown\na 1.0\na 2.0\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for bit, f := range map[int]exposition.Format{textOnly: exposition.Text004, openMetricsOnly: exposition.OpenMetrics1} {
				_, err := parse([]byte(c.in), f)
				if wrong := c.wrong&bit != 0; (err != nil) != wrong && (wrong || f != exposition.Text004) {
					t.Errorf("%s: strictly, error %v in\n%s", f, err, c.in)
				}
				all, err := parse([]byte(c.in), f, exposition.WithLenient())
				if err != nil {
					t.Errorf("%s: %v in\n%s", f, err, c.in)
				}
				got := page(t, exposition.OpenMetrics1.WithEscaping(model.AllowUTF8), all, exposition.WithCreated())
				if string(got) != c.want+"# EOF\n" {
					t.Errorf("%s: got\n%swant\n%s", f, got, c.want)
				}
			}
		})
	}
}

// OpenMetrics 2.0 is read as leniently, with all that it has of its own.
func TestLenientDraft(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"no # EOF", "a 1\n", "# TYPE a unknown\na 1.0\n"},
		{"blanks", "a\t{count:1,sum:2,quantile:[]}  1\tst@0  # {}  1  1 \n", "# TYPE a summary\na {count:1,sum:2.0,quantile:[]} 1 st@0\n"},
		{"labels behind a blank", "a {b=\"c\"} {gcount:1,gsum:2,bucket:[+Inf:1]}", "# TYPE a gaugehistogram\na{b=\"c\"} {gcount:1,gsum:2.0,bucket:[+Inf:1]}\n"},
		{"a label called count", "a {count=\"c\"} 1", "# TYPE a unknown\na{count=\"c\"} 1.0\n"},
		{
			"families in pieces",
			"a {count:1,sum:2,bucket:[+Inf:1]} # {x=\"y\"} 1 5\nb 1\n# TYPE a histogram\na{c=\"d\"} {count:2,sum:0,schema:0,zero_threshold:0,zero_count:2}\n# TYPE b counter\nb 2 st@1\n",
			"# TYPE a histogram\na {count:1,sum:2.0,bucket:[+Inf:1]} # {x=\"y\"} 1.0 5\na{c=\"d\"} {count:2,sum:0.0,schema:0,zero_threshold:0.0,zero_count:2}\n# TYPE b counter\nb 1.0\nb 2.0 st@1\n",
		},
		{"several exemplars", "# TYPE a counter\na 1 # {b=\"1\"} 1 1 # {b=\"3\"} 1 3 # {b=\"2\"} 1 2 # no exemplar\n", "# TYPE a counter\na 1.0 # {b=\"1\"} 1.0 1 # {b=\"2\"} 1.0 2 # {b=\"3\"} 1.0 3\n"},
		{"lines of OpenMetrics 1.0", "# TYPE a summary\na_count 1\na_sum 2\na_created 3\n# TYPE b info\nb_info 1\n", "# TYPE a summary\na {count:1,sum:2.0,quantile:[]} st@3\n# TYPE b_info info\nb_info 1.0\n"},
		{"info", "# TYPE b_info info\nb_info 1\n# TYPE c_info info\n# TYPE _info info\n_info 1\n", "# TYPE b_info info\nb_info 1.0\n# TYPE c_info info\n# TYPE _info info\n_info 1.0\n"},
		{"states", "a{a=\"x\"} 1\na{a=\"y\"} 0\n# TYPE a stateset\n", "# TYPE a stateset\na{a=\"x\"} 1.0\na{a=\"y\"} 0.0\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := parse([]byte(c.in), exposition.OpenMetrics2, exposition.WithLenient())
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(string(page(t, exposition.OpenMetrics2, all)), "# HELP a \n", "")
			if got != c.want+"# EOF\n" {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
	got := allErrors(t, "# TYPE a summary\na {count:1,sum:1,bucket:[+Inf:1]}\na {count:1,sum:1,quantile:[]}\nb {count:1,sum:1,bucket:[2:1,1:1,+Inf:1]} # {} 1\nc {count:1}\n",
		exposition.OpenMetrics2, exposition.WithLenient())
	if want := "5:11 \"}\";2:1 the value of a histogram;4:1 the bound 1.0 after 2.0"; strings.Join(got, ";") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Protobuf is not read so, which is an error, and not strict reading.
func TestLenientProtobuf(t *testing.T) {
	if _, err := parse(nil, exposition.Protobuf, exposition.WithLenient()); err == nil {
		t.Error("there is no error")
	}
}

// A counter may be named like a sample in OpenMetrics, which then has the suffix
// twice.
func TestLenientTotalTwice(t *testing.T) {
	const in = "# HELP a_total \n# TYPE a_total counter\na_total_total 1.0\n# EOF\n"
	all, err := parse([]byte(in), exposition.OpenMetrics1, exposition.WithLenient())
	if err != nil {
		t.Fatal(err)
	}
	if got := page(t, exposition.OpenMetrics1, all); string(got) != in {
		t.Errorf("got\n%s", got)
	}
}

func TestLenientTimestamps(t *testing.T) {
	for in, want := range map[string]string{"1500": "1.5", "1500.5": "1.5005", "1.5e12": "1500000000", "-1e3": "-1"} {
		all, err := parse([]byte("a 1 "+in+"\n"), exposition.Text004, exposition.WithLenient())
		if err != nil {
			t.Fatal(err)
		}
		for s := range all[0].Samples() {
			if got := s.Timestamp.String(); got != want {
				t.Errorf("%s is %s, want %s", in, got, want)
			}
		}
	}
}

// Lenient parsers read what is right as strict ones do.
func TestLenientReadsWhatIsRight(t *testing.T) {
	for _, f := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2} {
		right := page(t, f.WithEscaping(model.AllowUTF8), whole(families(t)), exposition.WithCreated())
		all, err := parse(right, f, exposition.WithLenient())
		if err != nil {
			t.Fatal(err)
		}
		if again := page(t, f.WithEscaping(model.AllowUTF8), all, exposition.WithCreated()); !bytes.Equal(again, right) {
			a, b := differ(again, right)
			t.Errorf("got  %swant %s", a, b)
		}
	}
}

// What lenient parsers cannot read is still told, with its place.
func TestLenientErrors(t *testing.T) {
	got := allErrors(t, "a\nb{c} 1\nd{e=\"f\" 1\ng x\n{} 1\nh 1\n{\"a\",b=\"c\",\"d\"} 1\n", exposition.OpenMetrics1, exposition.WithLenient())
	if want := "1:2 the end of the line;2:4 \"} 1\";3:9 \"1\";4:3 \"x\";5:1 labels without a metric name;7:15 \"} 1\""; strings.Join(got, ";") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzLenient checks that a lenient parser reads, without an error, all that a
// strict one does, and comes to an end with anything.
func FuzzLenient(f *testing.F) {
	seeds(f, exposition.Text004)
	seeds(f, exposition.OpenMetrics1)
	seeds(f, exposition.OpenMetrics2)
	f.Add([]byte("a {count:1,sum:1,bucket:[1:1,1:1,+Inf:1]} # {} 1 1\n# TYPE a gauge\nb {count:1,sum:NaN,schema:9,zero_threshold:1,zero_count:1,positive_spans:[0:9],positive_buckets:[]}\n"))
	f.Add([]byte("\xef\xbb\xbfa-b 1#{\n# TYPE a COUNTER\r\na_created 1\na{,} 1\na 1 2e3 # {} 1\n# TYPE c info\nc 1\nc_info 1\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, format := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2} {
			strict, err := parse(in, format)
			lenient, lenientErr := parse(in, format, exposition.WithLenient())
			if err == nil && lenientErr != nil {
				t.Fatalf("%s: %v in\n%s", format, lenientErr, in)
			}
			if err == nil && len(lenient) < len(strict)/8 {
				t.Fatalf("%s: %d families became %d in\n%s", format, len(strict), len(lenient), in)
			}
			page(t, format.WithEscaping(model.AllowUTF8), lenient, exposition.WithCreated())
			allErrors(t, string(in), format, exposition.WithLenient())
		}
	})
}

package exposition_test

import (
	"strings"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// What each scrape protocol of Prometheus 3 is asked for with (config.go,
// ScrapeProtocolsHeaders), and in which format the answer has to be.
var scrapeProtocols = []struct {
	name, header string
	want         exposition.Format
}{
	{"PrometheusProto", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", exposition.Protobuf},
	{"OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8", exposition.OpenMetrics1.WithEscaping(model.AllowUTF8)},
	{"OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1", exposition.OpenMetrics001},
	{"PrometheusText1.0.0", "text/plain;version=1.0.0;escaping=allow-utf-8", exposition.Text100.WithEscaping(model.AllowUTF8)},
	{"PrometheusText0.0.4", "text/plain;version=0.0.4", exposition.Text004},
}

// A single protocol is asked for with what matches anything behind it, which
// must not win.
func TestNegotiateEachScrapeProtocol(t *testing.T) {
	for _, p := range scrapeProtocols {
		for _, weights := range [][2]string{{"0.6", "0.5"}, {"0.7", "0.6"}} { // 3.0 to 3.14, and since 3.15
			accept := p.header + ";q=" + weights[0] + ",*/*;q=" + weights[1]
			if got := exposition.Negotiate(accept); got != p.want {
				t.Errorf("%s: %q is answered in %q, want %q", p.name, accept, got, p.want)
			}
		}
	}
}

// The headers are as scrape.go's acceptHeader makes them of the default lists.
func TestNegotiatePrometheus3(t *testing.T) {
	const (
		utf8      = model.AllowUTF8
		delimited = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	)
	for _, test := range []struct {
		name, accept string
		want         exposition.Format
	}{
		{"3.15",
			"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,application/openmetrics-text;version=0.0.1;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3",
			exposition.OpenMetrics1.WithEscaping(utf8)},
		{"3.15, protobuf first",
			delimited + ";q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			exposition.Protobuf},
		{"3.15, protobuf last",
			"text/plain;version=0.0.4;q=0.7," + delimited + ";q=0.6,*/*;q=0.5",
			exposition.Text004},
		{"3.5",
			"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			exposition.OpenMetrics1.WithEscaping(utf8)},
		{"3.5, legacy names",
			"application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			exposition.OpenMetrics1},
		{"3.5, protobuf first",
			delimited + ";q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
			exposition.Protobuf},
		{"3.0 names the scheme everywhere",
			"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;escaping=allow-utf-8;q=0.3,*/*;q=0.2",
			exposition.OpenMetrics1.WithEscaping(utf8)},
		{"3.0, protobuf first",
			delimited + ";escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.1",
			exposition.Protobuf.WithEscaping(utf8)},
		{"2.42 with native histograms",
			"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited,application/openmetrics-text; version=1.0.0;q=0.8,application/openmetrics-text; version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
			exposition.Protobuf},
	} {
		if got := exposition.Negotiate(test.accept); got != test.want {
			t.Errorf("%s: %q is answered in %q, want %q", test.name, test.accept, got, test.want)
		}
	}
}

// Protobuf of other messages or encodings is another format.
func TestNegotiateProtobuf(t *testing.T) {
	for _, test := range []struct {
		name, accept string
		want         exposition.Format
	}{
		{"case and blanks", "Application/VND.google.protobuf ; Proto=io.prometheus.client.MetricFamily ; ENCODING=Delimited", exposition.Protobuf},
		{"quotes", `application/vnd.google.protobuf;proto="io.prometheus.client.MetricFamily";encoding="delimited"`, exposition.Protobuf},
		{"escaping", protobufDelimited + ";escaping=values", exposition.Protobuf.WithEscaping(model.Values)},
		{"no parameters", "application/vnd.google.protobuf", exposition.Text004},
		{"another encoding", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", exposition.Text004},
		{"another message", "application/vnd.google.protobuf;proto=prometheus.WriteRequest;encoding=delimited", exposition.Text004},
		{"no encoding", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;q=0.9,text/plain;version=1.0.0;q=0.1", exposition.Text100},
		{"alike", "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0," + protobufDelimited, exposition.Protobuf},
		{"any application", "application/*", exposition.OpenMetrics1},
		{"anything", "*/*", exposition.Text004},
		{"refused", protobufDelimited + ";q=0,application/*", exposition.OpenMetrics1},
		{"all of its type refused", "application/vnd.google.protobuf;q=0," + strings.Repeat("*/*,", 2) + "text/plain;q=0", exposition.OpenMetrics1},
	} {
		if got := exposition.Negotiate(test.accept); got != test.want {
			t.Errorf("%s: %q is answered in %q, want %q", test.name, test.accept, got, test.want)
		}
	}
}

package exposition_test

import (
	"slices"
	"strings"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// What scrapers send.
const (
	prometheus242 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
	prometheus2   = "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1" // before 2.26
	prometheus3   = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
	prometheus3UL = "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
	nativeFirst   = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
	// With scrape_protocols that name OpenMetricsText2.0.0, which none do unless
	// told to, and only under the flag that makes it understood.
	prometheus3OM2 = "application/openmetrics-text;version=2.0.0;q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4"
	textOnly3      = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
	firefox        = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	chrome         = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)

// What is answered.
const (
	text004        = "text/plain; version=0.0.4; charset=utf-8"
	text100        = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
	openMetrics001 = "application/openmetrics-text; version=0.0.1; charset=utf-8"
	openMetrics2   = "application/openmetrics-text; version=2.0.0; charset=utf-8"
	openMetrics1   = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"

	protobufDelimited = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)

func TestNegotiate(t *testing.T) {
	utf8 := func(contentType string) string { return strings.Replace(contentType, "underscores", "allow-utf-8", 1) }
	for _, test := range []struct{ name, accept, want string }{
		{"Prometheus 2.42", prometheus242, openMetrics1},
		{"Prometheus 2.25", prometheus2, openMetrics001},
		{"Prometheus 3", prometheus3, utf8(openMetrics1)},
		{"Prometheus 3 with legacy names", prometheus3UL, openMetrics1},
		{"Prometheus 3 with native histograms", nativeFirst, protobufDelimited},
		{"Prometheus 3 asking for OpenMetrics 2", prometheus3OM2, openMetrics2},
		{"Prometheus 3 restricted to text", textOnly3, utf8(text100)},
		{"Firefox", firefox, text004},
		{"Chrome", chrome, text004},

		{"nothing", "", text004},
		{"anything", "*/*", text004},
		{"any text", "text/*", text004},
		{"any application", "application/*", openMetrics1},
		{"a stranger", "image/png", text004},
		{"text", "text/plain", text004},
		{"text before OpenMetrics", "text/plain, application/openmetrics-text;q=0.9", text004},
		{"text and OpenMetrics alike", "text/plain, application/openmetrics-text", openMetrics1},
		{"text versions alike", "text/plain;version=0.0.4, text/plain;version=1.0.0", text100},
		{"a name before a star", "*/*, text/plain;version=1.0.0", text100},
		{"a star before a name of less worth", "*/*, text/plain;version=1.0.0;q=0.5", text004},
		{"OpenMetrics without a version", "application/openmetrics-text", openMetrics1},
		{"case", "Text/PLAIN; Version=1.0.0; Escaping=DOTS", strings.Replace(text100, "underscores", "dots", 1)},

		{"q falls", "application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=1.0.0;q=0.4", text100},
		{"q of 0 refuses", "application/openmetrics-text;version=1.0.0;q=0,text/plain;q=0.1", text004},
		{"q of 0 refuses what a star lets pass", "*/*,text/plain;q=0,application/openmetrics-text;version=0.0.1;q=0.000", openMetrics1},
		{"q of 0 refuses one version", "*/*,text/plain;version=0.0.4;q=0", openMetrics1},
		{"q of 0 but for one version", "text/plain;q=0,text/plain;version=0.0.4", text004},
		{"everything refused", "*/*;q=0", text004},
		{"a newer version refused", "application/openmetrics-text;version=2.0.0;q=0,application/openmetrics-text;version=1.0.0", openMetrics1},
		{"the exact version decides", "application/openmetrics-text;version=3.0.0,application/openmetrics-text;version=1.0.0;q=0.1,text/plain;q=0.5", text004},

		{"a newer text", "text/plain;version=1.7.3", text100},
		{"text between versions", "text/plain;version=0.4", text004},
		{"an older text", "text/plain;version=0.0.3,application/openmetrics-text;q=0.1", openMetrics1},
		{"a newer OpenMetrics", "application/openmetrics-text;version=3.1.4", openMetrics1},
		{"OpenMetrics 2 alone", "application/openmetrics-text;version=2.0.0", openMetrics2},
		{"OpenMetrics 2 first", "application/openmetrics-text;version=2.0.0;q=0.9,application/openmetrics-text;version=1.0.0;q=0.8", openMetrics2},
		{"OpenMetrics 2 beside 1", "application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0", openMetrics1},
		{"OpenMetrics 2 beside protobuf", "application/openmetrics-text;version=2.0.0," + protobufDelimited, protobufDelimited},
		{"OpenMetrics 2 before protobuf", "application/openmetrics-text;version=2.0.0," + protobufDelimited + ";q=0.9", openMetrics2},
		{"OpenMetrics 2 beside text", "application/openmetrics-text;version=2.0.0,text/plain", text004},
		{"OpenMetrics 2 before a star", "*/*,application/openmetrics-text;version=2", openMetrics2},
		{"OpenMetrics 2 escaped", "application/openmetrics-text;version=2.0.0;escaping=dots", openMetrics2 + "; escaping=dots"},
		{"OpenMetrics 2 refused", "application/openmetrics-text,application/openmetrics-text;version=2.0.0;q=0", openMetrics1},
		{"OpenMetrics near 2", "application/openmetrics-text;version=2.0.1", openMetrics1},
		{"a candidate of OpenMetrics 2", "application/openmetrics-text;version=2.0.0-rc0,text/plain;q=0.1", text004},
		{"OpenMetrics between versions", "application/openmetrics-text;version=0.9", openMetrics001},
		{"OpenMetrics 0.0.1", "application/openmetrics-text;version=0.0.1", openMetrics001},
		{"a short version", "application/openmetrics-text;version=1", openMetrics1},
		{"a quoted version", `application/openmetrics-text; version="1.0.0"; charset="utf-8,;"; q="0.5"`, openMetrics1},

		{"a version in words", "application/openmetrics-text;version=abc,text/plain;version=1.0.0;q=0.5", text100},
		{"an empty version", "application/openmetrics-text;version=", text004},
		{"a version of four", "application/openmetrics-text;version=1.0.0.0", text004},
		{"a huge version", "application/openmetrics-text;version=99999999999999999999", text004},
		{"q in words", "application/openmetrics-text;q=high", text004},
		{"q not a number", "application/openmetrics-text;q=NaN", text004},
		{"q above 1", "application/openmetrics-text;q=1.1", text004},
		{"q below 0", "application/openmetrics-text;q=-1", text004},
		{"q in hexadecimal", "application/openmetrics-text;q=0x1p-2", text004},
		{"a slash", "/;q=0.1", text004},
		{"commas", ",;,=;,\",;q=,", text004},

		{"escaping", "text/plain;version=1.0.0;escaping=values", strings.Replace(text100, "underscores", "values", 1)},
		{"escaping after q", "text/plain;version=1.0.0;q=0.5;escaping=allow-utf-8", utf8(text100)},
		{"unknown escaping", "text/plain;version=1.0.0;escaping=allow-utf8", text100},
		{"another range's escaping", "text/plain;version=1.0.0;escaping=dots;q=0.5,application/openmetrics-text", openMetrics1},
		{"text 0.0.4 in UTF-8", "text/plain;version=0.0.4;escaping=allow-utf-8", text004 + "; escaping=allow-utf-8"},
		{"text 0.0.4 with underscores", "text/plain;version=0.0.4;escaping=underscores", text004},
	} {
		if got := exposition.Negotiate(test.accept).ContentType(); got != test.want {
			t.Errorf("%s: %q is answered in %q, want %q", test.name, test.accept, got, test.want)
		}
	}
	if got := exposition.Negotiate("text/plain;q=0.2", "application/openmetrics-text"); got != exposition.OpenMetrics1 {
		t.Errorf("repeated headers are answered in %q", got)
	}
	if got := exposition.Negotiate(); got != exposition.Text004 {
		t.Errorf("no header is answered in %q", got)
	}
}

func TestFormat(t *testing.T) {
	for _, f := range formats {
		if want := map[bool]model.Escaping{true: model.AllowUTF8, false: model.Underscores}[f == exposition.OpenMetrics2]; f.Escaping() != want {
			t.Errorf("%s escapes with %s", f, f.Escaping())
		}
		for _, scheme := range schemes {
			g := f.WithEscaping(scheme)
			if g.Escaping() != scheme || g.WithEscaping(f.Escaping()) != f {
				t.Errorf("%s with %s is %s", f, scheme, g)
			}
			if back := exposition.Negotiate(g.ContentType()); back != g {
				t.Errorf("asked for %s, the answer is %s", g, back)
			}
		}
	}
	if f := exposition.Format(0xffff); f.ContentType() != text004 {
		t.Errorf("a format that is none is %s", f)
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, accept := range []string{prometheus242, prometheus3, nativeFirst, chrome, prometheus3OM2, `text/plain;version="1.0\"",*/*;q=0`, ",;=\"\\"} {
		f.Add(accept, "")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		got := exposition.Negotiate(first, second)
		known := slices.ContainsFunc(formats, func(f exposition.Format) bool { return f.WithEscaping(got.Escaping()) == got })
		if !known || !slices.Contains(schemes, got.Escaping()) {
			t.Errorf("%q and %q are answered in %v", first, second, got)
		}
		if back := exposition.Negotiate(got.ContentType()); back != got {
			t.Errorf("asked for %s, the answer is %s", got, back)
		}
	})
}

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (go test -update writes it anew): got\n%s\nwant\n%s", path, got, want)
	}
}

// file returns the path of a file with the content.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// outcomeOf runs the program with something on standard input.
func outcomeOf(t *testing.T, stdin string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	c := command(t, args...)
	var out, errs bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	_ = c.Run() // the status says it
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

const (
	rightText        = "# TYPE a gauge\na 1\nb 2\n"
	rightOpenMetrics = "# TYPE a counter\na_total 1\n# EOF\n"
	rightProtobuf    = "\x12\x0a\x01a\x18\x01\x22\x0b\x12\x09\x09\x00\x00\x00\x00\x00\x00\xf0\x3f"
	rightDraft       = "# TYPE a histogram\na {count:2,sum:3.0,bucket:[1:1,+Inf:2]} st@5.0\n# EOF\n"
	rightJSON        = `[{"name":"a","type":"gauge","help":"","unit":"","samples":[{"name":"a","labels":{},"value":"1.0"}]}]`
)

// gzipped returns the text packed.
func gzipped(text string) string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(text)) // to a buffer
	_ = w.Close()
	return packed.String()
}

// Several pages are all checked, whatever is wrong with those before.
func TestCheckSeveral(t *testing.T) {
	right, wrong := file(t, rightText), file(t, "a x\n")
	stdout, stderr, status := outcomeOf(t, rightOpenMetrics, "check", right, wrong, "nowhere", "-", right)
	wantOut := right + " is right: text, 2 families, 2 samples\nstdin is right: openmetrics, 1 family, 1 sample\n" + right + " is right: text, 2 families, 2 samples\n"
	wantErr := wrong + ":1:3: found \"x\", expected a number\n    a x\n      ^\ntelltale: " + wrong + " is not right: 1 error of text\n" +
		"telltale: open nowhere: no such file or directory\ntelltale: 2 of 5 pages are not right\n"
	if status != 1 || stdout != wantOut || stderr != wantErr {
		t.Errorf("status %d, stdout\n%s\nstderr\n%s\nwant\n%s\nand\n%s", status, stdout, stderr, wantOut, wantErr)
	}
	if stdout, stderr, status = outcomeOf(t, "", "check", right, right); status != 0 || stderr != "" || strings.Count(stdout, "is right") != 2 {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name   string
		args   []string
		stdin  string
		status int
		stdout string
		stderr string
	}{
		{"text", nil, rightText, 0, "stdin is right: text, 2 families, 2 samples\n", ""},
		{"nothing", []string{"-"}, "", 1, "", "telltale: stdin is empty; --allow-empty accepts that\n"},
		{"blanks alone", nil, " \n\n", 1, "", "telltale: stdin is empty; --allow-empty accepts that\n"},
		{"comments alone", nil, "# a comment\n", 1, "", "telltale: stdin has no metrics; --allow-empty accepts that\n"},
		{"nothing of protobuf", []string{"--format=protobuf"}, "", 1, "", "telltale: stdin is empty; --allow-empty accepts that\n"},
		{"nothing allowed", []string{"--allow-empty"}, "", 0, "stdin is right: text, 0 families, 0 samples\n", ""},
		{"openmetrics says that it is empty", nil, "# EOF\n", 0, "stdin is right: openmetrics, 0 families, 0 samples\n", ""},
		{"json says that it is empty", nil, "[]", 0, "stdin is right: json, 0 families, 0 samples\n", ""},
		{"gzip", nil, gzipped(rightText), 0, "stdin is right: text, 2 families, 2 samples\n", ""},
		{"gzip of protobuf", nil, gzipped(rightProtobuf), 0, "stdin is right: protobuf, 1 family, 1 sample\n", ""},
		{"gzip of nothing", nil, gzipped(""), 1, "", "telltale: stdin is empty; --allow-empty accepts that\n"},
		{"gzip cut off", nil, gzipped(rightText)[:30], 1, "", "telltale: stdin: it is gzip and was cut off\n"},
		{"gzip spoilt", nil, "\x1f\x8b\x09", 1, "", "telltale: stdin: it is gzip and was cut off\n"},
		{"gzip and more", nil, gzipped(rightText) + rightText, 1, "", "telltale: stdin: it is gzip: gzip: invalid header\n"},
		{"gzip twice", nil, gzipped(gzipped(rightText)), 1, "", "telltale: stdin: it is gzip within gzip: something compresses it twice\n"},
		{"gzip that grows", []string{"--max-size=1MiB"}, gzipped(strings.Repeat("\n", 1<<20+1)), 1, "", "telltale: stdin: it is gzip: the page has more than 1048576 bytes; --max-size raises the limit\n"},
		{"zstd", nil, "\x28\xb5\x2f\xfd\x04\xff", 1, "", "telltale: stdin: this is zstd, which has to be unpacked first; only gzip is unpacked here\n"},
		{"html", nil, "\n<!DOCTYPE html>\r\n<html><title>Log in\x1b[31m</title>", 1, "", "telltale: stdin: this is HTML, not a page of metrics; is its address right, and does it ask for a login?\n    <!DOCTYPE html>\n"},
		{"html with escapes", []string{"--format=openmetrics"}, "<html>\x1b[31m", 1, "", "telltale: stdin: this is HTML, not a page of metrics; is its address right, and does it ask for a login?\n    <html>␛[31m\n"},
		{"xml", nil, "<?xml version=\"1.0\"?><a/>", 1, "", "telltale: stdin: this is XML, not a page of metrics; is its address right, and does it ask for a login?\n"},
		{"a long line", []string{"--max-line=5B"}, "", 2, "", "telltale: "},
		{"a line of more", []string{"--max-line=5"}, "a 12345\n", 1, "", "stdin:1:6: found a line of more than 5 bytes, expected a shorter one; --max-line raises the limit\n"},
		{"a line of as much", []string{"--max-line=5"}, "a 123\n", 0, "stdin is right: text, 1 family, 1 sample\n", ""},
		{"more labels", []string{"--max-labels=1"}, "a{b=\"\",c=\"\"} 1\n", 1, "", "stdin:1:8: found more than 1 labels, expected fewer; --max-labels raises the limit\n"},
		{"as many labels", []string{"--max-labels=2"}, "a{b=\"\",c=\"\"} 1\n", 0, "stdin is right: text, 1 family, 1 sample\n", ""},
		{"more labels of json", []string{"--max-labels=1"}, strings.Replace(rightJSON, "{}", `{"b":"","c":""}`, 1), 1, "",
			"stdin:1:2: found a sample of \"a\" with more than 1 labels, expected fewer; --max-labels raises the limit\n"},
		{"no labels", []string{"--max-labels=0"}, rightText, 2, "", "telltale: "},
		{"a larger message", []string{"--max-message=17"}, rightProtobuf, 1, "", "stdin: offset 0: found a message of 18 bytes"},
		{"a message as large", []string{"--max-message=18"}, rightProtobuf, 0, "stdin is right: protobuf, 1 family, 1 sample\n", ""},
		{"protobuf cut off", nil, rightProtobuf[:15], 1, "",
			"stdin: offset 0, family \"a\": found the end of the page at byte 15, after 14 of 18 bytes of a message, expected the rest of it: the page was cut off\n"},
		{"two errors of three", []string{"--max-errors=2"}, "x y\nx y\nx y\n", 1, "", "stdin:1:3: "},
		{"openmetrics", []string{"-"}, rightOpenMetrics, 0, "stdin is right: openmetrics, 1 family, 1 sample\n", ""},
		{"text1", []string{"--format=text1"}, rightText, 0, "stdin is right: text1, 2 families, 2 samples\n", ""},
		{"json", nil, rightJSON, 0, "stdin is right: json, 1 family, 1 sample\n", ""},
		{"openmetrics2", nil, rightDraft, 0, "stdin is right: openmetrics2, 1 family, 5 samples\n", ""},
		{"openmetrics as openmetrics2", []string{"--format=openmetrics2"}, "# TYPE a_total counter\na_total 1\n# EOF\n", 0, "stdin is right: openmetrics2, 1 family, 1 sample\n", ""},
		{"protobuf", nil, rightProtobuf, 0, "stdin is right: protobuf, 1 family, 1 sample\n", ""},
		{"protobuf that is wrong", []string{"--format=protobuf"}, rightProtobuf + "\x05\x0a\x01b\x18\x06", 1, "",
			"stdin: offset 23, family \"b\", MetricFamily.type: found 6, expected a type from 0 to 5\ntelltale: stdin is not right: 1 error of protobuf\n"},
		{"text as protobuf", []string{"--format=protobuf"}, rightText, 1, "", "stdin: offset 0: found "},
		{"text as openmetrics", []string{"--format", "openmetrics", "-"}, rightText, 1, "",
			"stdin:4:1: found the end of the page, expected \"# EOF\"\ntelltale: stdin is not right: 1 error of openmetrics\n"},
		{"openmetrics without end", nil, "# UNIT a_s s\na_s 1\n", 1, "",
			"stdin:3:1: found the end of the page, expected \"# EOF\"\ntelltale: stdin is not right: 1 error of openmetrics\n"},
		{"counter without end", nil, "# TYPE a counter\na_total 1\n", 1, "",
			"stdin:3:1: found the end of the page, expected \"# EOF\"\ntelltale: stdin is not right: 1 error of openmetrics\n"},
		{"json", nil, "[\n1]", 1, "", "stdin:2:1: found a number as \"\", expected the type that the member has in this format\n    1]\n    ^\ntelltale: stdin is not right: 1 error of json\n"},
		{"too large", []string{"--max-size=10"}, rightText, 1, "", "telltale: stdin: the page has more than 10 bytes; --max-size raises the limit\n"},
		{"just fits", []string{"--max-size=23"}, "a 123456789\nb 123456789", 1, "", "stdin:2:12: "},
		{"no such file", []string{"nowhere"}, "", 1, "", "telltale: open nowhere: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := outcomeOf(t, test.stdin, append([]string{"check"}, test.args...)...)
			if status != test.status || stdout != test.stdout || !strings.HasPrefix(stderr, test.stderr) || (stderr == "") != (test.stderr == "") {
				t.Errorf("status %d, stdout %q, stderr %q; want %d, %q, %q", status, stdout, stderr, test.status, test.stdout, test.stderr)
			}
		})
	}
}

// All errors are told, each with its line and a caret below the place.
func TestCheckShowsErrors(t *testing.T) {
	for _, name := range []string{"wrong.openmetrics", "wrong.openmetrics2", "wrong.text"} {
		page, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		stdout, stderr, status := outcomeOf(t, string(page), "check")
		if status != 1 || stdout != "" {
			t.Errorf("%s: status %d, stdout %q", name, status, stdout)
		}
		golden(t, name+".golden", stderr)
	}
	_, stderr, status := outcomeOf(t, strings.Repeat("x y\n", 1000), "check")
	if status != 1 || strings.Count(stderr, "expected a number") != 100 || !strings.HasSuffix(stderr, "100 errors of text, and the rest was not read; --max-errors raises the limit\n") {
		t.Errorf("status %d, stderr ends %q", status, stderr[max(0, len(stderr)-200):])
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("a", 200)
	for _, test := range []struct {
		line   string
		column int
		shown  string
		caret  string
	}{
		{"abc", 2, "abc", " ^"},
		{"abc", 4, "abc", "   ^"},
		{"abc", 9, "abc", "   ^"},
		{"\ta\x01b", 4, " a\u2401b", "   ^"},
		{"花火 x", 8, "花火 x", "     ^"},
		{"a\u0308 x", 5, "a\u0308 x", "  ^"},
		{"\xff\u200bx", 5, "\ufffd\ufffdx", "  ^"},
		{long, 1, long[:40] + "...", "^"},
		{long, 101, "..." + long[:60] + long[:40] + "...", strings.Repeat(" ", 63) + "^"},
		{long, 200, "..." + long[:61], strings.Repeat(" ", 63) + "^"},
		{long, 201, "..." + long[:60], strings.Repeat(" ", 63) + "^"},
	} {
		shown, caret := excerpt([]byte(test.line), test.column)
		if shown != test.shown || caret != test.caret {
			t.Errorf("%.20q, %d: got\n%s\n%s\nwant\n%s\n%s", test.line, test.column, shown, caret, test.shown, test.caret)
		}
	}
}

// exporter serves a page as the content type and tells what was asked for last.
func exporter(t *testing.T, contentType, page string) (url string, accept *atomic.Value) {
	t.Helper()
	accept = new(atomic.Value)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accept.Store(r.Header.Get("Accept"))
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/metrics", accept
}

func TestCheckURL(t *testing.T) {
	const openMetrics, text = "application/openmetrics-text; version=1.0.0; charset=utf-8", "text/plain; version=0.0.4"
	for _, test := range []struct {
		name              string
		contentType, page string
		args              []string
		status            int
		stdout, stderr    string
	}{
		{"openmetrics", openMetrics, rightOpenMetrics, nil, 0, " is right: openmetrics, 1 family, 1 sample\n", ""},
		{"text", text, rightText, nil, 0, " is right: text, 2 families, 2 samples\n", ""},
		{"text1", "text/plain; version=1.0.0; escaping=allow-utf-8", rightText, nil, 0, " is right: text1, 2 families, 2 samples\n", ""},
		{"text that says it is openmetrics", openMetrics, rightText, nil, 1, "", `:4:1: found the end of the page`},
		{"forced", openMetrics, rightText, []string{"--format=text"}, 0, " is right: text", "it is read as text nevertheless"},
		{"no format", "text/html", rightOpenMetrics, nil, 0, " is right: openmetrics", `"text/html", which is no format of metrics; the format is detected from the content`},
		{"openmetrics2", "application/openmetrics-text; version=2.0.0", rightDraft, nil, 0, " is right: openmetrics2, 1 family, 5 samples\n", ""},
		{"protobuf", "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", rightProtobuf, nil, 0, " is right: protobuf, 1 family, 1 sample\n", ""},
		{"json", "application/json", rightJSON, []string{"--format=json"}, 0, " is right: json", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, _ := exporter(t, test.contentType, test.page)
			stdout, stderr, status := outcome(t, append([]string{"check", url}, test.args...)...)
			if status != test.status || test.stdout != "" && !strings.HasPrefix(stdout, url+test.stdout) || !strings.Contains(stderr, test.stderr) || test.stderr == "" && stderr != "" {
				t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
			}
		})
	}
}

// What is asked for names the format, or all of them.
func TestCheckAsks(t *testing.T) {
	url, accept := exporter(t, "text/plain", rightText)
	for format, want := range map[string]string{
		"auto":         "application/openmetrics-text; version=1.0.0; escaping=allow-utf-8;q=0.9,text/plain; version=1.0.0; escaping=allow-utf-8;q=0.8,text/plain; version=0.0.4; escaping=allow-utf-8;q=0.7,*/*;q=0.1",
		"text":         "text/plain; version=0.0.4; escaping=allow-utf-8",
		"openmetrics":  "application/openmetrics-text; version=1.0.0; escaping=allow-utf-8",
		"openmetrics2": "application/openmetrics-text; version=2.0.0",
		"protobuf":     "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=allow-utf-8",
	} {
		outcome(t, "check", "--format", format, url)
		if got := accept.Load(); got != want {
			t.Errorf("%s: asked for %q, want %q", format, got, want)
		}
	}
}

func TestCheckURLThatFails(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	defer gone.Close()
	stop := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer slow.Close()
	defer close(stop)
	for _, test := range []struct {
		args   []string
		stderr string
	}{
		{[]string{gone.URL}, "the server answered 404 Not Found\n"},
		{[]string{"http://127.0.0.1:1/"}, "connection refused\n"},
		{[]string{"--timeout=50ms", slow.URL}, "the page was not there after 50ms; --timeout raises the limit\n"},
		{[]string{"https://\x7f"}, "invalid control character in URL\n"},
	} {
		began := time.Now()
		stdout, stderr, status := outcome(t, append([]string{"check"}, test.args...)...)
		if status != 1 || stdout != "" || !strings.HasPrefix(stderr, "telltale: "+test.args[len(test.args)-1]+": ") && test.args[0] != "https://\x7f" || !strings.HasSuffix(stderr, test.stderr) {
			t.Errorf("%q: status %d, stdout %q, stderr %q after %v", test.args, status, stdout, stderr, time.Since(began))
		}
	}
}

// conformance is where the cases of the OpenMetrics project are, which are no
// part of this repository.
const conformance = "../../../shared/conformance/openmetrics-1.0/cases"

// The verb takes every valid case of the specification's own tests and refuses
// every other, whether it is told the format or not.
func TestCheckConforms(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join(conformance, "*", "test.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("the conformance cases are not in %s", conformance)
		}
		t.Skipf("SKIPPED, AND NOTHING WAS CHECKED: the conformance cases are not in %s", conformance)
	}
	for _, description := range cases {
		dir := filepath.Dir(description)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var c struct {
				File        string `json:"file"`
				ShouldParse bool   `json:"shouldParse"`
			}
			text, err := os.ReadFile(description)
			if err == nil {
				err = json.Unmarshal(text, &c)
			}
			if err != nil {
				t.Fatal(err)
			}
			page := filepath.Join(dir, c.File)
			var stdout, stderr bytes.Buffer
			status := run(context.Background(), []string{"check", "--format", "openmetrics", page}, &stdout, &stderr)
			if want := map[bool]int{true: 0, false: 1}[c.ShouldParse]; status != want {
				t.Errorf("status %d, want %d; stderr %s", status, want, &stderr)
			}
			if !c.ShouldParse && !strings.HasPrefix(stderr.String(), page+":") {
				t.Errorf("stderr is %q", &stderr)
			}
			if status := run(context.Background(), []string{"check", page}, &stdout, &stderr); c.ShouldParse && status != 0 {
				t.Errorf("with the format to be found out: status %d, stderr %s", status, &stderr)
			}
		})
	}
}

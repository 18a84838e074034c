package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestAnnotations(t *testing.T) {
	wrong := file(t, "a 1\na:b{c=\"100%::warning::x\"} ::error::x\n")
	sloppy := file(t, sloppy)
	for _, test := range []struct {
		name           string
		args           []string
		stdout, stderr string
	}{
		{"check", []string{"check", "--annotate", wrong}, "", "::error file=" + wrong + ",line=2,col=27,title=text::" + wrong +
			":2:27: found \"::error::x\", expected a number%0A    a:b{c=\"100%25::warning::x\"} ::error::x%0A                              ^\n" +
			"telltale: " + wrong + " is not right: 1 error of text\n"},
		{"check without a file", []string{"check", "--annotate", "no,where:"}, "",
			"::error file=no%2Cwhere%3A,title=not a page of metrics::open no,where:: no such file or directory\ntelltale: open no,where:: no such file or directory\n"},
		{"lint", []string{"lint", "--annotate", "--disable=help", sloppy},
			sloppy + ": duration_ms: camel-case-label: the label \"camelCase\" should be in snake_case, as in camel_case\n" +
				sloppy + ": duration_ms: abbreviated-unit: the unit \"ms\" should be written out, as in duration_seconds\n",
			"::error file=" + sloppy + ",line=1,title=camel-case-label::duration_ms: the label \"camelCase\" should be in snake_case, as in camel_case\n" +
				"::error file=" + sloppy + ",line=1,title=abbreviated-unit::duration_ms: the unit \"ms\" should be written out, as in duration_seconds\n" +
				"telltale: " + sloppy + ": 2 findings\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := outcome(t, test.args...)
			if status != 1 || stdout != test.stdout || stderr != test.stderr {
				t.Errorf("status %d, stdout\n%s\nwant\n%s\nstderr\n%s\nwant\n%s", status, stdout, test.stdout, stderr, test.stderr)
			}
		})
	}
	// Where GitHub runs the command, it is the default.
	for _, test := range []struct {
		env  string
		args []string
		want bool
	}{
		{"GITHUB_ACTIONS=true", []string{"check", wrong}, true},
		{"GITHUB_ACTIONS=true", []string{"check", "--no-annotate", wrong}, false},
		{"GITHUB_ACTIONS=maybe", []string{"check", wrong}, false},
	} {
		c := command(t, test.args...)
		c.Env = append(c.Env, test.env)
		out, err := c.CombinedOutput()
		if exited := (*exec.ExitError)(nil); !errors.As(err, &exited) || strings.HasPrefix(string(out), "::error ") != test.want {
			t.Errorf("%s, %q: %v, %s", test.env, test.args, err, out)
		}
	}
}

// A page that is hostile cannot begin a line with a command of GitHub.
func FuzzAnnotation(f *testing.F) {
	f.Add("a\n::error::b", "x\r\n::set-env name=PATH::y", "t,file=z")
	f.Fuzz(func(t *testing.T, page, text, title string) {
		line := annotation{page: page, line: 1, title: title, text: text}.String()
		if strings.ContainsAny(line, "\r\n") || !strings.HasPrefix(line, "::error ") {
			t.Errorf("%q", line)
		}
		properties, _, _ := strings.Cut(strings.TrimPrefix(line, "::error "), "::")
		for _, p := range strings.Split(properties, ",") {
			if name, _, ok := strings.Cut(p, "="); !ok || name != "file" && name != "line" && name != "title" {
				t.Errorf("%q has a property %q", line, p)
			}
		}
	})
}

func TestJSONOfVerbs(t *testing.T) {
	right, wrong := file(t, rightText), file(t, "a 1\nb x\n")
	for _, test := range []struct {
		name   string
		args   []string
		status int
		want   string // compacted
	}{
		{"check", []string{"check", "--json", right, wrong, "nowhere"}, 1,
			`[{"page":"` + right + `","right":true,"format":"text","families":2,"samples":2},` +
				`{"page":"` + wrong + `","right":false,"format":"text","families":1,"samples":1,"errors":[{"line":2,"column":3,"found":"\"x\"","expected":"a number","message":"line 2, column 3: found \"x\", expected a number"}],` +
				`"error":"` + wrong + ` is not right: 1 error of text"},` +
				`{"page":"nowhere","right":false,"families":0,"samples":0,"error":"open nowhere: no such file or directory"}]`},
		{"lint", []string{"lint", "--json", "--disable=help", "--disable=abbreviated-unit", file(t, sloppy), right}, 1,
			`[{"page":"PAGE","findings":[{"line":1,"metric":"duration_ms","rule":"camel-case-label","label":"camelCase","message":"the label \"camelCase\" should be in snake_case, as in camel_case","suggestion":"camel_case"}]},` +
				`{"page":"` + right + `","findings":[]}]`},
		{"fold", []string{"fold", "--json", t.TempDir()}, 0, `{"busy":false,"epoch":"",`},
		{"version", []string{"version", "--json"}, 0, `{"`},
		{"catalogue", []string{"catalogue", "--json", "--check", file(t, `{"families":[{"name":"a","type":"gauge","help":""},{"name":"b","type":"unknown","help":""},{"name":"c","type":"gauge","help":""}]}`), right}, 1, `[{"family":"c","what":"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := outcome(t, test.args...)
			var compact bytes.Buffer
			if err := json.Compact(&compact, []byte(stdout)); err != nil {
				t.Fatalf("%v, stdout %q, stderr %q", err, stdout, stderr)
			}
			want := test.want
			if test.name == "lint" {
				want = strings.Replace(want, "PAGE", test.args[len(test.args)-2], 1)
			}
			if status != test.status || !strings.HasPrefix(compact.String(), want) {
				t.Errorf("status %d, stdout\n%s\nwant\n%s\nstderr %q", status, compact.String(), want, stderr)
			}
		})
	}
}

// Several pages are all linted.
func TestLintSeveral(t *testing.T) {
	good := file(t, "# HELP a_seconds A.\n# TYPE a_seconds gauge\na_seconds 1\n")
	page := file(t, sloppy)
	stdout, stderr, status := outcome(t, "lint", "--disable=help", good, page, "nowhere", good)
	if status != 1 || strings.Count(stdout, page+": ") != 2 || strings.Count(stdout, "\n") != 2 ||
		stderr != "telltale: "+page+": 2 findings\ntelltale: open nowhere: no such file or directory\ntelltale: 2 of 4 pages have findings or errors\n" {
		t.Errorf("status %d, stdout\n%s\nstderr\n%s", status, stdout, stderr)
	}
}

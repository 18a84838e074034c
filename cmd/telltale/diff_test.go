package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestDiff(t *testing.T) {
	const page = "# HELP orders_total Orders.\n# TYPE orders_total counter\norders_total{country=\"de\",kind=\"a\"} 1\n# TYPE load gauge\nload 0.5\n"
	first := file(t, page)
	for _, test := range []struct {
		name, other    string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"the same", page, nil, 0, "", ""},
		{"another order and format", "# TYPE load gauge\nload 0.5\n# HELP orders Orders.\n# TYPE orders counter\norders_total{kind=\"a\",country=\"de\"} 1.0\norders_created{kind=\"a\",country=\"de\"} 1.0\n# EOF\n", nil, 0, "", ""},
		{"another value", strings.Replace(page, "} 1", "} 4", 1), nil, 1,
			"~ orders_total{country=\"de\",kind=\"a\"} 1.0 -> 4.0 (+3)\n", "1 difference"},
		{"another value, series only", strings.Replace(page, "} 1", "} 4", 1), []string{"--series-only"}, 0, "", ""},
		{"NaN", strings.Replace(page, "0.5", "NaN", 1), nil, 1, "~ load 0.5 -> NaN\n", "1 difference"},
		{"a label renamed", strings.Replace(page, "kind", "type", 1), []string{"--series-only"}, 1,
			"- orders_total{country=\"de\",kind=\"a\"} 1.0\n+ orders_total{country=\"de\",type=\"a\"} 1.0\n", "2 differences"},
		{"another type and help", strings.NewReplacer("Orders.", "Sales.", "load gauge", "load counter").Replace(page), nil, 1,
			"~ orders: the help \"Orders.\" is \"Sales.\"\n~ load: the type \"gauge\" is \"counter\"\n", "2 differences"},
		{"several times of a series", strings.Replace(page, "0.5", "0.5 1000\nload 0.7 2000", 1), nil, 1, "+ load 0.7\n", "1 difference"},
		{"hostile label", page + "x{a=\"\x1b[2J\"} 1\n", nil, 1, "+ x{a=\"\\x1b[2J\"} 1.0\n", "1 difference"},
		{"a broken page", "a x\n", nil, 1, "", ":1:3: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := outcomeOf(t, test.other, append([]string{"diff", first, "-"}, test.args...)...)
			if status != test.status || stdout != test.stdout || !strings.Contains(stderr, test.stderr) || (test.stderr == "") != (stderr == "") {
				t.Errorf("status %d, stdout\n%sstderr %q; want %d\n%s%q", status, stdout, stderr, test.status, test.stdout, test.stderr)
			}
		})
	}
}

func TestDiffForMachines(t *testing.T) {
	first := file(t, "a 1\nb{x=\"<y>\"} 1\n")
	stdout, _, status := outcomeOf(t, "b{x=\"<y>\"} 2\n", "diff", "--json", first, "-")
	var got []struct {
		Name     string
		Labels   map[string]string
		Old, New *string
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || status != 1 || len(got) != 2 {
		t.Fatalf("status %d, %v, stdout\n%s", status, err, stdout)
	}
	if got[0].Name != "a" || *got[0].Old != "1.0" || got[0].New != nil || got[1].Labels["x"] != "<y>" || *got[1].New != "2.0" {
		t.Errorf("stdout\n%s", stdout)
	}
	if stdout, _, status := outcomeOf(t, "a 1\nb{x=\"<y>\"} 1\n", "diff", "--json", first, "-"); status != 0 || stdout != "[]\n" {
		t.Errorf("without differences: status %d, stdout %q", status, stdout)
	}
}

func TestDiffOfTwoMoments(t *testing.T) {
	var scrapes atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprintf(w, "# TYPE scrapes_total counter\nscrapes_total %d\nup 1\n", scrapes.Add(1))
	}))
	defer server.Close()
	if stdout, _, status := outcomeOf(t, "", "diff", server.URL, "--after", "1ms"); status != 1 || stdout != "~ scrapes_total 1.0 -> 2.0 (+1)\n" {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
}

func TestDiffRefusesUsage(t *testing.T) {
	page := file(t, "a 1\n")
	for _, args := range [][]string{{page}, {page, page, "--after", "1s"}, {"-", "-"}, {"-", "--after", "1s"}, {page, "--after", "-1s"}, {}} {
		if stdout, stderr, status := outcomeOf(t, "", append([]string{"diff"}, args...)...); status != 2 || stdout != "" || stderr == "" {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

func TestVersion(t *testing.T) {
	stdout, stderr, status := outcomeOf(t, "", "version")
	if status != 0 || stderr != "" || !strings.Contains(stdout, "goversion  go1.") || !strings.Contains(stdout, "goos  ") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

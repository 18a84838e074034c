package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ruleFile writes rules to a file of the test, which may have other rules.
func ruleFile(t *testing.T, path, rules string) string {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "rules.yml")
	}
	if err := os.WriteFile(path, []byte("metric_relabel_configs:\n"+rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const dropOwn = "  - {source_labels: [__name__], regex: telltale_.*, action: drop}\n"

func TestServeByRules(t *testing.T) {
	needInterrupts(t)
	dir := t.TempDir()
	workerFile(t, filepath.Join(dir, "counter_1.db"), served)
	file := ruleFile(t, "", dropOwn)
	s := start(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0", "--rules", file)
	if page := scrape(t, s.url, "text/plain"); page != "# HELP served_total Served.\n# TYPE served_total counter\nserved_total 1.0\n" {
		t.Errorf("the page by rules is %q", page)
	}
	ruleFile(t, file, dropOwn+"  - {action: rename, regex: served_total, replacement: answered_total}\n")
	eventually(t, func() bool { return strings.Contains(scrape(t, s.url, "text/plain"), "\nanswered_total 1.0\n") }, "the rules are read again")
	if page := scrape(t, s.url+"?name[]=answered_total", "text/plain"); !strings.HasSuffix(page, "\nanswered_total 1.0\n") {
		t.Errorf("the new name alone gives %q", page)
	}
	ruleFile(t, file, "  - {action: hashmod}\n")
	eventually(t, func() bool { return strings.Contains(s.stderr.String(), file) }, "a warning names %s", file)
	page := scrape(t, s.url, "text/plain")
	_, stderr, status := s.end(os.Interrupt)
	if status != 0 || !strings.Contains(page, "\nanswered_total 1.0\n") {
		t.Errorf("status %d, page %q", status, page)
	}
	if !strings.Contains(stderr, file) || !strings.Contains(stderr, "line 2: rule 1") || !strings.Contains(stderr, "hashmod") {
		t.Errorf("a wrong file gave %q", stderr)
	}
}

func TestDemoByRules(t *testing.T) {
	file := ruleFile(t, "", "  - {source_labels: [__name__], regex: shop_http_requests_total, action: keep}\n  - {regex: route|status, action: labeldrop}\n")
	for _, workers := range []string{"0", "2"} {
		s := start(t, "demo", "--workers", workers, "--listen", "127.0.0.1:0", "--rules", file)
		url := s.url
		if !strings.HasSuffix(url, "/metrics") {
			url += "/metrics"
		}
		for line := range strings.Lines(scrape(t, url, "text/plain")) {
			if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "shop_http_requests_total{") || strings.Contains(line, "route") {
				t.Errorf("%s workers: %q is on the page", workers, line)
			}
		}
	}
}

func TestRulesThatCannotBeUsed(t *testing.T) {
	wrong := ruleFile(t, "", "  - {action: drop, regex: '('}\n")
	absent := filepath.Join(t.TempDir(), "absent.yml")
	for file, want := range map[string]string{wrong: "line 2: rule 1: the regex", absent: "no such file"} {
		for _, args := range [][]string{{"serve", "--dir", t.TempDir()}, {"demo"}, {"demo", "--workers", "2"}} {
			_, stderr, status := outcome(t, append(args, "--listen", "127.0.0.1:0", "--rules", file)...)
			if status != 1 || !strings.Contains(stderr, file) || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%v: status %d, stderr %q", args, status, stderr)
			}
		}
	}
}

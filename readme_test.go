package telltale_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// README's first program is examples/quickstart, so that it compiles for ever.
func TestREADMEShowsTheQuickstart(t *testing.T) {
	program, readme := read(t, "examples/quickstart/main.go"), read(t, "README.md")
	if !strings.Contains(readme, "```go\n"+program+"```\n") {
		t.Error("README.md does not show examples/quickstart/main.go as it is")
	}
}

// A table that is longer than ten rows belongs in docs/.
func TestREADMEHasNoLongTable(t *testing.T) {
	rows := 0
	for n, line := range strings.Split(read(t, "README.md"), "\n") {
		if !strings.HasPrefix(line, "|") {
			rows = 0
			continue
		}
		if rows++; rows > 2+10 { // the head and the line below it
			t.Errorf("README.md:%d: a table has more than ten rows", n+1)
		}
	}
}

var (
	code = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
)

// Links between the project's pages lead to files that are there.
func TestPagesLinkToFiles(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, page := range append(pages, "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md") {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(read(t, page), ""), -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
	if links == 0 {
		t.Error("no page has a link")
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

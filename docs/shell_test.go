// Package docs_test runs what the pages in this folder tell readers to run.
package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"telltale/internal/freeport"
)

// shellCode is a block of commands: before it a comment that says why it is not run,
// if it is not, and after it what the commands print, if the page shows that.
var shellCode = regexp.MustCompile("(?ms)(?:^<!-- not run: ([^\n]+) -->\n)?^```sh\n(.*?)^```\n(?:\n```output\n(.*?)^```\n)?")

// elsewhere are blocks, by page and words that each has, which readers run in a
// checkout or with files of their own: how they are tested instead.
var elsewhere = map[[2]string]string{
	{"../README.md", "telltale demo"}:          "run by .ci/run",
	{"../README.md", "go test work"}:           "run by .ci/run",
	{"../README.md", "-require telltale@"}:     "TestREADMEInAnEmptyFolder",
	{"../README.md", "-require telltale/"}:     "TestREADMEInAnEmptyFolder",
	{"../README.md", "serve --dir"}:            "many-processes.md runs it",
	{"../README.md", "telltale check FILE..."}: "formats.md runs it",
	{"benchmarks.md", "make bench"}:            "run by .ci/run",
	{"command.md", "https://shop.internal"}:    "needs a server of the reader",
	{"command.md", "localhost:8080"}:           "needs a server of the reader",
	{"command.md", "telltale completion"}:      "needs the reader's shell",
}

// onlyOnce skips a test of pages with -short: it runs commands for a while, and what
// they do does not depend on how the test is compiled.
func onlyOnce(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs commands for a while")
	}
}

// deadline is far more than the commands of a page take.
const deadline = 8 * time.Minute

// The commands of each page exit with 0, run one after the other by one shell in an
// empty folder, and print what the page shows ("..." stands for any text). They find
// the command telltale, and the project's docs as the folder docs. Ports of this
// machine that a page names become free ones.
func TestPagesShowCommandsThatRun(t *testing.T) {
	onlyOnce(t)
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	bin := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin+"/", "telltale/cmd/telltale").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	run := 0
	for _, page := range append(pages, "../README.md") {
		text := read(t, page)
		script := newScript(t)
		for _, m := range shellCode.FindAllStringSubmatchIndex(text, -1) {
			commands := text[m[4]:m[5]]
			if m[2] >= 0 || testedElsewhere(page, commands) {
				continue
			}
			position := fmt.Sprintf("%s:%d", page, 1+strings.Count(text[:m[4]], "\n"))
			want := "" // nothing is compared
			if m[6] >= 0 {
				want = text[m[6]:m[7]]
			}
			script.add(position, commands, want)
		}
		if len(script.blocks) == 0 {
			continue
		}
		run += len(script.blocks)
		t.Run(page, func(t *testing.T) { script.run(t, bash, bin) })
	}
	if run == 0 {
		t.Error("no page has commands that run")
	}
}

func testedElsewhere(page, commands string) bool {
	for block := range elsewhere {
		if page == block[0] && strings.Contains(commands, block[1]) {
			return true
		}
	}
	return false
}

type block struct{ position, commands, want string }

// script is the commands of one page.
type script struct {
	t      *testing.T
	blocks []block
	ports  map[string]string // by the port on the page
}

func newScript(t *testing.T) *script { return &script{t: t, ports: map[string]string{}} }

var port = regexp.MustCompile(`\b(127\.0\.0\.1|localhost):([1-9]\d{3,4})\b`)

// add adds a block, with free ports in the place of the page's.
func (s *script) add(position, commands, want string) {
	commands = port.ReplaceAllStringFunc(commands, func(address string) string {
		host, p, _ := strings.Cut(address, ":")
		if s.ports[p] == "" {
			s.ports[p] = freeport.Port(s.t)
		}
		return host + ":" + s.ports[p]
	})
	s.blocks = append(s.blocks, block{position, commands, want})
}

// run runs the blocks in one shell, each with a file for what it prints.
func (s *script) run(t *testing.T, bash, bin string) {
	folder, outputs := t.TempDir(), t.TempDir()
	docs, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(docs, filepath.Join(folder, "docs")); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n")
	for n, block := range s.blocks {
		fmt.Fprintf(&b, "exec >%q 2>&1\n%s", filepath.Join(outputs, fmt.Sprint(n)), block.commands)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, bash, "-c", b.String())
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "GOFLAGS=-mod=mod -trimpath", "GOWORK=off")
	cmd.WaitDelay = 10 * time.Second
	var shell bytes.Buffer
	cmd.Stdout, cmd.Stderr = &shell, &shell
	failure := cmd.Run()
	last := 0
	for n := range s.blocks {
		if _, err := os.Stat(filepath.Join(outputs, fmt.Sprint(n))); err == nil {
			last = n
		}
	}
	if failure != nil {
		t.Errorf("%s: %v\n%s%s", s.blocks[last].position, failure, read(t, filepath.Join(outputs, fmt.Sprint(last))), shell.String())
		return
	}
	for n, block := range s.blocks {
		got := read(t, filepath.Join(outputs, fmt.Sprint(n)))
		for shown, used := range s.ports {
			got = strings.ReplaceAll(got, ":"+used, ":"+shown)
		}
		if block.want != "" && !matches(block.want, got) {
			t.Errorf("%s prints\n%s\nand the page shows\n%s", block.position, got, block.want)
		}
	}
}

// matches reports whether a text is what a page shows, where "..." may be any text.
func matches(want, got string) bool {
	parts := strings.Split(want, "...")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, ".*") + "$").MatchString(got)
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

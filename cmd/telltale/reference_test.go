package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// generated is the line of docs/command.md below which the page is made from the table.
const generated = "<!-- What follows is made from the table of verbs: go test ./cmd/telltale -run Docs -update -->\n"

// docs/command.md describes the verbs and flags that there are.
func TestDocsHaveTheTable(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "command.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	prose, got, found := strings.Cut(string(page), generated)
	if !found {
		t.Fatalf("%s has no line %s", path, generated)
	}
	want, err := markdown(newParser().Model)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(prose+generated+"\n"+string(want)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != "\n"+string(want) {
		t.Errorf("%s differs from the table; go test -update writes it anew", path)
	}
}

// Each verb can end with each status, and says when.
func TestStatuses(t *testing.T) {
	needInterrupts(t)
	dir, none := t.TempDir(), filepath.Join(t.TempDir(), "none")
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "counter_1.db"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	const documented = "# HELP a A.\n# TYPE a gauge\na 1\n"
	right, wrong := file(t, documented), file(t, "a x\n")
	tested := map[string]bool{}
	defer func() {
		for _, verb := range newParser().Model.Leaves(true) {
			if !tested[verb.Name] {
				t.Errorf("no row for %s", verb.Name)
			}
		}
	}()
	for _, test := range []struct {
		verb              string
		good, fail, wrong []string
		full              bool // fails because standard output is full
	}{
		{"demo", []string{"--for=1ms", "--listen=127.0.0.1:0"}, []string{"--for=1s", "--listen=256.0.0.1:0"}, []string{"--workers=65"}, false},
		{"serve", nil, []string{"--dir=" + none}, []string{"--dir=" + dir, "--listen=x"}, false},
		{"send", nil, []string{"--dir=" + none, "--to=textfile+" + none}, []string{"--dir=" + dir}, false},
		{"merge", []string{dir}, []string{damaged}, nil, false},
		{"fold", []string{dir}, []string{none}, []string{dir, dir}, false},
		{"inspect", []string{dir}, []string{none}, nil, false},
		{"check", []string{right}, []string{right, wrong}, []string{"--format=x"}, false},
		{"lint", []string{right}, []string{file(t, rightText)}, []string{"--disable=x"}, false},
		{"convert", []string{"--to=text", right}, []string{"--to=text", wrong}, []string{"--to=x"}, false},
		{"watch", []string{"--once", right}, []string{"--once", none}, []string{"--interval=1ms", right}, false},
		{"diff", []string{right, right}, []string{right, file(t, rightText)}, []string{right}, false},
		{"catalogue", []string{right}, []string{none}, []string{right, right}, false},
		{"version", []string{}, []string{}, []string{"x"}, true},
		{"completion", []string{"bash"}, []string{"bash"}, []string{"csh"}, true},
		{"man", []string{"check"}, []string{"--dir=" + none}, []string{"--dir=" + dir, "check"}, false},
		{"help", []string{"check"}, []string{"check"}, []string{"x"}, true},
	} {
		tested[test.verb] = true
		t.Run(test.verb, func(t *testing.T) {
			switch {
			case test.good != nil:
				if stdout, stderr, status := outcome(t, append([]string{test.verb}, test.good...)...); status != statusGood {
					t.Errorf("%q: status %d, stdout %q, stderr %q", test.good, status, stdout, stderr)
				}
			case test.verb == "send":
				if _, stderr, status := sending(t, "--dir="+dir, "--to=textfile+"+filepath.Join(t.TempDir(), "x.prom")).end(os.Interrupt); status != statusGood {
					t.Errorf("status %d, stderr %q", status, stderr)
				}
			default:
				if _, stderr, status := start(t, "serve", "--dir="+dir, "--listen=127.0.0.1:0").end(os.Interrupt); status != statusGood {
					t.Errorf("status %d, stderr %q", status, stderr)
				}
			}
			fails := command(t, append([]string{test.verb}, test.fail...)...)
			var stderr bytes.Buffer
			fails.Stderr = &stderr
			if test.full {
				f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
				if err != nil {
					t.Skip(err)
				}
				defer func() { _ = f.Close() }()
				fails.Stdout = f
			}
			_ = fails.Run() // the status tells
			if status := fails.ProcessState.ExitCode(); status != statusWrongInput || !strings.Contains(stderr.String(), "telltale: ") {
				t.Errorf("%q: status %d, stderr %q", test.fail, status, &stderr)
			}
			see := "telltale " + test.verb + " --help"
			if test.verb == "help" { // of no verb that there is
				see = "telltale --help"
			}
			stdout, errs, status := outcome(t, append([]string{test.verb}, test.wrong...)...)
			if status != statusWrongUsage || stdout != "" || !strings.HasSuffix(errs, "\nSee \""+see+"\".\n") {
				t.Errorf("%q: status %d, stdout %q, stderr %q", test.wrong, status, stdout, errs)
			}
			byVerb, _, _ := outcome(t, "help", test.verb)
			byFlag, _, status := outcome(t, test.verb, "--help")
			if status != statusGood || byVerb != byFlag || !strings.HasPrefix(byVerb, "Usage: telltale "+test.verb) || !strings.Contains(byVerb, "\nExit status:\n  0  ") {
				t.Errorf("status %d, help %s\nand --help %s", status, byVerb, byFlag)
			}
		})
	}
}

// Every verb says when it fails, and a test makes it fail.
func TestVerbsAreWhole(t *testing.T) {
	for _, verb := range newParser().Model.Leaves(true) {
		if verb.Help == "" || verb.Tag.Get("fails") == "" {
			t.Errorf("%s has no help, or does not say when it fails", verb.Name)
		}
	}
}

func TestNoArguments(t *testing.T) {
	stdout, stderr, status := outcome(t)
	if status != statusWrongUsage || stdout != "" {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
	listed, _, status := outcome(t, "help")
	if status != statusGood || listed != stderr {
		t.Errorf("status %d, telltale help %q; no arguments %q", status, listed, stderr)
	}
	for _, verb := range newParser().Model.Leaves(true) {
		if !strings.Contains(listed, "\n  "+verb.Name+" ") {
			t.Errorf("%s is not in %s", verb.Name, listed)
		}
	}
	if strings.Contains(listed, "candidates") {
		t.Error("a hidden verb is listed")
	}
}

func TestManualPages(t *testing.T) {
	dir := t.TempDir()
	if stdout, stderr, status := outcome(t, "man", "--dir", dir); status != statusGood || stdout != "" || stderr != "" {
		t.Fatalf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	verbs := newParser().Model.Leaves(true)
	pages, err := filepath.Glob(filepath.Join(dir, "telltale*.1"))
	if err != nil || len(pages) != len(verbs)+1 {
		t.Fatalf("%v, %d pages of %d verbs", err, len(pages), len(verbs))
	}
	if shown, _, _ := outcome(t, "man", "check"); !strings.Contains(shown, "\n.SH OPTIONS\n") {
		t.Errorf("the page of check is %q", shown)
	}
	viewer := need(t, "man")
	for _, page := range pages {
		c := exec.CommandContext(t.Context(), viewer, "--warnings", "-l", page)
		c.Env = append(os.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8", "MANPAGER=cat")
		var stderr bytes.Buffer
		c.Stderr = &stderr
		shown, err := c.Output()
		if err != nil || stderr.Len() > 0 {
			t.Errorf("%s: %v, %s", page, err, &stderr)
		}
		for _, section := range []string{"NAME\n", "SYNOPSIS\n", "EXIT STATUS\n", "SEE ALSO\n"} {
			if !strings.Contains(string(shown), "\n"+section) {
				t.Errorf("%s has no section %s:\n%s", page, section, shown)
			}
		}
	}
}

func TestCandidates(t *testing.T) {
	app := newParser().Model
	for _, test := range []struct {
		words string // split at blanks; the last one is at the cursor
		want  []string
	}{
		{"che", []string{"check"}},
		{"c", []string{"check", "convert", "catalogue", "completion"}},
		{"--h", []string{"--help"}},
		{"help ins", []string{"inspect"}},
		{"completion ", []string{"bash", "zsh", "fish"}},
		{"check --al", []string{"--allow-empty"}},
		{"check --format openm", []string{"openmetrics", "openmetrics2"}},
		{"check --format=openm", []string{"--format=openmetrics", "--format=openmetrics2"}},
		{"check --format = openm", []string{"openmetrics", "openmetrics2"}}, // as bash has it
		{"convert --to = ", []string{"json", "text", "text1", "openmetrics", "openmetrics2", "protobuf"}},
		{"convert --to =", []string{"json", "text", "text1", "openmetrics", "openmetrics2", "protobuf"}},
		{"check --format auto pa", []string{files}},
		{"check --max-size ", nil},
		{"check --allow-empty ", []string{files}},
		{"catalogue --check ", []string{files}},
		{"lint --disable camel-case-l", []string{"camel-case-label"}},
		{"merge --no-", []string{"--no-accumulate"}},
		{"version ", nil},
		{"dance --", nil},
		{"demo-w", nil},
		{"= = =", nil},
		{"=", nil},
	} {
		var got []string
		for _, c := range complete(app, strings.Split(test.words, " ")) {
			got = append(got, c.word)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.words, got, test.want)
		}
	}
	if all := complete(app, nil); len(all) != len(app.Leaves(true)) {
		t.Errorf("no words: %v", all)
	}
}

// onPath returns an environment in which the program is telltale.
func onPath(t *testing.T) (env []string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, "telltale")); err != nil {
		t.Skip(err)
	}
	return []string{"PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8"}
}

func TestCompletionInBash(t *testing.T) {
	tm := inTerminal(t, 100, 24, append(onPath(t), "PS1=> "), need(t, "bash"), "--norc", "--noprofile", "-i")
	tm.completes("source <(telltale completion bash)")
}

func TestCompletionInZsh(t *testing.T) {
	tm := inTerminal(t, 100, 24, append(onPath(t), "PS1=> "), need(t, "zsh"), "-f", "-i")
	tm.completes("autoload -Uz compinit; compinit -u -D; source <(telltale completion zsh)")
}

func TestCompletionInFish(t *testing.T) {
	shell := need(t, "fish")
	for line, want := range map[string]string{
		"telltale che":                                 "check\tCheck pages",
		"telltale check --format openm":                "openmetrics\nopenmetrics2\n",
		"telltale check --format=openm":                "--format=openmetrics\n--format=openmetrics2\n",
		"telltale check testdata/wrong.openmetrics2.g": "testdata/wrong.openmetrics2.golden\n",
		"telltale check --allow":                       "--allow-empty\tAccept",
	} {
		c := exec.CommandContext(t.Context(), shell, "--no-config", "-c", "telltale completion fish | source; complete -C '"+line+"'")
		c.Env = onPath(t)
		out, err := c.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s: %v, %q, want %q", line, err, out, want)
		}
	}
}

// completes has a shell complete a verb, a flag, a value and a file.
func (tm *terminal) completes(setup string) {
	tm.t.Helper()
	tm.types(setup)
	tm.keys("Enter")
	tm.types("echo rea''dy")
	tm.keys("Enter")
	tm.shows("ready")
	for _, step := range []struct{ types, shows string }{
		{"telltale che", "telltale check"},
		{"--allow", "telltale check --allow-empty"},
		{"--format openmetrics", "telltale check --allow-empty --format openmetrics"},
		{"2 testdata/wrong.openmetrics2.g", "openmetrics2 testdata/wrong.openmetrics2.golden"},
	} {
		tm.types(step.types)
		tm.keys("Tab")
		tm.shows(step.shows)
	}
}

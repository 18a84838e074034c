package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"telltale/multiprocess"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		`C:\temp "x" 'y'`:       `C:\temp "x" 'y'`,
		"größer 世界 é":           "größer 世界 é",
		"a\nb\r\tc":             `a\nb\r\tc`,
		"\x1b[31mred\x00\x7f":   `\x1b[31mred\x00\x7f`,
		"\u009b31m\u200b\u202e": `\u009b31m\u200b\u202e`,
		"\u2028\u00a0\ufeff":    `\u2028\u00a0\ufeff`,
		"\xff\xc0a\xe2\x80":     `\xff\xc0a\xe2\x80`,
		"\ufffd":                "\ufffd",
		"\U000e0041":            `\U000e0041`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b\u202e\xff\n")
	f.Fuzz(func(t *testing.T, text string) {
		safe := printable(text)
		showable(t, text, safe)
		if again := printable(safe); again != safe {
			t.Errorf("%q, and again %q", safe, again)
		}
		var out strings.Builder
		if err := writeJSON(&out, []string{text}); err != nil {
			t.Fatal(err)
		}
		showable(t, text, strings.ReplaceAll(strings.ReplaceAll(out.String(), "\n", ""), "\t", ""))
		var back []string
		if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back[0] != strings.ToValidUTF8(text, "\ufffd") && utf8.ValidString(text) {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
	})
}

// showable fails if a terminal would not print the text as it is.
func showable(t *testing.T, what, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 || !utf8.ValidString(text) {
		t.Errorf("%q: %q has what is not printed, at %d", what, text, i)
	}
}

func TestDiagnostics(t *testing.T) {
	nested := errors.Join(errors.New("a\nb"), errors.Join(errors.New("c\x1b"), &explanation{text: "d\n    e"}))
	for _, test := range []struct {
		tell func(diagnostics)
		want string
	}{
		{func(d diagnostics) { d.warn(errors.New("x\u202ey")) }, "telltale: warning: x\\u202ey\n"},
		{func(d diagnostics) { d.fail(nested) }, "telltale: a\\nb\ntelltale: c\\x1b\ntelltale: d\n    e\n"},
		{func(d diagnostics) { d.fail(fmt.Errorf("f: %w", errors.New("g\nh"))) }, "telltale: f: g\\nh\n"},
		{func(d diagnostics) { _, _ = fmt.Fprintf(d, "i\x1b\nj\xff\n") }, "i\\x1b\nj\\xff\n"},
	} {
		var out strings.Builder
		test.tell(diagnostics{&out})
		if out.String() != test.want {
			t.Errorf("%q, want %q", out.String(), test.want)
		}
	}
}

// hostileNames are parts of names of files that a terminal would obey, or that
// would look like several lines of a table.
var hostileNames = []string{
	"\x1b[31m", "\x1b]0;title\x07", "a\nFAKE  folded  its writer has ended", "a\rb", "a\tb\vc\fd", "\u202egpj.exe", "\u009b2J", "\xff\xfe", "\u2066\u200d", "\x7f",
}

// No verb shows a terminal what others put into the name of a file.
func TestHostileNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the file system does not take such names")
	}
	dir := t.TempDir()
	damaged := 0
	for _, name := range hostileNames {
		for _, form := range []string{"counter_%s.db", "writer-%s.seg", "%s.db", "%s.seg"} {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf(form, name)), []byte("no file of a worker"), 0o600); err != nil {
				t.Fatal(err)
			}
			damaged++
		}
	}
	workerFile(t, filepath.Join(dir, "counter_1.db"), served)
	missing := filepath.Join(dir, "none"+strings.Join(hostileNames, ""))
	page := filepath.Join(dir, "page"+hostileNames[0])
	if err := os.WriteFile(page, []byte("a x\x1b[31m\u202e\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(dir, "page"+hostileNames[5])
	if err := os.WriteFile(named, []byte("# TYPE \"a\u202e\x1bb\" counter\n{\"a\u202e\x1bb\"} 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   []string
		status int
	}{
		{[]string{"merge", dir}, 1},
		{[]string{"merge", "--strict", dir}, 1},
		{[]string{"merge", missing}, 1},
		{[]string{"fold", "--dry-run", dir}, 1},
		{[]string{"fold", dir}, 1},
		{[]string{"fold", missing}, 1},
		{[]string{"inspect", dir}, 0},
		{[]string{"inspect", "--json", dir}, 0},
		{[]string{"inspect", missing}, 1},
		{[]string{"serve", "--listen=127.0.0.1:0", "--dir", missing}, 1},
		{[]string{"serve", "--listen", "127.0.0.1:no" + hostileNames[0], "--dir", dir}, 2},
		{[]string{"check", page}, 1},
		{[]string{"check", missing}, 1},
		{[]string{"convert", "--to=text", page}, 1},
		{[]string{"lint", "--format=text1", named}, 1},
		{[]string{"check", "http://127.0.0.1:1/" + hostileNames[5]}, 1},
		{[]string{hostileNames[0]}, 2},
		{[]string{"merge", "--to", hostileNames[1], dir}, 2},
		{[]string{"merge", "--" + hostileNames[0]}, 2},
	} {
		stdout, stderr, status := outcome(t, test.args...)
		if status != test.status {
			t.Errorf("%q: status %d, want %d; stderr %q", test.args, status, test.status, stderr)
		}
		for line := range strings.SplitSeq(stdout+stderr, "\n") {
			if test.args[1:] != nil && strings.Contains(strings.Join(test.args, " "), "--json") {
				line = strings.TrimLeft(line, "\t")
			}
			showable(t, strings.Join(test.args, " "), line)
			if strings.HasPrefix(line, "FAKE") {
				t.Errorf("%q: a name looks like a line: %q", test.args, line)
			}
		}
	}
	stdout, _, _ := outcome(t, "inspect", "--json", dir)
	var reports []multiprocess.FileReport
	if err := json.Unmarshal([]byte(stdout), &reports); err != nil || len(reports) < damaged {
		t.Errorf("%v: %d reports of %d files", err, len(reports), damaged)
	}
}

// What a page says goes out as it is, whatever a terminal makes of it.
func TestPagesStayAsTheyAre(t *testing.T) {
	dir := t.TempDir()
	workerFile(t, filepath.Join(dir, "counter_1.db"), `["a", "a_total", {"b": "\u001b[31m\u202e"}, "\u009b \u202e"]`)
	stdout, stderr, status := outcome(t, "merge", dir)
	if want := "# HELP a_total \u009b \u202e\n# TYPE a_total counter\na_total{b=\"\x1b[31m\u202e\"} 1.0\n"; stdout != want || stderr != "" || status != 0 {
		t.Errorf("status %d, stderr %q, stdout %q, want %q", status, stderr, stdout, want)
	}
}

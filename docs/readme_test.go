package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// README's "Use it" works as it is written: in a folder beside a checkout, with
// README's first program.
func TestREADMEInAnEmptyFolder(t *testing.T) {
	onlyOnce(t)
	readme := read(t, "../README.md")
	program := regexp.MustCompile("(?s)\n```go\n(.*?)```\n").FindStringSubmatch(readme)
	var commands []string
	for _, m := range shellCode.FindAllStringSubmatch(readme, -1) {
		if strings.Contains(m[2], "go mod edit") {
			commands = append(commands, m[2])
		}
	}
	if program == nil || len(commands) != 2 || !strings.Contains(commands[0], "go mod tidy") {
		t.Fatalf("README has no program, or not its two blocks of go mod edit: %q", commands)
	}
	checkout, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	if err := os.Symlink(checkout, filepath.Join(parent, "telltale")); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(parent, "shop")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(commands string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", commands)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath", "GOWORK=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", commands, err, out)
		}
	}
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run("go mod init example.org/shop")
	write("main.go", program[1])
	run(commands[0])
	run("go build -o shop .")
	if !strings.Contains(read(t, filepath.Join(folder, "go.mod")), "require telltale v0.0.0") {
		t.Error("go mod tidy has dropped the requirement of telltale")
	}
	write("more.go", "package main\n\nimport (\n\t_ \"telltale/httpmetrics\"\n\t_ \"telltale/rulesfile\"\n)\n")
	run(commands[1])
	run("go mod tidy && go build -o shop .")
}

package telltale_test

import (
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)
	goLine     = regexp.MustCompile(`(?m)^go (\d+\.\d+)(\.0)?$`)
	moduleRow  = regexp.MustCompile("(?m)^\\| (`telltale[^|]*) \\| ([0-9.]+)[ ,|]")
)

// released returns the go.mod of each module that is released.
func released(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"go.mod", "*/go.mod", "*/*/go.mod"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			if top, _, _ := strings.Cut(filepath.ToSlash(file), "/"); !slices.Contains([]string{"benchmarks", "e2e", "examples"}, top) {
				files = append(files, file)
			}
		}
	}
	return files
}

// The modules that are released ask for the version of Go that CONTRIBUTING.md says,
// and it leaves none out. (go vet holds each to what its version of Go has.)
func TestModulesAskForTheGoThatContributingSays(t *testing.T) {
	got := map[string]string{}
	for _, file := range released(t) {
		text := read(t, file)
		module, version := moduleLine.FindStringSubmatch(text), goLine.FindStringSubmatch(text)
		if module == nil || version == nil {
			t.Fatalf("%s has no module or no version of Go", file)
		}
		got[module[1]] = version[1]
	}
	want := map[string]string{}
	for _, m := range moduleRow.FindAllStringSubmatch(read(t, "CONTRIBUTING.md"), -1) {
		want[strings.Trim(m[1], "`")] = m[2]
	}
	if !maps.Equal(got, want) {
		t.Errorf("modules ask for %v, CONTRIBUTING.md says %v", got, want)
	}
}

// Each module has in its own go.mod and go.sum all that it needs: a program that
// requires it has no go.work.
func TestModulesStandAlone(t *testing.T) {
	onlyOnce(t)
	for _, file := range released(t) {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{/**/}}", "./...")
		cmd.Dir = filepath.Dir(file)
		cmd.Env = append(cmd.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

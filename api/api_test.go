// Package api_test holds the exported names of all released modules to the lists in
// this folder, one a module.
package api_test

import (
	"flag"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the lists")

// What a released module exports is as its list says. A change rewrites the list with
// -update; a line that goes is a break (CONTRIBUTING.md, "Modules and versions").
func TestExportedNamesAreAsListed(t *testing.T) {
	found := map[string]bool{}
	for _, m := range modules(t) {
		file := strings.ReplaceAll(m.path, "/", "_") + ".txt"
		found[file] = true
		var lines []string
		for _, p := range packages(t, m) {
			for _, line := range p.lines() {
				lines = append(lines, p.path+": "+line)
			}
		}
		slices.Sort(lines)
		lines = slices.Compact(lines)
		if *update {
			if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		listed, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v; run the test with -update", err)
			continue
		}
		want := strings.Split(strings.TrimSuffix(string(listed), "\n"), "\n")
		for _, line := range difference(want, lines) {
			t.Errorf("%s: - %s", file, line)
		}
		for _, line := range difference(lines, want) {
			t.Errorf("%s: + %s", file, line)
		}
	}
	if t.Failed() {
		t.Log("if that is meant: go test ./api -update, and a line in CHANGELOG.md; a line with - breaks programs")
	}
	lists, err := filepath.Glob("*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range lists {
		if !found[file] {
			t.Errorf("%s is the list of no module", file)
		}
	}
}

func difference(a, b []string) (only []string) {
	in := map[string]bool{}
	for _, s := range b {
		in[s] = true
	}
	for _, s := range a {
		if !in[s] {
			only = append(only, s)
		}
	}
	return only
}

// opaque are aliases of internal types of which users need no part.
var opaque = map[string]string{
	"telltale.Store": "is passed on from multiprocess.Open; its methods are for package telltale",
}

// go doc shows of an alias of an internal type its name alone, so that the comment of
// the alias has all exported fields and methods.
func TestAliasesOfInternalTypesShowTheirParts(t *testing.T) {
	aliases := 0
	for _, m := range modules(t) {
		for _, p := range packages(t, m) {
			for _, a := range p.internalAliases() {
				aliases++
				name := p.path[strings.LastIndex(p.path, "/")+1:] + "." + a.name
				if opaque[name] != "" {
					continue
				}
				for _, part := range a.parts {
					if !regexp.MustCompile(`\b` + part + `\b`).MatchString(a.doc) {
						t.Errorf("%s: the comment of %s does not show %s", p.path, a.name, part)
					}
				}
			}
		}
	}
	if aliases == 0 {
		t.Error("no alias of an internal type was found")
	}
}

// Every package opens with a comment.
func TestPackagesOpenWithAComment(t *testing.T) {
	for _, m := range modules(t) {
		for _, p := range packages(t, m) {
			if !slices.ContainsFunc(p.files, func(f *ast.File) bool { return f.Doc != nil }) {
				t.Errorf("%s has no comment", p.path)
			}
		}
	}
}

package docs_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// licences are words of each licence by which its text is told.
var licences = map[string]string{
	"Apache-2.0":   "Apache License",
	"BSD-3-Clause": "Neither the name of",
	"MIT":          "Permission is hereby granted, free of charge",
}

var (
	moduleHead    = regexp.MustCompile(`(?m)^## (telltale\S*)$`)
	dependencyRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\|$")
)

// dependencies.md has what each released module requires directly, with the licence
// in that module.
func TestDependenciesAreThoseOfTheModules(t *testing.T) {
	said := map[string]map[string]string{} // licences by module and requirement
	text := read(t, "dependencies.md")
	heads := moduleHead.FindAllStringSubmatchIndex(text, -1)
	for _, h := range heads {
		rows := map[string]string{}
		section, _, _ := strings.Cut(text[h[1]:], "\n## ")
		for _, m := range dependencyRow.FindAllStringSubmatch(section, -1) {
			rows[m[1]] = m[2]
		}
		said[text[h[2]:h[3]]] = rows
	}
	found := map[string]bool{}
	for _, pattern := range []string{"../go.mod", "../*/go.mod", "../*/*/go.mod"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if slices.Contains([]string{"benchmarks", "e2e", "examples"}, strings.Split(filepath.ToSlash(file), "/")[1]) {
				continue // not released
			}
			name, requires := requirements(t, file)
			found[name] = true
			if got, want := slices.Sorted(maps.Keys(said[name])), slices.Sorted(maps.Keys(requires)); !slices.Equal(got, want) {
				t.Errorf("%s requires %v, dependencies.md has %v", name, want, got)
				continue
			}
			for path, dir := range requires {
				if got := strings.Join(licencesIn(t, dir), ", "); got != said[name][path] {
					t.Errorf("%s has the licences %q, dependencies.md says %q", path, got, said[name][path])
				}
			}
		}
	}
	for name := range said {
		if !found[name] {
			t.Errorf("dependencies.md has %s, which is no released module", name)
		}
	}
}

// requirements returns a module's name, and the folders of what it requires directly.
func requirements(t *testing.T, file string) (name string, folders map[string]string) {
	t.Helper()
	run := func(args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = filepath.Dir(file)
		cmd.Env = append(os.Environ(), "GOWORK=off")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go %v in %s: %v", args, cmd.Dir, err)
		}
		return out
	}
	var mod struct {
		Module  struct{ Path string }
		Require []struct {
			Path, Version string
			Indirect      bool
		}
		Replace []struct{ Old struct{ Path string } }
	}
	if err := json.Unmarshal(run("mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	ours := map[string]bool{} // modules of this repository are replaced by their folders
	for _, r := range mod.Replace {
		ours[r.Old.Path] = true
	}
	folders = map[string]string{}
	args := []string{"mod", "download", "-json"}
	for _, r := range mod.Require {
		if !r.Indirect && !ours[r.Path] {
			folders[r.Path] = ""
			args = append(args, r.Path+"@"+r.Version)
		}
	}
	decoder := json.NewDecoder(strings.NewReader(string(run(args...))))
	for range folders {
		var m struct{ Path, Dir string }
		if err := decoder.Decode(&m); err != nil {
			t.Fatal(err)
		}
		folders[m.Path] = m.Dir
	}
	return mod.Module.Path, folders
}

func licencesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	var text strings.Builder
	for _, pattern := range []string{"LICENSE*", "COPYING*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text.WriteString(strings.Join(strings.Fields(read(t, f)), " "))
		}
	}
	for name, words := range licences {
		if strings.Contains(text.String(), words) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

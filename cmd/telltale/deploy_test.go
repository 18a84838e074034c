package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// commandsInUnits returns the arguments that units give telltale.
func commandsInUnits(t *testing.T, text string) (commands [][]string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "ExecStart=/usr/local/bin/telltale "); ok {
			commands = append(commands, strings.Fields(rest))
		}
	}
	return commands
}

// commandsInPods returns the arguments that the containers of a manifest give telltale.
func commandsInPods(t *testing.T, text string) (commands [][]string) {
	t.Helper()
	type containers []struct {
		Image string
		Args  []string
	}
	var manifest struct {
		Spec struct {
			Template struct {
				Spec struct {
					InitContainers containers `yaml:"initContainers"`
					Containers     containers
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &manifest); err != nil {
		t.Fatal(err)
	}
	pod := manifest.Spec.Template.Spec
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		if strings.Contains(c.Image, "telltale") {
			commands = append(commands, c.Args)
		}
	}
	return commands
}

// The command takes what the files in deploy give it.
func TestDeployedCommands(t *testing.T) {
	for _, of := range []struct {
		files    string
		commands func(*testing.T, string) [][]string
	}{
		{"../../deploy/systemd/*.service", commandsInUnits},
		{"../../deploy/kubernetes/*.yaml", commandsInPods},
	} {
		files, err := filepath.Glob(of.files)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, args := range of.commands(t, string(text)) {
				found++
				if _, err := newParser().Parse(args); err != nil {
					t.Errorf("%s: telltale %s: %v", file, strings.Join(args, " "), err)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s start no telltale", of.files)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Pages as well-known exporters write them, with what is wrong with some in the
// field: what check and lint say, and what lenient reading makes of each.
func TestPagesOfExporters(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("testdata", "pages", "*.prom"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, error %v", len(pages), err)
	}
	for _, path := range pages {
		name := strings.TrimSuffix(filepath.Base(path), ".prom")
		t.Run(name, func(t *testing.T) {
			page, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, verb := range []struct {
				name string
				args []string
			}{
				{"check", []string{"check"}},
				{"lint", []string{"lint", "--lenient"}},
				{"lenient", []string{"convert", "--lenient", "--to=json"}},
			} {
				stdout, stderr, _ := outcomeOf(t, string(page), verb.args...)
				golden(t, filepath.Join("pages", name+"."+verb.name+".golden"), stdout+stderr)
			}
		})
	}
}

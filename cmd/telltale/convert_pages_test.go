package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Pages as exporters write them, in small. In every format what convert writes is
// right, and what it says of it are whole sentences.
func TestConvertPagesOfExporters(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("testdata", "exporters", "*.prom"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages, %v", err)
	}
	for _, path := range pages {
		name := strings.TrimSuffix(filepath.Base(path), ".prom")
		t.Run(name, func(t *testing.T) {
			for _, to := range readable {
				stdout, stderr, status := outcome(t, "convert", "--from=text", "--to", to, path)
				if status != 0 {
					t.Fatalf("to %s: status %d, %s", to, status, stderr)
				}
				if _, wrong, status := outcomeOf(t, stdout, "check", "--format", to, "-"); status != 0 {
					t.Errorf("to %s: check says %s of\n%s", to, wrong, stdout)
				}
				if to == "openmetrics" {
					golden(t, filepath.Join("exporters", name+".openmetrics.golden"), stdout)
					golden(t, filepath.Join("exporters", name+".stderr.golden"), stderr)
				}
				if strict, _, status := outcome(t, "convert", "--from=text", "--strict", "--to", to, path); status == 0 {
					back, stderr, status := outcomeOf(t, strict, "convert", "--strict", "--from", to, "--to=text", "-")
					content, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					want, _, _ := outcomeOf(t, string(content), "convert", "--from=text", "--to=text", "-")
					if status != 0 || back != want {
						t.Errorf("to %s and back: status %d, %s got\n%s\nwant\n%s", to, status, stderr, back, want)
					}
				}
			}
		})
	}
}

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// checkDocsOf writes a report into copies of the project's pages.
func checkDocsOf(t *testing.T, made report) {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	before := make(map[string]string)
	for path := range blocksOf {
		page, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Fatal(err)
		}
		before[path] = string(page)
		if err := os.WriteFile(filepath.Join(root, path), page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkDocs(root); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time over what the first has written
		if err := made.writeDocs(root); err != nil {
			t.Fatal(err)
		}
	}
	pages := make(map[string]string)
	for path, was := range before {
		page, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		pages[path] = string(page)
		if got, want := withoutBlocks(t, path, string(page)), withoutBlocks(t, path, was); got != want {
			t.Errorf("%s has changed outside of its blocks:\n%s", path, got)
		}
	}
	for _, r := range made.Rows {
		if !strings.Contains(pages[docsPage], "\n| "+r.Name+" |") {
			t.Errorf("%s is not on the page", r.Name)
		}
	}
	for name := range themes {
		picture := strings.ReplaceAll(chartFile, "%s", name)
		checkPicture(t, filepath.Join(root, picture))
		if !strings.Contains(pages[readmePage], picture) {
			t.Errorf("README does not show %s", picture)
		}
	}
}

// withoutBlocks is a page with nothing in its blocks.
func withoutBlocks(t *testing.T, path, page string) string {
	t.Helper()
	var err error
	for _, block := range blocksOf[path] {
		if page, err = replaceBlock(page, block, ""); err != nil {
			t.Fatal(err)
		}
	}
	return page
}

func checkPicture(t *testing.T, path string) {
	t.Helper()
	picture, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(bytes.NewReader(picture))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	for _, want := range []string{"client_golang", "VictoriaMetrics", "OpenTelemetry", "11 buckets"} {
		if !bytes.Contains(picture, []byte(want)) {
			t.Errorf("%s does not show %q", path, want)
		}
	}
}

func TestReplaceBlockRefusesPagesWithoutIt(t *testing.T) {
	start, end := blockStart("x"), blockEnd("x")
	for _, page := range []string{"", start, end, end + start, blockStart("y") + end} {
		if got, err := replaceBlock(page, "x", "content"); err == nil {
			t.Errorf("%q became %q", page, got)
		}
	}
}

// TestEveryRowHasASection also keeps the tables short.
func TestEveryRowHasASection(t *testing.T) {
	for _, p := range []plan{fullPlan(), quickPlan()} {
		for _, r := range p.rows() {
			in := 0
			for _, s := range sections {
				if s.rows.MatchString(r.name) {
					in++
				}
			}
			if in == 0 {
				t.Errorf("%s plan: %s is in no section", p.description, r.name)
			}
		}
		for _, s := range sections {
			n := 0
			for _, r := range p.rows() {
				if s.rows.MatchString(r.name) {
					n++
				}
			}
			if n > mostRows {
				t.Errorf("%s plan: %d rows in %q, want at most %d", p.description, n, s.title, mostRows)
			}
			for _, name := range s.peers {
				if _, err := choosePeers(roster(), name); err != nil {
					t.Errorf("%q: %v", s.title, err)
				}
			}
		}
	}
}

// TestChartDrawsFasterPeers has bars to the left of telltale's line, and none
// where a library does not offer the work.
func TestChartDrawsFasterPeers(t *testing.T) {
	c := chart{
		labels: []string{"slower", "faster", "by far", "not offered"},
		bars: [][]bar{
			{{true, 2}, {true, 1}, {true, 150}},
			{{true, 0.5}, {true, 0.04}, {true, 1}},
			{{true, 1e5}, {true, 1e-3}, {}},
			{{}, {}, {}},
		},
	}
	for name, colours := range themes {
		picture, err := c.svg(colours)
		if err != nil {
			t.Fatal(err)
		}
		shown := regexp.MustCompile(`>([^<>]+)</text>`).FindAllSubmatch(picture, -1)
		var words []string
		for _, s := range shown {
			words = append(words, string(s[1]))
		}
		for _, want := range []string{"2.0x client_golang", "0.5x client_golang", "0.04x VictoriaMetrics", "100000x client_golang", "0.001x VictoriaMetrics", "not offered"} {
			found := false
			for _, word := range words {
				found = found || word == want
			}
			if !found {
				t.Errorf("%s: %q is not among %q", name, want, words)
			}
		}
	}
	if alt := c.alt(); !strings.Contains(alt, "slower: client_golang 2.0x, VictoriaMetrics 1x, OpenTelemetry 150x") || strings.Contains(alt, "not offered:") {
		t.Errorf("alt text %q", alt)
	}
}

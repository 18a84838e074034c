package live_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// vendored are the files that come from elsewhere, with their SHA-256, as npm has
// them: uplot 1.6.32 (dist/uPlot.esm.js, dist/uPlot.min.css, LICENSE) and re2js
// 2.10.0 (build/index.js, LICENSE).
var vendored = map[string]string{
	"re2js.js":          "364ae3d3d6bee0521a3d37f613dd760d329e5a815581dc1ea6338dfed7d0f06f",
	"re2js.license.txt": "b80a94f2c3c0b8bd6af849511cef624ad9feecbc0151d08bacad86ebab4cb46e",
	"uplot.js":          "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba",
	"uplot.css":         "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
	"uplot.license.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}

func TestVendoredFiles(t *testing.T) {
	for name, want := range vendored {
		content, err := os.ReadFile(filepath.Join("page", name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is %x, not what npm has", name, sum)
		}
	}
}

// unsafe matches what makes markup or code of text, and what reaches elsewhere.
var unsafe = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|createContextualFragment|setHTML|DOMParser|srcdoc|WebSocket|EventSource|sendBeacon|await import\(`)

// The page's own scripts insert text alone, and ask the page's own server alone.
func TestOwnFiles(t *testing.T) {
	paths, err := filepath.Glob("page/*")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	inline := regexp.MustCompile(`(?i)<script>|<script [^>]*>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:`)
	for _, path := range paths {
		if _, theirs := vendored[filepath.Base(path)]; theirs {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := string(content)
		if found := unsafe.FindString(text); found != "" {
			t.Errorf("%s has %s", path, found)
		}
		switch filepath.Ext(path) {
		case ".html":
			if found := inline.FindString(text); found != "" {
				t.Errorf("%s has %s", path, found)
			}
		case ".js":
			if !strings.HasPrefix(text, "// @ts-check\n") {
				t.Errorf("%s is not checked for types", path)
			}
			if strings.Count(text, "import(") != strings.Count(text, `import("./`) {
				t.Errorf("%s imports something else than a file of the page", path)
			}
			if n := strings.Count(text, "fetch("); n > 1 || n == 1 && !strings.Contains(text, `fetch("data?"`) {
				t.Errorf("%s fetches something else than data", path)
			}
		}
	}
}

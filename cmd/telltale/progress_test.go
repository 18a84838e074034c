package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What takes long is said in a terminal, below what was printed, and is gone at the end.
func TestProgressInATerminal(t *testing.T) {
	end := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprint(w, rightText)
		w.(http.Flusher).Flush()
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	tm := inTerminal(t, 100, 10, nil, program, "check", "--timeout=10m", file(t, "a x\n"), server.URL)
	screen := tm.shows("reading " + server.URL + ": 0 MiB, ")
	if !strings.Contains(screen, "^\ntelltale: ") {
		t.Errorf("the messages before are not there:\n%s", screen)
	}
	close(end)
	if screen := tm.shows("ended with status 1"); strings.Contains(screen, "reading") || !strings.Contains(screen, "is right: text") {
		t.Errorf("at the end the terminal shows\n%s", screen)
	}
}

func TestProgressWithoutATerminal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(progressAfter + 3*progressEvery)
		_, _ = fmt.Fprint(w, rightText)
	}))
	defer server.Close()
	stdout, stderr, status := outcome(t, "check", "--format=text", server.URL)
	if status != 0 || stderr != "" || strings.Contains(stdout, "reading") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

// A page shows a terminal what it has in it, and cannot command it.
func TestHostilePagesInATerminal(t *testing.T) {
	page := file(t, "a{b=\"\x1b]0;stolen\x07\x1b[2J\u202e\u009b2J\"} 1\n")
	for _, args := range [][]string{
		{"convert", "--to=text", page},
		{"convert", "--to=json", page},
		{"convert", "--to=protobuf", page},
		{"diff", page, file(t, rightText)},
		{"diff", "--json", page, file(t, rightText)},
		{"watch", "--once", page},
	} {
		tm := inTerminal(t, 400, 40, []string{"LC_ALL=C.UTF-8"}, append([]string{program}, args...)...)
		screen := tm.shows("ended with status")
		if title := tm.tmux("display-message", "-p", "#{pane_title}"); strings.Contains(title, "stolen") || !strings.Contains(screen, `1b]0;stolen`) {
			t.Errorf("%q: the title is %q, and the terminal shows\n%s", args, title, screen)
		}
	}
}

func TestForTerminal(t *testing.T) {
	text := "a\tß\n\x1b[31m\u202e\xff€😀\u009b\n"
	const want = "a\tß\n\\x1b[31m\\u202e\\xff€😀\\u009b\n"
	for n := 1; n <= len(text); n++ {
		var shown strings.Builder
		to := &forTerminal{to: &shown}
		for rest := text; rest != ""; rest = rest[min(n, len(rest)):] {
			if m, err := io.WriteString(to, rest[:min(n, len(rest))]); err != nil || m != min(n, len(rest)) {
				t.Fatal(m, err)
			}
		}
		if shown.String() != want {
			t.Errorf("in parts of %d bytes %q, want %q", n, shown.String(), want)
		}
	}
}

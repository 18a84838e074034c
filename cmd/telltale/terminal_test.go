package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// need returns the path of a program that tests drive; CI has all of them.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("SKIPPED, AND NOTHING WAS CHECKED: %v", err)
	}
	return path
}

// terminal is a terminal of tmux in which a program runs.
type terminal struct {
	t      *testing.T
	socket string
	env    []string
}

// inTerminal runs a program in a terminal of its own.
func inTerminal(t *testing.T, columns, lines int, env []string, args ...string) *terminal {
	t.Helper()
	tm := &terminal{t, filepath.Join(t.TempDir(), "tmux"), env}
	need(t, "tmux")
	start := []string{"-f", os.DevNull, "new-session", "-d", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(lines)}
	for _, e := range env {
		start = append(start, "-e", e)
	}
	// The shell tells the status: tmux does not always learn of the end of its child.
	tm.tmux(append(append(start, "--", "sh", "-c", `"$@"; echo "ended with status $?"; exec sleep 600`, "sh"), args...)...)
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", tm.socket, "kill-server").Run() }) // it may have ended
	return tm
}

// tmux runs a command of tmux and returns what it prints.
func (tm *terminal) tmux(args ...string) string {
	tm.t.Helper()
	c := exec.CommandContext(tm.t.Context(), "tmux", append([]string{"-S", tm.socket}, args...)...)
	c.Env = append(os.Environ(), tm.env...) // which a session has PATH from
	out, err := c.CombinedOutput()
	if err != nil {
		tm.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// keys types keys by their names in tmux.
func (tm *terminal) keys(names ...string) {
	tm.t.Helper()
	tm.tmux(append([]string{"send-keys"}, names...)...)
}

// types types text.
func (tm *terminal) types(text string) {
	tm.t.Helper()
	tm.tmux("send-keys", "-l", "--", text)
}

// screen returns what the terminal shows.
func (tm *terminal) screen() string {
	tm.t.Helper()
	return tm.tmux("capture-pane", "-p")
}

// until waits until the terminal shows what a test waits for.
func (tm *terminal) until(what string, shown func(screen string) bool) string {
	tm.t.Helper()
	screen := ""
	for range 3000 { // looks, not a time: the test itself may be stopped for long
		if screen = tm.screen(); shown(screen) {
			return screen
		}
		time.Sleep(20 * time.Millisecond)
	}
	tm.t.Fatalf("the terminal does not show %s but\n%s", what, screen)
	return ""
}

// shows waits until the terminal shows text.
func (tm *terminal) shows(text string) string {
	tm.t.Helper()
	return tm.until(fmt.Sprintf("%q", text), func(screen string) bool { return strings.Contains(screen, text) })
}

// endsBy types a key and waits until the program has ended with status 0.
func (tm *terminal) endsBy(key string) {
	tm.t.Helper()
	tm.keys(key)
	tm.shows("ended with status 0")
}

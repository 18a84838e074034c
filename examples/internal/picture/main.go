// Command picture makes README's moving picture from a real run: a service of several
// processes in a terminal, of which one is killed while a live table shows the total.
//
//	go run ./examples/internal/picture docs/kill.svg
//
// It needs tmux, and is run in the checkout.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// The terminal, and how often it is looked at.
const (
	columns, rows = 114, 18
	every         = 150 * time.Millisecond
	deadline      = 5 * time.Minute
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: picture FILE.svg")
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	film, err := record(ctx)
	if err == nil {
		err = os.WriteFile(os.Args[1], film.svg(), 0o644)
	}
	if err != nil {
		log.Print(err)
		cancel()
		os.Exit(1)
	}
}

// session is a terminal with a live table above a shell.
type session struct {
	ctx  context.Context
	dir  string
	film film
	err  error // of the first command that failed
}

func (s *session) run(name string, args ...string) string {
	if s.err != nil {
		return ""
	}
	cmd := exec.CommandContext(s.ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.err = fmt.Errorf("%s %q: %w\n%s", name, args, err, out)
	}
	return string(out)
}

func (s *session) tmux(args ...string) string {
	return s.run("tmux", append([]string{"-S", filepath.Join(s.dir, "tmux"), "-f", os.DevNull}, args...)...)
}

// look adds what the terminal shows to the film.
func (s *session) look(n int) {
	for range n {
		screen := s.tmux("capture-pane", "-p", "-t", "0") + "\n" + strings.Repeat("─", columns) + "\n" + s.tmux("capture-pane", "-p", "-t", "1")
		if s.err != nil {
			return
		}
		s.film.add(screen)
		time.Sleep(every)
	}
}

// types types a command as somebody would, and looks for a while at what comes of it.
func (s *session) types(command string, looks int) {
	for rest := command; rest != ""; {
		n := min(3, len(rest))
		s.tmux("send-keys", "-t", "1", "-l", "--", rest[:n])
		rest = rest[n:]
		s.look(1)
	}
	s.tmux("send-keys", "-t", "1", "Enter")
	s.look(looks)
}

// until waits until the log of the service matches a pattern, and returns the match and its
// groups; empty strings after an error.
func (s *session) until(pattern string) []string {
	for s.err == nil {
		text, _ := os.ReadFile(filepath.Join(s.dir, "demo.log")) // not there at first
		if found := regexp.MustCompile(pattern).FindStringSubmatch(string(text)); found != nil {
			return found
		}
		time.Sleep(every)
		s.err = s.ctx.Err()
	}
	return make([]string, 2)
}

// serve starts the service, whose log is in demo.log, and returns what ends it.
func (s *session) serve() (end func() error, err error) {
	output, err := os.Create(filepath.Join(s.dir, "demo.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = output.Close() }() // the process has its own
	cmd := exec.CommandContext(s.ctx, filepath.Join(s.dir, "telltale"), "demo", "--workers", "3", "--listen", "127.0.0.1:9464")
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() error { return errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()) }, nil
}

// record builds the command and plays the session.
func record(ctx context.Context) (film film, err error) {
	s := &session{ctx: ctx}
	if s.dir, err = os.MkdirTemp("", "picture"); err != nil {
		return film, err
	}
	defer func() { _ = os.RemoveAll(s.dir) }()
	s.run("go", "build", "-o", s.dir+"/", "./cmd/telltale")
	defer func() { _ = exec.Command("tmux", "-S", filepath.Join(s.dir, "tmux"), "kill-server").Run() }() // at the end
	shell := fmt.Sprintf("cd %s && PATH=%s:$PATH PS1='$ ' exec sh", s.dir, s.dir)
	s.tmux("new-session", "-d", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(rows), shell)
	s.tmux("split-window", "-v", "-l", "10", shell)
	time.Sleep(time.Second)
	end, err := s.serve()
	if err != nil {
		return film, err
	}
	defer func() { err = errors.Join(err, end()) }()
	s.until(`worker-3 is process (\d+)`)
	s.tmux("send-keys", "-t", "0", "exec telltale watch --interval 300ms --filter 'requests_total 200' http://127.0.0.1:9464/metrics", "Enter")
	time.Sleep(8 * time.Second)

	s.look(6)
	s.types("tail -n 3 demo.log      # the processes that count", 10)
	s.types("kill -9 "+s.until(`worker-2 is process (\d+)`)[1]+"           # one of them is gone at once", 4)
	s.until(`has ended[^$]*worker-2 is process (\d+)`)
	s.look(8)
	s.types("tail -n 2 demo.log      # another takes its place; the totals go on", 20)
	return s.film, s.err
}

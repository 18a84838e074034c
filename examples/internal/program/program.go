// Package program builds and runs the examples, which are programs of several
// processes, and reads their pages, for their tests.
package program

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a program may take to print something, and to end.
const patience = 3 * time.Minute

// Build builds the program in a directory and returns its path.
func Build(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.exe") // a name that runs everywhere
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// Process is a running program, with the processes that it starts.
type Process struct {
	t   *testing.T
	cmd *exec.Cmd

	mu    sync.Mutex
	lines []string
	asked int           // number of lines that Says has consumed
	more  chan struct{} // closed when there is another line
	ended chan struct{} // closed when no process is left to write one
	over  bool
}

// Start starts a program. When the test ends the program is signalled to end; it
// is a failure if one of its processes is left.
func Start(t *testing.T, path string, args ...string) *Process {
	t.Helper()
	says, its, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{t: t, cmd: exec.Command(path, args...), more: make(chan struct{}), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = its, its
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = its.Close()
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(says); lines.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, lines.Text())
			close(p.more)
			p.more = make(chan struct{})
			p.mu.Unlock()
		}
		_ = says.Close()
	}()
	t.Cleanup(p.End)
	return p
}

// PID returns the process id of the program's first process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Says waits for the next line with the marker, and returns the text after the
// marker up to a space or the end.
func (p *Process) Says(marker string) string {
	p.t.Helper()
	late := time.After(patience)
	for {
		p.mu.Lock()
		for p.asked < len(p.lines) {
			line := p.lines[p.asked]
			p.asked++
			if _, rest, found := strings.Cut(line, marker); found {
				p.mu.Unlock()
				rest, _, _ = strings.Cut(rest, " ")
				return rest
			}
		}
		more := p.more
		p.mu.Unlock()
		select {
		case <-more:
		case <-p.ended:
			p.mu.Lock()
			over := p.asked == len(p.lines)
			p.mu.Unlock()
			if over {
				p.t.Fatalf("%v has ended and did not say %q; it said\n%s", p.cmd, marker, p.Log())
			}
		case <-late:
			p.t.Fatalf("%v does not say %q; it said\n%s", p.cmd, marker, p.Log())
		}
	}
}

// Log returns everything that was printed so far.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// Wait waits for the end of the first process, and returns how it ended.
func (p *Process) Wait() error {
	if p.over {
		return nil
	}
	p.over = true
	hung := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer hung.Stop()
	return p.cmd.Wait()
}

// End signals the program to end, and waits until all its processes have.
func (p *Process) End() {
	p.t.Helper()
	if !p.over {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		if err := p.Wait(); err != nil {
			p.t.Errorf("%v: %v", p.cmd, err)
		}
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Errorf("%v has left processes behind", p.cmd)
	}
	if p.t.Failed() {
		p.t.Logf("%v said\n%s", p.cmd, p.Log())
	}
}

// Kill kills a process.
func Kill(t *testing.T, pid int) {
	t.Helper()
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
}

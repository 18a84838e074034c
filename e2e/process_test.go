package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"

	"telltale/internal/transcript"
)

// patience bounds every wait for another program. It is far more than any wait
// takes: it ends hung processes and decides nothing else.
const patience = 5 * time.Minute

// A process is a program under test, or one that checks it, with its output.
type process struct {
	name    string
	command *exec.Cmd
	output  transcript.Transcript
	ended   chan struct{} // closed when it has ended
	err     error         // how, to be read after that
}

// start runs a program, which is gone when the test is over.
func start(t *testing.T, name string, command *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, command: command, ended: make(chan struct{})}
	command.Stdout, command.Stderr = &p.output, &p.output
	if err := command.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		p.err = command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.stop(syscall.SIGTERM) // a test that minds how it ends has ended it before
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.output.String())
		}
	})
	return p
}

// stop sends this very process a signal and waits for its end. One that does
// not mind is killed, which is an error.
func (p *process) stop(signal os.Signal) error {
	_ = p.command.Process.Signal(signal) // it may have ended already
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		_ = p.command.Process.Kill()
		<-p.ended
		return errors.New(p.name + " did not end when asked to")
	}
}

// says waits until the program has printed a match of the expression and returns
// its groups.
func (p *process) says(t *testing.T, what *regexp.Regexp) []string {
	t.Helper()
	var found []string
	p.await(t, "to say "+what.String(), func(context.Context) bool {
		found = what.FindStringSubmatch(p.output.String())
		return found != nil
	})
	return found
}

// answers waits until the program answers at a URL. It returns false if the program has
// ended, as one does whose address another program got.
func (p *process) answers(t *testing.T, url string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if _, err := get(ctx, url, ""); err == nil {
			return true
		}
		select {
		case <-p.ended:
			return false
		case <-ctx.Done():
			t.Fatalf("%s does not answer at %s; it said:\n%s", p.name, url, p.output.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// await repeats a question until the answer is yes. The end of the process or of
// patience fails the test.
func (p *process) await(t *testing.T, what string, yes func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !yes(ctx) {
		select {
		case <-p.ended:
			if yes(ctx) { // by the last that it said
				return
			}
			t.Fatalf("%s ended (%v) while waiting for it %s; it said:\n%s", p.name, p.err, what, p.output.String())
		case <-ctx.Done():
			t.Fatalf("gave up waiting for %s %s; it said:\n%s", p.name, what, p.output.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// When a verb says what it is at.
const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// progress is a line of a terminal that says what a verb is at while that takes long.
// Messages are written in its place.
type progress struct {
	terminal *os.File
	began    time.Time // of the verb

	mu    sync.Mutex
	shown bool
}

// onTerminal returns standard error with a line of progress, if it is a terminal that
// can erase a line.
func onTerminal(stderr io.Writer) io.Writer {
	f, ok := stderr.(*os.File)
	if !ok || !isTerminal(f) || os.Getenv("TERM") == "dumb" {
		return stderr
	}
	return &progress{terminal: f, began: time.Now()}
}

// Write writes to the terminal.
func (p *progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	return p.terminal.Write(text)
}

func (p *progress) erase() {
	if p.shown {
		_, _ = p.terminal.WriteString("\r\x1b[K") // the next message has the error
		p.shown = false
	}
}

func (p *progress) show(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	columns, _, err := term.GetSize(p.terminal.Fd())
	if err != nil || columns < 2 {
		return
	}
	_, err = p.terminal.WriteString(ansi.Truncate(text, columns-1, "…"))
	p.shown = err == nil
}

// silent returns diagnostics that say nothing of progress, as for verbs without an end.
func (d diagnostics) silent() diagnostics {
	return diagnostics{struct{ io.Writer }{d.to}}
}

// during says what the verb is at, which is printable, once the verb has taken a second
// and until the returned function is called. Far says how far it is; it may be nil.
func (d diagnostics) during(what string, far func() string) (done func()) {
	p, ok := d.to.(*progress)
	if !ok {
		return func() {}
	}
	began, end, ended := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		next := time.NewTimer(max(progressAfter-began.Sub(p.began), progressEvery))
		defer next.Stop()
		for {
			select {
			case <-end:
				return
			case <-next.C:
			}
			text := what
			if far != nil {
				text += ": " + far()
			}
			p.show(fmt.Sprintf("%s, %v", text, time.Since(began).Round(time.Second)))
			next.Reset(progressEvery)
		}
	}()
	return func() {
		close(end)
		<-ended
		p.mu.Lock()
		defer p.mu.Unlock()
		p.erase()
	}
}

// amount counts the bytes of what is read.
type amount struct {
	of   atomic.Int64 // bytes in all, 0 if that is not known
	read atomic.Int64
}

// through returns a reader that is counted.
func (a *amount) through(from io.Reader) io.Reader { return &counting{from, a} }

// String says how far it is.
func (a *amount) String() string {
	read := a.read.Load()
	if of := a.of.Load(); of > 0 {
		return fmt.Sprintf("%d of %d MiB", read>>20, of>>20)
	}
	return fmt.Sprintf("%d MiB", read>>20)
}

type counting struct {
	from   io.Reader
	amount *amount
}

// Read reads and counts.
func (c *counting) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.amount.read.Add(int64(n))
	return n, err
}

// Package transcript keeps what a process prints for the test that runs it. Tests alone
// use it.
package transcript

import (
	"strings"
	"sync"
)

// Transcript takes what a process writes, and can be read meanwhile. The zero value is
// empty and ready.
type Transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements [io.Writer]. It never fails.
func (t *Transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// String returns what was written so far.
func (t *Transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

package transcript_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"telltale/internal/transcript"
)

// Whatever is written is there, and what is read is a beginning of it.
func TestTranscript(t *testing.T) {
	var said transcript.Transcript
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for range 100 {
				before := said.String()
				if _, err := fmt.Fprintln(&said, i); err != nil {
					t.Error(err)
				}
				if !strings.HasPrefix(said.String(), before) {
					t.Error("what was there has changed")
				}
			}
		})
	}
	all.Wait()
	if n := strings.Count(said.String(), "\n"); n != 400 {
		t.Errorf("%d lines of 400", n)
	}
}

package telltaletest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// recorder is a test that notes how it fails.
type recorder struct {
	testing.TB
	failed  bool
	message strings.Builder
}

func (r *recorder) Helper() {}

func (r *recorder) Error(args ...any) { r.failed = true; fmt.Fprintln(&r.message, args...) }

func (r *recorder) Errorf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }

func (r *recorder) Fatal(args ...any) { r.Error(args...); runtime.Goexit() }

func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

// failure runs f with a test of its own and returns how that failed, or "" if it
// passed.
func failure(t *testing.T, f func(testing.TB)) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { defer close(done); f(r) }()
	<-done
	if r.failed && r.message.Len() == 0 {
		t.Error("the test failed and said nothing")
	}
	return r.message.String()
}

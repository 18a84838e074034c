//go:build unix

package multiprocess_test

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
)

// restrictChild takes from a child's process what its test wants it not to have.
func restrictChild(t *testing.T) {
	t.Helper()
	if limit, err := strconv.ParseUint(os.Getenv(childLimit), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		var r syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
			t.Fatal(err)
		}
		set(&r.Cur, limit)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
			t.Fatal(err)
		}
	}
	if user, err := strconv.Atoi(os.Getenv(childUser)); err == nil && os.Geteuid() == 0 {
		if err := syscall.Setuid(user); err != nil {
			t.Fatal(err)
		}
	}
}

// set is for a limit whose type differs from system to system.
func set[T ~int64 | ~uint64](to *T, v uint64) { *to = T(v) }

// standStill stops this process until it gets SIGCONT.
func standStill(t *testing.T) {
	goesOn := make(chan os.Signal, 1)
	signal.Notify(goesOn, syscall.SIGCONT)
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	<-goesOn // this thread may run for a moment before all are stopped
}

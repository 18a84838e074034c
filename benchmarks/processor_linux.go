package main

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is how long the calling thread has had a processor. Unlike
// getrusage, this clock also counts the turn that is still going on.
func threadTime() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		return 0 // shares are then 0: not looked at
	}
	return time.Duration(now.Nano())
}

// bind keeps the calling thread on one of the processors it may use, until
// restore is called. Where the system refuses, the thread stays free.
func bind(worker int) (restore func()) {
	var allowed, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return func() {}
	}
	skip := worker % allowed.Count()
	for processor := 0; ; processor++ {
		if !allowed.IsSet(processor) {
			continue
		}
		if skip == 0 {
			one.Set(processor)
			break
		}
		skip--
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return func() {}
	}
	return func() {
		if err := unix.SchedSetaffinity(0, &allowed); err != nil {
			panic(err) // a thread left bound would spoil every later figure
		}
	}
}

// processorModel is what the system calls its processors, empty if it does not
// say.
func processorModel() string {
	content, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

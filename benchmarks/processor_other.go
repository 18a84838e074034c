//go:build !linux

package main

import "time"

// threadTime is not known here: shares are 0, and all runs count as good.
func threadTime() time.Duration { return 0 }

// bind leaves the thread to the system's scheduler.
func bind(int) (restore func()) { return func() {} }

// processorModel does not know here.
func processorModel() string { return "" }

package spool

import "testing"

// What is read without a system call keeps the clock of the system between its bounds,
// also between processes, which compare their readings.
func TestMonotonicKeepsToTheSystemsClock(t *testing.T) {
	for range 10_000 {
		before := systemClock()
		low, high := Monotonic(), MonotonicAtLeast()
		after := systemClock()
		if low > after || high < before {
			t.Fatalf("%d and %d, read between %d and %d", low, high, before, after)
		}
	}
}

func BenchmarkMonotonic(b *testing.B) {
	for b.Loop() {
		Monotonic()
	}
}

package multiprocess_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

// What -short leaves of tests that try many instants or places. .ci/run has them whole
// once, and with -short where the race detector or another user runs them again.

// lasting returns how long a test goes on that acts at random instants: a quarter of
// the time with -short.
func lasting(whole time.Duration) time.Duration {
	if testing.Short() {
		return whole / 4
	}
	return whole
}

// places returns the numbers below n at which a test tries something, in rising order:
// all, or with -short one in seven, from a random one on.
func places(n int) (at []int) {
	first, step := 0, 1
	if testing.Short() {
		first, step = rand.IntN(7), 7
	}
	for i := first; i < n; i += step {
		at = append(at, i)
	}
	return at
}

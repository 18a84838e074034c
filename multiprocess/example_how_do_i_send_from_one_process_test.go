//go:build unix

package multiprocess_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"telltale/multiprocess"
)

// How does one of several processes do what only one may, such as to send their metrics?
// The others wait until it gives that up, or has ended.
func ExampleLead() {
	dir, err := os.MkdirTemp("", "workers") // of all processes
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	release, err := multiprocess.Lead(context.Background(), dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer release()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = multiprocess.Lead(ctx, dir) // by another one
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

// Whoever leads sends the series of the whole directory, under its identity and with
// times that go forward: Next is the clock of package push/remotewrite's WithClock.
func ExampleNewLeader() {
	dir, err := os.MkdirTemp("", "workers") // of all processes
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var identities []string
	var times []time.Time
	for range 2 { // one process after the other
		leader, err := multiprocess.NewLeader(context.Background(), dir)
		if err != nil {
			fmt.Println(err)
			return
		}
		now, err := leader.Next()
		leader.Close()
		if err != nil {
			fmt.Println(err)
			return
		}
		identities, times = append(identities, leader.Identity()), append(times, now)
	}
	fmt.Println(identities[0] == identities[1], times[1].After(times[0]))
	// Output: true true
}

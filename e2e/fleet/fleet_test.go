package main

import (
	"strings"
	"testing"
	"time"
)

// A small fleet loses nothing but what killed senders had not sent, and sends nothing out
// of order.
func TestFleet(t *testing.T) {
	p := plan{
		senders: 20, series: 20, interval: 200 * time.Millisecond, each: 500 * time.Millisecond, away: time.Second,
		queueBytes: 1 << 20, longestRetry: 200 * time.Millisecond, seed: uint64(time.Now().UnixNano()),
	}
	var out strings.Builder
	err := p.run(t.Context(), &out)
	if err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "by 2 killed senders") || !strings.Contains(out.String(), "; dropped from queues 0, refused 0\n") {
		t.Error(out.String())
	}
	t.Log(out.String())
}

// What does not fit into a queue is dropped and told.
func TestFleetWithSmallQueues(t *testing.T) {
	p := plan{
		senders: 5, series: 20, interval: 50 * time.Millisecond, each: 100 * time.Millisecond, away: 3 * time.Second,
		queueBytes: 1 << 10, longestRetry: 100 * time.Millisecond, seed: 1,
	}
	var out strings.Builder
	if err := p.run(t.Context(), &out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if strings.Contains(out.String(), "dropped from queues 0,") {
		t.Error(out.String())
	}
}

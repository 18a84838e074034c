package spool

import (
	"testing"
	"time"
)

// A writer is taken to live for as long as the last answer of its lock is new, or what it
// said itself by the clock of this boot, unless it is to be asked anew.
func TestFresh(t *testing.T) {
	boot := BootID()
	if boot == [16]byte{} {
		t.Skip("NOT TESTED: the system does not tell its boots apart")
	}
	const second = int64(time.Second)
	now := time.Now()
	for _, tt := range []struct {
		name  string
		asked time.Duration // before now
		boot  [16]byte
		alive int64 // by the clock, which shows 100 s
		anew  time.Duration
		given bool
		want  bool
	}{
		{"asked just now", 0, boot, 0, time.Hour, false, true},
		{"asked and heard of long ago", 5 * time.Second, boot, 95 * second, time.Hour, false, false},
		{"heard of just now", 5 * time.Second, boot, 100 * second, time.Hour, false, true},
		{"heard of within the age", 5 * time.Second, boot, 99*second + 1, time.Hour, false, true},
		{"heard of an age ago", 5 * time.Second, boot, 99 * second, time.Hour, false, false},
		{"heard of by a clock that is ahead", 5 * time.Second, boot, 101 * second, time.Hour, false, false},
		{"heard of in another boot", 5 * time.Second, [16]byte{1}, 100 * second, time.Hour, false, false},
		{"heard of in an unknown boot", 5 * time.Second, [16]byte{}, 100 * second, time.Hour, false, false},
		{"to be asked anew since", 5 * time.Second, boot, 100 * second, 3 * time.Second, false, false},
		{"asked since that", time.Second / 2, boot, 0, 3 * time.Second, false, true},
		{"given by hand", 0, boot, 100 * second, time.Hour, true, false},
	} {
		r := Reading{Age: time.Second, Given: tt.given, now: now, clock: 100 * second, anew: now.Add(-tt.anew)}
		if got := r.Fresh(now.Add(-tt.asked), tt.boot, tt.alive); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if never := (&Reading{Age: time.Second, now: now, clock: 100 * second}); never.Fresh(time.Time{}, boot, 100*second) {
		t.Error("it was never asked")
	}
}

package forward

import (
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	const minute = 60_000
	for name, test := range map[string]struct {
		last    time.Time
		now     int64
		elapsed time.Duration
		want    int64
	}{
		"the first":                   {time.Time{}, 5000, 0, 5000},
		"the clock went on":           {at(5000), 5010, 10 * time.Millisecond, 5010},
		"the clock was set forward":   {at(5000), 90_000, 10 * time.Millisecond, 90_000},
		"the same millisecond":        {at(5000), 5000, 0, 5001},
		"set back a minute":           {at(5 * minute), 4 * minute, 2 * time.Second, 5*minute + 1000},
		"set back in another process": {at(5 * minute), 4 * minute, 0, 5*minute + 1},
		"set back ten minutes":        {at(20 * minute), 10 * minute, 0, 20*minute + 1},
		"set back further":            {at(20*minute + 1), 10 * minute, time.Hour, 10 * minute},
	} {
		if got := next(test.last, at(test.now), test.elapsed).UnixMilli(); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

// A clock that was set back has caught up after twice the time.
func TestCatchesUp(t *testing.T) {
	last, now := time.UnixMilli(100_000), time.UnixMilli(90_000)
	for range 21 {
		now = now.Add(time.Second)
		given := next(last, now, time.Second)
		if !given.After(last) {
			t.Fatalf("%v after %v", given, last)
		}
		last = given
	}
	if !last.Equal(now) {
		t.Errorf("%v where the clock says %v", last, now)
	}
}

func TestClock(t *testing.T) {
	ahead := time.Now().Add(time.Minute)
	for _, c := range []Clock{{}, After(ahead)} {
		for range 1000 {
			before := c.Last()
			if got := c.Next(); !got.After(before) || !got.Equal(c.Last()) || got.Nanosecond()%1e6 != 0 {
				t.Fatalf("%v after %v", got, before)
			}
		}
	}
	c := After(ahead)
	if got := c.Next(); got.Before(ahead.Truncate(time.Millisecond)) || got.Sub(ahead) > time.Second {
		t.Errorf("%v after %v", got, ahead)
	}
}

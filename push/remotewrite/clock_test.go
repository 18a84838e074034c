package remotewrite_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale/push"
	"telltale/push/remotewrite"
)

// Samples have the times of a clock that is given, and without one nothing is collected.
func TestClock(t *testing.T) {
	b, c := newBackend(t), &counting{series: 2}
	var asked atomic.Int64
	broken := errors.New("the clock is broken")
	s := start(t, c, b.URL, remotewrite.WithClock(func() (time.Time, error) {
		if n := asked.Add(1); n%2 == 1 {
			return time.UnixMilli(1_000_000 + 10*n), nil
		}
		return time.Time{}, broken
	}))
	await(t, "samples", func() bool { return len(b.of(seriesOf(1))) > 5 })
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	b.check(t)
	all := b.of(seriesOf(1))
	for i, p := range all[:len(all)-1] {
		if p.at != int64(1_000_010+20*i) {
			t.Errorf("sample %d is of %d", i, p.at)
		}
	}
	times := (asked.Load() + 1) / 2 // that it gave: one may be of the collection that is cut off at the end, and one of the stale markers
	if n := c.n.Load(); n > times || n < times-2 {
		t.Errorf("%d collections, and the clock was asked %d times", c.n.Load(), asked.Load())
	}
	for _, err := range s.errors() {
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	}
}

// A clock that is given may begin anew, where samples of its times were refused.
func TestClockBeginsAnew(t *testing.T) {
	b, c := newBackend(t), &counting{series: 1}
	times := []int64{5000, 6000, 1000, 1001}
	b.answer = func(n int) action {
		if n < 2 {
			return action{status: 400}
		}
		return action{}
	}
	n := 0
	target := must(remotewrite.NewTarget(b.URL, remotewrite.WithVersion(remotewrite.Version2), remotewrite.WithClock(func() (time.Time, error) {
		if n == len(times) {
			return time.Time{}, errors.New("it is over")
		}
		n++
		return time.UnixMilli(times[n-1]), nil
	})))
	for i := range times {
		if err := target.Push(context.Background(), c); (err != nil) != (i < 2) {
			t.Error(err)
		}
	}
	if err := target.Push(context.Background(), c); err == nil || !strings.Contains(err.Error(), "over") {
		t.Error(err)
	}
	b.check(t)
	if all := b.of(seriesOf(0)); len(all) != 2 || all[0].at != 1000 || all[1].at != 1001 {
		t.Errorf("%v", all)
	}
	if _, err := remotewrite.NewTarget(b.URL, remotewrite.WithClock(nil)); err == nil {
		t.Error("no clock is one")
	}
}

// A job that is over within milliseconds is known with all that it counted, under an
// instance of its own, and its series have ended.
func TestShortJob(t *testing.T) {
	b := newBackend(t)
	instances := map[string]bool{}
	for range 3 {
		instance := push.UniqueInstance()
		instances[instance] = true
		c := &counting{series: 1}
		s := start(t, c, b.URL, remotewrite.WithInterval(time.Hour), remotewrite.WithLabels(map[string]string{"instance": instance}))
		await(t, "a collection", func() bool { return c.n.Load() > 0 })
		if err := s.end(t); err != nil {
			t.Error(err)
		}
		var got []string
		for _, p := range b.of(`__name__="n",i="0",instance="` + instance + `"`) {
			got = append(got, valueOf(p))
		}
		if text := strings.Join(got, " "); text != "1.0 2.0 stale" && text != "2.0 stale" { // the first may have been cut off
			t.Error(text)
		}
	}
	b.check(t)
	if len(instances) != 3 {
		t.Errorf("instances %v", instances)
	}
}

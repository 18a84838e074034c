package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"time"

	"telltale"
	"telltale/internal/gather"
)

// How Every goes about failures and its end.
const (
	FirstRetry      = time.Second      // the wait before the first new attempt, on average; it doubles
	LastPushTimeout = 10 * time.Second // what the last pushes may take together
	leastPush       = 10 * time.Second // what each other push may take, or d if that is longer
)

// Every pushes c to the targets, at once and then each time that d has passed, until
// ctx is done; then it pushes a last time, in LastPushTimeout, so that what a program
// did before its end is known. Targets do not wait for each other. It returns an error
// at once if d is not positive, c is nil, or there is no target or a nil one; else the
// errors of the last pushes, joined.
//
// After a failure, unless its status says that the push itself is wrong (see
// [StatusError.Temporary]), a push is tried again after a random time around
// [FirstRetry], twice as long each time, or after the time that the server asks for,
// until the next push is due. The first failure of several in a row is logged by
// log/slog, and so is the success that ends them; [Health] counts all.
func Every(ctx context.Context, d time.Duration, c telltale.Collector, to ...Target) error {
	if d <= 0 {
		return fmt.Errorf("push: the interval %v is not positive", d)
	}
	if _, err := telltale.Merge(c); err != nil {
		return err
	}
	if len(to) == 0 {
		return errors.New("push: there is no target")
	}
	for i, target := range to {
		if v := reflect.ValueOf(target); target == nil || v.Kind() == reflect.Pointer && v.IsNil() {
			return fmt.Errorf("push: target %d is nil", i+1)
		}
	}
	ended := make(chan result, len(to))
	for i, target := range to {
		p := &pushing{target: target, of: c, every: d}
		go func() { ended <- result{i, p.run(ctx)} }()
	}
	return await(ctx, ended, len(to))
}

// result is how a target's last push went.
type result struct {
	target int
	err    error
}

// await waits for the ends of the targets, and for those that do not end not longer
// than the last pushes may take.
func await(ctx context.Context, ended <-chan result, n int) error {
	<-ctx.Done()
	late := time.NewTimer(LastPushTimeout + time.Second)
	defer late.Stop()
	errs, open := make([]error, n), make(map[int]bool)
	for i := range n {
		open[i] = true
	}
	for len(open) > 0 {
		select {
		case r := <-ended:
			errs[r.target] = r.err
			delete(open, r.target)
		case <-late.C:
			for i := range open {
				errs[i] = fmt.Errorf("push: target %d did not end in time", i+1)
			}
			return errors.Join(errs...)
		}
	}
	return errors.Join(errs...)
}

// pushing pushes to one target.
type pushing struct {
	target  Target
	of      telltale.Collector
	every   time.Duration
	failing bool
}

// run pushes until ctx is done and returns the error of the last push.
func (p *pushing) run(ctx context.Context) error {
	due := time.NewTicker(p.every)
	defer due.Stop()
	for ctx.Err() == nil {
		p.persist(ctx, time.Now().Add(p.every))
		select {
		case <-ctx.Done():
		case <-due.C:
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), LastPushTimeout)
	defer cancel()
	return p.push(gather.DemandFresh(last))
}

// persist pushes until it succeeds, an error will not be over soon, or the next push
// is due.
func (p *pushing) persist(ctx context.Context, until time.Time) {
	for wait := FirstRetry; ; wait *= 2 {
		limit, cancel := context.WithTimeout(ctx, max(p.every, leastPush))
		err := p.push(limit)
		cancel()
		if ctx.Err() != nil {
			return // and the last push will tell
		}
		p.tell(err)
		pause, again := retry(err, wait)
		if !again || time.Until(until) < pause {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// retry returns how long to wait after an error, and whether to try again at all.
func retry(err error, wait time.Duration) (time.Duration, bool) {
	if err == nil {
		return 0, false
	}
	pause := wait/2 + rand.N(wait) // so that many senders do not come back at once
	var refused *StatusError
	if errors.As(err, &refused) {
		return max(pause, refused.RetryAfter), refused.Temporary()
	}
	return pause, true
}

// tell logs the first failure of several, and that they are over.
func (p *pushing) tell(err error) {
	switch {
	case err != nil && !p.failing:
		slog.Warn("a push failed, and is tried again", "error", err)
	case err == nil && p.failing:
		slog.Info("pushes succeed again", "target", describe(p.target))
	}
	p.failing = err != nil
}

// describe names a target.
func describe(t Target) string {
	if known, ok := t.(interface{ recorded() *record }); ok {
		return known.recorded().name
	}
	return fmt.Sprintf("%T", t)
}

// push pushes once. A target that panics costs itself.
func (p *pushing) push(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("push: target %s panicked: %v\n%s", describe(p.target), v, debug.Stack())
		}
	}()
	return p.target.Push(ctx, p.of)
}

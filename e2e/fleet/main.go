// Command fleet simulates many senders of remote write and one receiver, to see what
// docs/beyond-one-machine.md says of them:
//
//	GOWORK=off go run ./fleet -senders 1000 -series 100 -interval 10s -for 1m -away 5m
//
// All are in one process and speak HTTP on loopback. The senders count all the time, and
// send what they count (1) undisturbed, (2) while each is restarted once and a tenth of
// those is killed, so that nothing is flushed, (3) while the receiver is away, and (4)
// once it is back, until it has everything. Then they end. The receiver reads requests
// by Prometheus's messages, and checks each series: no sample is older than one before or
// contradicts one, and in the end the series has what was counted. The exit status is 1 if
// anything differs, but for what killed senders had not sent.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"time"
)

// plan is what is simulated.
type plan struct {
	senders, series int
	interval        time.Duration // between the collections of a sender
	each            time.Duration // of phases 1 and 2
	away            time.Duration // of the receiver
	queueBytes      int           // of each sender
	longestRetry    time.Duration
	seed            uint64
}

func main() {
	var p plan
	flag.IntVar(&p.senders, "senders", 1000, "how many senders there are")
	flag.IntVar(&p.series, "series", 100, "counters of each")
	flag.DurationVar(&p.interval, "interval", 10*time.Second, "between collections")
	flag.DurationVar(&p.each, "for", time.Minute, "how long they send undisturbed, and how long they are restarted")
	flag.DurationVar(&p.away, "away", 5*time.Minute, "how long the receiver is away")
	flag.IntVar(&p.queueBytes, "queue", 64<<20, "bytes that each sender keeps, compressed")
	flag.DurationVar(&p.longestRetry, "longest-retry", 30*time.Second, "the longest wait before a request is sent again")
	flag.Uint64Var(&p.seed, "seed", 1, "of which senders are restarted when, and killed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := p.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fleet is the senders with their receiver.
type fleet struct {
	plan
	receiver *receiver
	members  []*member
	out      io.Writer
	random   *rand.Rand
	killed   int
}

// run simulates, and returns an error if the receiver has not what was counted.
func (p plan) run(ctx context.Context, out io.Writer) error {
	r, err := listen()
	if err != nil {
		return err
	}
	defer r.leave()
	f := &fleet{plan: p, receiver: r, out: out, random: rand.New(rand.NewPCG(p.seed, 1))}
	_, _ = fmt.Fprintf(out, "%d senders of %d series, every %v; seed %d\n", p.senders, p.series, p.interval, p.seed)
	_, _ = fmt.Fprintf(out, "%-12s %8s %10s %10s %10s %10s %9s %9s\n", "", "seconds", "requests/s", "samples/s", "delay p50", "delay p99", "CPU s", "heap MiB")
	for i := range p.senders {
		m := newMember(f, i)
		f.members = append(f.members, m)
	}
	counting, stopCounting := context.WithCancel(ctx)
	var counted sync.WaitGroup
	counted.Go(func() { f.count(counting) })
	err = errors.Join(
		f.phase(ctx, "undisturbed", func() error { return f.undisturbed(ctx) }),
		f.phase(ctx, "restarts", func() error { return f.restarts(ctx) }),
		f.phase(ctx, "away", func() error { return f.withoutReceiver(ctx) }),
		f.phase(ctx, "back", func() error { return f.catchUp(ctx) }),
	)
	stopCounting()
	counted.Wait()
	err = errors.Join(err, f.phase(ctx, "end", func() error { return f.end() }))
	return errors.Join(err, f.judge())
}

// phase runs a phase and prints what it took.
func (f *fleet) phase(ctx context.Context, name string, run func() error) error {
	f.receiver.reset()
	began, used := time.Now(), processorTime()
	err := run()
	took := time.Since(began).Seconds()
	requests, samples, delays := f.receiver.taken()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	_, _ = fmt.Fprintf(f.out, "%-12s %8.1f %10.0f %10.0f %10v %10v %9.1f %9d\n", name, took, float64(requests)/took, float64(samples)/took,
		quantile(delays, 0.5), quantile(delays, 0.99), (processorTime() - used).Seconds(), stats.HeapAlloc>>20)
	return errors.Join(err, ctx.Err())
}

// count has all members count until ctx is done.
func (f *fleet) count(ctx context.Context) {
	due := time.NewTicker(max(f.interval/10, time.Millisecond))
	defer due.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		for _, m := range f.members {
			m.count(i)
		}
		select {
		case <-ctx.Done():
		case <-due.C:
		}
	}
}

// undisturbed starts all members, spread over an interval, and lets them send.
func (f *fleet) undisturbed(ctx context.Context) error {
	for _, m := range f.members {
		if err := m.start(); err != nil {
			return err
		}
		pause(ctx, f.interval/time.Duration(len(f.members)))
	}
	pause(ctx, f.each)
	return nil
}

// restarts ends each member once and starts it again, and kills every tenth.
func (f *fleet) restarts(ctx context.Context) error {
	for i, at := range f.random.Perm(len(f.members)) {
		kill := i%10 == 9
		if kill {
			f.killed++
		}
		if err := f.members[at].restart(kill); err != nil {
			return err
		}
		pause(ctx, f.each/time.Duration(len(f.members)))
	}
	return nil
}

// withoutReceiver takes the receiver away for a time.
func (f *fleet) withoutReceiver(ctx context.Context) error {
	f.receiver.leave()
	pause(ctx, f.away)
	most, all := 0.0, 0.0
	for _, m := range f.members {
		queued := m.health("telltale_remote_write_queued_bytes", "")
		most, all = max(most, queued), all+queued
	}
	_, _ = fmt.Fprintf(f.out, "  queued after that: %.0f KiB a sender, %.0f KiB at most\n", all/1024/float64(len(f.members)), most/1024)
	return f.receiver.comeBack()
}

// longestReturn is how long catchUp waits for what was queued.
const longestReturn = 10 * time.Minute

// catchUp waits until no sender has anything in its queue that is older than the
// receiver's return.
func (f *fleet) catchUp(ctx context.Context) error {
	back := time.Now()
	for deadline := back.Add(longestReturn); ctx.Err() == nil; pause(ctx, max(f.interval/20, time.Millisecond)) {
		late := 0
		for _, m := range f.members {
			if m.health("telltale_remote_write_delay_seconds", "") > time.Since(back).Seconds() {
				late++
			}
		}
		if late == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d senders are late still after %v", late, longestReturn)
		}
	}
	return nil
}

// end ends all members in order.
func (f *fleet) end() error {
	errs := make([]error, len(f.members))
	var ending sync.WaitGroup
	for i, m := range f.members {
		ending.Go(func() { errs[i] = m.end(false) })
	}
	ending.Wait()
	return errors.Join(errs...)
}

// judge compares what the receiver has with what was counted.
func (f *fleet) judge() error {
	var counted, received, lost float64
	var dropped, refused float64
	var err error
	for _, m := range f.members {
		has := f.receiver.total(m.instance)
		counted, received = counted+m.counted, received+has
		dropped, refused = dropped+m.dropped, refused+m.refused
		switch missing := m.counted - has; {
		case missing == 0:
		case missing > 0 && m.killed:
			lost += missing
		default:
			err = errors.Join(err, fmt.Errorf("%s counted %v, the receiver has %v", m.instance, m.counted, has))
		}
	}
	again, old, wrong := f.receiver.faults()
	_, _ = fmt.Fprintf(f.out, "counted %.0f, received %.0f, %.3f%% less; of that by %d killed senders %.0f\n", counted, received, 100*(counted-received)/counted, f.killed, lost)
	_, _ = fmt.Fprintf(f.out, "samples out of order %d, sent again because the answer was lost %d; dropped from queues %.0f, refused %.0f\n", old, again, dropped, refused)
	if old > 0 || refused > 0 {
		err = errors.Join(err, fmt.Errorf("%d samples came out of order, %.0f were refused", old, refused))
	}
	return errors.Join(err, wrong)
}

// pause waits, and not beyond the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

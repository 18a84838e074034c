//go:build unix

package multiprocess_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"telltale"
	"telltale/multiprocess"
)

var kills = flag.Int("kills", 0, "kill so many writers, in place of as many as can be in 20 seconds, 5 with -short")

// writersAtOnce is how many writers there are at any time.
const writersAtOnce = 4

// ledger is what writers have acknowledged, and what readers have seen of it.
type ledger struct {
	t     *testing.T
	dir   string
	begun time.Time
	turns atomic.Int64

	counted [waysToCount]atomic.Int64
	shown   [waysToCount][writersAtOnce]atomic.Int64 // gauges by slot
	killed  atomic.Int64
	folded  atomic.Int64
	pages   atomic.Int64
}

// another reports whether a writer more is to be killed.
func (l *ledger) another() bool {
	n := l.turns.Add(1)
	if *kills > 0 {
		return n <= int64(*kills)
	}
	return time.Since(l.begun) < lasting(20*time.Second) && !l.t.Failed()
}

// kill starts a writer in a slot, and ends it when it pleases. Some are stopped
// before, some of those go on for a while.
func (l *ledger) kill(slot, round int) {
	w := l.start(slot, round, 1<<30)
	if w == nil {
		return
	}
	time.Sleep(rand.N(60 * time.Millisecond))
	if n := rand.IntN(10); n < 2 {
		_ = w.cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(rand.N(10 * time.Millisecond))
		if n == 0 {
			_ = w.cmd.Process.Signal(syscall.SIGCONT)
			time.Sleep(rand.N(10 * time.Millisecond))
		}
	}
	if err := w.cmd.Process.Kill(); err != nil {
		l.t.Error(err)
	}
	l.killed.Add(1)
	<-w.heard
	_ = w.cmd.Wait() // it was killed
	w.checkTold(l.t)
}

// finish has a writer in a slot count so many times and end by itself.
func (l *ledger) finish(slot, round, times int) {
	w := l.start(slot, round, times)
	if w == nil {
		return
	}
	<-w.heard
	if err := w.cmd.Wait(); err != nil {
		l.t.Error(err)
	}
	w.checkTold(l.t)
}

// listened is a writer whose acknowledgements are heard.
type listened struct {
	cmd   *exec.Cmd
	heard chan struct{} // closed when there are no more
	told  bytes.Buffer  // what went wrong
}

func (w *listened) checkTold(t *testing.T) {
	if w.told.Len() > 0 {
		t.Errorf("a writer said\n%s", w.told.String())
	}
}

func (l *ledger) start(slot, round, times int) *listened {
	behind := int64(round) << 32 // more than a writer can count
	w := &listened{heard: make(chan struct{})}
	w.cmd = command("count", l.dir, strconv.Itoa(slot), strconv.FormatInt(behind, 10), strconv.Itoa(times))
	w.cmd.Stderr = &w.told
	acks, err := w.cmd.StdoutPipe()
	if err == nil {
		_, err = w.cmd.StdinPipe() // which ends with this process
	}
	if err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		l.t.Error(err)
		return nil
	}
	go func() {
		defer close(w.heard)
		block := make([]byte, 4096)
		var n [waysToCount]int
		for {
			got, err := acks.Read(block)
			for _, way := range block[:got] {
				n[way]++
				if _, adds := totals[int(way)]; adds {
					l.counted[way].Add(1)
				} else {
					l.shown[way][slot].Store(behind + int64(n[way]))
				}
			}
			if err != nil {
				if err != io.EOF {
					l.t.Error(err)
				}
				return
			}
		}
	}()
	return w
}

// watch reads pages until done, and holds each against what was acknowledged
// before and against the page before.
func (l *ledger) watch(who string, done <-chan struct{}, read func() (seen, error)) {
	var last seen
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
		}
		var counted [waysToCount]int64
		var shown [waysToCount][writersAtOnce]int64
		for way := range counted {
			counted[way] = l.counted[way].Load()
			for slot := range shown[way] {
				shown[way][slot] = l.shown[way][slot].Load()
			}
		}
		page, err := read()
		if err != nil {
			l.t.Errorf("%s failed: %v", who, err)
			return
		}
		l.pages.Add(1)
		for way, total := range totals {
			now := page.counted[way]
			if now < float64(counted[way]) {
				l.t.Errorf("%s: %d were counted in %s, the page has %v", who, counted[way], total.sample, now)
			}
			if now < last.counted[way] {
				l.t.Errorf("%s: %s fell from %v to %v", who, total.sample, last.counted[way], now)
			}
		}
		for _, way := range []int{setGreatest, setRecent} { // a new process's own begins at zero
			for slot, least := range shown[way] {
				now := page.shown[way][strconv.Itoa(slot)]
				if before := last.shown[way][strconv.Itoa(slot)]; now < float64(least) || now < before {
					l.t.Errorf("%s: %s of slot %d was %v and set to %d, the page has %v", who, settings[way], slot, before, least, now)
				}
			}
		}
		last = page
		if l.t.Failed() {
			return
		}
	}
}

// fold folds what the dead have left now and then. Writers do too, when they come
// and find many, and are killed over it.
func (l *ledger) fold(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(2 * time.Second):
		}
		report, err := multiprocess.Fold(context.Background(), l.dir)
		if err != nil {
			l.t.Errorf("folding failed: %v", err)
			return
		}
		l.folded.Add(int64(len(report.Absorbed)))
	}
}

// check holds a page against the ledger when nobody counts any more: all that it
// has is acknowledged, but for what was under way when a writer was killed.
func (l *ledger) check(who string, page seen) {
	l.t.Helper()
	more := 0.0
	for way, total := range totals {
		acknowledged := l.counted[way].Load()
		extra := page.counted[way] - float64(acknowledged)
		if more += extra; extra < 0 {
			l.t.Errorf("%s: of %d acknowledged in %s %v are there", who, acknowledged, total.sample, page.counted[way])
		}
	}
	if more > float64(l.killed.Load()) {
		l.t.Errorf("%s: %v were counted and not acknowledged, by %d writers that were killed", who, more, l.killed.Load())
	}
	for way, name := range settings {
		for slot := range writersAtOnce {
			if got, want := page.shown[way][strconv.Itoa(slot)], l.shown[way][slot].Load(); got != float64(want) {
				l.t.Errorf("%s: %s of slot %d is %v, and was set to %v last", who, name, slot, got, want)
			}
		}
	}
}

// TestKilledWritersLoseNothing kills writers at random instants, while readers
// of all kinds read: no counting that was over is lost, no total ever decreases,
// no reader ever fails.
func TestKilledWritersLoseNothing(t *testing.T) {
	l := &ledger{t: t, dir: sharedDir(t), begun: time.Now()}
	fails := multiprocess.WithErrorHook(func(err error) {
		t.Errorf("a reader was told: %v", err)
	})
	store, err := multiprocess.Open(l.dir, fails)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	own := telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
	lasting := collector(t, l.dir, fails)

	done := make(chan struct{})
	var readers, slots sync.WaitGroup
	readers.Go(func() {
		l.watch("a reader that was there all along", done, func() (seen, error) { return see(lasting) })
	})
	unmapped := collector(t, l.dir, fails, multiprocess.WithMappingLimits(0, 0))
	readers.Go(func() { l.watch("a reader that maps nothing", done, func() (seen, error) { return see(unmapped) }) })
	readers.Go(func() { l.watch("a registry with a store", done, func() (seen, error) { return see(own) }) })
	readers.Go(func() {
		l.watch("a fresh reader", done, func() (seen, error) {
			c, err := multiprocess.NewCollector(l.dir, fails)
			if err != nil {
				return seen{}, err
			}
			return see(c)
		})
	})
	readers.Go(func() { l.fold(done) })
	rounds := make([]int, writersAtOnce)
	for slot := range writersAtOnce {
		slots.Go(func() {
			for l.another() {
				l.kill(slot, rounds[slot])
				rounds[slot]++
			}
		})
	}
	slots.Wait()
	for slot := range writersAtOnce { // and some that end well
		slots.Go(func() { l.finish(slot, rounds[slot], 1000) })
	}
	slots.Wait()
	close(done)
	readers.Wait()

	everybody := map[string]telltale.Collector{"the lasting reader": lasting, "the one that maps nothing": unmapped, "the registry": own, "a fresh reader": collector(t, l.dir, fails)}
	for range 2 {
		for who, c := range everybody {
			page, err := see(c)
			if err != nil {
				t.Fatal(err)
			}
			l.check(who, page)
		}
		report, err := multiprocess.Fold(t.Context(), l.dir)
		if err != nil {
			t.Fatal(err)
		}
		l.folded.Add(int64(len(report.Absorbed)))
	}
	countings := int64(0)
	for way := range l.counted {
		countings += l.counted[way].Load()
	}
	if l.killed.Load() < writersAtOnce || l.folded.Load() == 0 || countings == 0 || l.pages.Load() == 0 {
		t.Error("nothing was tried")
	}
	t.Logf("%d writers killed, %d folded, %d countings acknowledged, %d pages read", l.killed.Load(), l.folded.Load(), countings, l.pages.Load())
}

//go:build unix

package multiprocess_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/multiprocess"
)

// countWhenTold is a child that counts series which expire, through handles that it holds
// from the first time on: those that it reads the names of, one a line, each of which it
// acknowledges by a byte. A line that begins with ! has it create a series that stays.
func countWhenTold(args []string) error {
	store, err := multiprocess.Open(args[0], multiprocess.WithoutFolding(), multiprocess.WithPublishInterval(time.Second))
	if err != nil {
		return err
	}
	in, d := telltale.In(telltale.NewRegistry(telltale.WithStore(store))), telltale.WithIdleExpiry(idle)
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, in, d))
	h := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, in, d, telltale.WithBuckets(1)))
	type handles struct {
		c *telltale.Counter
		h *telltale.Histogram
	}
	held := make(map[string]handles)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if name, stays := strings.CutPrefix(lines.Text(), "!"); stays {
			if err := errors.Join(c.Init([]string{name}), h.Init([]string{name})); err != nil {
				return err
			}
		} else {
			of, ok := held[name]
			if !ok {
				of = handles{c.With(name), h.With(name)}
				held[name] = of
			}
			of.c.Inc()
			of.h.Observe(0.5)
		}
		if _, err := os.Stdout.Write([]byte{'.'}); err != nil {
			return err
		}
	}
	return nil
}

// told is a process that does countWhenTold.
type told struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	acks io.ReadCloser
}

func startTold(t *testing.T, dir string) *told {
	t.Helper()
	p := &told{t: t, cmd: command("expire", dir)}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err == nil { // which ends with this process
		if p.acks, err = p.cmd.StdoutPipe(); err == nil {
			err = p.cmd.Start()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// count has the process count a series, so many times.
func (p *told) count(name string, times int) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, strings.Repeat(name+"\n", times)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, p.acks, int64(times)); err != nil {
		p.t.Fatal(err)
	}
}

// killWhile has the process count a series, kills it meanwhile, and returns how many times
// it has acknowledged.
func (p *told) killWhile(name string) (acked int64) {
	go func() { _, _ = io.WriteString(p.in, strings.Repeat(name+"\n", 1000)) }()
	time.Sleep(rand.N(5 * time.Millisecond))
	_ = p.cmd.Process.Kill()
	acked, _ = io.Copy(io.Discard, p.acks)
	p.kill()
	return acked
}

// kill ends the process with SIGKILL.
func (p *told) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// totalsOf returns the values of a sample by the label.
func totalsOf(page, name string) map[string]int {
	found := make(map[string]int)
	for line := range strings.Lines(page) {
		label, value, ok := strings.Cut(strings.TrimPrefix(line, name+`{l="`), `"} `)
		if v, err := strconv.ParseFloat(strings.TrimSpace(value), 64); ok && strings.HasPrefix(line, name+"{") && err == nil {
			found[label] = int(v)
		}
	}
	return found
}

// agreed returns the totals of the counter's series, and whether those of the histogram
// are the same, but that the last of it may leave a moment earlier or later.
func agreed(page string) (c map[string]int, ok bool) {
	c, h := totalsOf(page, "c_total"), totalsOf(page, "h_count")
	for label, n := range h {
		if had, ok := c[label]; ok && had != n {
			return c, false
		}
		c[label] = n
	}
	return c, true
}

// counts returns the totals of the counter's series, with which the histogram must agree.
func counts(t *testing.T, page string) map[string]int {
	t.Helper()
	c, ok := agreed(page)
	if !ok {
		t.Fatalf("the counter and the histogram differ:\n%s", page)
	}
	return c
}

// archived returns how many series the archive has.
func archived(t *testing.T, dir string) int {
	t.Helper()
	for _, f := range telltale.Must(multiprocess.Inspect(dir)) {
		if f.Name == "archive.seg" {
			return f.Series
		}
	}
	return 0
}

// foldsKilled folds as often as there are steps, killed before each, then whole.
func foldsKilled(t *testing.T, dir string) {
	t.Helper()
	for step := 0; ; step++ {
		if _, died := ended(t, child(t, dir, childKill+"="+strconv.Itoa(step))); !died {
			return
		}
	}
}

// What killed processes have left of a series goes on while others update it, and ends with
// it: on the page, in the archive and in the files of the living.
func TestSeriesOfKilledProcessesExpire(t *testing.T) {
	for seriesOfKilledProcessesExpire(t) { // on a machine that was too slow
		if deadline, ok := t.Deadline(); ok && time.Until(deadline) < time.Minute {
			t.Fatal("the machine does not come to read pages within the expiry")
		}
	}
}

// seriesOfKilledProcessesExpire reports whether the machine took so long that series could
// expire before a page was read that had to have them.
func seriesOfKilledProcessesExpire(t *testing.T) (slow bool) {
	const started = "started" // counted by processes that are to be there before time counts
	dir := sharedDir(t)
	a, b := startTold(t, dir), startTold(t, dir)
	read := pageReader(t, dir)
	// has reports whether the page has these totals right after counting.
	has := func(want string, count func()) bool {
		began := time.Now()
		count()
		text := read()
		page, agree := agreed(text)
		delete(page, started)
		if agree && fmt.Sprint(page) == want {
			return true
		}
		if slow = time.Since(began) >= idle; !slow {
			t.Fatalf("the page has\n%s, want %s", text, want)
		}
		return false
	}
	a.count(started, 1)
	b.count("!x", 1) // so that x goes on, however slow this machine is
	if !has("map[x:8 y:2 z:4]", func() { a.count("x", 5); a.count("z", 4); b.count("x", 3); b.count("y", 2) }) {
		return
	}
	a.kill()
	foldsKilled(t, dir)
	if n := counts(t, read())["x"]; n != 8 {
		t.Fatalf("x is %d after the fold", n)
	}
	soon(t, "the others have left", func() bool {
		page := counts(t, read())
		if page["x"] != 8 {
			t.Fatalf("x is %d", page["x"])
		}
		return len(page) == 1
	})
	soon(t, "a fold drops z", func() bool {
		mustFold(t, dir)
		return archived(t, dir) == 2 // x of the counter and of the histogram
	})
	if !has("map[x:9 y:1]", func() { b.count("y", 1); b.count("x", 1) }) {
		return
	}
	b.kill()
	foldsKilled(t, dir)
	soon(t, "the page is empty", func() bool {
		page := counts(t, read())
		if x := page["x"]; x != 9 && x != 0 {
			t.Fatalf("x is %d", x)
		}
		return len(page) == 0
	})
	c := startTold(t, dir)
	c.count(started, 1)
	if !has("map[x:1]", func() { c.count("x", 1) }) {
		return
	}
	soon(t, "a fold drops all", func() bool {
		mustFold(t, dir)
		if x := counts(t, read())["x"]; x > 1 {
			t.Fatalf("x is %d", x)
		}
		return archived(t, dir) == 0
	})
	return false
}

// Processes that update a series now and then are killed, while another one keeps it and
// folds are killed too: its totals never fall, and nothing that was acknowledged is lost.
func TestKilledProcessesLoseNothingOfAnExpiringSeries(t *testing.T) {
	const writers = 3
	dir := sharedDir(t)
	startTold(t, dir).count("!x", 1)
	var acked, killed, folds atomic.Int64
	var done atomic.Bool
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for !done.Load() && !t.Failed() {
				p := startTold(t, dir)
				for range 1 + rand.IntN(3) {
					for range 1 + rand.IntN(20) {
						p.count("x", 1)
						acked.Add(1)
					}
					time.Sleep(rand.N(8 * idle))
				}
				acked.Add(p.killWhile("x"))
				killed.Add(1) // after an update that it has not acknowledged
			}
		})
	}
	all.Go(func() {
		for !done.Load() && !t.Failed() {
			_, _ = ended(t, child(t, dir, childKill+"="+strconv.Itoa(rand.IntN(20))))
			folds.Add(1)
			time.Sleep(rand.N(idle))
		}
	})
	read, last := pageReader(t, dir), 0
	for end := time.Now().Add(lasting(10 * time.Second)); time.Now().Before(end) && !t.Failed(); time.Sleep(20 * time.Millisecond) {
		least := int(acked.Load())
		n := totalsOf(read(), "c_total")["x"]
		if n < last || n < least {
			t.Errorf("x is %d after %d, and %d were acknowledged", n, last, least)
		}
		last = n
	}
	done.Store(true)
	all.Wait()
	for _, name := range []string{"c_total", "h_count"} {
		if n, least := int64(totalsOf(read(), name)["x"]), acked.Load(); n < least || n > least+killed.Load() {
			t.Errorf("%s is %d, and %d were acknowledged", name, n, least)
		}
	}
	t.Logf("%d processes were killed, %d folds begun, %d updates acknowledged", killed.Load(), folds.Load(), acked.Load())
}

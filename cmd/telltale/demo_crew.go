package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"telltale"
	"telltale/cmd/telltale/internal/shop"
	"telltale/collectors"
	"telltale/live"
	"telltale/multiprocess"
	"telltale/scrapehttp"
)

// crew is the worker processes of a demo.
type crew struct {
	program string
	dir     string
	listen  address  // where the first worker listens, once it does
	flags   []string // that all workers have
	diag    diagnostics

	mu     sync.Mutex
	out    io.Writer
	killed int
}

// runCrew runs a shop of several processes until ctx is done or the time is over.
func (d *demo) runCrew(ctx context.Context, out output, diag diagnostics) error {
	if err := d.check(); err != nil { // before there are workers that fail
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	dir, release, err := makeDemoDir()
	if err != nil {
		return err
	}
	defer func() {
		_ = os.RemoveAll(dir)
		release()
	}()
	c := &crew{program: program, dir: dir, listen: d.Listen, flags: d.flags(), diag: diag, out: out}
	working, dismiss := context.WithCancel(context.WithoutCancel(ctx)) // longer than the customers come
	var all sync.WaitGroup
	defer all.Wait()
	defer dismiss()
	workers := make([]*exec.Cmd, d.Workers)
	for i := range workers {
		cmd, listens, err := c.start(working, i+1)
		if err != nil {
			return fmt.Errorf("cannot start worker %d: %w", i+1, err)
		}
		workers[i], c.listen = cmd, listens
	}
	url := "http://" + string(c.listen)
	c.say("%s", crewGuide(url, dir, int(d.Workers), time.Duration(d.For)))
	for i, cmd := range workers {
		c.say("worker-%d is process %d\n", i+1, cmd.Process.Pid)
		all.Go(func() { c.keep(working, i+1, cmd) })
	}
	ctx, cancel := d.opening(ctx)
	defer cancel()
	tally := visit(ctx, url)
	dismiss()
	all.Wait()
	counted, err := c.counted(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	return report(out, tally, counted, c.killed)
}

// start starts a worker, waits until it listens and returns its address. The
// worker ends when ctx is done, or when this process ends.
func (c *crew) start(ctx context.Context, number int) (cmd *exec.Cmd, listens address, err error) {
	args := append([]string{"demo-worker", "--listen", string(c.listen), "--dir", c.dir, "--number", strconv.Itoa(number)}, c.flags...)
	cmd = exec.CommandContext(ctx, c.program, args...)
	setApart(cmd)
	cmd.Stderr = c.diag
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	cmd.Cancel = func() error {
		_, err := io.WriteString(stdin, dismissal)
		return errors.Join(err, stdin.Close())
	}
	cmd.WaitDelay = 30 * time.Second
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		_ = cmd.Process.Kill()
		return nil, "", errors.Join(errors.New("the worker does not print its address"), cmd.Wait())
	}
	return cmd, address(strings.TrimSpace(line)), nil
}

// keep starts a worker again whenever it ends, until ctx is done.
func (c *crew) keep(ctx context.Context, number int, cmd *exec.Cmd) {
	for cmd != nil {
		err := cmd.Wait()
		if ctx.Err() != nil {
			return
		}
		c.say("worker-%d has ended (%v); what it counted stays\n", number, err)
		c.mu.Lock()
		c.killed++
		c.mu.Unlock()
		cmd = c.startAgain(ctx, number)
	}
}

// startAgain starts a worker, retrying until it succeeds. It returns nil if ctx
// is done first.
func (c *crew) startAgain(ctx context.Context, number int) *exec.Cmd {
	for ; ctx.Err() == nil; time.Sleep(time.Second) {
		cmd, _, err := c.start(ctx, number)
		if err == nil {
			c.say("worker-%d is process %d\n", number, cmd.Process.Pid)
			return cmd
		}
		if ctx.Err() == nil {
			c.diag.warn(err)
		}
	}
	return nil
}

func (c *crew) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = fmt.Fprintf(c.out, format, args...)
}

// counted returns the requests that all workers have counted, including ended
// ones.
func (c *crew) counted(ctx context.Context) (float64, error) {
	workers, err := multiprocess.NewCollector(c.dir, multiprocess.WithErrorHook(c.diag.warn))
	if err != nil {
		return 0, err
	}
	reg := telltale.NewRegistry()
	if err := reg.Register(workers); err != nil {
		return 0, err
	}
	return shop.RequestsCounted(ctx, reg)
}

// crewGuide returns text that names the addresses and commands to try.
func crewGuide(url, dir string, workers int, lasts time.Duration) string {
	return fmt.Sprintf(`A shop of %[1]d processes, all at %[2]s, has %[3]d customers a second. Any of
them serves the metrics of all:
  %[2]s/metrics
and a page that draws them:
  %[2]s/live/

Look at
  shop_http_requests_total            requests by method, route and status, of all processes
  shop_http_requests_in_progress      only of those that live
  go_goroutines, process_open_fds     one series a process: pid="worker-1" and so on
  telltale_writers_processes          how many live, and how many are dead and not folded yet
Try
  kill -9 PID                         of one below; no total falls, and another takes its place
  telltale inspect %[4]s

%[5]s
`, workers, url, requestsPerSecond, dir, ending(lasts))
}

// demoWorker is the hidden verb that a worker process of the demo runs.
type demoWorker struct {
	Listen address `required:""`
	Dir    string  `required:""`
	Number int     `required:""`
	steered
}

// dismissal is what a worker reads from its parent when it shall end.
const dismissal = "end"

// Run serves the shop, and the metrics of all workers, until ctx is done or the
// standard input, which the parent holds open, ends. The parent removes the
// directory; if it was killed, the last worker does.
func (w *demoWorker) Run(ctx context.Context, out output, diag diagnostics) error {
	release, err := holdDemoDir(w.Dir)
	if err != nil {
		return err
	}
	var orphaned atomic.Bool
	defer func() {
		release()
		if orphaned.Load() {
			awaitAbandoned(w.Dir)
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		said, _ := io.ReadAll(io.LimitReader(os.Stdin, int64(len(dismissal))))
		orphaned.Store(string(said) != dismissal)
		cancel()
	}()
	store, err := multiprocess.Open(w.Dir, multiprocess.WithWriterName(fmt.Sprintf("worker-%d", w.Number)), multiprocess.WithErrorHook(diag.warn))
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	reg := telltale.NewRegistry(telltale.WithStore(store))
	s := shop.New(reg)
	if err := errors.Join(collectors.Register(reg), reg.Register(store.Health())); err != nil {
		return err
	}
	config := net.ListenConfig{Control: reusePort}
	listener, err := config.Listen(ctx, "tcp", string(w.Listen))
	if err != nil {
		return err
	}
	shown, err := w.page(ctx, reg, diag.warn)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", s.Handler())
	mux.Handle("/metrics", scrapehttp.Handler(shown))
	mux.Handle(livePath, live.Handler(shown, live.WithWriters(w.Dir)))
	mux.Handle("GET /{$}", http.RedirectHandler(livePath, http.StatusFound))
	closeShop, err := s.OpenAt(context.WithoutCancel(ctx), listener, mux)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, reachable(listener.Addr()))
	<-ctx.Done()
	return closeShop()
}

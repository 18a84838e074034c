// Plugins is a program that runs plugins as processes and shows their metrics on
// its own page. They need no protocol for that: a plugin gets the name of a
// directory in its environment, and keeps its metrics there.
//
//	go build -o /tmp/resize ./resize
//	go run . /tmp/resize
//	curl http://127.0.0.1:8080/metrics
//
// The counts of a plugin stay when it crashes. A plugin may start and end at any
// time, and may have metrics that the program does not know.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"telltale"
	"telltale/multiprocess"
	"telltale/scrapehttp"
)

// starts is the program's own counter, on the page beside those of plugins.
var starts = telltale.Must(telltale.NewCounterVec("plugin_starts", "How often plugins were started.", []string{"plugin"}))

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "serve the metrics on this address")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// run runs the plugins and serves the metrics until ctx is done.
func run(ctx context.Context, listen string, plugins []string) error {
	// A directory of its own: this program's counters begin at zero.
	dir, err := os.MkdirTemp("", "plugins")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := multiprocess.Open(dir, multiprocess.WithWriterName("host"))
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	if err := telltale.Default.UseStore(store); err != nil {
		return err
	}
	var all sync.WaitGroup
	defer all.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	for _, plugin := range plugins {
		all.Go(func() { keep(ctx, plugin, dir) })
	}
	return scrapehttp.Serve(ctx, listen, telltale.Default)
}

// keep runs a plugin until ctx is done, and restarts it when it ends.
func keep(ctx context.Context, plugin, dir string) {
	name := filepath.Base(plugin)
	for ctx.Err() == nil {
		cmd := exec.CommandContext(ctx, plugin)
		cmd.Env = append(os.Environ(), "PROMETHEUS_MULTIPROC_DIR="+dir)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.WaitDelay = 5 * time.Second
		starts.With(name).Inc()
		if err := cmd.Run(); ctx.Err() == nil {
			log.Printf("plugin %s has ended (%v) and is started again", name, err)
			time.Sleep(100 * time.Millisecond)
		}
	}
}

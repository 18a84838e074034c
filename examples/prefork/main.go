//go:build unix

// Prefork is an HTTP server of several worker processes on one port, each of
// which serves the merged metrics of all: a scraper sees one service, whichever
// worker accepts its connection.
//
//	go run . &
//	curl http://127.0.0.1:8080/
//	curl http://127.0.0.1:8080/metrics
//
// A worker that dies is restarted, and its counts stay. On SIGTERM or Ctrl-C the
// workers finish the requests in progress and all processes end. The directory
// stays: the counters continue from their values at the next start.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"telltale"
	"telltale/multiprocess"
	"telltale/scrapehttp"
)

var (
	requests = telltale.Must(telltale.NewCounterVec("http_requests", "Requests served.", []string{"method"}))
	duration = telltale.Must(telltale.NewHistogram("http_request_duration_seconds", "How long requests took."))
	// The mode is a live one: the value of a process disappears when it ends.
	inProgress = telltale.Must(telltale.NewGauge("http_requests_in_progress", "Requests being served.",
		telltale.WithGaugeMode(telltale.ModeLiveSum)))
)

var (
	listen  = flag.String("listen", "127.0.0.1:8080", "serve on this address")
	workers = flag.Int("workers", 4, "how many processes serve")
	dir     = flag.String("dir", filepath.Join(os.TempDir(), "prefork"), "keep the metrics here; best on a tmpfs, such as /dev/shm/prefork")
	worker  = flag.Int("worker", 0, "be this worker (the parent sets it)")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *worker == 0 {
		supervise(ctx)
		return
	}
	go func() { // the parent holds the other end while it lives
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := serve(ctx); err != nil {
		log.Fatal(err)
	}
}

// supervise keeps the workers running until ctx is done.
func supervise(ctx context.Context) {
	var all sync.WaitGroup
	for i := range *workers {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := run(ctx, i+1); ctx.Err() == nil {
					log.Printf("worker %d has ended (%v) and is started again", i+1, err)
					time.Sleep(100 * time.Millisecond)
				}
			}
		})
	}
	all.Wait()
}

// run runs a worker to its end.
func run(ctx context.Context, number int) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, append(os.Args[1:], fmt.Sprintf("-worker=%d", number))...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 15 * time.Second
	if _, err := cmd.StdinPipe(); err != nil {
		return err
	}
	return cmd.Run()
}

// serve is the main function of a worker.
func serve(ctx context.Context) error {
	store, err := multiprocess.Open(*dir, multiprocess.WithWriterName(fmt.Sprintf("worker-%d", *worker)))
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	if err := telltale.Default.UseStore(store); err != nil { // before anything is counted
		return err
	}
	config := net.ListenConfig{Control: reusePort}
	listener, err := config.Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", scrapehttp.Handler(telltale.Default))
	mux.HandleFunc("/", answer)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		patience, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ended <- server.Shutdown(patience)
	}()
	log.Printf("worker %d, pid=%d, serves http://%s/", *worker, os.Getpid(), listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

// reusePort lets several processes listen on one port; the kernel distributes
// the connections among them.
func reusePort(_, _ string, connection syscall.RawConn) error {
	var failed error
	err := connection.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(err, failed)
}

func answer(w http.ResponseWriter, r *http.Request) {
	defer inProgress.TrackInProgress()()
	defer duration.Start().Stop()
	requests.With(method(r)).Inc()
	_, _ = fmt.Fprintln(w, os.Getpid())
}

// method returns the method of a request as a label value. Clients may send any
// method, and each label value would be a series that stays.
func method(r *http.Request) string {
	switch r.Method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return r.Method
	}
	return "other"
}

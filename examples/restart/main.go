//go:build unix

// Restart is an HTTP server that is replaced by its next version without
// interruption. On SIGHUP it starts the program again and passes it the
// listener; both serve until the old process has answered its requests and ends.
// The totals on /metrics, which either serves, do not decrease, because the two
// share a directory.
//
//	go build && ./restart &
//	curl http://127.0.0.1:8080/metrics
//	kill -HUP $!
package main

import (
	"errors"
	"flag"
	"fmt"
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

	"telltale"
	"telltale/multiprocess"
	"telltale/scrapehttp"
)

var (
	requests = telltale.Must(telltale.NewCounter("http_requests", "Requests served."))
	// Each live process adds one: 2 while an old and a new one serve.
	processes = telltale.Must(telltale.NewGauge("server_processes", "Processes that serve.",
		telltale.WithGaugeMode(telltale.ModeLiveSum)))
)

var (
	listen = flag.String("listen", "127.0.0.1:8080", "serve on this address")
	dir    = flag.String("dir", filepath.Join(os.TempDir(), "restart"), "keep the metrics here; best on a tmpfs, such as /dev/shm/restart")
)

// inherited is set in the environment of a new process, which has the listener
// and a pipe on which to report that it is ready.
const (
	inherited  = "RESTART_INHERITED"
	listenerFD = 3 // the first of exec.Cmd's ExtraFiles
	readyFD    = 4
)

func main() {
	flag.Parse()
	if err := serve(); err != nil {
		log.Fatal(err)
	}
}

func serve() error {
	store, err := multiprocess.Open(*dir)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	if err := telltale.Default.UseStore(store); err != nil { // before anything is counted
		return err
	}
	listener, err := listenOrInherit()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", scrapehttp.Handler(telltale.Default))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		requests.Inc()
		_, _ = fmt.Fprintln(w, os.Getpid())
	})
	var connections sync.WaitGroup
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ConnState: func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			connections.Add(1)
		case http.StateClosed, http.StateHijacked:
			connections.Done()
		}
	}}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	processes.Set(1)
	log.Printf("pid=%d serves http://%s/", os.Getpid(), listener.Addr())
	if err := sayReady(); err != nil {
		return err
	}
	for {
		select {
		case err := <-ended:
			return err
		case s := <-signals:
			if s == syscall.SIGHUP {
				if err := replace(listener); err != nil {
					log.Printf("no new process, the old one stays: %v", err)
					continue
				}
			}
			// Not Shutdown, which does not answer requests on connections that
			// it has accepted before.
			if err := listener.Close(); err != nil {
				return err
			}
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				return err
			}
			server.SetKeepAlivesEnabled(false)
			late := time.AfterFunc(10*time.Second, func() { _ = server.Close() })
			defer late.Stop()
			connections.Wait()
			return nil
		}
	}
}

// listenOrInherit returns the listener that an old process has passed on, or
// else a new one.
func listenOrInherit() (net.Listener, error) {
	if os.Getenv(inherited) == "" {
		return net.Listen("tcp", *listen)
	}
	file := os.NewFile(listenerFD, "listener")
	listener, err := net.FileListener(file)
	return listener, errors.Join(err, file.Close())
}

// sayReady reports to the old process that this one serves.
func sayReady() error {
	if os.Getenv(inherited) == "" {
		return nil
	}
	ready := os.NewFile(readyFD, "ready")
	_, err := ready.Write([]byte("\n"))
	return errors.Join(err, ready.Close())
}

// replace starts a new process with the listener, and returns once it serves.
func replace(listener net.Listener) error {
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	ready, its, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = ready.Close() }()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(program, os.Args[1:]...)
	cmd.Env = append(os.Environ(), inherited+"=1")
	cmd.ExtraFiles = []*os.File{file, its}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = errors.Join(cmd.Start(), its.Close())
	if err != nil {
		return err
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil { // the process has ended
		return errors.Join(err, cmd.Wait())
	}
	return nil
}

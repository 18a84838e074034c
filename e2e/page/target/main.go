// Command target is a program with metrics for the page of package live to show, for
// the tests in the folder above. It ends when its standard input does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	"telltale"
	"telltale/live"
	"telltale/scrapehttp"
)

// pause holds writers still, so that numbers can be compared.
type pause struct{ mu sync.RWMutex }

// while runs f unless the writers are held.
func (p *pause) while(f func()) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	f()
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "the address to listen on")
	kind := flag.String("metrics", "types", "what there is: types, hostile, large, store")
	worker := flag.String("worker", "", "the directory to write to, for a process of the kind store")
	flag.Parse()
	if err := run(*listen, *kind, *worker); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(listen, kind, worker string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if worker != "" {
		return work(ctx, worker)
	}
	mux := http.NewServeMux()
	var held pause
	var c telltale.Collector
	var opts []live.Option
	switch kind {
	case "types":
		c = types(ctx, &held)
	case "hostile":
		c = hostile()
	case "large":
		c = large(ctx, &held)
	case "store":
		var s *store
		var err error
		if s, err = openStore(ctx, mux); err != nil {
			return err
		}
		defer s.close()
		c, opts = s.registry, append(opts, live.WithWriters(s.store.Directory()))
	default:
		return errors.New("there is no kind of metrics " + kind)
	}
	mux.Handle("GET /metrics", scrapehttp.Handler(c))
	mux.Handle("/live/", live.Handler(c, opts...))
	mux.HandleFunc("POST /hold", func(http.ResponseWriter, *http.Request) { held.mu.Lock() })
	mux.HandleFunc("POST /release", func(http.ResponseWriter, *http.Request) { held.mu.Unlock() })
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	server := &http.Server{Handler: mux}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

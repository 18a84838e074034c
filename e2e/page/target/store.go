package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"telltale"
	"telltale/multiprocess"
)

// store is the directory that this process and its workers share.
type store struct {
	store    *multiprocess.Store
	registry *telltale.Registry
	dir      string
	workers  []*exec.Cmd
}

const workers = 3

// openStore opens a directory and starts workers on it. POST /kill kills the first,
// and POST /fold folds what the dead left.
func openStore(ctx context.Context, mux *http.ServeMux) (s *store, err error) {
	s = &store{}
	if s.dir, err = os.MkdirTemp("", "target"); err != nil {
		return nil, err
	}
	if s.store, err = multiprocess.Open(s.dir, multiprocess.WithWriterName("web"), multiprocess.WithoutFolding()); err != nil {
		return nil, err
	}
	s.registry = telltale.NewRegistry(telltale.WithStore(s.store))
	count(s.registry, 1)
	for range workers {
		c := exec.CommandContext(ctx, os.Args[0], "-worker", s.dir)
		stdin, err := c.StdinPipe()
		if err != nil {
			return nil, err
		}
		c.Cancel = stdin.Close
		stdout, err := c.StdoutPipe()
		if err != nil {
			return nil, err
		}
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			return nil, err
		}
		if _, err := stdout.Read(make([]byte, 1)); err != nil { // until it has counted
			return nil, err
		}
		s.workers = append(s.workers, c)
	}
	mux.HandleFunc("POST /kill", func(http.ResponseWriter, *http.Request) {
		_ = s.workers[0].Process.Kill()
		_ = s.workers[0].Wait()
	})
	mux.HandleFunc("POST /fold", func(w http.ResponseWriter, r *http.Request) {
		if _, err := multiprocess.Fold(r.Context(), s.dir); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return s, nil
}

func (s *store) close() {
	for _, w := range s.workers {
		_ = w.Process.Kill()
		_ = w.Wait()
	}
	_ = os.RemoveAll(s.dir)
}

// count makes the series of a process.
func count(reg *telltale.Registry, factor int) {
	jobs := telltale.Must(telltale.NewCounterVec("jobs", "Jobs done.", []string{"kind"}, telltale.In(reg)))
	for i := range 10 * factor {
		jobs.With(fmt.Sprint("kind-", i)).Add(float64(factor))
	}
}

// work is what a worker does until ctx is done.
func work(ctx context.Context, dir string) error {
	s, err := multiprocess.Open(dir, multiprocess.WithoutFolding())
	if err != nil {
		return err
	}
	count(telltale.NewRegistry(telltale.WithStore(s)), 2)
	_, err = io.Copy(os.Stdout, strings.NewReader("\n"))
	<-ctx.Done()
	return errors.Join(err, s.Close())
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// gathered are the flags of verbs that show or send the metrics of other processes: of
// those that share a directory, and of those that serve a page themselves.
type gathered struct {
	Dir operand `help:"The directory that the workers write to." env:"PROMETHEUS_MULTIPROC_DIR" placeholder:"DIR"`

	manyPorts

	NoFold    bool `help:"Do not fold the files of ended workers."`
	DeadAfter span `help:"Also fold a file of Python's client that has not changed for this long (10m, 2h), where live processes cannot be seen." placeholder:"DURATION"`
}

// Validate is called by kong.
func (g *gathered) Validate(parsed *kong.Context) error {
	if g.Dir == "" && !g.asked() {
		return errors.New("there are no metrics: give --dir, --scrape or --targets")
	}
	return g.check(parsed)
}

// of says whose metrics they are.
func (g *gathered) of() string {
	var of []string
	if g.Dir != "" {
		of = append(of, "the workers that write to "+printable(string(g.Dir)))
	}
	if g.asked() {
		of = append(of, g.what())
	}
	return strings.Join(of, " and of ")
}

// registry returns a registry of the metrics, of the health of what gathers them and of
// what else this process has itself, and the files that it depends on. It returns no
// registry if ctx is done before.
func (g *gathered) registry(ctx context.Context, news *news, own ...telltale.Collector) (*telltale.Registry, []*reread, error) {
	reg := telltale.NewRegistry(telltale.WithErrorHook(news.hear))
	own = append(own, reg.Health())
	var workers telltale.Collector
	if g.Dir != "" {
		of, err := g.workers(ctx, news)
		if err != nil || of == nil {
			return nil, nil, err
		}
		workers, own = of, append(own, of.Health())
	}
	var files []*reread
	collectors := append([]telltale.Collector{workers}, own...)
	if g.asked() {
		many, read, err := g.collector(workers, own, news.hear)
		if err != nil {
			return nil, nil, err
		}
		collectors, files = []telltale.Collector{many}, read
	}
	for _, c := range collectors {
		if err := reg.Register(c); err != nil {
			return nil, nil, err
		}
	}
	return reg, files, nil
}

// workers returns the collector of the directory; nil if ctx is done before.
func (g *gathered) workers(ctx context.Context, news *news) (*multiprocess.Collector, error) {
	workers, err := multiprocess.NewCollector(string(g.Dir), g.options(news)...)
	if err != nil {
		return nil, fmt.Errorf("cannot read the workers' files: %w", err)
	}
	// Reading once before the first scrape finds faults of the directory, and
	// makes the first scrape as quick as later ones.
	if err := workers.Collect(ctx, func(*model.Family) error { return nil }); err != nil {
		if ctx.Err() != nil {
			return nil, nil
		}
		return nil, fmt.Errorf("cannot read the workers' files: %w", err)
	}
	return workers, nil
}

func (g *gathered) options(news *news) []multiprocess.Option {
	opts := []multiprocess.Option{
		multiprocess.WithErrorHook(news.hear), multiprocess.WithPythonFiles(), multiprocess.WithDeadAfter(time.Duration(g.DeadAfter)),
	}
	if g.NoFold {
		opts = append(opts, multiprocess.WithoutFolding())
	}
	return opts
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/scrapehttp"
)

// serve is the verb that runs beside a service of many processes and serves
// their metrics as one.
type serve struct {
	Dir    operand `help:"The directory that the workers write to." required:"" env:"PROMETHEUS_MULTIPROC_DIR" placeholder:"DIR"`
	Listen address `help:"Serve the metrics on this address (${default})." default:"127.0.0.1:9464" placeholder:"ADDR"`

	NoFold    bool `help:"Do not fold the files of ended workers."`
	DeadAfter span `help:"Also fold a file of Python's client that has not changed for this long (10m, 2h), where live processes cannot be seen." placeholder:"DURATION"`

	Timeout        span `help:"Collect for at most this long if the scraper does not send its own timeout (${default}); 0 for no limit." default:"${timeout}" placeholder:"DURATION"`
	MaxInFlight    most `help:"Answer at most N scrapes at once (${default}); 0 for no limit." default:"${maxInFlight}" placeholder:"N"`
	MaxPerPeer     most `help:"Answer at most N scrapes of one address at once (${default}); 0 for no limit, which a page behind a proxy needs." default:"${maxPerPeer}" placeholder:"N"`
	MaxConnections most `help:"Hold at most N connections (${default}); 0 for no limit." default:"${maxConnections}" placeholder:"N"`
}

// servingDefaults are the defaults of package scrapehttp, as variables of the
// help and of flags.
func servingDefaults() kong.Vars {
	return kong.Vars{
		"timeout":        scrapehttp.DefaultTimeout.String(),
		"maxInFlight":    strconv.Itoa(scrapehttp.DefaultMaxInFlight),
		"maxPerPeer":     strconv.Itoa(scrapehttp.DefaultMaxPerPeer),
		"maxConnections": strconv.Itoa(scrapehttp.DefaultMaxConnections),
	}
}

// Help is what kong prints below the usage.
func (*serve) Help() string {
	return `The workers are Go processes that share a directory (multiprocess.Open), processes of a service with Python's prometheus_client in multiprocess mode, or both. Their files are merged anew at every scrape. A file that cannot be read is left out and reported on stderr, and so are the samples of a file that disagrees with others. A problem is reported once while it lasts; one that comes back, after five minutes at the earliest.

Files of ended workers are folded into one, as by telltale fold. A program that reads Python's files itself (MultiProcessCollector) does not read folded files: services with such a program need --no-fold.

The page has the workers' metrics and telltale_*, the health of this registry and of the directory. It has no process_* or go_* metrics of this process, which would be mistaken for the service's.`
}

// Run serves the page until ctx is done.
func (s *serve) Run(ctx context.Context, out output, diag diagnostics) error {
	log := slog.New(slog.NewTextHandler(diag, nil))
	tell := func(err error) { warn(log, err) }
	news, failures := newNews(newsLimit, tell), newNews(failuresLimit, tell)
	workers, err := multiprocess.NewCollector(string(s.Dir), s.options(news)...)
	if err != nil {
		return fmt.Errorf("cannot read the workers' files: %w", err)
	}
	// Reading once before the first scrape finds faults of the directory, and
	// makes the first scrape as quick as later ones.
	if err := workers.Collect(ctx, func(*model.Family) error { return nil }); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("cannot read the workers' files: %w", err)
	}
	reg := telltale.NewRegistry(telltale.WithErrorHook(news.hear))
	if err := errors.Join(reg.Register(workers), reg.Register(reg.Health()), reg.Register(workers.Health())); err != nil {
		return err
	}
	page, err := startPage(ctx, s.Listen, reg, append(s.limits(), scrapehttp.WithErrorHook(hearPage(news, failures)))...)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "The metrics of the workers that write to %s are at\n  %s\nIt ends on Ctrl-C.\n", printable(string(s.Dir)), page.url())
	select {
	case <-ctx.Done():
	case <-page.ended:
	}
	return page.stop()
}

// hearPage returns a hook of the page that reports drops as news, and other
// errors as failed scrapes.
func hearPage(news, failures *news) func(error) {
	return func(err error) {
		var drop *scrapehttp.DropError
		if errors.As(err, &drop) {
			news.hear(err)
			return
		}
		failures.hear(err)
	}
}

// limits returns the options of the server that the flags set.
func (s *serve) limits() []scrapehttp.ServerOption {
	return []scrapehttp.ServerOption{
		scrapehttp.WithTimeout(time.Duration(s.Timeout)), scrapehttp.WithMaxInFlight(int(s.MaxInFlight)),
		scrapehttp.WithMaxInFlightPerPeer(int(s.MaxPerPeer)), scrapehttp.WithMaxConnections(int(s.MaxConnections)),
	}
}

func (s *serve) options(news *news) []multiprocess.Option {
	opts := []multiprocess.Option{
		multiprocess.WithErrorHook(news.hear), multiprocess.WithPythonFiles(), multiprocess.WithDeadAfter(time.Duration(s.DeadAfter)),
	}
	if s.NoFold {
		opts = append(opts, multiprocess.WithoutFolding())
	}
	return opts
}

// warn logs an error that does not stop the verb.
func warn(log *slog.Logger, err error) {
	var file *multiprocess.FileError
	var conflict *multiprocess.ConflictError
	switch {
	case errors.As(err, &file):
		level := slog.LevelWarn
		if file.Reason == multiprocess.ReasonEmpty || file.Reason == multiprocess.ReasonVanished {
			level = slog.LevelInfo // a worker has just started, or ended: nothing is lost
		}
		log.Log(context.Background(), level, "a file is left out", "path", file.Path, "reason", string(file.Reason), "error", file.Err)
	case errors.As(err, &conflict):
		log.Warn("workers disagree", "family", conflict.Family, "about", conflict.About, "error", conflict.Err, "files", conflict.Files, "more", conflict.More)
	default:
		log.Warn("a scrape met with a fault", "error", err)
	}
}

// news reports errors that may occur at every scrape, each once until it has not
// occurred for some time, and limits the number of different ones.
type news struct {
	limit int // number of different errors in newsEnds
	tell  func(error)

	mu      sync.Mutex
	met     map[string]time.Time // time of the last occurrence, by text
	flooded time.Time            // time of the last report of a flood
}

// An error that has not occurred for newsEnds is over: scrapes are at most
// minutes apart. At most newsLimit different ones are reported in that time,
// since they may contain names from workers. Failed scrapes are limited
// separately, because any client can cause many and must not crowd out the
// others.
const (
	newsEnds      = 5 * time.Minute
	newsLimit     = 1000
	failuresLimit = 20
)

func newNews(limit int, tell func(error)) *news {
	return &news{limit: limit, tell: tell, met: make(map[string]time.Time)}
}

func (n *news) hear(err error) {
	if err = n.sift(err, time.Now()); err != nil {
		n.tell(err)
	}
}

// sift returns the error if it should be reported, an error that says there is a
// flood, or nil.
func (n *news) sift(err error, now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := err.Error()
	last, met := n.met[text]
	if !met && len(n.met) >= n.limit {
		for text, last := range n.met {
			if now.Sub(last) >= newsEnds {
				delete(n.met, text)
			}
		}
		if len(n.met) >= n.limit {
			if !n.flooded.IsZero() && now.Sub(n.flooded) < newsEnds {
				return nil
			}
			n.flooded = now
			return fmt.Errorf("more than %d different faults in %v: further ones are not reported", n.limit, newsEnds)
		}
	}
	n.met[text] = now
	if met && now.Sub(last) < newsEnds {
		return nil
	}
	return err
}

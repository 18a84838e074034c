package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"telltale/live"
	"telltale/multiprocess"
	"telltale/rulesfile"
	"telltale/scrapehttp"
)

// serve is the verb that serves the metrics of other processes as one page: of those
// that share a directory with it, and of those that serve a page themselves.
type serve struct {
	gathered

	Listen     []place     `help:"Serve the metrics on this address, or on the Unix socket unix:PATH; may be repeated (default 127.0.0.1:9464, or the sockets that systemd passes)." sep:"none" placeholder:"ADDR|unix:PATH"`
	SocketMode permissions `help:"Permissions of the Unix sockets (${default})." default:"0660" placeholder:"MODE"`
	WebConfig  operand     `name:"web-config" aliases:"web.config.file" help:"TLS, client certificates and basic auth by this file, in the web configuration format of Prometheus's exporters; it is read again at each request." placeholder:"FILE"`

	Live     bool     `help:"Also serve a page that draws the metrics in a browser, at /live/."`
	LiveHost []string `name:"live-host" help:"Show that page on a loopback address also to requests for this host, the name by which a proxy passes them on; may be repeated. Without it: IP addresses, localhost and this machine's name." sep:"none" placeholder:"NAME"`

	steered

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
	return `With --dir: the workers are Go processes that share a directory (multiprocess.Open), processes of a service with Python's prometheus_client in multiprocess mode, or both. Their files are merged anew at every scrape. A file that cannot be read is left out and reported on stderr, and so are the samples of a file that disagrees with others. A problem is reported once while it lasts; one that comes back, after five minutes at the earliest.

Files of ended workers are folded into one, as by telltale fold. A program that reads Python's files itself (MultiProcessCollector) does not read folded files: services with such a program need --no-fold.

With --scrape and --targets: the pages of other processes are scraped at every scrape and shown as one, each target's series with the label instance, or added up with --sum. A target that fails is left out, reported once while it lasts, and shown by telltale_target_up.

The page has telltale_*, the health of this registry and of the directory. It has no process_* or go_* metrics of this process, which would be mistaken for the service's.

The signal HUP makes it read its files again, which it also does when they change.`
}

// Validate reports a flag that has no effect.
func (s *serve) Validate(parsed *kong.Context) error {
	if len(s.LiveHost) > 0 && !s.Live {
		return errors.New("--live-host is for --live")
	}
	return s.gathered.Validate(parsed)
}

// Run serves the page until ctx is done.
func (s *serve) Run(ctx context.Context, out output, diag diagnostics) error {
	log := newLog(diag)
	tell := func(err error) { warn(log, err) }
	news, failures := newNews(newsLimit, tell), newNews(failuresLimit, tell)
	web, err := readWebConfig(string(s.WebConfig))
	if err != nil {
		return fmt.Errorf("cannot serve the metrics: %w", err)
	}
	files := []*reread{{path: string(s.WebConfig), read: func() error {
		_, err := readWebConfig(string(s.WebConfig))
		return err
	}}}
	reg, read, err := s.registry(ctx, news)
	if err != nil || reg == nil {
		return err
	}
	files = append(files, read...)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	shown, err := s.page(ctx, reg, tell)
	if err != nil {
		return err
	}
	rereading(ctx, tell, append(files, &reread{read: s.reread})...)
	opts := append(s.limits(), scrapehttp.WithErrorHook(hearPage(news, failures)))
	if s.Live {
		opts = append(opts, mountLive(shown, live.WithHosts(s.LiveHost...), live.WithWriters(string(s.Dir)))) // an empty one is none
	}
	listeners, err := listenAt(ctx, s.Listen, s.SocketMode)
	if err != nil {
		return fmt.Errorf("cannot serve the metrics: %w", err)
	}
	page := startPage(listeners, web, failures.hear, shown, opts...)
	s.say(out, page)
	select {
	case <-ctx.Done():
	case <-page.ended:
	}
	return page.stop()
}

// say says where the page is.
func (s *serve) say(out output, page *page) {
	_, _ = fmt.Fprintf(out, "The metrics of %s are at\n", s.of())
	for _, url := range page.urls() {
		_, _ = fmt.Fprintf(out, "  %s\n", url)
		if s.Live && !strings.HasPrefix(url, unixPrefix) {
			_, _ = fmt.Fprintf(out, "and drawn, in a browser, at\n  %s\n", liveURL(url))
		}
	}
	_, _ = fmt.Fprintln(out, "It ends on Ctrl-C.")
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

// warn logs an error that does not stop the verb.
func warn(log *slog.Logger, err error) {
	var file *multiprocess.FileError
	var conflict *multiprocess.ConflictError
	var refused *rulesfile.Error
	var failed *targetError
	var restored *restoredError
	var unread *rereadError
	switch {
	case errors.As(err, &failed):
		log.Warn("a target is left out", "target", failed.target, "reason", failed.reason, "error", failed.err)
	case errors.As(err, &restored):
		log.Info("a target is on the page again", "target", restored.target)
	case errors.As(err, &unread):
		log.Warn("what was read before stays, since a file cannot be used", "error", unread.error)
	case errors.As(err, &file):
		level := slog.LevelWarn
		if file.Reason == multiprocess.ReasonEmpty || file.Reason == multiprocess.ReasonVanished {
			level = slog.LevelInfo // a worker has just started, or ended: nothing is lost
		}
		log.Log(context.Background(), level, "a file is left out", "path", file.Path, "reason", string(file.Reason), "error", file.Err)
	case errors.As(err, &conflict):
		log.Warn("workers disagree", "family", conflict.Family, "about", conflict.About, "error", conflict.Err, "files", conflict.Files, "more", conflict.More)
	case errors.As(err, &refused):
		log.Warn("the rules stay as they are, since their file cannot be used", "file", refused.Path, "error", refused.Err)
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

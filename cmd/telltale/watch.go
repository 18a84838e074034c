package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"

	"telltale/cmd/telltale/internal/board"
	"telltale/cmd/telltale/internal/screen"
	"telltale/model"
	"telltale/multiprocess"
)

// watch is the verb that shows metrics as they change.
type watch struct {
	Interval  span       `help:"Read each target anew after this time (${default})." default:"1s" placeholder:"DURATION"`
	Once      bool       `help:"Print the series once and end, without rates."`
	Web       bool       `help:"Draw the targets on a page in a browser, at an address of this machine alone that is printed."`
	For       span       `help:"End after this time, such as 10s; without it on Ctrl-C." placeholder:"DURATION"`
	Filter    string     `help:"Show the series that have all these words in their names, labels or types." placeholder:"WORDS"`
	Sort      string     `help:"Sort by page, name, value or rate (${default})." enum:"page,name,value,rate" default:"page" placeholder:"COLUMN"`
	Reverse   bool       `help:"Reverse the order."`
	Top       most       `help:"Print at most N series, where the output is no terminal; 0 for all." default:"0" placeholder:"N"`
	MaxSeries limit      `help:"Most series to keep, of all targets (${default})." default:"${maxSeries}" placeholder:"N"`
	Format    pageFormat `help:"Read the pages in this format: auto, json, ${writable} (${default})." default:"auto" placeholder:"FORMAT"`
	Lenient   bool       `help:"Accept common mistakes of exporters."`
	reading
	Targets []operand `arg:"" name:"target" help:"URLs of pages, unix: and the paths of sockets that serve them, files, and directories that workers write to."`
}

// shortestInterval is the least time between two readings of a target.
const shortestInterval = 100 * time.Millisecond

// Help is what kong prints below the usage.
func (*watch) Help() string {
	return `In a terminal it is a table with a line for each target and a row for each series: counters, histograms and summaries with their rate since the reading before, a chart of the last 60 values, and of histograms one of the buckets that observations fell into. Keys filter (/), sort (s, r), show all about a series (Enter) or the processes that write to a directory (w), and pause (space); ? lists them.

A target that cannot be read stays on the screen with the error, and its series with their last values, until it returns. A counter that fell has begun again at zero. Directories are only read: nothing is folded.

Where the output is no terminal, or with --once, the table is printed as text, anew after each interval. With --once the exit status is 1 if a target cannot be read. Names and values from targets are printed without control characters. With NO_COLOR set there are no colours.

With --web the targets are drawn in a browser. The page collects while somebody looks at it, at most once each interval. Of several targets each series has the label instance.`
}

// Validate is called by kong.
func (w *watch) Validate() error {
	if time.Duration(w.Interval) < shortestInterval {
		return fmt.Errorf("--interval: %v is less than %v", time.Duration(w.Interval), shortestInterval)
	}
	if w.Web && w.Once {
		return errors.New("--once prints a table, which is not for --web")
	}
	for _, t := range w.Targets {
		if t == "-" {
			return errors.New("standard input is read once and cannot be watched; use check or convert")
		}
	}
	return w.fetching.Validate()
}

// Run shows the targets until ctx is done or the time is over.
func (w *watch) Run(ctx context.Context, out output, diag diagnostics) error {
	if w.For > 0 {
		limited, cancel := context.WithTimeout(ctx, time.Duration(w.For))
		defer cancel()
		ctx = limited
	}
	if w.Web {
		return w.web(ctx, out, diag.silent())
	}
	order, _ := board.ParseOrder(w.Sort)
	config := screen.Config{
		Interval: time.Duration(w.Interval), Series: int(w.MaxSeries),
		Filter: w.Filter, Order: order, Reverse: w.Reverse, Top: int(w.Top), Printable: printable,
	}
	plain := w.Once || !isTerminal(out.Writer) || !isTerminal(os.Stdin)
	if !plain {
		diag = diagnostics{io.Discard} // warnings would stand across the table
	}
	if !w.Once {
		diag = diag.silent()
	}
	if err := w.connect(); err != nil {
		return err
	}
	for _, t := range w.Targets {
		source, err := w.source(string(t), diag)
		if err != nil {
			return err
		}
		defer source.close()
		config.Sources = append(config.Sources, source)
	}
	if plain {
		return screen.Plain(ctx, config, out, w.Once)
	}
	return screen.Run(ctx, config)
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	if escaping, ok := stream.(*forTerminal); ok {
		stream = escaping.to
	}
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}

// watched is a page or a directory that is watched.
type watched struct {
	watch   *watch
	name    string
	diag    diagnostics
	workers *multiprocess.Collector // of a directory

	mu       sync.Mutex
	warned   bool
	busy     bool // whether it is read for a browser
	failing  bool // whether the last reading for a browser failed
	faults   int  // of the last collection
	problems error
}

// source returns a target. What is no URL and is not there yet is a file.
func (w *watch) source(name string, diag diagnostics) (*watched, error) {
	t := &watched{watch: w, name: name, diag: diag}
	if info, err := os.Stat(name); isFetched(name) || err != nil || !info.IsDir() {
		return t, nil
	}
	var err error
	t.workers, err = multiprocess.NewCollector(name, multiprocess.WithoutFolding(), multiprocess.WithPythonFiles(), multiprocess.WithErrorHook(t.hear))
	return t, err
}

func (t *watched) close() {
	if t.workers != nil {
		_ = t.workers.Close() // it was only read
	}
}

// hear takes the errors of a directory's collector.
func (t *watched) hear(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults++
	t.problems = err
}

// Name implements screen.Source.
func (t *watched) Name() string { return shown(t.name) }

// Read implements screen.Source.
func (t *watched) Read(ctx context.Context) ([]*model.Family, string, error) {
	if t.workers != nil {
		return t.collect(ctx)
	}
	diag := t.diag
	if t.warned { // once is enough
		diag = diagnostics{io.Discard}
	}
	t.warned = true
	d, err := t.watch.read(ctx, t.name, t.watch.Format, diag)
	if err != nil {
		return nil, "", err
	}
	families, err := d.families(t.watch.Lenient)
	return families, "", err
}

// collect reads a directory.
func (t *watched) collect(ctx context.Context) (all []*model.Family, note string, err error) {
	t.mu.Lock()
	t.faults, t.problems = 0, nil
	t.mu.Unlock()
	err = t.workers.Collect(ctx, func(f *model.Family) error {
		all = append(all, f.Clone())
		return nil
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.faults > 0 {
		note = fmt.Sprintf("%s, the last: %v", counted(t.faults, "fault"), t.problems)
	}
	return all, note, err
}

// Writers implements screen.Source.
func (t *watched) Writers() ([]screen.Writer, error) {
	if t.workers == nil {
		return nil, nil
	}
	reports, err := multiprocess.Inspect(t.name)
	all := make([]screen.Writer, len(reports))
	for i := range reports {
		r := &reports[i]
		all[i] = screen.Writer{
			File: r.Name, PID: r.PID, Name: r.Writer, Alive: string(r.Alive),
			Series: r.Series, Used: r.Used, Size: r.Size, Health: health(r),
		}
	}
	return all, err
}

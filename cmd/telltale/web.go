package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"telltale/cmd/telltale/internal/onepage"
	"telltale/live"
	"telltale/model"
)

// web serves the page of package live of the targets, on a free port of this machine
// alone, until ctx is done.
func (w *watch) web(ctx context.Context, out output, diag diagnostics) error {
	if err := w.connect(); err != nil {
		return err
	}
	others := newNews(failuresLimit, diag.warn)
	opts := []live.Option{live.WithInterval(time.Duration(w.Interval)), live.WithErrorHook(func(err error) {
		if !errors.Is(err, errUnread) { // which is told when it begins
			others.hear(err)
		}
	})}
	sources := &webSources{others: others}
	for _, t := range w.Targets {
		source, err := w.source(string(t), diag)
		if err != nil {
			return err
		}
		defer source.close()
		if source.workers != nil && len(w.Targets) == 1 {
			opts = append(opts, live.WithWriters(string(t)))
		}
		sources.all = append(sources.all, source)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("cannot serve the page: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle(livePath, live.Handler(sources, opts...))
	mux.Handle("GET /{$}", http.RedirectHandler(livePath, http.StatusFound))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxWatchHeader}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	_, _ = fmt.Fprintf(out, "The metrics of %s are drawn, in a browser, at\n  http://%s%s\nIt ends on Ctrl-C.\n", w.what(), listener.Addr(), livePath)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot serve the page: %w", err)
	}
	return nil
}

// maxWatchHeader is how many bytes the header of a request for the page may have, which a
// browser sends from this machine.
const maxWatchHeader = 128 << 10

// what says what is watched.
func (w *watch) what() string {
	if len(w.Targets) == 1 {
		return shown(string(w.Targets[0]))
	}
	return counted(len(w.Targets), "target")
}

// errUnread is the error of a collection whose only target cannot be read.
var errUnread = errors.New("the target cannot be read")

// webSources is the collector of targets that are watched. Of several each series has
// the label instance, and those that cannot be read, in nine tenths of the time that
// there is, are left out. When a target begins to fail, its error is printed.
type webSources struct {
	all    []*watched
	others *news // errors that are of no target alone
}

// Collect reads the targets, all at once.
func (s *webSources) Collect(ctx context.Context, emit func(*model.Family) error) error {
	if deadline, ok := ctx.Deadline(); ok {
		limited, cancel := context.WithTimeout(ctx, time.Until(deadline)/10*9)
		defer cancel()
		ctx = limited
	}
	pages := make([]onepage.Page, len(s.all))
	errs := make([]error, len(s.all))
	var all sync.WaitGroup
	for i, source := range s.all {
		all.Go(func() {
			target := s.name(i)
			pages[i] = onepage.Page{Target: target, Instance: model.LabelPairs([]string{"instance"}, []string{target})}
			pages[i].Families, errs[i] = source.readWithin(ctx)
			source.tell(errs[i])
		})
	}
	all.Wait()
	if len(s.all) == 1 {
		if errs[0] != nil {
			return fmt.Errorf("%w: %w", errUnread, errs[0])
		}
		return emitAll(pages[0].Families, emit)
	}
	up := &model.Family{Name: "telltale_target_up", Help: "Whether the target could be read.", Type: model.Gauge}
	for i, err := range errs {
		value := 1.0
		if err != nil {
			value = 0
		}
		up.Append(model.Point{Labels: pages[i].Instance, Value: value, Has: model.Gauge.Parts() &^ model.PartCreated})
	}
	pages = append([]onepage.Page{{Own: true, Families: []*model.Family{up}}}, pages...) // a target may have such a family, too
	return emitAll(onepage.Join(pages, s.others.hear), emit)
}

// name returns what tells a target from others. It is shown, and has no password.
func (s *webSources) name(i int) string {
	name := s.all[i].Name()
	for j, other := range s.all {
		if j != i && other.Name() == name {
			return name + "#" + strconv.Itoa(i+1)
		}
	}
	return name
}

// readWithin reads the target, and leaves it when ctx is done: a file may be a pipe that
// never ends. Until such a reading has ended there is no other.
func (t *watched) readWithin(ctx context.Context) ([]*model.Family, error) {
	t.mu.Lock()
	busy := t.busy
	t.busy = true
	t.mu.Unlock()
	slow := fmt.Errorf("%s: it takes too long to be read", t.Name())
	if busy {
		return nil, slow
	}
	type outcome struct {
		families []*model.Family
		err      error
	}
	read := make(chan outcome, 1)
	go func() {
		families, _, err := t.Read(ctx)
		t.mu.Lock()
		t.busy = false
		t.mu.Unlock()
		read <- outcome{families, err}
	}()
	select {
	case got := <-read:
		return got.families, got.err
	case <-ctx.Done():
		return nil, slow
	}
}

// tell prints the error of a reading if the one before had none.
func (t *watched) tell(err error) {
	t.mu.Lock()
	began := err != nil && !t.failing
	t.failing = err != nil
	t.mu.Unlock()
	if began {
		t.diag.warn(err)
	}
}

func emitAll(families []*model.Family, emit func(*model.Family) error) error {
	for _, f := range families {
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

package apitest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/model"
)

// logbook is a slog.Handler that keeps records, and calls a function for each
// before.
type logbook struct {
	during func(slog.Record)

	mu      sync.Mutex
	records []slog.Record
}

func (*logbook) Enabled(context.Context, slog.Level) bool { return true }
func (b *logbook) WithAttrs([]slog.Attr) slog.Handler     { return b }
func (b *logbook) WithGroup(string) slog.Handler          { return b }

func (b *logbook) Handle(_ context.Context, r slog.Record) error {
	if b.during != nil {
		b.during(r)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = append(b.records, r)
	return nil
}

// lines returns what was logged, as one line each: level, then attributes.
func (b *logbook) lines() (lines []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.records {
		line := r.Level.String()
		r.Attrs(func(a slog.Attr) bool {
			line += " " + a.String()
			return true
		})
		lines = append(lines, line)
	}
	return lines
}

// logged has a logbook keep what is logged during the test.
func logged(t *testing.T) *logbook {
	t.Helper()
	book, before := new(logbook), slog.Default()
	slog.SetDefault(slog.New(book))
	t.Cleanup(func() { slog.SetDefault(before) })
	return book
}

func wantLines(t *testing.T, b *logbook, want ...string) {
	t.Helper()
	got := b.lines()
	if len(got) != len(want) {
		t.Fatalf("%d lines were logged, not %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d is\n%s\nand not\n%s", i, got[i], want[i])
		}
	}
}

var errDatabase = errors.New("db is down")

// database is a collector that fails.
type database struct{ _ byte }

func (*database) Collect(context.Context, func(*model.Family) error) error { return errDatabase }

const databaseLine = `ERROR reason=error collector=*apitest.database err=db is down`

func TestFaultsOfCollectorsAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book, reg := logged(t), telltale.NewRegistry()
		register(t, reg, new(database), described(gauge("m", 1)))
		for range 3 {
			wantPage(t, reg, gaugePage("m", "1.0"))
		}
		wantLines(t, book, databaseLine)
		time.Sleep(time.Minute - 1)
		page(t, reg)
		wantLines(t, book, databaseLine)
		time.Sleep(time.Nanosecond)
		page(t, reg)
		wantLines(t, book, databaseLine, databaseLine+" unlogged=3")
		time.Sleep(time.Hour)
		page(t, reg)
		wantLines(t, book, databaseLine, databaseLine+" unlogged=3", databaseLine)
	})
}

func TestMisuseIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book, reg := logged(t), telltale.NewRegistry()
		c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
		v := telltale.Must(telltale.NewCounterVec("v", "", []string{"l"}, telltale.In(reg)))
		const n = 1_000_000
		for range n {
			c.Add(-1)
		}
		v.With("1", "2").Inc()
		if lines := book.lines(); len(lines) != 2 || !strings.HasPrefix(lines[0], "WARN reason=negative family=c err=") || !strings.HasPrefix(lines[1], "WARN reason=arity family=v err=") {
			t.Fatalf("logged\n%s", strings.Join(lines, "\n"))
		}
		wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonNegative: n, telltale.ReasonArity: 1})
		time.Sleep(time.Minute)
		c.Add(-1)
		if lines := book.lines(); len(lines) != 3 || !strings.HasSuffix(lines[2], fmt.Sprintf(" unlogged=%d", n-1)) {
			t.Fatalf("logged\n%s", strings.Join(lines, "\n"))
		}
	})
}

// The logger is the default one at the time of the fault, and a hook takes its place.
func TestSetErrorHook(t *testing.T) {
	book := logged(t)
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(nil))
	register(t, reg, new(database))
	page(t, reg)
	wantLines(t, book, databaseLine)
	reg.SetErrorHook(w.hear)
	page(t, reg)
	w.want(t, telltale.ReasonError)
	wantLines(t, book, databaseLine)
	reg.SetErrorHook(nil)
	telltale.Must(telltale.NewCounter("c", "", telltale.In(reg))).Add(-1)
	w.want(t, telltale.ReasonError)
	if n := len(book.lines()); n != 2 {
		t.Errorf("%d lines were logged, not 2", n)
	}
	next := logged(t)
	register(t, reg, telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { panic("x") }))
	page(t, reg)
	if n := len(next.lines()); n != 1 {
		t.Errorf("%d lines were logged by the new default, not 1", n)
	}
}

func TestSetErrorHookWhileThereAreFaults(t *testing.T) {
	logged(t)
	reg := telltale.NewRegistry()
	register(t, reg, new(database))
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	var all sync.WaitGroup
	const rounds = 200
	for _, f := range []func(){
		func() { reg.SetErrorHook(func(error) { reg.SetErrorHook(nil) }) },
		func() { c.Add(-1) },
		func() { _, _ = telltale.GenerateLatest(reg) },
		func() { reg.Stats() },
	} {
		all.Go(func() {
			for range rounds {
				f()
			}
		})
	}
	all.Wait()
	if n := reg.Stats().Faults[telltale.ReasonNegative]; n != rounds {
		t.Errorf("counted %d faults, not %d", n, rounds)
	}
}

// A hook that misuses an instrument is not called for that.
func TestHookThatMisuses(t *testing.T) {
	var c *telltale.Counter
	calls := 0
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {
		calls++
		c.Add(-1)
		c.Add(-1)
	}))
	c = telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	c.Add(-1)
	c.Add(-1)
	if calls != 2 {
		t.Errorf("the hook was called %d times, not twice", calls)
	}
	register(t, reg, new(database))
	page(t, reg)
	if calls != 3 {
		t.Errorf("the hook was called %d times, not three times", calls)
	}
	wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonNegative: 8, telltale.ReasonError: 1})
}

// Whatever a handler of the log does, pages are complete and callers go on.
func TestLogHandlersThatMisbehave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reg *telltale.Registry
		var c *telltale.Counter
		held := make(chan struct{}, 1) // full while the caller of Add holds it: a lock as the clock of the test knows it
		release := make(chan struct{})
		for _, tt := range []struct {
			name   string
			during func(slog.Record)
		}{
			{"panics", func(slog.Record) { panic("at the disco") }},
			{"blocks", func(slog.Record) { <-release }},
			{"needs a lock of the caller", func(slog.Record) { held <- struct{}{}; <-held }},
			{"collects", func(slog.Record) { _, _ = telltale.GenerateLatest(reg) }},
			{"misuses", func(slog.Record) { c.Add(-1) }},
			{"registers", func(slog.Record) { _ = reg.Register(described(gauge("from_the_log", 1))) }},
		} {
			book := logged(t)
			book.during = tt.during
			reg = telltale.NewRegistry()
			c = telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
			register(t, reg, new(database))
			for range 3 {
				held <- struct{}{}
				c.Add(-1)
				<-held
				if got := page(t, reg); !strings.HasPrefix(got, "# TYPE c_total counter\nc_total 0.0\n") {
					t.Errorf("a handler that %s: got page %q", tt.name, got)
				}
			}
			if n := reg.Stats().Faults[telltale.ReasonError]; n < 3 {
				t.Errorf("a handler that %s: counted %d faults, not 3", tt.name, n)
			}
		}
		close(release)
	})
}

// However many kinds of faults there are, a registry logs few lines and keeps little.
func TestKindsOfLoggedFaultsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book, reg := logged(t), telltale.NewRegistry()
		const n = 2000
		for round := range 2 {
			for i := range n {
				telltale.Must(telltale.NewCounter(fmt.Sprintf("c%d", i), "", telltale.In(reg))).Add(-1)
			}
			if lines := len(book.lines()); lines != 257*(round+1) {
				t.Errorf("%d lines were logged, not %d", lines, 257*(round+1))
			}
			time.Sleep(time.Minute)
		}
	})
}

// A fault of a nested registry is logged once, and not if a hook hears of it.
func TestFaultsOfNestedRegistriesAreLoggedOnce(t *testing.T) {
	book := logged(t)
	inner, outer := telltale.NewRegistry(), telltale.NewRegistry()
	register(t, inner, new(database))
	register(t, outer, inner)
	page(t, outer)
	wantLines(t, book, databaseLine)
	var w witness
	hooked := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	register(t, hooked, inner)
	page(t, hooked)
	w.want(t, telltale.ReasonError)
	wantLines(t, book, databaseLine)
}

func TestStrictRegistriesLogNothing(t *testing.T) {
	book, reg := logged(t), telltale.NewRegistry(telltale.WithStrict())
	register(t, reg, new(database))
	if _, err := telltale.GenerateLatest(reg); !errors.Is(err, errDatabase) {
		t.Errorf("the error is %v", err)
	}
	if _, err := telltale.GenerateLatest(new(database)); !errors.Is(err, errDatabase) {
		t.Errorf("the error of a collector in no registry is %v", err)
	}
	wantLines(t, book)
}

// A text from outside cannot begin a line of the log.
func TestLoggedTextsAreAttributes(t *testing.T) {
	book, reg := logged(t), telltale.NewRegistry()
	book.during = func(r slog.Record) {
		if strings.ContainsAny(r.Message, "\n\r") {
			t.Errorf("the message is %q", r.Message)
		}
	}
	register(t, reg, telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
		return errors.New(strings.Repeat("\nERROR forged", 10_000))
	}))
	page(t, reg)
	lines := book.lines()
	if len(lines) != 1 || len(lines[0]) > 17<<10 {
		t.Errorf("%d lines were logged", len(lines))
	}
}

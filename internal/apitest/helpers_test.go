package apitest

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"telltale"
	"telltale/exposition/openmetrics"
	"telltale/model"
)

// patience is how long a test waits for an event that is certain. It decides no
// result: a test that reaches it hangs.
const patience = 30 * time.Second

// collectFunc is the signature of Collect.
type collectFunc func(ctx context.Context, emit func(*model.Family) error) error

// emitting returns a Collect that emits the families.
func emitting(families ...*model.Family) collectFunc {
	return func(_ context.Context, emit func(*model.Family) error) error {
		for _, f := range families {
			if err := emit(f); err != nil {
				return err
			}
		}
		return nil
	}
}

// nameless returns a collector that emits the families and describes nothing.
func nameless(families ...*model.Family) telltale.Collector {
	return telltale.CollectorFunc(emitting(families...))
}

// described returns a collector that describes the families and emits them.
func described(families ...*model.Family) telltale.Collector {
	return telltale.CollectorFunc(emitting(families...), families...)
}

// counting returns a collector that counts how often it is called. It describes
// the families if there is something to describe.
func counting(calls *atomic.Int64, families ...*model.Family) telltale.Collector {
	return telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		calls.Add(1)
		return emitting(families...)(ctx, emit)
	}, families...)
}

// gauge returns a gauge family with one series.
func gauge(name string, value float64) *model.Family {
	f := family(name, model.Gauge)
	f.AddSample(name, nil, value)
	return f
}

// family returns a family without samples.
func family(name string, typ model.Type, opts ...model.FamilyOption) *model.Family {
	return telltale.Must(model.NewFamily(name, "", typ, opts...))
}

// register registers the collectors, none of which may fail.
func register(t *testing.T, reg *telltale.Registry, collectors ...telltale.Collector) {
	t.Helper()
	for _, c := range collectors {
		if err := reg.Register(c); err != nil {
			t.Fatalf("Register(%T): %v", c, err)
		}
	}
}

// page returns the text page of a collector, without HELP lines.
func page(t *testing.T, c telltale.Collector) string {
	t.Helper()
	text, err := telltale.GenerateLatest(c)
	if err != nil {
		t.Fatalf("GenerateLatest: %v", err)
	}
	return withoutHelp(string(text))
}

// openMetrics returns the collector's page in OpenMetrics, without HELP lines.
func openMetrics(t *testing.T, c telltale.Collector) string {
	t.Helper()
	var b bytes.Buffer
	enc := openmetrics.NewEncoder(&b)
	if err := c.Collect(t.Context(), enc.Encode); err != nil {
		t.Fatalf("Collect: %v", err)
	}
	if err := enc.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	return withoutHelp(b.String())
}

func withoutHelp(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "# HELP ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// wantPage compares a collector's page with the wanted one.
func wantPage(t *testing.T, c telltale.Collector, want string) {
	t.Helper()
	wantText(t, page(t, c), want)
}

func wantText(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got page\n%s\nwant\n%s", got, want)
	}
}

// gaugePage is the page of gauges without labels, given by name and value.
func gaugePage(namesAndValues ...string) string {
	var b strings.Builder
	for pair := range slices.Chunk(namesAndValues, 2) {
		b.WriteString("# TYPE " + pair[0] + " gauge\n" + pair[0] + " " + pair[1] + "\n")
	}
	return b.String()
}

// familyNames collects the names of the families, in the order in which they
// are emitted.
func familyNames(t *testing.T, c telltale.Collector) []string {
	t.Helper()
	var names []string
	err := c.Collect(t.Context(), func(f *model.Family) error {
		names = append(names, strings.Clone(f.Name))
		return nil
	})
	if err != nil {
		t.Fatalf("Collect: %v", err)
	}
	return names
}

func wantNames(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// wantDuplicate checks that err is a DuplicateError with the clashing names.
func wantDuplicate(t *testing.T, err error, names ...string) {
	t.Helper()
	_ = duplicateIn(t, err, names...)
}

// duplicateIn is wantDuplicate, and returns the DuplicateError.
func duplicateIn(t *testing.T, err error, names ...string) *telltale.DuplicateError {
	t.Helper()
	var duplicate *telltale.DuplicateError
	if !errors.As(err, &duplicate) {
		t.Fatalf("got error %v, want a DuplicateError with %q", err, names)
	}
	wantNames(t, "clashing names", duplicate.Names(), names...)
	return duplicate
}

// witness is an error hook that records faults.
type witness struct {
	mu     sync.Mutex
	faults []*telltale.Fault
}

func (w *witness) hear(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var fault *telltale.Fault
	if !errors.As(err, &fault) {
		fault = &telltale.Fault{Reason: "not a Fault", Err: err}
	}
	w.faults = append(w.faults, fault)
}

func (w *witness) heard() []*telltale.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.faults)
}

// want checks the reasons of the recorded faults, in order, and returns the
// faults.
func (w *witness) want(t *testing.T, reasons ...telltale.Reason) []*telltale.Fault {
	t.Helper()
	faults := w.heard()
	var got []telltale.Reason
	for _, f := range faults {
		got = append(got, f.Reason)
	}
	if !slices.Equal(got, reasons) {
		t.Fatalf("the error hook heard %q, want %q: %v", got, reasons, faults)
	}
	return faults
}

// wantFaults compares the counts of a registry's faults.
func wantFaults(t *testing.T, reg *telltale.Registry, want map[telltale.Reason]uint64) {
	t.Helper()
	got := reg.Stats().Faults
	for reason, n := range got {
		if want[reason] != n {
			t.Errorf("counted %d faults %q, want %d", n, reason, want[reason])
		}
	}
	for reason, n := range want {
		if got[reason] != n {
			t.Errorf("counted %d faults %q, want %d", got[reason], reason, n)
		}
	}
}

// await fails the test if the channel stays empty.
func await[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// alarm is a context whose deadline passes when the test says so.
type alarm struct {
	context.Context
	done chan struct{}
}

func newAlarm(ctx context.Context) *alarm { return &alarm{ctx, make(chan struct{})} }

func (a *alarm) ring() { close(a.done) }

func (a *alarm) Done() <-chan struct{} { return a.done }

func (a *alarm) Deadline() (time.Time, bool) { return time.Now().Add(patience), true }

func (a *alarm) Err() error {
	select {
	case <-a.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// emittingSlowly returns a Collect that signals when it has begun, and emits
// when it may finish.
func emittingSlowly(begun chan<- struct{}, finish <-chan struct{}, families ...*model.Family) collectFunc {
	return func(ctx context.Context, emit func(*model.Family) error) error {
		begun <- struct{}{}
		<-finish
		return emitting(families...)(ctx, emit)
	}
}

// mark is an object in a collector; a test waits for its garbage collection.
type mark struct{ _ [64]byte }

// marked returns a collector that holds the mark.
func marked(m *mark, collect collectFunc) telltale.Collector {
	return telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		defer runtime.KeepAlive(m)
		return collect(ctx, emit)
	})
}

// wantForgotten calls use, which makes collectors that hold the mark and
// collects them, and waits until the mark is garbage collected.
func wantForgotten(t *testing.T, use func(m *mark)) {
	t.Helper()
	marks := make(chan weak.Pointer[mark], 1)
	go func() { // a goroutine of its own, whose stack is gone afterwards
		m := new(mark)
		defer func() { marks <- weak.Make(m) }()
		use(m)
	}()
	m := <-marks
	eventually(t, "the collectors to be forgotten", func() bool {
		runtime.GC()
		return m.Value() == nil
	})
}

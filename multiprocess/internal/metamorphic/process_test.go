//go:build unix

package metamorphic

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale"
	"telltale/internal/cell"
	"telltale/internal/mapped"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/spool"
	"telltale/multiprocess/internal/store"
)

// instruments are those of one process.
type instruments struct {
	registry   *telltale.Registry
	edition    int
	expiry     telltale.Option // or one that changes nothing
	counters   map[string]*telltale.CounterVec
	gauges     map[string]*telltale.GaugeVec
	histograms map[string]*telltale.HistogramVec
	summaries  map[string]*telltale.SummaryVec
	infos      map[string]*telltale.InfoVec
	enums      map[string]*telltale.EnumVec
	held       map[[2]string]any // handles of series, by family and label
}

// newInstruments returns the instruments of a process that an operation opens.
func newInstruments(r *telltale.Registry, open op) *instruments {
	i := &instruments{
		registry: r, edition: 1, expiry: telltale.WithSeriesLimit(telltale.DefaultSeriesLimit), counters: make(map[string]*telltale.CounterVec), gauges: make(map[string]*telltale.GaugeVec),
		histograms: make(map[string]*telltale.HistogramVec), summaries: make(map[string]*telltale.SummaryVec),
		infos: make(map[string]*telltale.InfoVec), enums: make(map[string]*telltale.EnumVec),
		held: make(map[[2]string]any),
	}
	if open.opt("edition") == "2" {
		i.edition = 2
	}
	if text := open.opt("expiry"); text != "" {
		d, err := time.ParseDuration(text)
		must(err)
		i.expiry = telltale.WithIdleExpiry(d)
	}
	return i
}

// modes are those of gauges, by the first letter of their names.
var modes = map[byte]telltale.GaugeMode{
	'g': telltale.ModeSum, 'x': telltale.ModeSum, 'y': telltale.ModeSum, 'm': telltale.ModeMax, 'l': telltale.ModeLiveSum, 'a': telltale.ModeAll, 't': telltale.ModeMostRecent,
}

func helpOf(edition int) string { return fmt.Sprintf("Edition %d.", edition) }

// obtain returns the instrument of the name, which is made if it is not there.
func obtain[V any](made map[string]V, name string, make func() (V, error)) (V, error) {
	if v, ok := made[name]; ok {
		return v, nil
	}
	v, err := make()
	if err == nil {
		made[name] = v
	}
	return v, err
}

// do does an operation on series, and reports whether a series was removed.
func (i *instruments) do(o op) (removed bool, err error) {
	family, in, help := o.arg(2), telltale.In(i.registry), helpOf(i.edition)
	name, labels := nameOf(family, i.edition), []string{labelOf(family, i.edition)}
	switch kindOf(family, i.edition) {
	case 'c':
		v, err := obtain(i.counters, name, func() (*telltale.CounterVec, error) {
			return telltale.NewCounterVec(name, help, labels, in, i.expiry)
		})
		return act(i, o, v, err, func(c *telltale.Counter, v float64) { c.Add(v) })
	case 'h':
		v, err := obtain(i.histograms, name, func() (*telltale.HistogramVec, error) {
			return telltale.NewHistogramVec(name, help, labels, in, i.expiry, telltale.WithBuckets(boundsOf(i.edition)...))
		})
		return act(i, o, v, err, func(h *telltale.Histogram, v float64) { h.Observe(v) })
	case 'n':
		v, err := obtain(i.histograms, name, func() (*telltale.HistogramVec, error) {
			return telltale.NewHistogramVec(name, help, labels, in, i.expiry, telltale.WithNativeSchema(5-i.edition, telltale.WithNativeMaxBuckets(6*i.edition)))
		})
		return act(i, o, v, err, func(h *telltale.Histogram, v float64) { h.Observe(v) })
	case 'i':
		v, err := obtain(i.infos, name, func() (*telltale.InfoVec, error) { return telltale.NewInfoVec(name, help, labels, in, i.expiry) })
		return act(i, o, v, err, func(i *telltale.Info, v float64) { must(i.Set(infoOf(v))) })
	case 'e':
		v, err := obtain(i.enums, name, func() (*telltale.EnumVec, error) {
			return telltale.NewEnumVec(name, help, states, labels, in, i.expiry)
		})
		return act(i, o, v, err, func(e *telltale.Enum, v float64) { must(e.Set(stateOf(v))) })
	case 's':
		v, err := obtain(i.summaries, name, func() (*telltale.SummaryVec, error) {
			return telltale.NewSummaryVec(name, help, labels, in, i.expiry)
		})
		return act(i, o, v, err, func(s *telltale.Summary, v float64) { s.Observe(v) })
	}
	v, err := obtain(i.gauges, name, func() (*telltale.GaugeVec, error) {
		return telltale.NewGaugeVec(name, help, labels, in, i.expiry, telltale.WithGaugeMode(modes[name[0]]))
	})
	return act(i, o, v, err, func(g *telltale.Gauge, v float64) {
		if o.verb() != "set" && (o.verb() != "replace" || updates[name[0]] == "add") {
			g.Add(v)
		} else {
			g.Set(v)
		}
	})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// A crowd is so many goroutines, each of which does an update so many times, so that
// values are spread over lanes.
const (
	crowdSize  = 4
	crowdTimes = 50_000
)

// act does an operation on a family.
func act[H any](i *instruments, o op, vec *telltale.Vec[H], err error, update func(*H, float64)) (removed bool, _ error) {
	if err != nil {
		return false, err
	}
	switch o.verb() {
	case "make":
		vec.With(o.arg(3))
	case "add", "set", "observe":
		update(handleOf(i, o, vec), o.value())
	case "crowd", "crash":
		var crowd sync.WaitGroup
		h, v := vec.With(o.arg(3)), o.value()
		for range crowdSize {
			crowd.Go(func() {
				for range o.rounds(crowdTimes) {
					update(h, v)
				}
			})
		}
		crowd.Wait()
	case "remove":
		delete(i.held, [2]string{o.arg(2), o.arg(3)})
		return vec.Remove(o.arg(3)), nil
	case "clear":
		i.let(o.arg(2))
		vec.Clear()
	case "replace":
		i.let(o.arg(2))
		vec.Replace(func(next *telltale.Vec[H]) {
			labels, values := o.pairs()
			for i, label := range labels {
				update(next.With(label), values[i])
			}
		})
	default:
		return false, fmt.Errorf("%v is no operation on a family", o)
	}
	return false, nil
}

// handleOf returns the handle of a series. That of y is held from its first update on, until
// the process removes the series, as programs do; others are looked up each time.
func handleOf[H any](i *instruments, o op, vec *telltale.Vec[H]) *H {
	at := [2]string{o.arg(2), o.arg(3)}
	if held, ok := i.held[at].(*H); ok {
		return held
	}
	h := vec.With(o.arg(3))
	if o.arg(3) == "y" {
		i.held[at] = h
	}
	return h
}

// let drops the handles of a family.
func (i *instruments) let(family string) {
	for at := range i.held {
		if at[0] == family {
			delete(i.held, at)
		}
	}
}

// writer is a process that counts in a store.
type writer interface {
	do(o op) error
	read() (*page, error) // its own page, nil if it cannot be asked
	path() string         // of its segment
	beat()                // has it say that it lives
	kill() error
	crash(o op) error // ends while it does the operation
}

// openStore opens the store of a process as the operation says. It folds nothing by itself.
func openStore(dir string, o op, hook func(error)) (*multiprocess.Store, error) {
	opts := []multiprocess.StoreOption{multiprocess.WithoutFolding(), multiprocess.WithWriterName(o.arg(1)), multiprocess.WithErrorHook(hook)}
	if epoch := o.opt("epoch"); epoch != "" {
		opts = append(opts, multiprocess.WithEpoch(epoch))
	}
	if service := o.opt("service"); service != "" {
		opts = append(opts, multiprocess.WithService(service))
	}
	return multiprocess.Open(dir, opts...)
}

// inner is a process that this process plays.
type inner struct {
	*instruments
	store *multiprocess.Store
	kept  *store.Store
}

func openInner(dir string, o op, hook func(error)) (writer, error) {
	s, err := openStore(dir, o, hook)
	if err != nil {
		return nil, err
	}
	r := telltale.NewRegistry(telltale.WithStore(s), telltale.WithStrict())
	// What stands for the end of a process and for time is not public.
	kept := (*store.Store)(reflect.ValueOf(s).Elem().FieldByName("kept").UnsafePointer())
	return &inner{newInstruments(r, o), s, kept}, nil
}

func (p *inner) do(o op) error {
	switch o.verb() {
	case "beat":
		p.beat()
		return nil
	case "rest":
		rest(p.kept)
		return nil
	case "churn":
		return p.churn(o.arg(2), o.rounds(2))
	}
	_, err := p.instruments.do(o)
	return err
}

// rest lets so much time pass that rows of removed series are given to others.
func rest(s *store.Store) {
	for range 20 {
		s.Tick()
	}
}

func (p *inner) read() (*page, error) { return read(p.registry) }

func (p *inner) beat() { p.kept.Tick() }

func (p *inner) path() string { return p.store.String() }

// kill does what the end of a process does: it gives back the lock, the descriptors
// and the memory. Nobody may use the registry any more.
func (p *inner) kill() error {
	p.kept.Tick() // it lived a moment ago, and not only before the last removal elsewhere
	err := p.store.Close()
	kept := reflect.ValueOf(p.kept).Elem()
	file := (*mapped.Growing)(kept.FieldByName("file").UnsafePointer())
	err = errors.Join(err, file.Close())
	file.Unmap()
	(*spool.Dir)(kept.FieldByName("dir").UnsafePointer()).Close()
	return err
}

// outer is a child process.
type outer struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	segment string
}

// childVariable has this binary be a process of a script: it names the directory.
const childVariable = "METAMORPHIC_TEST_CHILD"

func openOuter(dir string, o op, _ func(error)) (writer, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+dir, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &outer{cmd, in, bufio.NewScanner(out), ""}
	if p.segment, err = p.ask(o); err != nil {
		return nil, errors.Join(err, p.kill())
	}
	return p, nil
}

func (p *outer) do(o op) error {
	_, err := p.ask(o)
	return err
}

func (p *outer) ask(o op) (string, error) {
	if _, err := io.WriteString(p.in, o.String()+"\n"); err != nil {
		return "", err
	}
	if !p.out.Scan() {
		return "", errors.Join(errors.New("the process has ended"), p.out.Err())
	}
	said, failed := strings.CutPrefix(p.out.Text(), "failed: ")
	if failed {
		return "", errors.New(said)
	}
	return said, nil
}

func (p *outer) read() (*page, error) { return nil, nil }

func (p *outer) beat() { _ = p.do(op{"beat"}) } // what is asked next fails, too

func (p *outer) path() string { return p.segment }

func (p *outer) kill() error {
	err := p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed
	return err
}

func TestMain(m *testing.M) {
	_, _ = spool.Monotonic(), cell.Now() // they go on from the clock that they saw first
	be, dir := beChild, os.Getenv(childVariable)
	if dir == "" {
		be, dir = beFold, os.Getenv(foldVariable)
	}
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := be(dir); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

// beChild does what it is asked for on its input, a line each, and answers with a line.
func beChild(dir string) error {
	var p *inner
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		o := op(strings.Fields(in.Text()))
		answer := ""
		if o.verb() == "open" {
			w, err := openInner(dir, o, nil) // what is wrong is told to those who read, too
			if err != nil {
				return err
			}
			p = w.(*inner)
			answer = p.path()
		} else if err := p.do(o); err != nil {
			return err
		} else {
			p.kept.Tick() // see inner.kill
		}
		fmt.Println(answer)
	}
	return in.Err()
}

package telltale

// Counters and gauges whose series a function reports at each scrape.

import (
	"context"
	"fmt"
	"sync"

	"telltale/model"
)

// Observe is the function by which a callback of [NewCounterFunc] or [NewGaugeFunc]
// reports the value of one series, with its label values in the order of the label
// names. It returns an error, and reports nothing, if the number of label values is
// wrong, if the value of a counter is negative or NaN, or if the callback has returned.
// It may be called from several goroutines at once.
type Observe func(value float64, labelValues ...string) error

// NewCounterFunc registers a counter whose series are what f reports when it is called,
// once for each scrape, and returns it as a collector. Labels may be nil. As with every
// custom collector, the rest of a page is complete if f is slow, fails or panics. It is
// an error if the name or an option is not valid or f is nil, and a [*DuplicateError]
// if something else holds the name, be it a callback with the same function.
func NewCounterFunc(name, help string, labels []string, f func(ctx context.Context, observe Observe) error, opts ...CounterOption) (Collector, error) {
	return newCallback(model.Counter, name, help, labels, f, settingsOf(opts))
}

// NewGaugeFunc is [NewCounterFunc] for a gauge. A gauge without labels may use
// [Gauge.SetFunc] instead.
func NewGaugeFunc(name, help string, labels []string, f func(ctx context.Context, observe Observe) error, opts ...GaugeOption) (Collector, error) {
	return newCallback(model.Gauge, name, help, labels, f, settingsOf(opts))
}

// SingleValue makes the function of [NewCounterFunc] and [NewGaugeFunc] from one
// that returns the only value. It is called at each scrape.
func SingleValue(value func() float64) func(context.Context, Observe) error {
	return func(_ context.Context, observe Observe) error { return observe(value()) }
}

// callback is a collector of one family, whose series a function of the program reports.
type callback struct {
	definition
	reporter
	f func(ctx context.Context, observe Observe) error
}

func newCallback(typ model.Type, name, help string, labels []string, f func(context.Context, Observe) error, s *settings) (Collector, error) {
	d, err := define(typ, name, help, labels, s)
	if err != nil {
		return nil, err
	}
	switch {
	case f == nil:
		return nil, fmt.Errorf("telltale: the function of %s is nil", d)
	case len(s.declared) > 0 || s.initial:
		return nil, fmt.Errorf("telltale: %s is a callback: it has no declared label values and no initial series", d)
	case s.idleExpiry > 0:
		return nil, fmt.Errorf("telltale: %s is a callback: its series cannot expire, they are what the function reports", d)
	}
	c := &callback{definition: *d, reporter: reporter{subject: d.name}, f: f}
	if s.unregistered {
		return c, nil
	}
	if err := s.target().Register(c); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *callback) what() *definition { return &c.definition }

// Describe returns the family without samples.
func (c *callback) Describe() []*model.Family { return []*model.Family{c.newFamily()} }

// Collect calls the function as a registry would and emits what it reports. After that
// it returns the faults of the function as an error.
func (c *callback) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return collect(ctx, c, emit)
}

func (c *callback) flatten(s *scrape, e *entry, p *path) { s.addCustom(calling{c}, c, e, p) }

// children returns what calls the function.
func (c *callback) children() []Collector { return []Collector{calling{c}} }

// calling is a callback as a run collects it.
type calling struct{ callback *callback }

// Collect calls the function and emits what it reported. An error of the
// function comes after what it reported before.
func (c calling) Collect(ctx context.Context, emit func(*model.Family) error) error {
	d, family := &c.callback.definition, c.callback.newFamily()
	var mu sync.Mutex // guards family until its function has returned
	returned := false
	failed := c.callback.f(ctx, func(value float64, labelValues ...string) error {
		if len(labelValues) != len(d.labels) {
			return fmt.Errorf("telltale: %s takes %d label values and was given %d", d, len(d.labels), len(labelValues))
		}
		if d.typ == model.Counter && !(value >= 0) {
			return fmt.Errorf("telltale: %s was reported as %v: a counter is at least 0", d, value)
		}
		if !d.fits(labelValues) {
			labelValues = d.fit(labelValues, c.callback.fault)
		}
		mu.Lock()
		defer mu.Unlock()
		if returned {
			return fmt.Errorf("telltale: %s was reported after its function had returned", d)
		}
		family.Append(model.Point{
			Labels: d.constLabels.Append(model.LabelPairs(d.labels, labelValues)),
			Has:    d.typ.Parts() &^ model.PartCreated,
			Value:  value,
		})
		return nil
	})
	mu.Lock()
	returned = true
	mu.Unlock()
	if err := emit(family); err != nil {
		return err
	}
	return failed
}

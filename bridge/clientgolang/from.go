package clientgolang

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"telltale"
	"telltale/internal/unfit"
	"telltale/model"
)

// FromGatherer returns a collector that gathers g at each scrape and emits its
// families, in the order of g, which is by name. Errors of g, and metrics that fit no
// family, are returned by Collect after everything else was emitted; in a registry
// they are faults.
//
// Gather cannot be told to stop. While a call hangs, scrapes go on without it, and
// it is not called again. A panic of g is contained; so is one of a collector in a
// [prometheus.Registry], except on goroutines of its own, as those registered through
// [prometheus.WrapRegistererWith] have.
func FromGatherer(g prometheus.Gatherer, opts ...Option) telltale.Collector {
	b := &bridge{gather: func() (prometheus.Gatherer, error) { return g, nil }, hides: hidesRuntime}
	if g == nil {
		b.gather = func() (prometheus.Gatherer, error) { return nil, errors.New("clientgolang: the gatherer is nil") }
	}
	return b.with(opts)
}

// FromCollector is [FromGatherer] for a single collector. It is collected by a
// [prometheus.Registry] of its own; an error of registering it there is returned by
// each Collect. If all families that c describes are those of a Go or process
// collector, they are kept, since the program asks for them.
func FromCollector(c prometheus.Collector, opts ...Option) telltale.Collector {
	alone, err := inRegistry(c)
	b := &bridge{gather: func() (prometheus.Gatherer, error) { return alone, err }, hides: hidesRuntime}
	if err == nil {
		if names, _ := describe(c); len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return !isRuntime(n) }) {
			WithRuntime().applyFrom(b)
		}
	}
	return b.with(opts)
}

// inRegistry returns a registry with the collector alone.
func inRegistry(c prometheus.Collector) (*prometheus.Registry, error) {
	if c == nil {
		return nil, errors.New("clientgolang: the collector is nil")
	}
	if _, err := describe(c); err != nil { // on a goroutine of the registry the panic would end the process
		return nil, err
	}
	reg := prometheus.NewRegistry()
	if err := reg.Register(c); err != nil {
		return nil, fmt.Errorf("clientgolang: %w", err)
	}
	return reg, nil
}

// bridge is a gatherer as a telltale collector.
type bridge struct {
	gather func() (prometheus.Gatherer, error)
	hides  func() func(name string) bool // called for each collection
}

func hidesRuntime() func(string) bool { return isRuntime }

func (b *bridge) with(opts []Option) *bridge {
	for _, o := range opts {
		o.applyFrom(b)
	}
	return b
}

// Describe describes nothing: what a gatherer has comes and goes.
func (b *bridge) Describe() []*model.Family { return nil }

// Collect emits the families of the gatherer.
func (b *bridge) Collect(ctx context.Context, emit func(*model.Family) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g, err := b.gather()
	if err != nil {
		return err
	}
	gathered, err := g.Gather()
	wrong := unfit.NewList("clientgolang")
	wrong.Add(err)
	hides := b.hides()
	for _, from := range gathered {
		if err := ctx.Err(); err != nil {
			return err
		}
		if from == nil || hides(from.GetName()) {
			continue
		}
		f := convert(from, wrong)
		if f == nil {
			continue
		}
		if err := emit(f); err != nil {
			return err
		}
	}
	return wrong.Err()
}

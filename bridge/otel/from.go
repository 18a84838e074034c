package otelbridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"telltale"
	"telltale/internal/unfit"
	"telltale/model"
)

// bridgeName begins the messages of errors.
const bridgeName = "otelbridge"

// FromReader returns a collector that collects reader, such as a
// [metric.ManualReader], at each scrape and emits its metrics, target_info first and
// the others sorted by name, with sorted series. Errors of the SDK, and what cannot
// be shown, are returned by Collect after everything else was emitted; in a registry
// they are faults. A reader that was shut down has no metrics.
//
// A callback of an instrument that hangs, errors or panics costs the metrics of this
// collector and nothing else on the page; while it hangs the SDK is not asked again.
//
// The reader belongs to the collector: if its temporality is delta, what others read
// from it is missing here. An invalid option is an error of each Collect.
func FromReader(reader metric.Reader, opts ...Option) telltale.Collector {
	s := defaults()
	for _, o := range opts {
		if o != nil {
			o.applyFrom(&s)
		}
	}
	return newCollector(reader, s)
}

// collector is a reader as a telltale collector.
type collector struct {
	settings
	reader metric.Reader
	naming *naming
	turn   chan struct{} // has room for the one Collect that reads and emits
	deltas deltas
}

func newCollector(reader metric.Reader, s settings) *collector {
	if reader == nil {
		s.err = errors.Join(s.err, errors.New("otelbridge: the reader is nil"))
	}
	return &collector{
		settings: s, reader: reader, naming: newNaming(s), turn: make(chan struct{}, 1), deltas: newDeltas(s.maxSeries),
	}
}

// Describe describes nothing: the SDK does not know its metrics before it is asked.
func (c *collector) Describe() []*model.Family { return nil }

// Collect emits the families of the reader.
func (c *collector) Collect(ctx context.Context, emit func(*model.Family) error) error {
	if c.err != nil {
		return c.err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.turn }()

	// The SDK writes into what it is given, and a producer's data may lie in it, so
	// it is used once.
	var data metricdata.ResourceMetrics
	err := c.reader.Collect(ctx, &data)
	switch {
	case errors.Is(err, metric.ErrReaderShutdown):
		return nil
	case errors.Is(err, metric.ErrReaderNotRegistered):
		return fmt.Errorf("otelbridge: %w: give it to metric.NewMeterProvider by metric.WithReader", err)
	}
	wrong := unfit.NewList(bridgeName)
	wrong.Add(err)
	c.deltas.absorb(data.ScopeMetrics, wrong) // whatever happens to this scrape
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, f := range c.families(&data, wrong) {
		if err := emit(f); err != nil {
			return err
		}
	}
	return wrong.Err()
}

// families returns what a page has of the data and of the deltas.
func (c *collector) families(data *metricdata.ResourceMetrics, wrong *unfit.List) []*model.Family {
	b := newBuilder(c, wrong)
	b.after = c.resourceLabels(data.Resource)
	scopes := slices.Clone(data.ScopeMetrics)
	slices.SortStableFunc(scopes, compareScopes) // the SDK has them in a map
	for i := range scopes {
		b.addScope(&scopes[i])
	}
	for _, held := range c.deltas.scopes() {
		b.addScope(held)
	}
	families := b.families()
	if target := c.targetInfo(data.Resource); target != nil {
		families = append([]*model.Family{target}, families...)
	}
	return families
}

func compareScopes(a, b metricdata.ScopeMetrics) int {
	if c := cmp.Or(cmp.Compare(a.Scope.Name, b.Scope.Name), cmp.Compare(a.Scope.Version, b.Scope.Version), cmp.Compare(a.Scope.SchemaURL, b.Scope.SchemaURL)); c != 0 {
		return c
	}
	encoder := attribute.DefaultEncoder()
	return cmp.Compare(a.Scope.Attributes.Encoded(encoder), b.Scope.Attributes.Encoded(encoder))
}

// resourceLabels returns the labels that all series have from the resource.
func (c *collector) resourceLabels(res *resource.Resource) []pair {
	if c.resource == nil || res.Len() == 0 {
		return nil
	}
	chosen, _ := res.Set().Filter(c.resource)
	return c.naming.pairs(nil, &chosen, "", c.maxLabels)
}

// targetInfo returns the family that has the attributes of the resource, nil if there
// are none or it is not wanted.
func (c *collector) targetInfo(res *resource.Resource) *model.Family {
	if res.Len() == 0 || !c.target() {
		return nil
	}
	pairs := c.naming.pairs(nil, res.Set(), "", c.maxLabels)
	f := &model.Family{Name: "target", Help: "Target metadata", Type: model.Info}
	f.Append(model.Point{Has: model.PartInfo, Value: 1, Info: model.LabelsFromText(string(appendPairs(nil, pairs)))})
	return f
}

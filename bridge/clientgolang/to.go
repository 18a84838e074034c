package clientgolang

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"

	"telltale"
	"telltale/exposition/protobuf"
	"telltale/internal/gather"
	"telltale/internal/lines"
	"telltale/model"
)

// GatherOption is an option of [ToGatherer] and [ToCollector].
type GatherOption interface{ applyTo(*gatherer) }

type gatherOption func(*gatherer)

func (o gatherOption) applyTo(g *gatherer) { o(g) }

// DefaultTimeout is the limit of [WithTimeout] without that option.
const DefaultTimeout = 10 * time.Second

// WithTimeout limits the time of a collection, which client_golang does not: custom
// collectors that are not done by then are left out. Zero or less means no limit.
func WithTimeout(d time.Duration) GatherOption {
	return gatherOption(func(g *gatherer) { g.timeout = d })
}

// ToGatherer returns a gatherer that collects c at each call and returns its families
// sorted as client_golang sorts them, also where telltale's own order is another.
// They are as in the Prometheus protobuf format: a counter's family has the suffix
// "_total", infos and state sets are gauges, and of a histogram with custom buckets
// there are classic ones.
//
// Faults of a registry go to its error hook or log, as in every collection; those of
// other collectors are returned, with the families that there are. Gather may be
// called from several goroutines.
func ToGatherer(c telltale.Collector, opts ...GatherOption) prometheus.Gatherer {
	return newGatherer(c, opts)
}

// ToCollector returns what [ToGatherer] gathers as a collector that can be registered
// with client_golang. It describes nothing, which client_golang calls unchecked: it
// can always be registered, and clashes are errors of gathering. client_golang's
// registry shows a gauge histogram as a histogram.
func ToCollector(c telltale.Collector, opts ...GatherOption) prometheus.Collector {
	return collector{newGatherer(c, opts)}
}

// gatherer is a telltale collector as a gatherer.
type gatherer struct {
	collector telltale.Collector
	timeout   time.Duration
	err       error // why there is no collector
}

func newGatherer(c telltale.Collector, opts []GatherOption) *gatherer {
	g := &gatherer{timeout: DefaultTimeout}
	g.collector, g.err = telltale.Merge(c) // contains panics and repetitions of a collector in no registry
	for _, o := range opts {
		o.applyTo(g)
	}
	return g
}

// Gather returns the families.
func (g *gatherer) Gather() ([]*dto.MetricFamily, error) {
	if g.err != nil {
		return nil, g.err
	}
	ctx := context.Background()
	if g.timeout > 0 {
		timed, cancel := context.WithTimeout(ctx, g.timeout)
		defer cancel()
		ctx = timed
	}
	var page bytes.Buffer
	ctx, unwritten := gather.WithUnwritten(ctx)
	enc := protobuf.NewEncoder(&page, protobuf.WithEscaping(model.AllowUTF8),
		protobuf.WithDropped(lines.Passing("client_golang's model", true, unwritten.Report)))
	err := errors.Join(g.collector.Collect(ctx, enc.Encode), enc.Close())
	families, parseErr := read(&page)
	return families, errors.Join(err, parseErr, sortFamilies(families))
}

// read reads the messages of a page. Messages of one family follow each other and
// are joined.
func read(page *bytes.Buffer) (families []*dto.MetricFamily, err error) {
	all := protodelim.UnmarshalOptions{MaxSize: -1}
	for page.Len() > 0 {
		f := new(dto.MetricFamily)
		if err := all.UnmarshalFrom(page, f); err != nil {
			return families, fmt.Errorf("clientgolang: reading families: %w", err)
		}
		if n := len(families); n > 0 && families[n-1].GetName() == f.GetName() {
			families[n-1].Metric = append(families[n-1].Metric, f.Metric...)
			continue
		}
		if len(f.Metric) > 0 {
			families = append(families, f)
		}
	}
	return families, nil
}

// sortFamilies sorts families by name, their metrics by the number and the values of
// their labels, and those by name. It takes out metrics with a label twice, which
// client_golang does not allow, and returns an error that names one for each family.
func sortFamilies(families []*dto.MetricFamily) error {
	var wrong []error
	for _, f := range families {
		for _, m := range f.Metric {
			slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
		}
		all := len(f.Metric)
		var last string
		f.Metric = slices.DeleteFunc(f.Metric, func(m *dto.Metric) bool {
			for i := 1; i < len(m.Label); i++ {
				if last = m.Label[i].GetName(); last == m.Label[i-1].GetName() {
					return true
				}
			}
			return false
		})
		if unfit := all - len(f.Metric); unfit > 0 {
			wrong = append(wrong, fmt.Errorf("clientgolang: %d series of %q are left out that have a label twice", unfit, f.GetName()))
		}
		slices.SortStableFunc(f.Metric, compareMetrics)
	}
	slices.SortStableFunc(families, func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return errors.Join(wrong...)
}

// compareMetrics orders metrics as client_golang does.
func compareMetrics(a, b *dto.Metric) int {
	if c := cmp.Compare(len(a.Label), len(b.Label)); c != 0 {
		return c
	}
	for i, l := range a.Label {
		if c := cmp.Compare(l.GetValue(), b.Label[i].GetValue()); c != 0 {
			return c
		}
	}
	return 0
}

// collector is a gatherer as a collector.
type collector struct{ gatherer *gatherer }

// Describe describes nothing.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the metrics of all families, and an invalid one for an error.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	families, err := c.gatherer.Gather()
	for _, f := range families {
		desc := prometheus.V2.NewDesc(f.GetName(), f.GetHelp(), prometheus.UnconstrainedLabels(nil), nil, prometheus.WithUnit(f.GetUnit()))
		for _, m := range f.Metric {
			ch <- metric{desc, m}
		}
	}
	if err != nil {
		ch <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
	}
}

// metric is a metric that was gathered.
type metric struct {
	desc *prometheus.Desc
	dto  *dto.Metric
}

// Desc returns a descriptor with the name and the help of the family.
func (m metric) Desc() *prometheus.Desc { return m.desc }

// Write gives to the parts of the metric, which nobody changes.
func (m metric) Write(to *dto.Metric) error {
	to.Label, to.TimestampMs = m.dto.Label, m.dto.TimestampMs
	to.Gauge, to.Counter, to.Summary, to.Untyped, to.Histogram = m.dto.Gauge, m.dto.Counter, m.dto.Summary, m.dto.Untyped, m.dto.Histogram
	return nil
}

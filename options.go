package telltale

import (
	"errors"
	"maps"
)

// settings is what the options of a constructor say. A nil option says nothing.
type settings struct {
	registry     *Registry
	unregistered bool
	namespace    string
	subsystem    string
	unit         string
	constLabels  map[string]string
	valueLimit   int
	buckets      []float64
	native       *nativeSettings
	window       windowSettings
	mode         GaugeMode
	modeGiven    bool // though it may be the default
	states       []string
	err          error
}

// CounterOption is an option of the constructors of counters.
type CounterOption interface{ applyCounter(*settings) }

// GaugeOption is an option of the constructors of gauges.
type GaugeOption interface{ applyGauge(*settings) }

// HistogramOption is an option of the constructors of histograms.
type HistogramOption interface{ applyHistogram(*settings) }

// SummaryOption is an option of the constructors of summaries.
type SummaryOption interface{ applySummary(*settings) }

// InfoOption is an option of the constructors of infos.
type InfoOption interface{ applyInfo(*settings) }

// EnumOption is an option of the constructors of enums.
type EnumOption interface{ applyEnum(*settings) }

// Option fits every instrument.
type Option func(*settings)

func (o Option) applyCounter(s *settings)   { o.apply(s) }
func (o Option) applyGauge(s *settings)     { o.apply(s) }
func (o Option) applyHistogram(s *settings) { o.apply(s) }
func (o Option) applySummary(s *settings)   { o.apply(s) }
func (o Option) applyInfo(s *settings)      { o.apply(s) }
func (o Option) applyEnum(s *settings)      { o.apply(s) }

func (o Option) apply(s *settings) {
	if o != nil {
		o(s)
	}
}

// In registers the instrument with reg instead of [Default]. A nil registry is
// an error; for no registry say [Unregistered].
func In(reg *Registry) Option {
	return func(s *settings) {
		if reg == nil {
			s.err = errors.New("telltale: In(nil): use Unregistered() to make an instrument without a registry")
		}
		s.registry = reg
	}
}

// Unregistered makes the instrument without registering it anywhere.
func Unregistered() Option { return func(s *settings) { s.unregistered = true } }

// WithNamespace puts namespace and an underscore before the name, and before
// the subsystem.
func WithNamespace(namespace string) Option { return func(s *settings) { s.namespace = namespace } }

// WithSubsystem puts subsystem and an underscore before the name.
func WithSubsystem(subsystem string) Option { return func(s *settings) { s.subsystem = subsystem } }

// WithConstLabels gives every series of the instrument the same labels, sorted
// by name before its own.
func WithConstLabels(labels map[string]string) Option {
	copied := maps.Clone(labels)
	return func(s *settings) { s.constLabels = copied }
}

// DefaultLabelValueLimit is how many bytes a label value may have unless
// [WithLabelValueLimit] says otherwise.
const DefaultLabelValueLimit = 4096

// WithLabelValueLimit sets how many bytes a label value may have. What comes
// from outside is not to be trusted with a page's size: a longer value is cut
// off there, at a whole character, and counted (see [Registry.Stats]). Zero or
// less means no limit.
func WithLabelValueLimit(bytes int) Option { return func(s *settings) { s.valueLimit = bytes } }

// UnitOption is an option of the instruments that can have a unit.
type UnitOption string

func (o UnitOption) applyCounter(s *settings)   { s.unit = string(o) }
func (o UnitOption) applyGauge(s *settings)     { s.unit = string(o) }
func (o UnitOption) applyHistogram(s *settings) { s.unit = string(o) }
func (o UnitOption) applySummary(s *settings)   { s.unit = string(o) }

// WithUnit says in what unit the values are ("seconds", "bytes"). The name ends
// in it: "_seconds" is added unless it is there.
func WithUnit(unit string) UnitOption { return UnitOption(unit) }

type gaugeOption func(*settings)

func (o gaugeOption) applyGauge(s *settings) { o(s) }

// WithGaugeMode says how the values that several processes give the gauge become
// one, where its registry has a store (see [WithStore]). Within one process it has
// no effect. Without it each process has a series of its own, with the label pid:
// as with [ModeAll], or, for what is published (gauges of [NewGaugeFunc], and those
// made for another registry), as with [ModeLiveAll].
func WithGaugeMode(mode GaugeMode) GaugeOption {
	return gaugeOption(func(s *settings) { s.mode, s.modeGiven = mode, true })
}

type histogramOption func(*settings)

func (o histogramOption) applyHistogram(s *settings) { o(s) }

// WithBuckets sets the upper bounds of a histogram's buckets, in strictly
// increasing order. +Inf is added where it is missing. There are 1 to [MaxBuckets]
// below it, which are finite. See [LinearBuckets], [ExponentialBuckets] and
// [ExponentialBucketsRange]. Without this option they
// are [DefaultBuckets], or there are none beside native ones.
func WithBuckets(upper ...float64) HistogramOption {
	copied := append([]float64{}, upper...)
	return histogramOption(func(s *settings) { s.buckets = copied })
}

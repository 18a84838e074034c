package telltale

// Options of constructors, and the settings that they change.

import (
	"fmt"
	"maps"
	"time"
)

// settings is what the options of a constructor say.
type settings struct {
	registry     registrar // nil for Default
	unregistered bool
	namespace    string
	subsystem    string
	unit         string
	constLabels  map[string]string
	created      time.Time // of the series; zero: when each is made
	valueLimit   int
	hashLong     bool                // of values beyond the limit
	declared     map[string][]string // values, by label
	bools        []string            // labels whose fields are bools
	initial      bool                // all combinations of declared values exist from the start
	seriesLimit  *int                // nil for the registry's
	idleExpiry   time.Duration       // 0: never
	buckets      []float64
	native       *nativeSettings
	window       windowSettings
	mode         GaugeMode
	modeGiven    bool // though it may be the default
	states       []string
	err          error
}

// registrar is the registry that an instrument is to be registered with.
type registrar interface {
	Register(Collector) error
	account() *faults
	familyLimit() int
}

// option is what the options of all constructors have in common. The option of one
// kind of instrument has a method to say so, and fits no other.
type option interface{ apply(*settings) }

// CounterOption is an option of the constructors of counters.
type CounterOption interface {
	option
	forCounters()
}

// GaugeOption is an option of the constructors of gauges.
type GaugeOption interface {
	option
	forGauges()
}

// HistogramOption is an option of the constructors of histograms.
type HistogramOption interface {
	option
	forHistograms()
}

// SummaryOption is an option of the constructors of summaries.
type SummaryOption interface {
	option
	forSummaries()
}

// InfoOption is an option of the constructors of infos.
type InfoOption interface {
	option
	forInfos()
}

// EnumOption is an option of the constructors of enums.
type EnumOption interface {
	option
	forEnums()
}

// Option fits every instrument.
type Option interface {
	CounterOption
	GaugeOption
	HistogramOption
	SummaryOption
	InfoOption
	EnumOption
}

// UnitOption is an option of the instruments that can have a unit.
type UnitOption interface {
	CounterOption
	GaugeOption
	HistogramOption
	SummaryOption
}

// CreatedOption is an option of the instruments whose series have a created time.
type CreatedOption interface {
	CounterOption
	HistogramOption
	SummaryOption
}

// The options are functions that change settings, and methods that say whose they
// are.
type (
	setting         func(*settings)
	gaugeOption     struct{ setting }
	histogramOption struct{ setting }
	summaryOption   struct{ setting }
	enumOption      struct{ setting }
	createdOption   struct{ setting }
	unitOption      struct{ setting }
	anyOption       struct{ unitOption }
)

func (o setting) apply(s *settings) { o(s) }

func (gaugeOption) forGauges()         {}
func (histogramOption) forHistograms() {}
func (summaryOption) forSummaries()    {}
func (enumOption) forEnums()           {}
func (createdOption) forCounters()     {}
func (createdOption) forHistograms()   {}
func (createdOption) forSummaries()    {}
func (unitOption) forCounters()        {}
func (unitOption) forGauges()          {}
func (unitOption) forHistograms()      {}
func (unitOption) forSummaries()       {}
func (anyOption) forInfos()            {}
func (anyOption) forEnums()            {}

// forAll returns an option of all instruments.
func forAll(o setting) Option { return anyOption{unitOption{o}} }

// settingsOf applies options to the default settings. A nil option changes nothing.
func settingsOf[O option](opts []O) *settings {
	s := &settings{valueLimit: DefaultLabelValueLimit, window: defaultWindow}
	for _, o := range opts {
		if any(o) != nil {
			o.apply(s)
		}
	}
	return s
}

// declare declares the values of a label.
func (s *settings) declare(label string, values []string) {
	if s.declared == nil {
		s.declared = make(map[string][]string)
	}
	s.declared[label] = values
}

// Unregistered makes the instrument without registering it anywhere.
func Unregistered() Option { return forAll(func(s *settings) { s.unregistered = true }) }

// WithNamespace puts namespace and an underscore before the name, and before
// the subsystem.
func WithNamespace(namespace string) Option {
	return forAll(func(s *settings) { s.namespace = namespace })
}

// WithSubsystem puts subsystem and an underscore before the name.
func WithSubsystem(subsystem string) Option {
	return forAll(func(s *settings) { s.subsystem = subsystem })
}

// WithConstLabels gives every series of the instrument the same labels, sorted
// by name before its own. Instruments that differ in the values of these labels alone
// can be registered side by side and are one family on the page, at the place of the
// first.
func WithConstLabels(labels map[string]string) Option {
	copied := maps.Clone(labels)
	return forAll(func(s *settings) { s.constLabels = copied })
}

// DefaultLabelValueLimit is the limit of [WithLabelValueLimit] without that
// option, in bytes.
const DefaultLabelValueLimit = 4096

// WithLabelValueLimit sets how many bytes a label value may have. A longer value,
// such as a path from a request, is cut off there at a whole character, and
// counted (see [Registry.Stats]). Zero or less means no limit.
func WithLabelValueLimit(bytes int) Option { return forAll(func(s *settings) { s.valueLimit = bytes }) }

// WithLabelValueHash has label values that are longer than [WithLabelValueLimit] end
// in a hash of the whole value, so that two that begin alike do not become one: of a
// value of 5000 bytes the first 4079 stay, then "~" and 16 digits follow. The limit
// must be at least 17 bytes. The hash is the same in all processes (the first 64 bits
// of SHA-256).
func WithLabelValueHash() Option { return forAll(func(s *settings) { s.hashLong = true }) }

// hashLength is how many bytes at the end of a cut label value are its hash.
const hashLength = 1 + 16

// WithSeriesLimit sets how many series the family may have, in this process. Without
// it the limit is the one that the registry gives ([WithFamilySeriesLimit]), or
// [DefaultSeriesLimit]; zero or less means no limit. It has no effect on instruments
// without labels and on callbacks.
//
// A counter, histogram or summary beyond the limit counts in one series whose label
// values are all "overflow", so that the sum of the family stays true; a gauge, info or
// enum gets a handle that no scrape sees. Each such call of With is a fault
// ([ReasonSeriesLimit]) and is counted by family ([Stats]). The series of "overflow" is
// not counted in the limit; a program that uses these label values itself counts in
// it too. What a series has counted stays in it; a series that Remove took out leaves
// room for another one. Init, Replace and [WithInitialSeries] are not refused and may
// exceed the limit. A page on which a store merges processes may have more series, as
// each process has the limit for itself.
func WithSeriesLimit(n int) Option {
	n = max(n, 0)
	return forAll(func(s *settings) { s.seriesLimit = &n })
}

// WithIdleExpiry has a series leave the page and memory once it was not updated for d.
// A handle that is still held and used again brings its series back, from zero and with
// a created time of its own; no update is lost. It is an error if d is not more than 0.
//
// What counts as an update: of a counter, histogram or summary what changes its value,
// of a gauge, info or enum each Set and Add, also of the value that it has. A gauge that
// was ever added to (Add, Inc, Dec, TrackInProgress) does not leave while it is not 0,
// and one with a function (SetFunc) does not leave while it has the function. What Init or
// [WithInitialSeries] created never leaves, and the option has no effect on an
// instrument without labels. Callbacks refuse it, as an error.
//
// With a store a series leaves as a whole, once no process has updated it for d, with
// what ended processes have left of it, unless one of them gave the family no expiry. Until
// then what each has counted stays. An update
// during which its goroutine or process is stopped for longer than an eighth of d, at least
// a second and at most 8, may be lost if the series leaves meanwhile.
//
// No goroutine looks after the series: collections of the family do, at most each
// eighth of d, and so does the creation of series, each at a few others, so that memory
// stays bounded when nobody collects. Each look that finds a series new or updated
// begins its time of d anew. Choose d longer than the time from one scrape to the next,
// or scrapes miss series that come and go between them.
//
// A series leaves its room to others ([WithSeriesLimit]); one that comes back where there
// is no room counts in the series of "overflow". A series that has left is not there for
// Remove, unless it left a store in which others may go on with it. Clear and Replace end
// handles of series that have left as they do those of others: what these count is lost.
func WithIdleExpiry(d time.Duration) Option {
	return forAll(func(s *settings) {
		if s.idleExpiry = d; d <= 0 {
			s.err = fmt.Errorf("telltale: WithIdleExpiry(%s): series expire after a time of more than 0", d)
		}
	})
}

// WithUnit sets the unit of the values ("seconds", "bytes"). The name ends in it:
// "_seconds" is added where it is missing.
func WithUnit(unit string) UnitOption {
	return unitOption{func(s *settings) { s.unit = unit }}
}

// WithCreated sets the created time of the instrument's series, in place of the time at
// which each is made: for counts that began elsewhere, as those of a proxy that is
// asked for them. A time that is still to come is an error. A series that is made after
// others were removed, expired or replaced has a time of its own, since it may count
// what one of them had counted again. Series of a custom collector have it by
// [model.WithCreated], or by their sample "_created".
func WithCreated(t time.Time) CreatedOption {
	return createdOption{func(s *settings) { s.created = t }}
}

// WithGaugeMode sets how the values of several processes are merged, where the
// registry has a store (see [WithStore]). Within one process it has no effect.
// Without it each process has a series of its own, with the label pid: as with
// [ModeAll], or, for published gauges (those of [NewGaugeFunc], and those made for
// another registry), as with [ModeLiveAll].
func WithGaugeMode(mode GaugeMode) GaugeOption {
	return gaugeOption{func(s *settings) { s.mode, s.modeGiven = mode, true }}
}

// WithBuckets sets the upper bounds of a histogram's buckets, in strictly
// increasing order: 1 to [MaxBuckets] finite ones, and +Inf, which is added where
// it is missing. See [LinearBuckets], [ExponentialBuckets] and
// [ExponentialBucketsRange]. Without this option a histogram has [DefaultBuckets],
// or no classic buckets if it has native ones.
func WithBuckets(upper ...float64) HistogramOption {
	copied := append([]float64{}, upper...)
	return histogramOption{func(s *settings) { s.buckets = copied }}
}

package telltale

// Options of native buckets.

import (
	"fmt"
	"time"

	"telltale/internal/exponential"
)

// NativeOption refines the native buckets of a histogram, see [WithNativeBuckets].
type NativeOption interface{ applyNative(*nativeSettings) }

type nativeOption func(*nativeSettings)

func (o nativeOption) applyNative(s *nativeSettings) { o(s) }

// WithNativeBuckets gives a histogram native buckets: exponential buckets that are
// made as observations need them, each at most factor times as wide as the one
// before. The factor becomes the next finer of Prometheus's schemas (specification
// "Native Histograms", section "Schema"): 1.1 gives schema 3. A factor below that
// of schema 8, about 1.003, gives schema 8. It is an error if it is not above 1.
//
// The histogram has classic buckets too only with [WithBuckets] or
// [WithNativeClassicBuckets]. Without them the text formats, which cannot show native
// buckets, have the count, the sum and a bucket of +Inf.
//
// A histogram that has more than [WithNativeMaxBuckets] populated buckets is
// emptied if [WithNativeMinReset] allows it, else its zero bucket is widened up to
// [WithNativeMaxZeroThreshold], else its resolution is halved.
func WithNativeBuckets(factor float64, opts ...NativeOption) HistogramOption {
	return withNative(opts, func(s *nativeSettings) {
		if !(factor > 1) {
			s.err = fmt.Errorf("telltale: native buckets with a factor of %v: it must be above 1", factor)
		}
		s.Schema = exponential.SchemaFor(factor)
	})
}

// WithNativeSchema is [WithNativeBuckets] with one of Prometheus's schemas, -4 to
// 8: buckets grow by the factor 2^(2^-schema).
func WithNativeSchema(schema int, opts ...NativeOption) HistogramOption {
	return withNative(opts, func(s *nativeSettings) { s.Schema = schema })
}

func withNative(opts []NativeOption, resolution nativeOption) HistogramOption {
	return histogramOption{func(s *settings) {
		s.native = &nativeSettings{nativeBuckets: nativeBuckets{
			Options:   exponential.Options{ZeroThreshold: exponential.DefaultZeroThreshold, MaxBuckets: defaultNativeBuckets},
			exemplars: defaultNativeExemplars, exemplarAge: defaultExemplarAge,
		}}
		resolution(s.native)
		for _, o := range opts {
			if o != nil {
				o.applyNative(s.native)
			}
		}
	}}
}

// WithNativeMaxBuckets sets how many populated buckets a histogram has at most,
// beside the zero bucket: 160 without this option, from 2 to 2^20. In a store each
// series of each process has room for them from the start, 43 to 86 bytes a bucket:
// 8 KiB for 160. One that several goroutines observe at once gets half of that for each
// of its lanes, of which there are 8 for a processor, in at most 4 MiB.
func WithNativeMaxBuckets(n int) NativeOption {
	return nativeOption(func(s *nativeSettings) {
		if s.MaxBuckets = n; n == 0 { // which the options take for the default
			s.MaxBuckets = -1
		}
	})
}

// WithNativeZeroThreshold sets how far from zero an observation may be to count in
// the zero bucket: 2^-128 without this option, as Prometheus recommends.
func WithNativeZeroThreshold(v float64) NativeOption {
	return nativeOption(func(s *nativeSettings) { s.ZeroThreshold = v })
}

// WithNativeMaxZeroThreshold sets how far the zero bucket may be widened when
// there are too many buckets, before the resolution is halved. Without this option
// it is not widened.
func WithNativeMaxZeroThreshold(v float64) NativeOption {
	return nativeOption(func(s *nativeSettings) { s.MaxZeroThreshold = v })
}

// WithNativeMinReset lets a histogram that has too many buckets, or lost
// resolution earlier, be emptied once it has counted for d. Without this option,
// or in a store, where the sum over processes would fall, it is never emptied. It
// is an error beside classic buckets, which are not emptied with it.
func WithNativeMinReset(d time.Duration) NativeOption {
	return nativeOption(func(s *nativeSettings) { s.MinReset = d })
}

// WithNativeClassicBuckets renders classic buckets from the native ones, for readers of
// formats that have no others: an observation costs what it costs without them, and
// they have no memory of their own. It sets their upper bounds, in increasing order, and
// adds +Inf where it is missing. All must be powers of two, since the bounds of native
// buckets of every schema from 0 on are there, and not below the zero thresholds:
// [ExponentialBuckets] with the factor 2 makes such. A schema below 0 is an error.
//
// The buckets are exact. For that, resolution is never halved below schema 0: beyond it
// the zero bucket is widened up to the first bound, and if that is not enough there are
// more buckets than [WithNativeMaxBuckets], one for each power of two in which there
// are observations, 4,200 at most. In a store each series has counts of the classic
// buckets instead, and resolution is halved as without this option.
func WithNativeClassicBuckets(upper ...float64) NativeOption {
	copied := append([]float64{}, upper...)
	return nativeOption(func(s *nativeSettings) { s.classic, s.rendered = copied, true })
}

// WithNativeExemplars sets how many exemplars a histogram keeps beside those of
// classic buckets, 0 for none, and the age from which the oldest is replaced
// first, rather than one whose value is close to another's. Without this option
// they are 10 and 5 minutes.
func WithNativeExemplars(limit int, maxAge time.Duration) NativeOption {
	return nativeOption(func(s *nativeSettings) { s.exemplars, s.exemplarAge = limit, maxAge })
}

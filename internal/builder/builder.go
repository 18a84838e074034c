// Package builder makes the instruments of one component, with options that all of
// them share.
package builder

import "telltale"

// Builder makes instruments until one fails. It is used by one goroutine.
type Builder struct {
	shared []telltale.Option
	err    error
}

// New returns a builder of instruments with the options. If err is not nil it makes
// none.
func New(shared []telltale.Option, err error) *Builder { return &Builder{shared, err} }

// Err returns the error of [New], or of the instrument that failed.
func (b *Builder) Err() error { return b.err }

// Make returns the instrument that construct makes with the shared options and, after
// them, its own. It returns nil after an error.
func Make[T, O any](b *Builder, construct func(opts ...O) (*T, error), own ...O) *T {
	if b.err != nil {
		return nil
	}
	x, err := construct(Options(b.shared, own...)...)
	b.err = err
	return x
}

// Options returns the shared options followed by those of one instrument. An Option
// has the methods of every kind of option. Nil ones say nothing, as in the
// constructors.
func Options[O any](shared []telltale.Option, own ...O) []O {
	all := make([]O, 0, len(shared)+len(own))
	for _, o := range shared {
		if o != nil {
			all = append(all, any(o).(O))
		}
	}
	return append(all, own...)
}

// Durations returns the options of a histogram of times: the given ones, or, if there
// are none, [telltale.DefaultBuckets] and native buckets that grow by a tenth.
func Durations(given []telltale.HistogramOption) []telltale.HistogramOption {
	if given != nil {
		return given
	}
	return []telltale.HistogramOption{telltale.WithBuckets(telltale.DefaultBuckets()...), telltale.WithNativeBuckets(1.1)}
}

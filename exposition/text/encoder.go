package text

import (
	"io"

	"telltale/internal/lines"
	"telltale/model"
)

// Drop reports something that was not written because the format cannot hold it.
//
//	Family string // its name in the model
//	Sample string // the name of the sample, or "" for the whole family
//	Reason Reason // why, by String() in words; its Written() reports whether it was written all the same
type Drop = lines.Drop

// Option is an option of [NewEncoder].
type Option interface{ applyEncoder(*lines.Options) }

type option func(*lines.Options)

func (o option) applyEncoder(to *lines.Options) { o(to) }

// WithEscaping sets how names outside the legacy character set are written. The
// default is [model.Underscores], which every reader understands.
func WithEscaping(e model.Escaping) Option {
	return option(func(o *lines.Options) { o.Escaping = e })
}

// WithShortBounds writes the labels le and quantile of whole numbers without a
// fraction, le="1" instead of le="1.0", as client_golang does.
func WithShortBounds() Option {
	return option(func(o *lines.Options) { o.Short = true })
}

// WithDropped calls report for everything that is dropped, in the goroutine that
// calls Encode. What the format can never hold (units, exemplars, created times)
// is not reported.
func WithDropped(report func(Drop)) Option {
	return option(func(o *lines.Options) { o.Dropped = report })
}

// Encoder writes families to a writer, in chunks of some 32 KiB. It takes eight bytes
// of memory for each family, under an escaping scheme that changes names, and none for
// series, unless the scheme may make those of a family equal. It is not safe for
// concurrent use.
type Encoder struct{ page *lines.Page }

// NewEncoder returns an encoder that writes to w. [Encoder.Close] ends the
// page.
func NewEncoder(w io.Writer, opts ...Option) *Encoder {
	o := lines.Options{Escaping: model.Underscores}
	for _, opt := range opts {
		opt.applyEncoder(&o)
	}
	return &Encoder{lines.NewPage(w, format{}, o)}
}

// Encode writes a family. Part of it may stay in memory until a later Encode or
// Close. It returns the writer's first error, also from every later call, and
// errors of the family's source.
func (e *Encoder) Encode(f *model.Family) error { return e.page.Encode(f) }

// Close writes what is still in memory. It does not close the writer.
func (e *Encoder) Close() error { return e.page.Close() }

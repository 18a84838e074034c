package openmetrics2

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
// default is [model.AllowUTF8]: the draft has quoted names and no escaping.
func WithEscaping(e model.Escaping) Option {
	return option(func(o *lines.Options) { o.Escaping = e })
}

// WithDropped calls report for everything that is dropped, and for names that
// begin with an underscore, which are reserved but written, in the goroutine
// that calls Encode.
func WithDropped(report func(Drop)) Option {
	return option(func(o *lines.Options) { o.Dropped = report })
}

// Encoder writes families to a writer, in chunks of some 32 KiB. It takes eight bytes
// of memory for each family, under an escaping scheme that changes names, and none for
// series, unless the scheme may make those of a family equal. It is not safe for
// concurrent use.
type Encoder struct {
	page   *lines.Page
	states regrouping
}

// NewEncoder returns an encoder that writes to w. [Encoder.Close] ends the
// page.
func NewEncoder(w io.Writer, opts ...Option) *Encoder {
	o := lines.Options{Escaping: model.AllowUTF8, Reserves: true}
	for _, opt := range opts {
		opt.applyEncoder(&o)
	}
	return &Encoder{page: lines.NewPage(w, format{o.Escaping}, o)}
}

// Encode writes a family. Part of it may stay in memory until a later Encode or
// Close. It returns the writer's first error, also from every later call, and
// errors of the family's source.
func (e *Encoder) Encode(f *model.Family) error {
	f, err := e.states.of(f)
	if err != nil {
		return err
	}
	return e.page.Encode(f)
}

// Close writes the closing "# EOF", once, and what is still in memory. It does
// not close the writer.
func (e *Encoder) Close() error { return e.page.Close() }

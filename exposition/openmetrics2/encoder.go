package openmetrics2

import (
	"io"

	"telltale/internal/lines"
	"telltale/model"
)

// Drop is something that was not written because the format cannot hold it.
type Drop = lines.Drop

// Option is an option of [NewEncoder].
type Option interface{ applyEncoder(*lines.Options) }

type option func(*lines.Options)

func (o option) applyEncoder(to *lines.Options) { o(to) }

// WithEscaping sets how names outside the legacy character set are written. The
// default is [model.AllowUTF8]: the draft knows quoted names and no escaping.
func WithEscaping(e model.Escaping) Option {
	return option(func(o *lines.Options) { o.Escaping = e })
}

// WithDropped has report called with all that is dropped, and with names that
// begin with an underscore, which are reserved, and written all the same.
func WithDropped(report func(Drop)) Option {
	return option(func(o *lines.Options) { o.Dropped = report })
}

// Encoder writes families to a writer, in chunks of some 32 KiB. Its memory
// does not grow with the families. It is not safe for concurrent use.
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

// Encode writes a family; not all of it need have reached the writer when it
// returns. It returns the writer's first error, then and ever after, and errors
// of the family's source.
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

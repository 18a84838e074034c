package exposition

import (
	"io"

	"telltale/exposition/openmetrics"
	"telltale/exposition/openmetrics2"
	"telltale/exposition/protobuf"
	"telltale/exposition/text"
	"telltale/internal/lines"
	"telltale/model"
)

// Encoder writes families. It is not safe for concurrent use.
type Encoder interface {
	// Encode writes a family, which need not all have reached the writer when
	// it returns.
	Encode(f *model.Family) error
	// Close writes what is left, and what ends the format. It does not close
	// the writer.
	Close() error
}

// Drop is something that was not written because the format cannot hold it, or
// that was written though the format reserves it ([Reason.Written]).
type Drop = lines.Drop

// Reason says why something was dropped.
type Reason = lines.Reason

// The reasons.
const (
	NoName            = lines.NoName            // a family or a sample without a name
	ClashingName      = lines.ClashingName      // escaping gave the family the name of one before it
	LooseSample       = lines.LooseSample       // a sample that does not fit its family's type
	LongExemplar      = lines.LongExemplar      // an exemplar's labels have more than 128 characters
	MisplacedExemplar = lines.MisplacedExemplar // an exemplar where the format has no place for one
	UnfitSum          = lines.UnfitSum          // a sum that is NaN or negative, beside negative bounds, or without a count
	UnfitCount        = lines.UnfitCount        // a count that is no number, below zero, or not whole where it must be
	UnfitNative       = lines.UnfitNative       // a native histogram whose schema the format has not, or whose buckets contradict its spans
	UntimedExemplar   = lines.UntimedExemplar   // an exemplar without a timestamp
	NoCount           = lines.NoCount           // a histogram or summary whose count, or summary whose sum, is not known
	UnfitQuantile     = lines.UnfitQuantile     // a quantile's value below zero
	MoreExemplars     = lines.MoreExemplars     // a second exemplar where the format has a place for one
	ReservedName      = lines.ReservedName      // a family's name begins with an underscore; it is written
	ReservedLabel     = lines.ReservedLabel     // a label's name begins with an underscore; it is written
)

// EncoderOption is an option of [NewEncoder]. Formats that know nothing of what
// an option sets ignore it.
type EncoderOption interface{ applyEncoder(*encoderOptions) }

type encoderOption func(*encoderOptions)

func (o encoderOption) applyEncoder(to *encoderOptions) { o(to) }

type encoderOptions struct {
	created bool
	dropped func(Drop)
}

// WithCreated has created times written in OpenMetrics 1.0 as samples of their
// own ("x_created"), which older readers take for series. OpenMetrics 2.0 and
// protobuf have them always, and not as samples.
func WithCreated() EncoderOption {
	return encoderOption(func(o *encoderOptions) { o.created = true })
}

// WithDropped has report called with all that is dropped, and with what is written
// though the format reserves it ([Reason.Written]). What a format never holds, such
// as exemplars in text, is not reported.
func WithDropped(report func(Drop)) EncoderOption {
	return encoderOption(func(o *encoderOptions) { o.dropped = report })
}

// NewEncoder returns an encoder of the format that writes to w.
func NewEncoder(w io.Writer, f Format, opts ...EncoderOption) Encoder {
	var o encoderOptions
	for _, opt := range opts {
		opt.applyEncoder(&o)
	}
	switch f.wire() {
	case openMetrics001, openMetrics1:
		all := []openmetrics.Option{openmetrics.WithEscaping(f.Escaping()), openmetrics.WithDropped(o.dropped)}
		if o.created {
			all = append(all, openmetrics.WithCreated())
		}
		return openmetrics.NewEncoder(w, all...)
	case openMetrics2:
		return openmetrics2.NewEncoder(w, openmetrics2.WithEscaping(f.Escaping()), openmetrics2.WithDropped(o.dropped))
	case protobufDelimited:
		return protobuf.NewEncoder(w, protobuf.WithEscaping(f.Escaping()), protobuf.WithDropped(o.dropped))
	default:
		return text.NewEncoder(w, text.WithEscaping(f.Escaping()), text.WithDropped(o.dropped))
	}
}

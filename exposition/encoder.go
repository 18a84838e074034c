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

// Encoder writes families in one format. It is not safe for concurrent use.
type Encoder interface {
	// Encode writes a family. Part of it may stay in memory until a later Encode
	// or Close. It returns the writer's first error, also from every later call.
	Encode(f *model.Family) error
	// Close writes what is still in memory and the end of the page. It does not
	// close the writer.
	Close() error
}

// Drop reports something that was not written because the format cannot hold it,
// or that was written although the format reserves the name ([Reason.Written]).
//
//	Family string // its name in the model
//	Sample string // the name of the sample, or "" for the whole family
//	Reason Reason // why, by String() in words; its Written() reports whether it was written all the same
type Drop = lines.Drop

// Reason says why something was dropped.
//
//	String() string // in words
//	Written() bool  // whether what it is about was written all the same
type Reason = lines.Reason

// The reasons of a [Drop].
const (
	NoName            = lines.NoName            // a family or a sample without a name
	ClashingName      = lines.ClashingName      // escaping made a name of the family equal to one of a family before it
	LooseSample       = lines.LooseSample       // a sample that does not fit its family's type
	LongExemplar      = lines.LongExemplar      // an exemplar's labels have more than 128 characters
	MisplacedExemplar = lines.MisplacedExemplar // an exemplar where the format has no place for one
	UnfitSum          = lines.UnfitSum          // a sum that is NaN or negative, beside negative bounds, or without a count
	UnfitCount        = lines.UnfitCount        // a count that is no number, below zero, below that of the bucket before, not that of the bucket +Inf, or not whole where it must be
	UnfitNative       = lines.UnfitNative       // a native histogram with a schema that the format lacks, or whose buckets contradict its spans
	UntimedExemplar   = lines.UntimedExemplar   // an exemplar without a timestamp
	NoCount           = lines.NoCount           // a histogram or summary whose count, or summary whose sum, is not known
	UnfitQuantile     = lines.UnfitQuantile     // a quantile's value below zero
	MoreExemplars     = lines.MoreExemplars     // a second exemplar where the format has a place for one
	ReservedName      = lines.ReservedName      // a family's name begins with an underscore; it is written
	ReservedLabel     = lines.ReservedLabel     // a label's name begins with an underscore; it is written
	ClashingSeries    = lines.ClashingSeries    // escaping gave the series the labels of another one of its family
	UnfitTotal        = lines.UnfitTotal        // a counter's total that is NaN or below zero
	JoinedLabels      = lines.JoinedLabels      // escaping gave two labels of a series one name; they are written as one, with both values
)

// EncoderOption is an option of [NewEncoder]. An option that a format has no use
// for is ignored.
type EncoderOption interface{ applyEncoder(*encoderOptions) }

type encoderOption func(*encoderOptions)

func (o encoderOption) applyEncoder(to *encoderOptions) { o(to) }

type encoderOptions struct {
	created bool
	short   bool
	dropped func(Drop)
}

// WithCreated writes created times in OpenMetrics 1.0 as samples of their own
// ("x_created"), which older readers store as series. OpenMetrics 2.0 and
// protobuf always hold created times, and not as samples.
func WithCreated() EncoderOption {
	return encoderOption(func(o *encoderOptions) { o.created = true })
}

// WithShortBounds writes the labels le and quantile of whole numbers in the text
// format without a fraction, le="1" instead of le="1.0", as client_golang does.
// OpenMetrics asks for the fraction, and protobuf has numbers.
func WithShortBounds() EncoderOption {
	return encoderOption(func(o *encoderOptions) { o.short = true })
}

// WithDropped calls report for everything that is dropped, and for what is
// written although the format reserves it ([Reason.Written]). What a format can
// never hold, such as exemplars in text, is not reported. The function is called
// by Encode, in its goroutine.
func WithDropped(report func(Drop)) EncoderOption {
	return encoderOption(func(o *encoderOptions) { o.dropped = report })
}

// NewEncoder returns an encoder of the format that writes to w. [Encoder.Close]
// must be called to end the page.
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
		all := []text.Option{text.WithEscaping(f.Escaping()), text.WithDropped(o.dropped)}
		if o.short {
			all = append(all, text.WithShortBounds())
		}
		return text.NewEncoder(w, all...)
	}
}

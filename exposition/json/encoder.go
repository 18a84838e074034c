package json

import (
	"errors"
	"io"
	"iter"
	"strconv"
	"unicode/utf8"

	"telltale/model"
)

// flushAt is the length from which the buffer is written before the next sample.
const flushAt = 32 << 10

var errClosed = errors.New("exposition/json: the encoder is closed")

// Encoder writes families to a writer, in chunks of some 32 KiB. It is not safe
// for concurrent use.
type Encoder struct {
	w   io.Writer
	buf []byte
	any bool // a family has been written
	err error
}

// NewEncoder returns an encoder that writes to w. [Encoder.Close] ends the
// page.
func NewEncoder(w io.Writer) *Encoder { return &Encoder{w: w, buf: []byte{'['}} }

// Encode writes a family. JSON holds everything, created times as float64s. It
// returns the writer's first error, also from every later call.
func (e *Encoder) Encode(f *model.Family) error {
	if e.err != nil {
		return e.err
	}
	if e.any {
		e.buf = append(e.buf, ',')
	}
	e.any = true
	e.buf = appendMember(append(e.buf, "\n{"...), "name", f.Name)
	typ := f.Type
	if !typ.Valid() {
		typ = model.Unknown
	}
	e.buf = appendMember(append(e.buf, ','), "type", typ.String())
	e.buf = appendMember(append(e.buf, ','), "help", f.Help)
	e.buf = appendMember(append(e.buf, ','), "unit", f.Unit)
	e.buf = append(e.buf, `,"samples":[`...)
	first := true
	for s := range f.Samples() {
		if !first {
			e.buf = append(e.buf, ',')
		}
		first = false
		e.buf = appendSample(append(e.buf, '\n'), &s)
		if len(e.buf) >= flushAt {
			if err := e.flush(); err != nil {
				return err
			}
		}
	}
	e.buf = append(e.buf, "]}"...)
	return nil
}

// Close ends the page and writes what is still in memory. It does not close the
// writer.
func (e *Encoder) Close() error {
	if errors.Is(e.err, errClosed) {
		return nil
	}
	e.buf = append(e.buf, "\n]\n"...)
	err := e.flush()
	if err == nil {
		e.err = errClosed
	}
	return err
}

func (e *Encoder) flush() error {
	if e.err == nil {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
	return e.err
}

func appendSample(dst []byte, s *model.Sample) []byte {
	dst = appendMember(append(dst, '{'), "name", s.Name)
	dst = appendLabels(append(dst, ','), s.Labels)
	dst = appendValue(append(dst, ','), "value", s.Value)
	dst = appendTimestamp(dst, s.Timestamp)
	if s.Exemplar != nil {
		dst = appendExemplars(append(dst, ','), s.Exemplar.All())
	}
	if s.NativeHistogram != nil {
		dst = append(dst, `,"native_histogram":`...)
		dst = appendNative(dst, s.NativeHistogram)
	}
	return append(dst, '}')
}

// appendExemplars appends the member "exemplars".
func appendExemplars(dst []byte, all iter.Seq[*model.Exemplar]) []byte {
	dst = append(appendName(dst, "exemplars"), '[')
	first := true
	for x := range all {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendExemplar(dst, x)
	}
	return append(dst, ']')
}

func appendExemplar(dst []byte, x *model.Exemplar) []byte {
	dst = appendLabels(append(dst, '{'), x.Labels)
	dst = appendValue(append(dst, ','), "value", x.Value)
	return append(appendTimestamp(dst, x.Timestamp), '}')
}

func appendNative(dst []byte, h *model.NativeHistogram) []byte {
	dst = append(dst, `{"schema":`...)
	dst = strconv.AppendInt(dst, int64(h.Schema), 10)
	dst = appendValue(append(dst, ','), "zero_threshold", h.ZeroThreshold)
	dst = appendValue(append(dst, ','), "zero_count", h.ZeroCount)
	dst = appendValue(append(dst, ','), "count", h.Count)
	dst = appendValue(append(dst, ','), "sum", h.Sum)
	dst = appendSpans(append(dst, ','), "positive_spans", h.PositiveSpans)
	dst = appendValues(append(dst, ','), "positive_buckets", h.Positive)
	dst = appendSpans(append(dst, ','), "negative_spans", h.NegativeSpans)
	dst = appendValues(append(dst, ','), "negative_buckets", h.Negative)
	dst = appendValues(append(dst, ','), "custom_bounds", h.CustomBounds)
	dst = append(dst, `,"float":`...)
	dst = strconv.AppendBool(dst, h.IsFloat)
	dst = appendExemplars(append(dst, ','), func(yield func(*model.Exemplar) bool) {
		for i := range h.Exemplars {
			if !yield(&h.Exemplars[i]) {
				return
			}
		}
	})
	return append(dst, '}')
}

func appendSpans(dst []byte, name string, spans []model.Span) []byte {
	dst = append(appendName(dst, name), '[')
	for i, s := range spans {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"offset":`...)
		dst = strconv.AppendInt(dst, int64(s.Offset), 10)
		dst = append(dst, `,"length":`...)
		dst = strconv.AppendUint(dst, uint64(s.Length), 10)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendValues(dst []byte, name string, values []float64) []byte {
	dst = append(appendName(dst, name), '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(model.AppendValue(append(dst, '"'), v), '"')
	}
	return append(dst, ']')
}

func appendLabels(dst []byte, labels model.Labels) []byte {
	dst = append(appendName(dst, "labels"), '{')
	first := true
	for name, value := range labels.All() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendMember(dst, name, value)
	}
	return append(dst, '}')
}

func appendTimestamp(dst []byte, t model.Timestamp) []byte {
	if !t.IsSet() {
		return dst
	}
	return append(t.AppendSeconds(append(dst, `,"timestamp":"`...)), '"')
}

func appendValue(dst []byte, name string, v float64) []byte {
	return append(model.AppendValue(append(appendName(dst, name), '"'), v), '"')
}

func appendMember(dst []byte, name, value string) []byte {
	return AppendString(appendName(dst, name), value)
}

func appendName(dst []byte, name string) []byte { return append(AppendString(dst, name), ':') }

const hexadecimal = "0123456789abcdef"

// AppendString appends s as a string of JSON (RFC 8259, section 7), with its quotes.
// Invalid UTF-8 is replaced by U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s { // range yields U+FFFD for invalid UTF-8
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hexadecimal[r>>4], hexadecimal[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

package exposition

import "telltale/model"

// Format is a wire format with its version and its escaping scheme. Formats are
// comparable with ==.
type Format uint16

// The formats, each with the escaping scheme that applies if a reader asks for
// none: underscores, except in OpenMetrics 2.0, which has no escaping.
// [Format.WithEscaping] sets another.
const (
	Text004        = Format(text004)<<8 | Format(model.Underscores)           // Prometheus text 0.0.4, understood by everyone
	Text100        = Format(text100)<<8 | Format(model.Underscores)           // Prometheus text 1.0.0, which may have quoted names
	OpenMetrics001 = Format(openMetrics001)<<8 | Format(model.Underscores)    // OpenMetrics 0.0.1, written as 1.0
	OpenMetrics1   = Format(openMetrics1)<<8 | Format(model.Underscores)      // OpenMetrics 1.0.0
	OpenMetrics2   = Format(openMetrics2)<<8 | Format(model.AllowUTF8)        // OpenMetrics 2.0.0, experimental: a draft that may change
	Protobuf       = Format(protobufDelimited)<<8 | Format(model.Underscores) // Prometheus protobuf, delimited
)

// wire is a format without its escaping scheme: an index of wires.
type wire uint8

const (
	text004 wire = iota
	text100
	openMetrics001
	openMetrics1
	openMetrics2
	protobufDelimited
)

// wires describes the formats. A new format is added here, in preference and in
// NewEncoder.
var wires = [...]struct {
	mediaType string
	version   version
	escaping  model.Escaping // if the client names none
	standard  bool           // the version meant if the client names none
	escapes   bool           // its content type always names the escaping scheme
	draft     bool           // negotiated only if the client names the version
}{
	text004:           {"text/plain", version{0, 0, 4}, model.Underscores, true, false, false},
	text100:           {"text/plain", version{1, 0, 0}, model.Underscores, false, true, false},
	openMetrics001:    {"application/openmetrics-text", version{0, 0, 1}, model.Underscores, false, false, false},
	openMetrics1:      {"application/openmetrics-text", version{1, 0, 0}, model.Underscores, true, true, false},
	openMetrics2:      {"application/openmetrics-text", version{2, 0, 0}, model.AllowUTF8, false, false, true},
	protobufDelimited: {protobufType, version{}, model.Underscores, true, false, false},
}

// The protobuf format has no version; two parameters tell it from others of its
// media type.
const (
	protobufType     = "application/vnd.google.protobuf"
	protobufMessage  = "io.prometheus.client.MetricFamily"
	protobufEncoding = "delimited"
)

// wire returns the format's wire; an unknown format is text 0.0.4.
func (f Format) wire() wire {
	if w := wire(f >> 8); int(w) < len(wires) {
		return w
	}
	return text004
}

// Escaping returns the scheme under which names are written.
func (f Format) Escaping() model.Escaping {
	if e := model.Escaping(f & 0xff); e <= model.Values {
		return e
	}
	return model.Underscores
}

// WithEscaping returns the same format with another escaping scheme.
func (f Format) WithEscaping(e model.Escaping) Format {
	return f&^0xff | Format(e)
}

// ContentType returns the value of the Content-Type header. It names the
// escaping scheme if readers of the format look for it, or if it is not the one
// that they expect (Prometheus documentation, "Content negotiation").
func (f Format) ContentType() string {
	w := wires[f.wire()]
	s := w.mediaType
	if w.mediaType == protobufType {
		s += "; proto=" + protobufMessage + "; encoding=" + protobufEncoding
	} else {
		s += "; version=" + w.version.String() + "; charset=utf-8"
	}
	if w.escapes || f.Escaping() != w.escaping {
		s += "; escaping=" + f.Escaping().String()
	}
	return s
}

// String returns the content type, as [Format.ContentType] does.
func (f Format) String() string { return f.ContentType() }

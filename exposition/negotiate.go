package exposition

import "strings"

// Negotiate returns the format in which to answer a request, given the values of
// its Accept headers (RFC 9110, section 12.5.1). It always returns one: if the
// client accepts no known format, or there is no header, it is text 0.0.4.
//
// The highest q wins. Among equals, a format that the client names comes before
// one that only a wildcard covers; then protobuf comes before OpenMetrics,
// OpenMetrics before text, and newer versions before older ones. */* is answered
// in text 0.0.4, which browsers display. A version newer than those known is
// read as the newest known version below it; OpenMetrics without a version is
// 1.0.0, text/plain without one is 0.0.4. OpenMetrics 2.0.0, a draft, is
// returned only to clients that name this version and no other format with the
// same q. A range of protobuf must name delimited MetricFamily messages, the
// only protobuf that is known. The escaping scheme is the one named beside the
// chosen format, or that of the format's constant if none or an unknown one is
// named. Malformed parts of a header are ignored.
func Negotiate(accept ...string) Format {
	ranges := parseAccept(strings.Join(accept, ","))
	best := offer{format: Text004}
	for _, w := range preference {
		if o := w.offered(ranges); o.q > 0 && o.better(best) {
			best = o
		}
	}
	return best.format
}

// preference lists the formats, the most preferred first. A draft is the last.
var preference = [...]wire{protobufDelimited, openMetrics1, openMetrics001, text100, text004, openMetrics2}

// offer is a format and how well the client accepts it.
type offer struct {
	format Format
	match  match
	q      float64
}

// offered returns the client's offer for a format: that of the range that names
// the format most exactly.
func (w wire) offered(ranges []mediaRange) offer {
	var o offer
	for _, r := range ranges {
		if m := r.match(w); m > o.match || m == o.match && m > nowhere && r.q > o.q {
			escaping := wires[w].escaping
			if r.escapes {
				escaping = r.escaping
			}
			o = offer{Format(w)<<8 | Format(escaping), m, r.q}
		}
	}
	return o
}

// better compares with an offer of a more preferred format.
func (o offer) better(than offer) bool {
	named, thanNamed := o.match > subtype, than.match > subtype
	switch {
	case o.q != than.q:
		return o.q > than.q
	case named != thanNamed:
		return named
	}
	return !named // a wildcard is answered in the plainest format
}

// match is how exactly a media range names a format.
type match uint8

const (
	nowhere match = iota
	anything
	subtype // text/*
	unversioned
	newer // a version unknown here
	exact
)

// match returns how exactly the range names the format. A range without a
// version names the version meant if none is named. A range with q=0 refuses:
// without a version all versions, with one only that one.
func (r mediaRange) match(w wire) match {
	offered := wires[w]
	kind, _, _ := strings.Cut(offered.mediaType, "/")
	meant := offered.standard || r.q == 0
	switch {
	case r.mediaType == "*/*" && meant:
		return anything
	case r.mediaType == kind+"/*" && meant:
		return subtype
	case r.mediaType != offered.mediaType, w == protobufDelimited && !r.delimited():
		return nowhere
	case r.version == version{} && meant:
		return unversioned
	case r.version == offered.version:
		return exact
	case r.q > 0 && !offered.draft && offered.version.less(r.version) && !w.outdone(r):
		return newer
	}
	return nowhere
}

// delimited reports whether a range of protobuf's media type names the known
// messages and encoding. A range that refuses need not name them.
func (r mediaRange) delimited() bool {
	return r.message == protobufMessage && r.encoding == protobufEncoding ||
		r.q == 0 && r.message == "" && r.encoding == ""
}

// outdone reports whether another version is closer to the one the range names.
func (w wire) outdone(r mediaRange) bool {
	for _, other := range wires {
		meant := !other.draft || other.version == r.version
		if other.mediaType == r.mediaType && meant && wires[w].version.less(other.version) && !r.version.less(other.version) {
			return true
		}
	}
	return false
}

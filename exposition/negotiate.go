package exposition

import "strings"

// Negotiate returns the format to answer a request with, given the values of
// its Accept headers (RFC 9110, section 12.5.1). It always finds one: where the
// client accepts nothing that there is, or says nothing, it is text 0.0.4.
//
// The highest q wins; among equals a format that the client names comes before
// one that only a wildcard covers, and then protobuf before OpenMetrics, that
// before text, and newer versions before older ones. */* is answered in text
// 0.0.4, for browsers say. A version that is newer than those known stands for the
// newest known below it; OpenMetrics without a version is 1.0.0, text/plain without
// one is 0.0.4. OpenMetrics 2.0.0, a draft, is given to those alone who name this
// version and no format that they like as much. Protobuf is of messages
// MetricFamily, delimited, or another format that there is not. Of the escaping
// schemes the one beside the chosen format counts, and where none or an unknown one
// is named the one of the format's constant. What cannot be understood is passed
// over.
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

// preference lists the formats, the dearest first. A draft is the last of them.
var preference = [...]wire{protobufDelimited, openMetrics1, openMetrics001, text100, text004, openMetrics2}

// offer is a format and what the client thinks of it.
type offer struct {
	format Format
	match  match
	q      float64
}

// offered finds what the client thinks of a format: what the range says that
// names it most exactly.
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

// better compares with an offer of a dearer format.
func (o offer) better(than offer) bool {
	named, thanNamed := o.match > subtype, than.match > subtype
	switch {
	case o.q != than.q:
		return o.q > than.q
	case named != thanNamed:
		return named
	}
	return !named // what is let pass is answered in the plainest format
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

// match says how exactly the range names the format. A range without a version
// names the one that is meant where none is named. A range of q=0 says what the
// client refuses: without a version all versions, with one just that one.
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

// delimited reports whether a range of protobuf's media type is of the messages
// and in the encoding that there are. What is refused need not say it.
func (r mediaRange) delimited() bool {
	return r.message == protobufMessage && r.encoding == protobufEncoding ||
		r.q == 0 && r.message == "" && r.encoding == ""
}

// outdone reports whether another version is nearer to what the range asks for.
func (w wire) outdone(r mediaRange) bool {
	for _, other := range wires {
		meant := !other.draft || other.version == r.version
		if other.mediaType == r.mediaType && meant && wires[w].version.less(other.version) && !r.version.less(other.version) {
			return true
		}
	}
	return false
}

package otlp

import (
	"bytes"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/outbox"
)

// The numbers of the fields of opentelemetry.proto.metrics.v1 and of the request.
const (
	requestResourceMetrics protowire.Number = 1

	resourceMetricsResource protowire.Number = 1
	resourceMetricsScope    protowire.Number = 2

	scopeMetricsScope   protowire.Number = 1
	scopeMetricsMetrics protowire.Number = 2
	scopeMetricsSchema  protowire.Number = 3

	metricName        protowire.Number = 1
	metricDescription protowire.Number = 2
	metricUnit        protowire.Number = 3
	metricMetadata    protowire.Number = 12

	dataPoints      protowire.Number = 1 // of all kinds
	dataTemporality protowire.Number = 2
	dataMonotonic   protowire.Number = 3

	cumulative = 2
)

// kind is a type of data.
type kind int

const (
	gaugeKind kind = iota
	sumKind
	levelKind // a sum that is not monotonic
	histogramKind
	exponentialKind
	summaryKind
)

// kinds are the fields of the kinds in a metric, and what comes after the data points.
var kinds = [...]struct {
	field protowire.Number
	tail  string
}{
	gaugeKind:       {5, ""},
	sumKind:         {7, string([]byte{byte(dataTemporality << 3), cumulative, byte(dataMonotonic << 3), 1})},
	levelKind:       {7, string([]byte{byte(dataTemporality << 3), cumulative})},
	histogramKind:   {9, string([]byte{byte(dataTemporality << 3), cumulative})},
	exponentialKind: {10, string([]byte{byte(dataTemporality << 3), cumulative})},
	summaryKind:     {11, ""},
}

// header is what the data points of a metric share.
type header struct {
	name, help, unit string
	typ              string // of Prometheus, where OTLP has none such
	kind             kind
}

// typeKey is the key of a metric's metadata under which its type in Prometheus is.
const typeKey = "prometheus.type"

const (
	widestHeader = 1 + 5       // bytes of a field's tag and length
	metricBound  = 64          // of a metric beside its texts, at most
	scopeBound   = 4           // of a scope beside its fields
	requestBound = 4 + 2*6 + 2 // of a request beside its scopes and its resource
)

// request is a request that is being written.
type request struct {
	points int
	size   int // at most
	scopes []scope
	index  map[string]int // of scopes, but the own
	open   []metric       // of the present family
	places map[place]int  // in open
}

// scope is a ScopeMetrics.
type scope struct {
	head    []byte // its fields but for metrics
	metrics []byte // as fields
}

// metric is one whose data points are being written.
type metric struct {
	header
	scope  int
	points []byte // as fields
}

// place tells the metrics of a family.
type place struct {
	scope int
	name  string
	kind  kind
}

// ScopeName is the instrumentation scope of metrics that do not say theirs.
const ScopeName = "telltale/push/otlp"

var ownScope = appendMessage(nil, scopeMetricsScope, appendString(nil, scopeName, ScopeName))

// reset makes the request an empty one. Resource is the number of bytes of its resource.
func (r *request) reset(resource int) {
	r.points, r.size = 0, requestBound+resource+scopeBound+len(ownScope)
	r.scopes, r.open = r.scopes[:0], r.open[:0]
	clear(r.index)
	clear(r.places)
	r.addScope(ownScope)
}

// addScope adds a scope, in the memory of one of the request before.
func (r *request) addScope(head []byte) int {
	n := len(r.scopes)
	if n < cap(r.scopes) {
		r.scopes = r.scopes[:n+1]
	} else {
		r.scopes = append(r.scopes, scope{})
	}
	s := &r.scopes[n]
	s.head, s.metrics = append(s.head[:0], head...), s.metrics[:0]
	return n
}

// bound returns how many bytes the request would have at most with the metric.
func (r *request) bound(h *header, scope []byte) int {
	return r.size + h.bound() + len(scope) + scopeBound
}

func (h *header) bound() int { return metricBound + len(h.name) + len(h.help) + len(h.unit) }

// metric returns the metric of the present family with a header, in a scope that
// attributes.scope returned.
func (r *request) metric(h *header, scope []byte) *metric {
	if scope == nil && len(r.open) == 1 { // most families have one
		if m := &r.open[0]; m.scope == 0 && m.kind == h.kind && m.name == h.name {
			return m
		}
	}
	at := 0
	if scope != nil {
		var known bool
		if at, known = r.index[string(scope)]; !known {
			if r.index == nil {
				r.index = make(map[string]int)
			}
			at = r.addScope(scope)
			r.index[string(scope)] = at
			r.size += scopeBound + len(scope)
		}
	}
	key := place{at, h.name, h.kind}
	i, known := r.places[key]
	if known {
		return &r.open[i]
	}
	if r.places == nil {
		r.places = make(map[place]int)
	}
	i = len(r.open)
	r.places[key] = i
	if i < cap(r.open) {
		r.open = r.open[:i+1]
	} else {
		r.open = append(r.open, metric{})
	}
	m := &r.open[i]
	m.header, m.scope, m.points = *h, at, m.points[:0]
	r.size += h.bound()
	return m
}

// close ends the metrics of the present family.
func (r *request) close() {
	for i := range r.open {
		m := &r.open[i]
		s := &r.scopes[m.scope]
		s.metrics = m.append(s.metrics)
		m.header = header{}
	}
	r.open = r.open[:0]
	clear(r.places)
}

// append appends the metric as a field of a ScopeMetrics.
func (m *metric) append(dst []byte) []byte {
	k := &kinds[m.kind]
	data := len(m.points) + len(k.tail)
	typ := 0
	if m.typ != "" {
		typ = sizeOfAttribute(typeKey, m.typ)
	}
	size := 1 + protowire.SizeBytes(len(m.name)) + 1 + protowire.SizeBytes(data) + typ
	if m.help != "" {
		size += 1 + protowire.SizeBytes(len(m.help))
	}
	if m.unit != "" {
		size += 1 + protowire.SizeBytes(len(m.unit))
	}
	dst = protowire.AppendVarint(append(dst, byte(scopeMetricsMetrics<<3|2)), uint64(size))
	dst = appendString(dst, metricName, m.name)
	if m.help != "" {
		dst = appendString(dst, metricDescription, m.help)
	}
	if m.unit != "" {
		dst = appendString(dst, metricUnit, m.unit)
	}
	dst = protowire.AppendVarint(append(dst, byte(k.field<<3|2)), uint64(data))
	dst = append(append(dst, m.points...), k.tail...)
	if m.typ != "" {
		dst = appendAttribute(dst, metricMetadata, typeKey, m.typ)
	}
	return dst
}

// packer makes bodies of requests.
type packer struct {
	zip *gzip.Writer
	out bytes.Buffer
	raw []byte
}

// pack returns a request with a resource, which is a field.
func (p *packer) pack(r *request, resource []byte, at int64, plain bool) *outbox.Request {
	inner := len(resource)
	for i := range r.scopes {
		if s := &r.scopes[i]; len(s.metrics) > 0 {
			inner += 1 + protowire.SizeBytes(len(s.head)+len(s.metrics))
		}
	}
	p.raw = protowire.AppendVarint(append(p.raw[:0], byte(requestResourceMetrics<<3|2)), uint64(inner))
	p.raw = append(p.raw, resource...)
	p.out.Reset()
	if plain {
		p.out.Grow(len(p.raw) + inner)
	} else if p.zip == nil {
		p.zip, _ = gzip.NewWriterLevel(&p.out, gzip.BestSpeed) // which knows this level
	} else {
		p.zip.Reset(&p.out)
	}
	write := func(text []byte) {
		if plain {
			_, _ = p.out.Write(text) // which does not fail
		} else {
			_, _ = p.zip.Write(text)
		}
	}
	write(p.raw)
	for i := range r.scopes {
		if s := &r.scopes[i]; len(s.metrics) > 0 {
			p.raw = protowire.AppendVarint(append(p.raw[:0], byte(resourceMetricsScope<<3|2)), uint64(len(s.head)+len(s.metrics)))
			p.raw = append(p.raw, s.head...)
			write(p.raw)
			write(s.metrics)
		}
	}
	if !plain {
		_ = p.zip.Close()
	}
	return &outbox.Request{Body: bytes.Clone(p.out.Bytes()), Count: r.points, Time: at}
}

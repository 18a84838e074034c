package otelbridge

import (
	"encoding/hex"
	"unicode/utf8"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale/internal/otelform"
	"telltale/model"
)

// exemplarOf returns an exemplar with the labels trace_id and span_id, if it has a
// span, and the attributes that its series has not, if there is room for them.
func exemplarOf[N int64 | float64](n *naming, from *metricdata.Exemplar[N]) *model.Exemplar {
	var text []byte
	room := model.MaxExemplarRunes
	if len(from.TraceID) == otelform.TraceLength && len(from.SpanID) == otelform.SpanLength {
		text = model.AppendLabel(text, otelform.TraceLabel, hex.EncodeToString(from.TraceID))
		text = model.AppendLabel(text, otelform.SpanLabel, hex.EncodeToString(from.SpanID))
		room -= len(otelform.TraceLabel) + len(otelform.SpanLabel) + 2*(otelform.TraceLength+otelform.SpanLength)
	}
	own := len(text)
	var pairs []pair
	for _, kv := range from.FilteredAttributes {
		p := pair{n.label(kv.Key), kv.Value.String()}
		if room -= utf8.RuneCountInString(p.name) + utf8.RuneCountInString(p.value); room < 0 {
			text = text[:own]
			break
		}
		if p.name != "" && p.name != otelform.TraceLabel && p.name != otelform.SpanLabel {
			pairs = addPair(pairs, 0, p)
		}
	}
	if room >= len(pairs) { // for semicolons, where values were joined
		text = appendPairs(text, pairs)
	}
	return &model.Exemplar{Labels: model.LabelsFromText(string(text)), Value: float64(from.Value), Timestamp: model.TimestampOf(from.Time)}
}

// exemplarsOf returns the exemplars of a sample, the newest first and linked to the
// older ones; nil for none.
func exemplarsOf[N int64 | float64](n *naming, from []metricdata.Exemplar[N]) (first *model.Exemplar) {
	for i := range from {
		first = withExemplar(first, exemplarOf(n, &from[i]))
	}
	return first
}

// withExemplar puts x among those that begin with first, by time.
func withExemplar(first, x *model.Exemplar) *model.Exemplar {
	at := &first
	for *at != nil && (*at).Timestamp.Compare(x.Timestamp) > 0 {
		at = &(*at).Older
	}
	x.Older, *at = *at, x
	return first
}

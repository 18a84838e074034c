package otelbridge

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale/internal/otelform"
	"telltale/model"
)

var (
	errNativeGauge = errors.New("OpenTelemetry has no gauge histograms; count, sum and classic buckets are shown as gauges, native buckets are not")
	errNoCount     = errors.New("it has no count")
)

// addPoint takes over a point of the present family.
func (p *production) addPoint(from *model.Point) error {
	switch p.from.Type {
	case model.Counter:
		if from.Has&model.PartTotal == 0 {
			return errNoCount
		}
		p.addNumber(from, sumData, from.Value)
	case model.Info:
		p.addNumber(from, levelData, from.Value, from.Info)
	case model.StateSet:
		for _, s := range from.States {
			on := 0.0
			if s.On {
				on = 1
			}
			p.addNumber(from, levelData, on, model.LabelsFromText(string(model.AppendLabel(nil, p.from.Name, s.Name))))
		}
	case model.Summary:
		return p.addSummary(from)
	case model.Histogram:
		return p.addHistogram(from)
	default:
		p.addNumber(from, gaugeData, from.Value)
	}
	return nil
}

func (p *production) addNumber(from *model.Point, kind dataKind, value float64, more ...model.Labels) {
	scope, set := p.attributes(append([]model.Labels{from.Labels}, more...)...)
	to := metricdata.DataPoint[float64]{Attributes: set, StartTime: from.Created.Time(), Time: p.time(from.Timestamp), Value: value}
	at := p.place(scope, p.from.SampleName(), kind)
	switch data := at.Data.(type) {
	case metricdata.Gauge[float64]:
		data.DataPoints = append(data.DataPoints, to)
		at.Data = data
	case metricdata.Sum[float64]:
		to.Exemplars = p.exemplars(nil, from.Exemplar)
		data.DataPoints = append(data.DataPoints, to)
		at.Data = data
	}
}

func (p *production) addSummary(from *model.Point) error {
	s := from.Summary
	if s == nil || from.Has&model.PartCount == 0 {
		return errNoCount
	}
	count, err := otelform.Whole(s.Count)
	if err != nil {
		return err
	}
	scope, set := p.attributes(from.Labels)
	to := metricdata.SummaryDataPoint{Attributes: set, StartTime: from.Created.Time(), Time: p.time(from.Timestamp), Count: count}
	if from.Has&model.PartSum != 0 {
		to.Sum = s.Sum
	}
	for _, q := range s.Quantiles {
		to.QuantileValues = append(to.QuantileValues, metricdata.QuantileValue{Quantile: q.Q, Value: q.V})
	}
	at := p.place(scope, p.from.Name, summaryData)
	data := at.Data.(metricdata.Summary)
	data.DataPoints = append(data.DataPoints, to)
	at.Data = data
	return nil
}

func (p *production) addHistogram(from *model.Point) error {
	h := from.Histogram
	switch {
	case h == nil:
		return errNoCount
	case h.Native != nil && (!p.classic || h.Bounds.Len() == 0):
		if h.Native.Schema == model.CustomBucketsSchema {
			return p.addCustom(from, h.Native)
		}
		return p.addExponential(from, h.Native)
	case from.Has&(model.PartBucket|model.PartCount) == 0:
		return errNoCount
	}
	counts, bounds, err := otelform.Classic(nil, h)
	if err != nil {
		return err
	}
	to := metricdata.HistogramDataPoint[float64]{Bounds: slices.Clone(h.Bounds.Upper()[:bounds]), Sum: h.Sum, BucketCounts: counts}
	for _, x := range h.Exemplars {
		to.Exemplars = p.exemplars(to.Exemplars, x)
	}
	return p.putHistogram(from, to)
}

// putHistogram puts a histogram with bounds to its metric. Its count is that of its
// buckets.
func (p *production) putHistogram(from *model.Point, to metricdata.HistogramDataPoint[float64]) error {
	for _, n := range to.BucketCounts {
		to.Count += n
	}
	scope, set := p.attributes(from.Labels)
	to.Attributes, to.StartTime, to.Time = set, from.Created.Time(), p.time(from.Timestamp)
	at := p.place(scope, p.from.Name, histogramData)
	data := at.Data.(metricdata.Histogram[float64])
	data.DataPoints = append(data.DataPoints, to)
	at.Data = data
	return nil
}

// addCustom takes over native buckets whose bounds are listed.
func (p *production) addCustom(from *model.Point, n *model.NativeHistogram) error {
	counts, err := otelform.Custom(nil, n)
	if err != nil {
		return err
	}
	to := metricdata.HistogramDataPoint[float64]{Bounds: slices.Clone(n.CustomBounds), Sum: n.Sum, BucketCounts: counts}
	for i := range n.Exemplars {
		to.Exemplars = p.exemplars(to.Exemplars, &n.Exemplars[i])
	}
	return p.putHistogram(from, to)
}

func (p *production) addExponential(from *model.Point, n *model.NativeHistogram) error {
	var of otelform.Exponential
	if err := of.Set(n); err != nil {
		return err
	}
	to := metricdata.ExponentialHistogramDataPoint[float64]{
		Sum: n.Sum, Scale: of.Scale, Count: of.Count, ZeroCount: of.ZeroCount, ZeroThreshold: n.ZeroThreshold,
		PositiveBucket: metricdata.ExponentialBucket{Offset: of.Positive.Offset, Counts: of.Positive.Counts},
		NegativeBucket: metricdata.ExponentialBucket{Offset: of.Negative.Offset, Counts: of.Negative.Counts},
	}
	for i := range n.Exemplars {
		to.Exemplars = p.exemplars(to.Exemplars, &n.Exemplars[i])
	}
	scope, set := p.attributes(from.Labels)
	to.Attributes, to.StartTime, to.Time = set, from.Created.Time(), p.time(from.Timestamp)
	at := p.place(scope, p.from.Name, exponentialData)
	data := at.Data.(metricdata.ExponentialHistogram[float64])
	data.DataPoints = append(data.DataPoints, to)
	at.Data = data
	return nil
}

// exemplars appends an exemplar and the older ones of its sample.
func (p *production) exemplars(to []metricdata.Exemplar[float64], first *model.Exemplar) []metricdata.Exemplar[float64] {
	for from := range first.All() {
		x := metricdata.Exemplar[float64]{Value: from.Value, Time: from.Timestamp.Time()}
		for name, value := range from.Labels.All() {
			switch id, err := hex.DecodeString(value); {
			case name == otelform.TraceLabel && err == nil && len(id) == otelform.TraceLength:
				x.TraceID = id
			case name == otelform.SpanLabel && err == nil && len(id) == otelform.SpanLength:
				x.SpanID = id
			default:
				x.FilteredAttributes = append(x.FilteredAttributes, attribute.String(p.name(name), strings.Clone(value)))
			}
		}
		to = append(to, x)
	}
	return to
}

package json

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"telltale/internal/scan"
	"telltale/model"
)

// family is a family of a JSON page.
type family struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Help    string   `json:"help"`
	Unit    string   `json:"unit"`
	Samples []sample `json:"samples"`
}

type sample struct {
	Name      string     `json:"name"`
	Labels    labels     `json:"labels"`
	Value     *value     `json:"value"`
	Timestamp timestamp  `json:"timestamp"`
	Exemplars []exemplar `json:"exemplars"` // the newest first
	Native    *native    `json:"native_histogram"`
}

type exemplar struct {
	Labels    labels    `json:"labels"`
	Value     value     `json:"value"`
	Timestamp timestamp `json:"timestamp"`
}

type native struct {
	Schema          int32      `json:"schema"`
	ZeroThreshold   value      `json:"zero_threshold"`
	ZeroCount       value      `json:"zero_count"`
	Count           value      `json:"count"`
	Sum             value      `json:"sum"`
	PositiveSpans   []span     `json:"positive_spans"`
	PositiveBuckets []value    `json:"positive_buckets"`
	NegativeSpans   []span     `json:"negative_spans"`
	NegativeBuckets []value    `json:"negative_buckets"`
	CustomBounds    []value    `json:"custom_bounds"`
	Float           bool       `json:"float"`
	Exemplars       []exemplar `json:"exemplars"`
}

type span struct {
	Offset int32  `json:"offset"`
	Length uint32 `json:"length"`
}

// value is a number in a string.
type value float64

// UnmarshalText is called by the decoder.
func (v *value) UnmarshalText(text []byte) error {
	number, ok := scan.Number(text)
	if !ok {
		return fmt.Errorf("the value %s, which is not a number", scan.Quote(text))
	}
	*v = value(number)
	return nil
}

// timestamp is a timestamp in seconds, in a string.
type timestamp model.Timestamp

// UnmarshalText is called by the decoder.
func (t *timestamp) UnmarshalText(text []byte) error {
	seconds, ok := scan.Seconds(text)
	if !ok {
		return fmt.Errorf("the timestamp %s, which is not a number of seconds", scan.Quote(text))
	}
	*t = timestamp(seconds)
	return nil
}

// labels are labels in the order of the page.
type labels struct{ scan.Labels }

// UnmarshalJSON is called by the decoder.
func (l *labels) UnmarshalJSON(object []byte) error {
	dec := json.NewDecoder(bytes.NewReader(object))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("the labels %s, which are not an object", scan.Quote(object))
	}
	seen := map[string]bool{}
	for dec.More() {
		var texts [2]string
		for i := range texts {
			token, err := dec.Token()
			text, ok := token.(string)
			if err != nil || !ok {
				return fmt.Errorf("the label %s, which is not a string", scan.Quote(object))
			}
			texts[i] = text
		}
		name := texts[0]
		if name == "" || seen[name] {
			return fmt.Errorf("the label name %q, which is empty or repeated", name)
		}
		seen[name] = true
		l.Labels = l.Append(name, texts[1])
	}
	return nil
}

// build puts the samples of a family together.
func (p *Parser) build(from *family) (*model.Family, error) {
	typ, err := model.ParseType(from.Type)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the type %q", from.Type)
	case from.Name == "":
		return nil, errors.New("a family without a name")
	}
	f := &model.Family{Name: from.Name, Help: from.Help, Unit: from.Unit, Type: typ}
	literal := from.literal(f)
	if literal {
		f = f.Literal()
		f.Name = from.Name // Literal may have added a suffix
	}
	p.points.Begin(f)
	later := make([]scan.Entry, 0, len(from.Samples))
	for i := range from.Samples {
		s := &from.Samples[i]
		switch {
		case s.Name == "":
			return nil, fmt.Errorf("a sample of %q without a name", f.Name)
		case s.Value == nil:
			return nil, fmt.Errorf("a sample %q without a value", s.Name)
		case s.Labels.Len() > p.limits.Labels:
			return nil, &scan.LimitError{Limit: "Labels", Max: int64(p.limits.Labels),
				Wrong: fmt.Errorf("a sample of %q with more than %d labels", s.Name, p.limits.Labels)}
		}
		e := s.entry()
		if part := partOf(f, s); part == model.PartCreated {
			p.points.Created(&e)
		} else {
			later = append(later, e)
		}
	}
	next := 0
	for i := range from.Samples {
		s := &from.Samples[i]
		part := partOf(f, s)
		if part == model.PartCreated {
			continue
		}
		e := &later[next]
		next++
		switch {
		case s.Native != nil && s.Name == f.Name:
			p.points.Native(e, s.Native.model())
		case s.Native != nil:
			p.points.LooseNative(e, s.Native.model())
		case part == 0:
			p.points.Loose(e)
		default:
			p.points.Add(e, part)
		}
	}
	return p.points.End(), nil
}

// literal reports whether the samples of a counter or info have the family's
// name without a suffix.
func (from *family) literal(f *model.Family) bool {
	if f.SampleName() == f.Name { // other types, and counters named "x_total"
		return false
	}
	for i := range from.Samples {
		if from.Samples[i].Name == f.Name {
			return true
		}
	}
	return false
}

// partOf returns the part of the family that a sample is, or 0 if it fits none.
func partOf(f *model.Family, s *sample) (found model.Parts) {
	f.Type.Parts().Each(func(part model.Parts) {
		if found == 0 && f.NameOf(part) == s.Name {
			found = part
		}
	})
	if len(s.Exemplars) > 0 && found&(model.PartTotal|model.PartBucket) == 0 { // others have no place for it
		return 0
	}
	return found
}

func (s *sample) entry() scan.Entry {
	e := scan.Entry{
		Kind: scan.KindSample, Name: []byte(s.Name), Labels: s.Labels.Labels, Value: float64(*s.Value), Timestamp: model.Timestamp(s.Timestamp),
	}
	for _, x := range slices.Backward(s.Exemplars) {
		e.Exemplars = append(e.Exemplars, x.entry())
	}
	return e
}

func (x *exemplar) entry() scan.Exemplar {
	return scan.Exemplar{Labels: x.Labels.Labels, Value: float64(x.Value), Timestamp: model.Timestamp(x.Timestamp)}
}

func (n *native) model() *model.NativeHistogram {
	h := &model.NativeHistogram{
		Schema: n.Schema, ZeroThreshold: float64(n.ZeroThreshold), ZeroCount: float64(n.ZeroCount),
		Count: float64(n.Count), Sum: float64(n.Sum), IsFloat: n.Float,
		PositiveSpans: spans(n.PositiveSpans), Positive: numbers(n.PositiveBuckets),
		NegativeSpans: spans(n.NegativeSpans), Negative: numbers(n.NegativeBuckets),
		CustomBounds: numbers(n.CustomBounds),
	}
	for _, x := range n.Exemplars {
		h.Exemplars = append(h.Exemplars, model.Exemplar{
			Labels: model.LabelsFromText(string(x.Labels.Text())), Value: float64(x.Value), Timestamp: model.Timestamp(x.Timestamp),
		})
	}
	return h
}

func spans(from []span) []model.Span {
	var all []model.Span
	for _, s := range from {
		all = append(all, model.Span(s))
	}
	return all
}

func numbers(from []value) []float64 {
	var all []float64
	for _, v := range from {
		all = append(all, float64(v))
	}
	return all
}

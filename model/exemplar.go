package model

import (
	"fmt"
	"iter"
	"unicode/utf8"
)

// MaxExemplarRunes is how many characters the names and values of an
// exemplar's labels may have together (OpenMetrics 1.0, section "Exemplars").
const MaxExemplarRunes = 128

// Exemplar points from a sample to something outside, usually a trace. Instruments
// have one for a counter or a bucket; OpenMetrics 2.0 has any number.
type Exemplar struct {
	Labels    Labels
	Value     float64
	Timestamp Timestamp // may be absent
	Older     *Exemplar // the next of the same sample, which is not newer, or nil
}

// All yields the exemplar and the older ones of the same sample, the newest first;
// of nil none.
func (e *Exemplar) All() iter.Seq[*Exemplar] {
	return func(yield func(*Exemplar) bool) {
		for ; e != nil; e = e.Older {
			if !yield(e) {
				return
			}
		}
	}
}

// clone returns a copy of the exemplar and of the older ones.
func (e *Exemplar) clone() *Exemplar {
	var first *Exemplar
	for to := &first; e != nil; to, e = &(*to).Older, e.Older {
		*to = &Exemplar{Labels: e.Labels.Clone(), Value: e.Value, Timestamp: e.Timestamp}
	}
	return first
}

// NewExemplarLabels returns the labels of an exemplar, sorted by name, or an
// error if they are longer than [MaxExemplarRunes] or a name is empty or not
// UTF-8.
func NewExemplarLabels(labels map[string]string) (Labels, error) {
	runes := 0
	for name, value := range labels {
		if !ValidName(name) {
			return Labels{}, fmt.Errorf("model: exemplar label name %q is empty or not valid UTF-8", name)
		}
		runes += utf8.RuneCountInString(name) + utf8.RuneCountInString(value)
	}
	if runes > MaxExemplarRunes {
		return Labels{}, fmt.Errorf("model: exemplar labels have %d characters, at most %d are allowed", runes, MaxExemplarRunes)
	}
	return LabelsOf(labels), nil
}

package model

import (
	"fmt"
	"iter"
	"unicode/utf8"
)

// MaxExemplarRunes is the largest number of characters in the names and values
// of an exemplar's labels together (OpenMetrics 1.0, section "Exemplars").
const MaxExemplarRunes = 128

// Exemplar refers from a sample to something outside of metrics, usually a
// trace. Instruments keep one for a counter or a bucket; samples of OpenMetrics
// 2.0 have any number.
type Exemplar struct {
	Labels    Labels
	Value     float64
	Timestamp Timestamp // may be absent
	Older     *Exemplar // the next older exemplar of the same sample, or nil
}

// All yields the exemplar and the older ones of the same sample, the newest
// first; nil yields none.
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

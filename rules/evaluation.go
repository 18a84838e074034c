package rules

// Rules applied to the labels of one series.

import (
	"fmt"
	"slices"
	"strings"

	"telltale/internal/hash"
	"telltale/model"
)

// part is one kind of sample that a family has, and its name.
type part struct {
	part model.Parts
	name string
}

// op is a rule whose outcome depends on the labels of a series, and the samples for
// which it does.
type op struct {
	*compiled
	parts []part
	apart string      // the label that tells the samples of one part apart: "le", "quantile"; "" if there is none
	of    model.Parts // that part
}

// readsApart reports whether the rule reads the label that tells samples apart.
func (o *op) readsApart() bool {
	return o.apart != "" && (o.Action == ActionKeep || o.Action == ActionDrop) &&
		slices.Contains(o.SourceLabels, o.apart) && slices.ContainsFunc(o.parts, func(p part) bool { return p.part == o.of })
}

// label is one label of a series while rules change it.
type label struct {
	name, value string
	since       int // 0 for a label that no rule has set, else which write did
}

// evaluation applies rules to one series after the other. It is not safe for
// concurrent use.
type evaluation struct {
	labels  []label
	changed bool
	writes  int
	alive   model.Parts
	values  []string // of the label that tells samples apart
	keep    []bool   // which of those samples are left
	joined  []byte
	made    []byte
	sorted  []label
	err     error
}

// begin prepares for a series that has the parts; values are those of the label that
// tells its samples apart.
func (e *evaluation) begin(alive model.Parts, labels ...model.Labels) {
	e.labels, e.changed, e.writes, e.alive, e.err = e.labels[:0], false, 0, alive, nil
	for _, l := range labels {
		for name, value := range l.All() {
			e.labels = append(e.labels, label{name: name, value: value})
		}
	}
	e.keep = e.keep[:0]
	for range e.values {
		e.keep = append(e.keep, true)
	}
}

// run applies the rules until nothing of the series is left.
func (e *evaluation) run(ops []op) {
	for i := range ops {
		e.apply(&ops[i])
		if e.alive&^model.PartCreated == 0 || e.err != nil {
			return
		}
	}
	e.labels = slices.DeleteFunc(e.labels, func(l label) bool {
		hidden := strings.HasPrefix(l.name, "__")
		e.changed = e.changed || hidden
		return hidden
	})
}

func (e *evaluation) apply(o *op) {
	switch o.Action {
	case ActionKeep, ActionDrop:
		e.choose(o)
	case ActionReplace:
		e.replace(o)
	case ActionLabelMap:
		e.mapLabels(o)
	case ActionLabelDrop, ActionLabelKeep:
		drop := o.Action == ActionLabelDrop
		e.labels = slices.DeleteFunc(e.labels, func(l label) bool {
			gone := o.regex.MatchString(l.name) == drop
			e.changed = e.changed || gone
			return gone
		})
	}
}

// choose drops samples that the rule does not want.
func (e *evaluation) choose(o *op) {
	drop := o.Action == ActionDrop
	apart := o.readsApart()
	for _, p := range o.parts {
		if e.alive&p.part == 0 {
			continue
		}
		if p.part != o.of || !apart {
			if o.regex.Match(e.join(o, p.name, "")) == drop {
				e.alive &^= p.part
			}
			continue
		}
		left := false
		for i, value := range e.values {
			if e.keep[i] && o.regex.Match(e.join(o, p.name, value)) == drop {
				e.keep[i] = false
			}
			left = left || e.keep[i]
		}
		if !left {
			e.alive &^= p.part
		}
	}
}

// join joins the values of the labels that a rule reads.
func (e *evaluation) join(o *op, name, apart string) []byte {
	e.joined = e.joined[:0]
	for i, source := range o.SourceLabels {
		if i > 0 {
			e.joined = append(e.joined, o.Separator...)
		}
		switch {
		case source == nameLabel:
			e.joined = append(e.joined, name...)
		case o.apart != "" && source == o.apart:
			e.joined = append(e.joined, apart...)
		default:
			if i := e.find(source); i >= 0 {
				e.joined = append(e.joined, e.labels[i].value...)
			}
		}
	}
	return e.joined
}

// find returns the index of a label, -1 if the series has none of the name.
func (e *evaluation) find(name string) int {
	return slices.IndexFunc(e.labels, func(l label) bool { return l.name == name })
}

// replace sets a label by the first sample that matches.
func (e *evaluation) replace(o *op) {
	for _, p := range o.parts {
		if e.alive&p.part == 0 {
			continue
		}
		groups := o.regex.FindSubmatchIndex(e.join(o, p.name, ""))
		if groups == nil {
			continue
		}
		target := o.TargetLabel
		if !o.fixedTarget {
			made, ok := e.expand(o, target, groups)
			if target = string(made); !ok {
				return
			}
		}
		value, ok := e.expand(o, o.Replacement, groups)
		if ok {
			e.set(o, target, string(value))
		}
		return
	}
}

// expand returns a template with the groups of a match in place. It fails if that
// could become too long.
func (e *evaluation) expand(o *op, template string, groups []int) ([]byte, bool) {
	longest := 0
	for i := 0; i+1 < len(groups); i += 2 {
		longest = max(longest, groups[i+1]-groups[i])
	}
	if len(template)+strings.Count(template, "$")*longest > MaxLabelsSize {
		e.err = fmt.Errorf("%s would make a label of more than %d bytes", o.Rule, MaxLabelsSize)
		return nil, false
	}
	e.made = o.regex.Expand(e.made[:0], []byte(template), e.joined, groups)
	return e.made, true
}

// set sets a label, or removes it if the value is empty. Names that no label can
// have, and those of samples and of what tells them apart, stay as they are.
func (e *evaluation) set(o *op, name, value string) {
	if name == "" || name == nameLabel || name == o.apart && o.apart != "" {
		return
	}
	i := e.find(name)
	switch {
	case value == "" && i >= 0:
		e.labels, e.changed = slices.Delete(e.labels, i, i+1), true
		return
	case value == "":
		return
	case i < 0:
		i = len(e.labels)
		e.labels = append(e.labels, label{name: name})
	}
	l := &e.labels[i]
	e.changed = e.changed || l.value != value
	l.value = value
	if l.since == 0 {
		e.writes++
		l.since = e.writes
	}
	size := 0
	for _, l := range e.labels {
		size += len(l.name) + len(l.value)
	}
	if size > MaxLabelsSize {
		e.err = fmt.Errorf("%s makes the labels longer than %d bytes", o.Rule, MaxLabelsSize)
	}
}

// mapLabels copies labels to others. If several become one, the last counts, in the
// order of Prometheus: by name, then those that rules have set.
func (e *evaluation) mapLabels(o *op) {
	e.sorted = append(e.sorted[:0], e.labels...)
	slices.SortStableFunc(e.sorted, func(a, b label) int {
		if a.since != b.since {
			return a.since - b.since
		}
		return strings.Compare(a.name, b.name)
	})
	for _, l := range e.sorted {
		groups := o.regex.FindStringSubmatchIndex(l.name)
		if groups == nil {
			continue
		}
		e.joined = append(e.joined[:0], l.name...)
		name, ok := e.expand(o, o.Replacement, groups)
		if !ok {
			return
		}
		if e.set(o, string(name), l.value); e.err != nil {
			return
		}
	}
}

// text returns the labels as they are now.
func (e *evaluation) text() string {
	var text []byte
	for _, l := range e.labels {
		text = model.AppendLabel(text, l.name, l.value)
	}
	return string(text)
}

// hash returns a hash of the labels that does not depend on their order. Empty labels
// count as none.
func (e *evaluation) hash() uint64 {
	h := hash.Keys[1]
	for _, l := range e.labels {
		if l.value != "" {
			h += hash.String(hash.String(hash.Keys[0], l.name), l.value)
		}
	}
	return h
}

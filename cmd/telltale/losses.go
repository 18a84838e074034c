package main

import (
	"errors"
	"fmt"
	"strings"

	"telltale/exposition"
	"telltale/model"
)

// capacity is what a format can hold beyond names, help texts, labels, values
// and timestamps in milliseconds.
type capacity struct {
	units       bool // where the name ends in them
	unitsAny    bool // and elsewhere
	created     bool
	exemplars   bool
	natives     bool
	nanoseconds bool
	types       bool // infos, state sets
	gauges      bool // gauge histograms
	literals    bool // counters and infos whose samples have no suffix
	helpBlanks  bool // blanks at the beginning of help texts
}

// capacities are those of the formats, by name.
var capacities = map[string]capacity{
	"text":         {literals: true},
	"text1":        {literals: true},
	"openmetrics":  {units: true, created: true, exemplars: true, nanoseconds: true, types: true, gauges: true, helpBlanks: true},
	"openmetrics2": {units: true, created: true, exemplars: true, natives: true, nanoseconds: true, types: true, gauges: true, literals: true, helpBlanks: true},
	"protobuf":     {units: true, unitsAny: true, created: true, exemplars: true, natives: true, gauges: true, literals: true, helpBlanks: true},
	inJSON:         {true, true, true, true, true, true, true, true, true, true},
}

// losses are what a page loses, by reason, in the order in which they were met.
type losses struct {
	all   []*loss
	index map[string]*loss
}

type loss struct {
	reason string
	first  string // what was lost first
	count  int
}

func (l *losses) add(reason, what string) {
	known := l.index[reason]
	if known == nil {
		known = &loss{reason: reason, first: what}
		if l.index == nil {
			l.index = map[string]*loss{}
		}
		l.index[reason] = known
		l.all = append(l.all, known)
	}
	known.count++
}

// broken adds an error of the page that was written.
func (l *losses) broken(d *document, err error) {
	var wrong *exposition.SyntaxError
	if !errors.As(err, &wrong) {
		l.add("a rule is broken", err.Error())
		return
	}
	line, _ := d.line(wrong.Line)
	shown, _ := excerpt(line, wrong.Column)
	l.add("a rule is broken: "+wrong.Expected, shown)
}

// tell says what was lost, a line for each reason.
func (l *losses) tell(say func(error), format string) {
	for _, lost := range l.all {
		times := ""
		if lost.count > 1 {
			times = fmt.Sprintf(", %d times, first", lost.count)
		}
		say(fmt.Errorf("%s: %s%s: %s", format, lost.reason, times, lost.first))
	}
}

// look finds what of a family the format has no place for. What encoders report
// themselves is not among it.
func (l *losses) look(f *model.Family, c capacity, escaped bool) {
	unheld := func(holds bool, reason string) {
		if !holds {
			l.add(reason, f.Name)
		}
	}
	ends := f.BaseName() == f.Unit || strings.HasSuffix(f.BaseName(), "_"+f.Unit)
	if f.Unit != "" {
		unheld(c.units && (c.unitsAny || ends && f.BaseName() != f.Unit), "a unit is left out")
	}
	if f.Help != strings.TrimLeft(f.Help, " \t") {
		unheld(c.helpBlanks, "the blanks that a help text begins with are no part of it")
	}
	switch f.Type {
	case model.Info, model.StateSet:
		unheld(c.types, "the type "+f.Type.String()+" becomes another")
	case model.GaugeHistogram:
		unheld(c.gauges, "the type gaugehistogram becomes a histogram and gauges")
	}
	if f.IsLiteral() {
		unheld(c.literals, "the type "+f.Type.String()+" becomes unknown, since its samples have no suffix")
	}
	unheld(!escaped || model.LegacyName(f.Name), "a name is written with other characters")
	var scratch model.Point
	_ = f.Visit(&scratch, func(p *model.Point) error {
		l.lookAt(f, p, c, escaped)
		return nil
	})
}

func (l *losses) lookAt(f *model.Family, p *model.Point, c capacity, escaped bool) {
	if p.Created.IsSet() && !c.created {
		l.add("a created timestamp is left out", f.Name)
	}
	if _, nsec := p.Timestamp.UnixParts(); nsec%1e6 != 0 && !c.nanoseconds {
		l.add("a timestamp is cut to milliseconds", f.Name)
	}
	if escaped && (!p.Labels.AllLegacy() || !p.Info.AllLegacy()) {
		l.add("a label's name is written with other characters", f.Name)
	}
	exemplars := 0
	if p.Exemplar != nil {
		exemplars++
	}
	if h := p.Histogram; h != nil {
		for _, x := range h.Exemplars {
			if x != nil {
				exemplars++
			}
		}
		if h.Native != nil {
			exemplars += len(h.Native.Exemplars)
			if !c.natives {
				l.add("a native histogram is left out, but for its count and sum", f.Name)
			}
		}
	}
	for range exemplars {
		if !c.exemplars {
			l.add("an exemplar is left out", f.Name)
		}
	}
}

package main

import (
	"fmt"
	"strings"

	"telltale/exposition"
	"telltale/model"
)

// capacity is what a format can hold in addition to names, help texts, labels,
// values and timestamps in milliseconds.
type capacity struct {
	units          bool // where the name ends in them
	unitsAny       bool // and elsewhere
	created        bool
	exemplars      bool
	natives        bool
	nanoseconds    bool
	types          bool // infos, state sets
	gauges         bool // gauge histograms
	literals       bool // counters and infos whose samples have no suffix
	wholes         bool // histograms that have a count and a sum, and one set of exemplars
	createdInFloat bool // created timestamps are the values of samples
	helpBlanks     bool // blanks at the beginning of help texts
}

// capacities are those of the formats, by name.
var capacities = map[string]capacity{
	"text":         {literals: true},
	"text1":        {literals: true},
	"openmetrics":  {units: true, created: true, createdInFloat: true, exemplars: true, nanoseconds: true, types: true, gauges: true, helpBlanks: true},
	"openmetrics2": {units: true, unitsAny: true, created: true, exemplars: true, natives: true, nanoseconds: true, types: true, gauges: true, literals: true, wholes: true, helpBlanks: true},
	"protobuf":     {units: true, unitsAny: true, created: true, exemplars: true, natives: true, gauges: true, literals: true, helpBlanks: true},
	inJSON: {
		units: true, unitsAny: true, created: true, createdInFloat: true, exemplars: true, natives: true, nanoseconds: true,
		types: true, gauges: true, literals: true, helpBlanks: true,
	},
}

// losses are what a page loses, by reason, in the order of their first
// occurrence.
type losses struct {
	all   []*loss
	index map[string]*loss
	told  map[*model.Family]bool // families with a reported loss
}

type loss struct {
	reason string // a sentence
	first  string // what was lost first
	count  int
}

// add adds what a family loses.
func (l *losses) add(reason string, f *model.Family, what string) { l.addTimes(1, reason, f, what) }

func (l *losses) addTimes(n int, reason string, f *model.Family, what string) {
	l.explain(f)
	known := l.index[reason]
	if known == nil {
		if l.index == nil {
			l.index = map[string]*loss{}
		}
		known = &loss{reason: reason, first: what}
		l.index[reason] = known
		l.all = append(l.all, known)
	}
	known.count += n
}

// explain records that a loss of the family was reported.
func (l *losses) explain(f *model.Family) {
	if l.told == nil {
		l.told = map[*model.Family]bool{}
	}
	l.told[f] = true
}

// subjects are the parts that encoders drop, by reason.
var subjects = map[exposition.Reason]string{
	exposition.NoName:            "a family or sample",
	exposition.ClashingName:      "a family",
	exposition.LooseSample:       "a sample",
	exposition.LongExemplar:      "an exemplar",
	exposition.MisplacedExemplar: "an exemplar",
	exposition.UnfitSum:          "a sum, with what cannot stand without it,",
	exposition.UnfitCount:        "a point",
	exposition.UnfitNative:       "a native histogram",
	exposition.UntimedExemplar:   "an exemplar",
	exposition.NoCount:           "a point",
	exposition.UnfitQuantile:     "a quantile",
	exposition.MoreExemplars:     "an exemplar",
	exposition.ClashingSeries:    "a series",
	exposition.UnfitTotal:        "a total",
}

// dropped adds what an encoder left out of a family.
func (l *losses) dropped(f *model.Family, d exposition.Drop) {
	what := d.Sample
	if what == "" {
		what = d.Family
	}
	if d.Reason.Written() {
		l.add(d.Reason.String(), f, what)
		return
	}
	l.add(subjects[d.Reason]+" is left out, since "+d.Reason.String(), f, what)
}

// tell reports what was lost, a line for each reason.
func (l *losses) tell(say func(error), format string) {
	for _, lost := range l.all {
		times := ""
		if lost.count > 1 {
			times = fmt.Sprintf(", %d times, first", lost.count)
		}
		say(fmt.Errorf("%s: %s%s: %s", format, lost.reason, times, lost.first))
	}
}

// look finds the parts of a family that the format cannot hold, except those
// that encoders report themselves.
func (l *losses) look(f *model.Family, c capacity, escaped bool) {
	unheld := func(holds bool, reason string) {
		if !holds {
			l.add(reason, f, f.Name)
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
		unheld(!c.types || !escaped || f.Type != model.StateSet || !strings.Contains(f.Name, ":"),
			"the type stateset becomes unknown, since the name of the family cannot be that of a label")
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
	lose := func(loses bool, reason string) {
		if loses {
			l.add(reason, f, f.Name)
		}
	}
	if p.Created.IsSet() {
		inFloat, _ := model.UnixSeconds(p.Created.Seconds())
		lose(!c.created, "a created timestamp is left out")
		lose(c.created && c.createdInFloat && inFloat != p.Created, "a created timestamp is rounded")
	}
	lose(p.Timestamp.IsSet() && !c.nanoseconds && model.UnixMilli(p.Timestamp.UnixMilli()) != p.Timestamp, "a timestamp is cut to milliseconds")
	lose(escaped && (!p.Labels.AllLegacy() || !p.Info.AllLegacy()), "a label's name is written with other characters")
	exemplars := count(p.Exemplar)
	if h := p.Histogram; h != nil {
		classic := 0
		for _, x := range h.Exemplars {
			classic += count(x)
		}
		exemplars += classic
		const sums = model.PartSum | model.PartGSum
		lose(c.wholes && h.Native == nil && p.Has&sums == 0, "a histogram's sum is not known, and is written as NaN")
		if h.Native != nil {
			exemplars += len(h.Native.Exemplars)
			lose(!c.natives, "a native histogram is left out, but for its count and sum")
			lose(c.wholes && classic > 0 && len(h.Native.Exemplars) > 0, "the exemplars of a native histogram are left out, since its classic buckets have some")
		}
	}
	for range exemplars {
		lose(!c.exemplars, "an exemplar is left out")
	}
}

// count returns the number of exemplars of a sample.
func count(x *model.Exemplar) (n int) {
	for range x.All() {
		n++
	}
	return n
}

package e2e

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"telltale"
	"telltale/model"
)

// generate makes the plan of a seed. Every family has a random source of its
// own, so that one can be looked at without the others.
func generate(seed uint64) *plan {
	shape := rand.New(rand.NewPCG(seed, math.MaxUint64))
	p := &plan{seed: seed}
	if shape.IntN(4) == 0 {
		p.families = append(p.families, targetInfo(shape))
	}
	for range 3 + shape.IntN(8) {
		index := len(p.families)
		d := dice{rand.New(rand.NewPCG(seed, uint64(index)))}
		p.families = append(p.families, d.family(index))
	}
	return p
}

func targetInfo(r *rand.Rand) familyPlan {
	d := dice{r}
	info := d.labels(1+r.IntN(3), nil)
	slices.SortFunc(info, byName)
	return familyPlan{
		source: target, typ: "info", given: "target", name: "target", help: "Target metadata",
		series: []seriesPlan{{info: info}},
	}
}

// dice makes random choices.
type dice struct{ *rand.Rand }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

func byName(a, b label) int { return strings.Compare(a.name, b.name) }

var sourcesOf = map[string][]source{
	"counter":        {built, flat, instrument},
	"gauge":          {built, flat, instrument},
	"summary":        {built, flat, instrument},
	"histogram":      {built, flat, instrument},
	"gaugehistogram": {built, flat},
	"info":           {built, flat, instrument},
	"stateset":       {built, flat, instrument},
	"unknown":        {built, flat},
}

func (d dice) family(index int) familyPlan {
	f := familyPlan{
		index: index,
		typ:   pick(d, "counter", "counter", "gauge", "summary", "histogram", "histogram", "gaugehistogram", "info", "stateset", "unknown"),
	}
	f.source = pick(d, sourcesOf[f.typ]...)
	if d.chance(25) && f.source == flat {
		f.unlawful = "values that cannot be"
	}
	d.nameFamily(&f)
	f.help = d.text() + pick(d, "", "", " ", `\`, "\n", " more") + d.text()
	names := d.labelNames(&f, d.IntN(4))
	if f.source == instrument && d.chance(40) {
		f.consts = d.fill(d.labelNames(&f, 1+d.IntN(2), names...), 0)
		slices.SortFunc(f.consts, byName)
	}
	count := 1 + d.IntN(3)
	switch {
	case d.chance(10) && (f.source != instrument || len(names) > 0):
		count, f.literal = 0, false // it is its first sample that makes a counter literal
	case len(names) == 0:
		count = 1
	}
	shape := d.shape(&f)
	for i := range count {
		s := seriesPlan{labels: append(slices.Clone(f.consts), d.fill(names, i)...)}
		if f.source == flat {
			slices.SortFunc(s.labels, byName)
		}
		if f.source != instrument && d.chance(30) {
			s.at = d.moment()
		}
		d.value(&f, &s, shape)
		f.series = append(f.series, s)
	}
	return f
}

// nameFamily gives the family a name that no other has, whatever suffixes are
// added and whatever scheme escapes it: its index stands before or after it.
func (d dice) nameFamily(f *familyPlan) {
	word, index := pick(d, plainWords...), strconv.Itoa(f.index)
	if d.chance(35) {
		word = pick(d, utf8Words...)
	}
	f.given = pick(d, "u"+index+"_"+word, word+"_u"+index)
	f.name = f.given
	f.literal = f.typ == "counter" && f.source == flat && d.chance(20)
	if f.typ != "info" && f.typ != "stateset" && d.chance(40) {
		f.unit = pick(d, units...)
		if d.chance(30) {
			f.given += "_" + f.unit
		}
		if f.name = f.given; !strings.HasSuffix(f.name, "_"+f.unit) {
			f.name += "_" + f.unit
		}
	}
	if f.typ == "counter" && !f.literal && d.chance(40) {
		f.given += "_total"
	}
	if f.typ == "info" && f.source == instrument {
		f.name = strings.TrimSuffix(f.given, "_info")
	}
}

// labelNames returns names that the family can have and has not.
func (d dice) labelNames(f *familyPlan, n int, but ...string) []string {
	typ := model.Unknown
	if f.typ != "" {
		typ = telltale.Must(model.ParseType(f.typ))
	}
	var names []string
	for len(names) < n {
		name := pick(d, plainLabels...)
		if d.chance(30) {
			name = pick(d, utf8Labels...)
		}
		if model.CheckLabelNames(f.given, typ, slices.Concat(but, names, []string{name})) != nil {
			continue
		}
		names = append(names, name)
	}
	return names
}

// fill gives labels their values; the first tells the series from its siblings.
func (d dice) fill(names []string, series int) []label {
	var labels []label
	for i, name := range names {
		value := d.text()
		if i == 0 {
			value += "/" + strconv.Itoa(series)
		}
		labels = append(labels, label{name, value})
	}
	return labels
}

func (d dice) labels(n int, f *familyPlan) []label {
	if f == nil {
		f = &familyPlan{}
	}
	return d.fill(d.labelNames(f, n), 0)
}

func (d dice) text() string {
	switch {
	case d.chance(1):
		return nul
	case d.chance(30):
		return pick(d, texts...) + pick(d, texts...)
	}
	return pick(d, texts...)
}

// moment returns a time between the years 1700 and 2250.
func (d dice) moment() *moment {
	return &moment{ns: pick(d, 0, 1, -1, -5e8, -15e8, -1e9, 1_700_000_000_000_000_000, 1_700_000_000_123_000_000,
		1_700_000_000_123_456_789, 8_800_000_000_999_999_999, -8_500_000_000_000_000_001, d.Int64N(4e18))}
}

// shape is what the series of a histogram or state set have in common.
type shape struct {
	bounds []float64 // with +Inf unless the histogram is open-ended
	states []string
}

func (d dice) shape(f *familyPlan) shape {
	switch f.typ {
	case "histogram", "gaugehistogram":
		all := [][]float64{{0.005, 0.1, 1, 2.5, 10}, {1, 2, 3}, {-1, 0, 1.5}, {1e-7, 1e6, 1.5e7, 1e21}}
		if f.source != instrument {
			all = append(all, nil) // +Inf alone
		}
		bounds := slices.Clone(pick(d, all...))
		if f.source != flat || len(bounds) == 0 || d.chance(70) {
			bounds = append(bounds, math.Inf(1))
		}
		return shape{bounds: bounds}
	case "stateset":
		var states []string
		for i := range 1 + d.IntN(3) {
			state := strconv.Itoa(i) + d.text()
			if f.source == instrument {
				state = mended(state) // NewEnum refuses what is not UTF-8
			}
			states = append(states, state)
		}
		return shape{states: states}
	}
	return shape{}
}

// number is any float64.
func (d dice) number() float64 {
	return pick(d, 0, math.Copysign(0, -1), 1, -1, 42, 0.1, 1e6, 999999, 1234567.5, 1e-5, 5e-324, math.MaxFloat64, 1<<53, -1e21,
		math.Inf(1), math.Inf(-1), math.NaN(), d.NormFloat64(), d.ExpFloat64()*1e9)
}

// amount is what a counter can have.
func (d dice) amount() float64 {
	return pick(d, 0, 1, 3, 0.5, 0.1, 100, 999999, 1e6, 1234567, 1e15, 1<<53+2, 1e300, d.ExpFloat64(), float64(d.IntN(1e9)))
}

func (d dice) exemplar(f *familyPlan) *exemplarPlan {
	if !d.chance(35) {
		return nil
	}
	e := &exemplarPlan{value: d.amount()}
	if e.labels = d.fill(d.labelNames(f, d.IntN(3)), 0); d.chance(40) {
		e.labels = []label{{"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"}}
	}
	slices.SortFunc(e.labels, byName)
	if f.source != instrument && d.chance(50) {
		e.at = d.moment()
	}
	return e
}

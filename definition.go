package telltale

// What a constructor asked for, checked: names, labels, buckets, quantiles, states.

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"telltale/internal/exponential"
	"telltale/internal/reserved"
	"telltale/model"
)

// definition is what a constructor was asked for, checked. It does not change. Two
// constructors called with equal definitions give the same instrument.
type definition struct {
	name        string // of the family: namespace, subsystem and unit in place
	help        string
	unit        string
	typ         model.Type
	labels      []string
	constLabels model.Labels
	created     time.Time // of the series; zero: when each is made
	valueLimit  int
	hashLong    bool          // label values beyond the limit end in a hash
	sets        []*valueSet   // declared label values, by position; nil if there are none
	initial     bool          // all combinations of them exist from the start
	seriesLimit int           // 0: none
	idleExpiry  time.Duration // after which series that were not updated leave; 0: never
	expires     bool          // series expire: there is an expiry, and there are labels

	bounds    *model.Bounds // histograms; nil with native buckets alone
	upper     []float64     // the bounds below +Inf
	native    *nativeBuckets
	inStore   exponential.Options // of native buckets in a store
	window    *windowOptions      // summaries with quantiles
	mode      GaugeMode           // gauges
	modeGiven bool                // by an option; what is published has another default
	states    []string            // enums

	separators []string // the text before each label value, and after the last
	overflow   string   // the text of the series whose label values are all "overflow"; "" without labels
	legacy     bool     // whether all label names are legacy names
	claims     []string // the family's name and those of all samples it can have
}

// define checks what a constructor was given.
func define(typ model.Type, name, help string, labels []string, s *settings) (*definition, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.unregistered && s.registry != nil {
		return nil, fmt.Errorf("telltale: %s %q is given both a registry and Unregistered()", typ, name)
	}
	d := &definition{
		help: model.ValidHelp(help), unit: s.unit, typ: typ, labels: slices.Clone(labels),
		valueLimit: s.valueLimit, hashLong: s.hashLong, initial: s.initial,
		mode: s.mode, modeGiven: s.modeGiven, states: s.states,
		idleExpiry: s.idleExpiry, expires: s.idleExpiry > 0 && len(labels) > 0,
	}
	full, err := fullName(typ, name, s)
	if err != nil {
		return nil, err
	}
	d.name = full
	constNames := slices.Sorted(maps.Keys(s.constLabels))
	if err := model.CheckLabelNames(full, typ, append(constNames, labels...)); err != nil {
		return nil, err
	}
	d.constLabels = model.LabelsOf(s.constLabels)
	if d.created = s.created; d.created.After(time.Now()) {
		return nil, fmt.Errorf("telltale: the created time of %s %q is still to come: %s", typ, full, d.created.Format(time.RFC3339Nano))
	}
	if err := d.setValues(s); err != nil {
		return nil, fmt.Errorf("%w, in %s %q", err, typ, full)
	}
	switch typ {
	case model.Gauge:
		err = d.mode.check()
	case model.StateSet:
		err = checkStates(d.states)
	case model.Histogram:
		err = d.setBuckets(s)
	case model.Summary:
		d.window, err = s.window.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%w, in %s %q", err, typ, full)
	}
	d.legacy = d.constLabels.Append(model.LabelPairs(labels, labels)).AllLegacy()
	d.claims = slices.Sorted(reserved.Names(d.newFamily()))
	d.separate()
	return d, nil
}

// setValues sets what values labels can have.
func (d *definition) setValues(s *settings) (err error) {
	if d.hashLong && d.valueLimit > 0 && d.valueLimit < hashLength {
		return fmt.Errorf("telltale: label values of at most %d bytes have no room for a hash, which has %d", d.valueLimit, hashLength)
	}
	d.sets, err = valueSets(d.labels, s, d.valueLimit)
	return err
}

// limit sets how many series the family may have.
func (d *definition) limit(n int) error {
	if len(d.labels) == 0 {
		return nil
	}
	d.seriesLimit = n
	if !d.initial {
		return nil
	}
	most := MaxInitialSeries
	if n > 0 {
		most = n
	}
	if combinations(d.sets, most) > most {
		return fmt.Errorf("telltale: the declared label values of %s %q have more than %d combinations, which is the limit of its series", d.typ, d.name, most)
	}
	return nil
}

func (d *definition) setBuckets(s *settings) (err error) {
	buckets := s.buckets
	if s.native != nil {
		if d.native, err = s.native.check(s.buckets != nil); err != nil {
			return err
		}
		d.inStore = d.native.Options
		d.inStore.MinReset, d.inStore.PowersFrom = 0, 0 // a row has counts of the classic buckets
		if d.native.rendered {
			buckets = s.native.classic
		}
	}
	if s.native == nil || buckets != nil {
		if d.bounds, err = bucketBounds(buckets); err != nil {
			return err
		}
		d.upper = d.bounds.Upper()[:d.bounds.Len()-1]
	}
	return nil
}

func fullName(typ model.Type, name string, s *settings) (string, error) {
	if name == "" {
		return "", fmt.Errorf("telltale: a %s needs a name", typ)
	}
	for _, part := range []string{s.subsystem, s.namespace} {
		if part != "" {
			name = part + "_" + name
		}
	}
	if suffix := ownSuffix(typ); suffix != "" {
		if cut, ok := strings.CutSuffix(name, suffix); ok && cut != "" {
			name = cut
		}
	}
	if err := model.CheckName(name); err != nil {
		return "", err
	}
	if name[0] == '_' {
		return "", fmt.Errorf("telltale: the name of %s %q is reserved: OpenMetrics keeps names that begin with an underscore", typ, name)
	}
	if err := model.CheckUnit(name, typ, s.unit); err != nil {
		return "", err
	}
	return model.WithUnitSuffix(name, s.unit, typ), nil
}

// ownSuffix returns what the sample of a counter or an info adds to the name of its
// family, and users may give as part of it.
func ownSuffix(typ model.Type) string {
	switch typ {
	case model.Counter:
		return model.PartTotal.Suffix()
	case model.Info:
		return model.PartInfo.Suffix()
	}
	return ""
}

// newFamily returns a family of the definition without points. define has checked
// what it is made of.
func (d *definition) newFamily() *model.Family {
	return &model.Family{Name: d.name, Help: d.help, Unit: d.unit, Type: d.typ}
}

// separate prepares what stands between label values in a series' text, so that
// making and comparing such texts is copying.
func (d *definition) separate() {
	if len(d.labels) == 0 {
		return
	}
	before := d.constLabels.Text()
	for _, name := range d.labels {
		label := string(model.AppendLabel(nil, name, ""))
		if before != "" {
			before += ","
		}
		d.separators = append(d.separators, before+label[:len(label)-1])
		before = `"`
	}
	d.separators = append(d.separators, `"`)
	for _, separator := range d.separators[:len(d.labels)] {
		d.overflow += separator + overflow
	}
	d.overflow += `"`
}

// overflow is the value of every label of the series that counts in place of series
// beyond the limit.
const overflow = "overflow"

// overflowing returns the label values of that series.
func (d *definition) overflowing() []string { return slices.Repeat([]string{overflow}, len(d.labels)) }

// isOverflow reports whether that series has the text.
func (d *definition) isOverflow(text []byte) bool {
	return d.overflow != "" && string(text) == d.overflow
}

// labelNames returns the labels that all series have.
func (d *definition) labelNames() []string { return append(d.constLabels.Names(), d.labels...) }

// equal reports whether both describe the same instrument.
func (d *definition) equal(e *definition) bool {
	return d.name == e.name && d.help == e.help && d.unit == e.unit && d.typ == e.typ &&
		slices.Equal(d.labels, e.labels) && d.constLabels == e.constLabels && d.created.Equal(e.created) && d.valueLimit == e.valueLimit && d.hashLong == e.hashLong &&
		slices.EqualFunc(d.sets, e.sets, (*valueSet).equal) && d.initial == e.initial && d.seriesLimit == e.seriesLimit && d.idleExpiry == e.idleExpiry &&
		d.bounds.Equal(e.bounds) && d.native.equal(e.native) && d.window.equal(e.window) && d.mode == e.mode && slices.Equal(d.states, e.states)
}

// String describes the definition for error messages.
func (d *definition) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q", d.typ, d.name)
	if d.help != "" {
		fmt.Fprintf(&b, " (%s)", d.help)
	}
	if len(d.labels) > 0 {
		fmt.Fprintf(&b, ", labels %q", d.labels)
	}
	if !d.constLabels.IsEmpty() {
		fmt.Fprintf(&b, ", constant labels %s", d.constLabels)
	}
	if !d.created.IsZero() {
		fmt.Fprintf(&b, ", created %s", d.created.Format(time.RFC3339Nano))
	}
	if d.unit != "" {
		fmt.Fprintf(&b, ", unit %q", d.unit)
	}
	if d.bounds != nil {
		few := d.upper[:min(len(d.upper), fewBounds)]
		fmt.Fprintf(&b, ", buckets %v", few)
		if more := len(d.upper) - len(few); more > 0 {
			fmt.Fprintf(&b, " and %d more", more)
		}
	}
	if d.native != nil {
		fmt.Fprintf(&b, ", %s", d.native)
	}
	if d.window != nil {
		fmt.Fprintf(&b, ", %s", d.window)
	}
	if d.typ == model.Gauge && d.mode != ModeAll {
		fmt.Fprintf(&b, ", mode %s", d.mode)
	}
	if len(d.states) > 0 {
		fmt.Fprintf(&b, ", states %q", d.states)
	}
	if d.valueLimit != DefaultLabelValueLimit {
		fmt.Fprintf(&b, ", label values of at most %d bytes", d.valueLimit)
	}
	if d.hashLong {
		b.WriteString(", a hash in longer ones")
	}
	b.WriteString(describeSets(d.labels, d.sets))
	if d.initial {
		b.WriteString(", all combinations from the start")
	}
	if len(d.labels) > 0 && d.seriesLimit != DefaultSeriesLimit {
		fmt.Fprintf(&b, ", at most %d series", d.seriesLimit)
	}
	if d.idleExpiry > 0 {
		fmt.Fprintf(&b, ", expiry after %s", d.idleExpiry)
	}
	return b.String()
}

// counted returns how many classic buckets below +Inf a series on the heap counts in
// beside its native ones: 0 if the classic ones are read from the native ones.
func (d *definition) counted() int {
	if d.native.rendered {
		return 0
	}
	return len(d.upper)
}

// words returns how many words a series of a histogram with classic buckets alone
// has, or of a summary.
func (d *definition) words() int {
	if d.typ == model.Summary {
		return 2
	}
	return 1 + d.bounds.Len()
}

// MaxStates is the largest number of states of an enum. Each series takes a line
// of text for every state.
const MaxStates = 1000

// checkStates returns an error if an enum cannot have the states.
func checkStates(states []string) error {
	if n := len(states); n < 1 || n > MaxStates {
		return fmt.Errorf("telltale: %d states: an enum has 1 to %d", n, MaxStates)
	}
	for i, state := range states {
		switch {
		case !utf8.ValidString(state):
			return fmt.Errorf("telltale: state %d is not valid UTF-8: %.64q", i+1, state)
		case slices.Contains(states[:i], state):
			return fmt.Errorf("telltale: the state %.64q is given twice", state)
		}
	}
	return nil
}

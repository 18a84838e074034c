package model

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Point is one label set of a family with its value at one time. The family's
// type determines which fields are used; Has holds the samples that are present.
type Point struct {
	Labels    Labels
	Has       Parts     // samples that are present; _created and native histograms are not among them
	Created   Timestamp // when the series began to count; may be absent
	Timestamp Timestamp // when the value was taken; absent means now
	Value     float64   // counter, gauge, unknown
	Exemplar  *Exemplar // of a counter
	Histogram *HistogramValue
	Summary   *SummaryValue
	States    []State
	Info      Labels // an info's labels beside those of its series
}

// Clone returns a copy that shares no memory with p.
func (p *Point) Clone() Point {
	c := *p
	c.Labels, c.Info = p.Labels.Clone(), p.Info.Clone()
	c.Exemplar = p.Exemplar.clone()
	c.Histogram = p.Histogram.clone()
	c.Summary = p.Summary.clone()
	c.States = slices.Clone(p.States)
	return c
}

// Source provides the points of a family without copying them to the family. It
// fills scratch and calls visit with it, or calls visit with points of its own;
// visit neither keeps nor changes a point. A Source stops at visit's first error
// and returns it; an error of its own means that its points could not be read.
// Walks may run concurrently, but within one walk visit is not called
// concurrently.
type Source interface {
	VisitPoints(scratch *Point, visit func(*Point) error) error
}

// LegacySource is a Source that knows whether the label names of its series are
// legacy names, so that encoders need not check each series.
type LegacySource interface {
	Source
	// LegacyLabels reports whether the labels of all points, now and later,
	// have legacy names; false if the source does not know.
	LegacyLabels() bool
}

// Family is a metric family: the points that share a name, a help text, a type
// and a unit. The exported fields are for reading; a Family received from a
// collector must not be changed, since instruments emit their own. Building one
// is not safe for concurrent use, reading is.
type Family struct {
	Name string // without the suffixes of samples
	Help string
	Unit string
	Type Type
	// Merge is the rule by which values of several processes merge; zero: the type's default.
	Merge Merge

	hidden  Parts          // the samples that restrictions left out
	literal bool           // see Literal
	scalars pieces[Scalar] // the points before those in points; see Append
	part    Parts          // that the scalars have
	points  pieces[Point]
	loose   []Sample
	source  Source
}

// FamilyOption is an option of [NewFamily] and of the builders per type.
type FamilyOption interface {
	BuilderOption
	applyFamily(*Family)
}

type familyOption func(*Family)

func (o familyOption) applyFamily(f *Family)   { o(f) }
func (o familyOption) applyBuilder(b *builder) { b.familyOptions = append(b.familyOptions, o) }

// WithUnit sets the family's unit, which becomes the end of its name.
func WithUnit(unit string) FamilyOption {
	return familyOption(func(f *Family) { f.Unit = unit })
}

// WithSource makes the family read its points from source at each visit.
func WithSource(source Source) FamilyOption {
	return familyOption(func(f *Family) { f.source = source })
}

// NewFamily returns an empty family. The name is not changed, except that the
// unit is appended if it is missing. It returns an error if the name is empty or
// not UTF-8, the type is none of the eight, or the unit or the merge rule does
// not fit the type.
func NewFamily(name, help string, typ Type, opts ...FamilyOption) (*Family, error) {
	f := &Family{Name: name, Help: help, Type: typ}
	for _, o := range opts {
		o.applyFamily(f)
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	f.Name = WithUnitSuffix(name, f.Unit, typ)
	return f, nil
}

// Check returns an error if the family's name, type, unit or merge rule is not
// valid. Help is free text: invalid UTF-8 in it is replaced when it is written.
func (f *Family) Check() error {
	if err := CheckName(f.Name); err != nil {
		return err
	}
	if !f.Type.Valid() {
		return fmt.Errorf("model: family %q has the invalid type %d", f.Name, f.Type)
	}
	if err := f.Merge.check(f.Name, f.Type); err != nil {
		return err
	}
	return CheckUnit(f.Name, f.Type, f.Unit)
}

// Visit calls visit with each point, in order, without allocating: a live source
// fills scratch, which the caller may reuse for other families. A point and all
// it refers to is valid until visit returns. Visit stops at visit's first error
// and returns it.
func (f *Family) Visit(scratch *Point, visit func(*Point) error) error {
	if err := f.visitOwn(scratch, nil, visit); err != nil {
		return err
	}
	if f.source != nil {
		return f.source.VisitPoints(scratch, visit)
	}
	return nil
}

// visitOwn visits the points that the family itself holds. Scalars is nil if visit
// takes all of them.
func (f *Family) visitOwn(scratch *Point, scalars func([]Scalar) error, visit func(*Point) error) error {
	err := f.scalars.each(func(run []Scalar) error {
		if scalars != nil && f.part == f.Type.scalarPart() {
			return scalars(run)
		}
		return visitScalarsAsPoints(run, f.part, scratch, visit)
	})
	if err != nil {
		return err
	}
	return f.points.each(func(run []Point) error {
		for i := range run {
			if err := visit(&run[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// LegacyLabels reports whether the labels of all points are known to have legacy
// names, so that their text is right under every escaping scheme that keeps such
// names. It is false if that is not known, and if a name begins with an underscore,
// which some formats reserve. It looks at each point that the family itself holds, and
// asks its source ([LegacySource]).
func (f *Family) LegacyLabels() bool {
	if f.source != nil {
		if s, ok := f.source.(LegacySource); !ok || !s.LegacyLabels() {
			return false
		}
	}
	return f.plainNames()
}

// Mask returns the kinds of sample that restrictions left, or [AllParts] if
// there was no restriction.
func (f *Family) Mask() Parts { return AllParts &^ f.hidden }

// Loose returns the samples that fit no point.
func (f *Family) Loose() []Sample { return f.loose }

// IsLiteral reports whether the samples of a counter or an info have the
// family's name without a suffix: see [Family.Literal].
func (f *Family) IsLiteral() bool { return f.literal }

// Literal returns the family under the name of its samples, to which no suffix
// is added: a counter "x" as "x_total", an info "x" as "x_info". OpenMetrics
// writes such a family as unknown. Literal keeps a family on the page if its
// OpenMetrics name belongs to another family, and keeps the name of a text
// counter that does not end in "_total".
func (f *Family) Literal() *Family {
	c := *f
	c.Name, c.literal = f.SampleName(), true
	return &c
}

// SampleName returns the name of a counter's or an info's sample, and the
// family's name for other types.
func (f *Family) SampleName() string {
	suffix := ""
	switch f.Type {
	case Counter:
		suffix = "_total"
	case Info:
		suffix = "_info"
	}
	if f.literal || suffix == "" || strings.HasSuffix(f.Name, suffix) && f.Type == Counter {
		return f.Name
	}
	return f.Name + suffix
}

// BaseName returns the family's name in OpenMetrics: a counter named "x_total",
// as in text and in foreign collectors, is "x".
func (f *Family) BaseName() string {
	if f.Type == Counter && !f.literal {
		if cut, ok := strings.CutSuffix(f.Name, "_total"); ok && cut != "" {
			return cut
		}
	}
	return f.Name
}

// NameOf returns the name of the samples of a single part.
func (f *Family) NameOf(part Parts) string {
	if part == PartTotal || part == PartInfo {
		return f.SampleName()
	}
	return f.BaseName() + part.Suffix()
}

// Restrict returns the family with only the samples for whose names wanted
// returns true, and whether any can be left. The name of a family stands for all
// its samples. The family itself is not changed.
func (f *Family) Restrict(wanted func(name string) bool) (*Family, bool) {
	if wanted(f.BaseName()) {
		return f, true
	}
	var left Parts
	f.Type.Parts().Each(func(part Parts) {
		if wanted(f.NameOf(part)) {
			left |= part
		}
	})
	c := *f
	c.hidden |= AllParts &^ left
	c.loose = nil
	for _, s := range f.loose {
		if wanted(s.Name) {
			c.loose = append(c.loose, s)
		}
	}
	return &c, c.Mask() != 0 || len(c.loose) > 0
}

// Without returns the family without the samples of the parts, as [Family.Restrict]
// leaves it; loose samples stay.
func (f *Family) Without(parts Parts) *Family {
	c := *f
	c.hidden |= parts
	return &c
}

// Renamed returns the family under another name, with the same points. Loose
// samples, which have names of their own, are left out unless the name is the
// same.
func (f *Family) Renamed(name string) *Family {
	c := *f
	if c.Name = name; name != f.Name {
		c.loose = nil
	}
	return &c
}

// Header returns the family without points and samples.
func (f *Family) Header() *Family {
	c := *f
	c.drop()
	c.loose, c.source = nil, nil
	return &c
}

// WithPoints returns the family with its points read from source instead; loose
// samples stay.
func (f *Family) WithPoints(source Source) *Family {
	c := *f
	c.drop()
	c.source = source
	return &c
}

// WithLoose returns the family with other loose samples; points stay.
func (f *Family) WithLoose(samples []Sample) *Family {
	c := *f
	c.loose = samples
	return &c
}

// Clone returns a copy with the present points that shares no memory with their
// source.
func (f *Family) Clone() *Family {
	c := *f
	c.Name, c.Help, c.Unit = strings.Clone(f.Name), strings.Clone(f.Help), strings.Clone(f.Unit)
	c.drop()
	c.source, c.loose = nil, slices.Clone(f.loose)
	for i := range c.loose {
		c.loose[i] = c.loose[i].clone()
	}
	var scratch Point
	_ = f.Visit(&scratch, func(p *Point) error { // the visitor returns no error, and a source has none of its own
		c.Append(p.Clone())
		return nil
	})
	return &c
}

// ValidHelp returns help with invalid UTF-8 replaced.
func ValidHelp(help string) string {
	if utf8.ValidString(help) {
		return help
	}
	return strings.ToValidUTF8(help, "\uFFFD")
}

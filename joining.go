package telltale

// Families of one definition on a page, which are shown as one.

import (
	"cmp"
	"errors"
	"slices"

	"telltale/model"
)

// variety finds the constant labels that have different values on a page.
type variety struct {
	last    [2]model.Labels
	seen    map[[2]model.Labels]struct{}
	values  map[string]string
	varying map[string]struct{}
}

// add notes the labels of an instrument and of the views of it. Most steps of a page
// have those of the step before.
func (v *variety) add(own, added model.Labels) {
	labels := [2]model.Labels{own, added}
	if labels == v.last {
		return
	}
	v.last = labels
	if _, seen := v.seen[labels]; seen {
		return
	}
	if v.seen == nil {
		v.seen = make(map[[2]model.Labels]struct{})
		v.values, v.varying = make(map[string]string), make(map[string]struct{})
	}
	v.seen[labels] = struct{}{}
	for name, value := range own.Append(added).Raw() {
		if first, had := v.values[name]; !had {
			v.values[name] = value
		} else if first != value {
			v.varying[name] = struct{}{}
		}
	}
}

// among reports whether some of the labels vary.
func (v *variety) among(own, added model.Labels) bool {
	for _, labels := range [...]model.Labels{own, added} {
		for name := range labels.Raw() {
			if _, varies := v.varying[name]; varies {
				return true
			}
		}
	}
	return false
}

// joining is the families on a page that may join.
type joining struct {
	parts   []part
	places  map[key]place
	unknown bool // custom collectors will add to them
}

// key is what families that may join have in common: the name of a counter's or an
// info's sample, or of another family, and the path beyond the view that reshapes both,
// nil if none does. What such a view changes joins no more.
type key struct {
	name   string
	beyond *path
}

// part is a family that is, or will be, at a step of a page.
type part struct {
	step   int
	family *model.Family // before its views
	next   int           // part of that key, -1 after the last
	gone   bool          // it was shown with another
	passed bool          // and its own turn is over
	why    error         // it does not join the one that was shown
}

// place is the parts of one key.
type place struct {
	first, last int      // among the parts, -1 if there are none
	shown       *outline // nil before one of them was
}

// add notes a family of a step.
func (j *joining) add(k key, step int, f *model.Family) {
	if j.places == nil {
		j.places = make(map[key]place)
	}
	n := len(j.parts)
	j.parts = append(j.parts, part{step: step, family: f, next: -1})
	at, ok := j.places[k]
	if !ok {
		at = place{first: n, last: n}
	} else {
		j.parts[at.last].next, at.last = n, n
	}
	j.places[k] = at
}

// several reports whether a key has more than one part.
func (j *joining) several() bool { return len(j.places) < len(j.parts) }

// of returns the parts of a key, by step.
func (j *joining) of(k key) (parts []*part) {
	at, ok := j.places[k]
	if !ok {
		return nil
	}
	for n := at.first; n >= 0; n = j.parts[n].next {
		parts = append(parts, &j.parts[n])
	}
	byStep := func(a, b *part) int { return cmp.Compare(a.step, b.step) }
	if !slices.IsSortedFunc(parts, byStep) { // custom collectors' are added later
		slices.SortStableFunc(parts, byStep)
	}
	return parts
}

// pass reports whether a step's family was shown with another and is not to be shown
// again.
func (j *joining) pass(k key, step int) bool {
	at, ok := j.places[k]
	if !ok {
		return false
	}
	for n := at.first; n >= 0; n = j.parts[n].next {
		if p := &j.parts[n]; p.step == step && p.gone && !p.passed {
			p.passed = true
			return true
		}
	}
	return false
}

// why returns why a step's family did not join the one that was shown, nil if that is
// not known.
func (j *joining) why(k key, step int, o *outline) error {
	for _, p := range j.of(k) {
		if p.step == step && p.why != nil {
			return p.why
		}
	}
	shown := j.places[k].shown
	if shown == nil {
		return nil
	}
	if err := o.joins(shown); err != nil {
		return err
	}
	return errors.New("there was no room to keep a copy of the family until its turn (WithRetention)")
}

// show notes that a family is on the page.
func (j *joining) show(k key, o outline) {
	at, ok := j.places[k]
	if !ok {
		at = place{first: -1, last: -1}
	}
	at.shown = &o
	if j.places == nil {
		j.places = make(map[key]place)
	}
	j.places[k] = at
}

// group is families that join, each with all others.
type group struct {
	first    outline
	second   outline
	families []*model.Family
	members  []member
	names    []string            // of the first's constant labels, sorted
	values   map[string]struct{} // texts of the constant labels with these names
	others   []outline           // those with other names
}

// member is a part that is in a group, and the entry that claims its names.
type member struct {
	*part
	entry *entry
}

// newGroup returns a group of one family.
func newGroup(first outline) *group {
	return &group{first: first, families: []*model.Family{first.family}}
}

// add adds a family, unless it does not join one of the others. All that join the
// first have its definition; the constant labels are compared by their text, so that
// a group of many families takes no longer for each.
func (g *group) add(o outline, m member) error {
	if err := g.first.joins(&o); err != nil {
		return err
	}
	switch len(g.members) {
	case 0:
		g.second = o
	case 1:
		g.names = sortedNames(g.first.constant)
		g.values, g.others = map[string]struct{}{g.first.constant.Sorted().Text(): {}}, nil
		if err := g.admit(g.second); err != nil {
			return err
		}
		fallthrough
	default:
		if err := g.admit(o); err != nil {
			return err
		}
	}
	g.families, g.members = append(g.families, o.family), append(g.members, m)
	return nil
}

// admit compares a family that joins the first with all others, and keeps what the next
// are compared with.
func (g *group) admit(o outline) error {
	alike := hasNames(o.constant, g.names)
	text := o.constant.Sorted().Text()
	if _, same := g.values[text]; same && alike {
		return errors.New("a third family has the same constant labels")
	}
	for i := range g.others {
		if err := g.others[i].joins(&o); err != nil {
			return err
		}
	}
	if alike {
		g.values[text] = struct{}{}
		return nil
	}
	for text := range g.values {
		if !tellApart(model.LabelsFromText(text), o.constant) {
			return errors.New("a third family may have the same labels")
		}
	}
	g.others = append(g.others, o)
	return nil
}

// entries adds the entries of the group's families, but the first's, to a list.
func (g *group) entries(list []*entry) []*entry {
	if g == nil {
		return list
	}
	for _, m := range g.members {
		list = append(list, m.entry)
	}
	return list
}

// take returns the families of the group as one, and notes that they are shown. The
// first, on its way to the page, may have become literal.
func (g *group) take(first *model.Family) *model.Family {
	if len(g.members) == 0 {
		return first
	}
	g.families[0] = first
	for i, m := range g.members {
		m.gone = true
		if f := g.families[i+1]; first.IsLiteral() && !f.IsLiteral() {
			g.families[i+1] = f.Literal()
		}
	}
	return joined(g.families)
}

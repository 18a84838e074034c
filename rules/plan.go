package rules

// What rules do to a family whatever its series have, and what is left to decide by
// series.

import (
	"fmt"
	"slices"
	"strings"

	"telltale/model"
)

// plan is what becomes of a family: one family for each name.
type plan struct {
	branches []*branch
	faults   []error
	kept     int    // old names
	used     uint64 // the scrape that asked for it last; under the program's lock
}

// branch is one of the families that a family becomes.
type branch struct {
	name     string
	renamed  bool
	literal  bool // its samples have its name, see model.Family.Literal
	unit     string
	parts    model.Parts // samples that it can have
	gone     model.Parts // samples that it lost
	ops      []op        // by series
	relabels bool        // one of them changes labels
	legacy   bool        // labels that they make have legacy names
	apart    bool        // one of them reads the label that tells samples apart
	memory   memory
}

// planning is a branch while it is planned.
type planning struct {
	*branch
	of    *model.Family // as it is so far
	alive model.Parts
	known bool // the labels that series can have are known
	may   []string
}

// partsOf returns the samples that a family can have. The name of a histogram's
// family is that of its native histograms.
func partsOf(f *model.Family) model.Parts {
	parts := f.Type.Parts() & f.Mask()
	if isHistogram(f.Type) && f.Mask() == model.AllParts {
		parts |= model.PartValue
	}
	return parts
}

func isHistogram(t model.Type) bool { return t == model.Histogram || t == model.GaugeHistogram }

// apartBy returns the label that tells the samples of one part of a family apart, and
// that part.
func apartBy(f *model.Family) (label string, of model.Parts) {
	switch f.Type {
	case model.Histogram, model.GaugeHistogram:
		return "le", model.PartBucket
	case model.Summary:
		return "quantile", model.PartValue
	case model.StateSet:
		return f.Name, model.PartValue
	}
	return "", 0
}

// planFor plans what becomes of a family. Labels are those that its series have, if
// they are known.
func planFor(rules []*compiled, f *model.Family, labels []string, known bool) *plan {
	p := &plan{}
	known = known && f.Type != model.Info // whose series have labels of their own
	p.follow(rules, &planning{
		branch: &branch{name: f.Name, literal: f.IsLiteral(), unit: f.Unit, legacy: true},
		of:     f, alive: partsOf(f), known: known, may: slices.Clone(labels),
	})
	return p
}

// follow plans a branch from some rule on.
func (p *plan) follow(rules []*compiled, b *planning) {
	for i, r := range rules {
		switch r.Action {
		case ActionRename:
			if other := p.rename(r, b); other != nil {
				p.follow(rules[i+1:], other)
			}
		case ActionKeep, ActionDrop:
			b.choose(r)
			if b.alive&^model.PartCreated == 0 {
				return // nothing of it is left
			}
		case ActionReplace:
			b.replace(r)
		default:
			b.relabel(r)
		}
	}
	b.parts, b.gone = b.alive, partsOf(b.of)&^b.alive
	p.branches = append(p.branches, b.branch)
}

// outcome of a rule for a part, as far as it is known without a series.
type foresight int

const (
	depends foresight = iota
	matches
	differs
)

// foresee returns whether a rule matches samples of a part.
func (b *planning) foresee(r *compiled, name string, part model.Parts) foresight {
	if len(r.SourceLabels) > 0 && r.SourceLabels[0] == nameLabel {
		start := name
		if len(r.SourceLabels) > 1 {
			start += r.Separator
		}
		if !strings.HasPrefix(start, r.prefix) && !strings.HasPrefix(r.prefix, start) {
			return differs
		}
	}
	apart, of := apartBy(b.of)
	value := ""
	for i, source := range r.SourceLabels {
		if i > 0 {
			value += r.Separator
		}
		switch {
		case source == nameLabel:
			value += name
		case apart != "" && source == apart:
			if part == of && r.Action != ActionReplace {
				return depends
			}
		case !b.known || slices.Contains(b.may, source):
			return depends
		}
	}
	if r.regex.MatchString(value) {
		return matches
	}
	return differs
}

// choose plans keep and drop.
func (b *planning) choose(r *compiled) {
	o := b.op(r)
	b.alive.Each(func(one model.Parts) {
		if one == model.PartCreated && !r.only {
			return // it follows the others
		}
		name := b.of.NameOf(one)
		sight := b.foresee(r, name, one)
		switch {
		case sight == depends:
			o.parts = append(o.parts, part{one, name})
		case (sight == matches) == (r.Action == ActionDrop):
			b.alive &^= one
		}
	})
	if len(o.parts) > 0 {
		b.apart = b.apart || o.readsApart() || isHistogram(b.of.Type) // whose bucket +Inf stays
		b.ops = append(b.ops, o)
	}
}

func (b *planning) op(r *compiled) op {
	o := op{compiled: r}
	o.apart, o.of = apartBy(b.of)
	return o
}

// replace plans replace.
func (b *planning) replace(r *compiled) {
	o := b.op(r)
	decided := false
	(b.alive &^ model.PartCreated).Each(func(one model.Parts) {
		name := b.of.NameOf(one)
		if sight := b.foresee(r, name, one); !decided && sight != differs {
			o.parts = append(o.parts, part{one, name})
			decided = sight == matches
		}
	})
	if len(o.parts) == 0 {
		return
	}
	b.add(o)
	if r.fixedTarget {
		b.may = append(b.may, r.TargetLabel)
	} else {
		b.known = false
	}
}

// relabel plans labeldrop, labelkeep and labelmap.
func (b *planning) relabel(r *compiled) {
	if b.known && !slices.ContainsFunc(b.may, func(name string) bool {
		return r.regex.MatchString(name) != (r.Action == ActionLabelKeep)
	}) {
		return // no series has a label that it changes
	}
	b.add(b.op(r))
	if r.Action == ActionLabelMap {
		b.known = false
	}
}

func (b *planning) add(o op) {
	b.ops = append(b.ops, o)
	b.relabels, b.legacy = true, b.legacy && o.legacy
}

// rename plans a rename. It returns the branch that keeps the old name, if one does.
func (p *plan) rename(r *compiled, b *planning) (old *planning) {
	f, ok, err := renamed(r, b.of, b.alive)
	if err != nil {
		p.faults = append(p.faults, err)
	}
	if !ok || f.Name == b.of.Name && f.IsLiteral() == b.of.IsLiteral() {
		return nil
	}
	if r.KeepOld && p.kept+2 > MaxNames {
		p.faults = append(p.faults, fmt.Errorf("the family would be shown under more than %d names; its name %q is not kept", MaxNames, b.of.Name))
	} else if r.KeepOld {
		p.kept++
		old = &planning{branch: &branch{
			name: b.name, renamed: b.renamed, literal: b.literal, unit: b.unit,
			ops: slices.Clone(b.ops), relabels: b.relabels, legacy: b.legacy, apart: b.apart,
		}, of: b.of, alive: b.alive, known: b.known, may: slices.Clone(b.may)}
	}
	b.of, b.name, b.renamed, b.literal, b.unit = f, f.Name, true, f.IsLiteral(), f.Unit
	return old
}

// renamed returns the family under the name that a rule gives it, and whether it does.
func renamed(r *compiled, f *model.Family, alive model.Parts) (*model.Family, bool, error) {
	var found *model.Family
	var problem error
	(alive &^ model.PartCreated).Each(func(one model.Parts) {
		if found != nil || problem != nil {
			return
		}
		name := f.NameOf(one)
		groups := r.regex.FindStringSubmatchIndex(name)
		if groups == nil {
			return
		}
		if len(r.Replacement)+strings.Count(r.Replacement, "$")*len(name) > MaxRegexLength {
			problem = fmt.Errorf("%s could make a name of more than %d bytes of %q", r.Rule, MaxRegexLength, name)
			return
		}
		made := string(r.regex.ExpandString(nil, r.Replacement, name, groups))
		if strings.HasPrefix(model.Underscores.MetricName(made), "_") { // as it is written where it cannot be otherwise
			problem = fmt.Errorf("%s makes %q of %q, and OpenMetrics reserves names that begin with an underscore", r.Rule, made, name)
			return
		}
		if len(made) > MaxNameLength {
			problem = fmt.Errorf("%s makes a name of %d bytes, more than %d, of %q", r.Rule, len(made), MaxNameLength, name)
			return
		}
		g := named(f, one, made)
		if problem = g.Check(); problem == nil {
			found = g
		}
	})
	return found, found != nil, problem
}

// named returns the family under the name that makes the name of a part what is given.
func named(f *model.Family, of model.Parts, name string) *model.Family {
	base, cut := strings.CutSuffix(name, of.Suffix())
	single := of == model.PartTotal || of == model.PartInfo
	g := *f
	switch {
	case single && !f.IsLiteral() && cut && base != "":
		g.Name = base
	case single:
		g = *f.Literal()
		g.Name = name
	case cut && base != "":
		g.Name = base
	default:
		g.Name = name
	}
	if g.Unit != "" && !g.IsLiteral() && g.Name != g.Unit && !strings.HasSuffix(g.Name, "_"+g.Unit) {
		g.Unit = ""
	} else if g.IsLiteral() {
		g.Unit = ""
	}
	return &g
}

// header returns a family as the branch shows it, with the points that it had.
func (b *branch) header(f *model.Family) *model.Family {
	if !b.renamed {
		return f
	}
	g := *f
	if b.literal && !f.IsLiteral() {
		g = *f.Literal()
	}
	g.Name, g.Unit = b.name, b.unit
	return &g
}

// restricted returns a family without the samples that no series has any more.
func (b *branch) restricted(f *model.Family) *model.Family {
	if lost := b.gone & f.Type.Parts(); lost != 0 {
		return f.Without(lost)
	}
	return f
}

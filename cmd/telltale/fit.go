package main

import (
	"errors"
	"fmt"
	"slices"

	"telltale/exposition"
	"telltale/model"
)

// fitting changes families so that a strict parser of the target format accepts
// the page: what the format cannot hold is written in the nearest form that it
// has, and reported as a loss. The strict parser itself decides which form is
// accepted.
type fitting struct {
	target  targetFormat
	claimed map[string]*fitted // by the names on the page
}

// fitted is a family of the source in the form in which it is written.
type fitted struct {
	from    *model.Family
	as      []*model.Family
	names   []string // names that it claims on the page
	drops   []exposition.Drop
	losses  []loss
	untyped bool
}

func (o *fitted) lose(times int, reason, what string) {
	if times > 0 {
		o.losses = append(o.losses, loss{reason: reason, first: what, count: times})
	}
}

// Losses that several forms have.
const (
	repeatedSeries = "a series that comes twice is written once"
	olderPoints    = "of several points of a series the newest is written alone"
)

// fit returns the families to write.
func fit(target targetFormat, families []*model.Family, lost *losses) []*model.Family {
	t := fitting{target: target, claimed: map[string]*fitted{}}
	var all []*fitted
	for _, f := range families {
		one := t.form(f)
		if !t.claim(one) {
			t.resolve(one)
		}
		all = append(all, one)
	}
	var out []*model.Family
	for _, one := range all {
		for _, l := range one.losses {
			lost.addTimes(l.count, l.reason, one.from, l.first)
		}
		for _, d := range one.drops {
			lost.dropped(one.from, d)
		}
		out = append(out, one.as...)
	}
	return out
}

// scheme is the escaping scheme of the page.
func (t *fitting) scheme() model.Escaping { return t.target.Escaping() }

// form returns the first form of a family that the format accepts.
func (t *fitting) form(f *model.Family) *fitted {
	ordered, again := regrouped(f, t.scheme())
	var first error
	if again == 0 { // the usual case, in which the family mostly needs no change
		one, err := t.try(f, f)
		if err == nil {
			return one
		}
		first = err
	}
	single, older := newest(ordered, t.scheme())
	closed, open := withInfinity(ordered)
	closedSingle, openSingle := withInfinity(single)
	for _, form := range []struct {
		family      *model.Family
		older, open int
	}{{ordered, 0, 0}, {closed, 0, open}, {single, older, 0}, {closedSingle, older, openSingle}} {
		one, err := t.try(f, form.family)
		if err == nil {
			one.lose(again, repeatedSeries, f.Name)
			one.lose(form.older, olderPoints, f.Name)
			one.lose(form.open, "a histogram without buckets is written with the bucket +Inf", f.Name)
			return one
		}
		if first == nil {
			first = err
		}
	}
	return t.withoutType(f, "a family is written as samples of unknown type, since it breaks a rule of its own type", broken(first))
}

// withoutType returns a family as samples of unknown type, each part a family of
// its own, without the samples that the format does not accept even so.
func (t *fitting) withoutType(f *model.Family, reason, detail string) *fitted {
	all := &fitted{from: f, untyped: true}
	all.lose(1, reason, f.Name+" ("+detail+")")
	for _, piece := range untyped(f) {
		ordered, again := regrouped(piece, t.scheme())
		one, err := t.try(f, ordered)
		if err != nil {
			single, older := newest(ordered, t.scheme())
			if one, err = t.try(f, single); err == nil {
				all.lose(older, olderPoints, f.Name)
			}
		}
		if err != nil {
			all.lose(1, "samples are left out, since they break a rule of every type", piece.Name+" ("+broken(err)+")")
			continue
		}
		all.lose(again, repeatedSeries, f.Name)
		all.as, all.names, all.drops = append(all.as, one.as...), append(all.names, one.names...), append(all.drops, one.drops...)
	}
	return all
}

// try writes a form of a family and reads it strictly. It is an error if a point is left
// out because its type does not allow the value.
func (t *fitting) try(from, form *model.Family) (*fitted, error) {
	one := &fitted{from: from, as: []*model.Family{form}}
	page, err := t.target.encode(one.as, func(d exposition.Drop) { one.drops = append(one.drops, d) })
	if err != nil {
		return nil, err
	}
	for _, d := range one.drops {
		if d.Reason == exposition.UnfitTotal || d.Reason == exposition.UnfitCount {
			return nil, errors.New(d.Reason.String()) // another form may have it
		}
	}
	back, err := t.target.reread(page)
	if err != nil {
		return nil, err
	}
	for _, f := range back {
		one.names = append(one.names, t.names(f)...)
	}
	slices.Sort(one.names)
	one.names = slices.Compact(one.names)
	return one, nil
}

// names returns the names that no other family of a page may have, for a family
// as read from a page.
func (t *fitting) names(f *model.Family) []string {
	var names []string
	switch t.target.name {
	case "openmetrics": // section "Suffixes": names of all samples that the type may have
		names = append(names, f.BaseName())
		f.Type.Parts().Each(func(part model.Parts) { names = append(names, f.NameOf(part)) })
	case "openmetrics2", "protobuf":
		names = append(names, f.SampleName())
	default: // names of all samples that the type may have in text, and of further ones that the family has
		names = append(names, f.Name)
		(f.Type.Parts() &^ model.PartCreated).Each(func(part model.Parts) { names = append(names, f.NameOf(part)) })
		for i := range f.Loose() {
			names = append(names, f.Loose()[i].Name)
		}
	}
	return names
}

// claim claims the names of a family, unless one is taken.
func (t *fitting) claim(one *fitted) bool {
	for _, name := range one.names {
		if t.claimed[name] != nil {
			return false
		}
	}
	for _, name := range one.names {
		t.claimed[name] = one
	}
	return true
}

// resolve resolves a clash of names. The family is written without its type if
// its samples then have names of their own; otherwise the families with which it
// clashes are. Samples that still have a name of another family are left out.
func (t *fitting) resolve(one *fitted) {
	const reason = "a family is written as samples of unknown type, since a name that its type needs belongs to another family"
	if !one.untyped {
		if plain := t.withoutType(one.from, reason, "beside "+t.owner(one).from.Name); t.claim(plain) {
			t.become(one, plain)
			return
		}
	}
	for other := t.owner(one); other != nil && !other.untyped; other = t.owner(one) {
		before, plain := *other, t.withoutType(other.from, reason, "beside "+one.from.Name)
		t.release(other)
		if !t.claim(plain) || t.owner(one) == plain {
			t.release(plain)
			*other = before
			t.claim(other)
			break
		}
		t.become(other, plain)
	}
	if t.claim(one) {
		return
	}
	owner := t.owner(one).from.Name
	plain := t.withoutType(one.from, reason, "beside "+owner)
	left := *plain
	left.as, left.names = nil, nil
	for _, f := range plain.as {
		if piece, err := t.try(one.from, f); err == nil && t.claim(piece) {
			left.as, left.names = append(left.as, f), append(left.names, piece.names...)
			continue
		}
		left.lose(1, "samples are left out, since their name belongs to another family", f.Name)
	}
	for _, name := range left.names {
		t.claimed[name] = one
	}
	*one = left
}

// become gives a family another form, which has claimed its names.
func (t *fitting) become(one, form *fitted) {
	*one = *form
	for _, name := range one.names {
		t.claimed[name] = one
	}
}

// owner returns a family that has a name which one needs, or nil.
func (t *fitting) owner(one *fitted) *fitted {
	for _, name := range one.names {
		if other := t.claimed[name]; other != nil && other != one {
			return other
		}
	}
	return nil
}

// release releases the names that a family has claimed.
func (t *fitting) release(one *fitted) {
	for _, name := range one.names {
		if t.claimed[name] == one {
			delete(t.claimed, name)
		}
	}
}

// broken returns which rule an error of a page is about.
func broken(err error) string {
	var wrong *exposition.SyntaxError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("found %s, expected %s", wrong.Found, wrong.Expected)
	}
	return err.Error()
}

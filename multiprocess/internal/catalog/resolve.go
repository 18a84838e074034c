package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"telltale/model"
)

// ConflictKey tells conflicts apart: by family, subject and, of types, the one
// that is left out.
type ConflictKey struct{ family, about, against string }

// Claim is what a file says of a family. Equal claims are the same pointer.
type Claim struct {
	ClaimKey
	Contents
	Family *family
	Lost   bool      // another claim's type counts
	met    []float64 // bounds of buckets that are not among the others yet
	first  int64     // when it first appeared, in nanoseconds since 1970 by one clock for all; 0 if unknown

	pass int    // the last pass of resolve in which a file had it
	rank Rank   // of the first file that has it
	from string // that file
}

// ClaimKey is what claims differ by.
type ClaimKey struct {
	Name, Help, Unit string
	Type             model.Type
	Mode             Mode   // of what does not just add up
	Rows             bool   // a segment's; else a Python file's
	Shape            string // of rows: the contents as bytes
}

// Contents is what the series of a family have in them.
type Contents struct {
	Bounds []float64 // of its buckets; of a Python file's claim those met so far
	States []string
	Native NativeContents
}

// NativeContents is how many native buckets there are at most, 0 for none, and
// how many exemplars.
type NativeContents struct{ Buckets, Exemplars uint32 }

// Claim returns the one claim of that key. The contents are those of rows, and
// nothing for Python's files.
func (c *Catalog) Claim(key ClaimKey, has Contents) *Claim {
	if found, ok := c.known[key]; ok {
		return found
	}
	f, ok := c.families[key.Name]
	if !ok {
		f = &family{name: key.Name, dirty: true}
		c.families[key.Name] = f
	}
	fresh := &Claim{ClaimKey: key, Contents: has, Family: f}
	c.known[key] = fresh
	return fresh
}

// Appeared notes when the claim first appeared, as one file says.
func (cl *Claim) Appeared(at int64) {
	if cl.first == 0 || at < cl.first {
		cl.first = at
	}
}

// leads reports whether the claim is shown rather than another one of its family: if
// files that come before those of the other have it, or else if it appeared later.
// What the dead have left is all alike.
func (cl *Claim) leads(other *Claim) bool {
	mine, theirs := min(cl.rank, RankDead), min(other.rank, RankDead)
	return mine < theirs || mine == theirs && cl.first > other.first
}

// Meet notes a bound of a Python file's buckets.
func (cl *Claim) Meet(upper float64) {
	if _, found := slices.BinarySearch(cl.Bounds, upper); found {
		return
	}
	if cl.met = append(cl.met, upper); len(cl.met) > 32+len(cl.Bounds) {
		cl.sortBounds()
	}
}

// sortBounds puts the bounds that were met among the others. It leaves the slice of
// those as it is, which a family may have.
func (cl *Claim) sortBounds() {
	if len(cl.met) > 0 {
		all := slices.Concat(cl.Bounds, cl.met)
		slices.Sort(all)
		cl.Bounds, cl.met = slices.Compact(all), cl.met[:0]
	}
}

// resolve settles what counts where files disagree, given all files in their
// order: of each family one claim leads, of those that a live writer has the one that
// first appeared last; Python's files come behind those, what the dead left last. It
// decides the type, the states, the bounds and the mode, and the help and the unit if
// it has any. Claims of another type lose. Among Python's files alone the first leads,
// and the last decides the mode, as in Python's client, which has all of it in the
// order of its directory listing; they show all bounds.
//
// Claims of families without series may lead too. They are not compared with the one
// that does, and families of which there are no others are not present.
//
// At a bound of a histogram each writer counts what it has at its largest own bound
// not above it. Histograms have native buckets if all have some.
func (c *Catalog) resolve(files []Source) {
	c.Pass++
	c.Conflicts, c.mixed = make(map[ConflictKey]*Conflict), false
	c.chooseLeaders(files)
	for _, file := range files {
		path := file.Origin()
		for _, cl := range file.Claims() {
			if cl != cl.Family.lead {
				c.compare(cl.Family, cl, path)
			}
		}
	}
	renew := c.mixed
	c.Present = c.Present[:0]
	for _, f := range c.families {
		if f.pass != c.Pass {
			continue
		}
		c.Present = append(c.Present, f)
		switch n := len(f.next.Bounds); {
		case !f.next.Rows:
			f.next.Bounds = nil
		case n > 0 && !math.IsInf(f.next.Bounds[n-1], 1): // a Python file's
			f.next.Bounds = append(slices.Clip(f.next.Bounds), math.Inf(1))
		}
		if moved, changed := f.differs(&f.next); changed {
			renew = renew || moved && len(f.Series)+len(f.loose) > 0
			f.typ, f.Mode, f.help, f.unit, f.rows, f.Contents, f.dirty =
				f.next.Type, f.next.Mode, f.next.Help, f.next.Unit, f.next.Rows, f.next.Contents, true
		}
	}
	if c.settleNames(files) || renew {
		c.renew()
	}
	c.Present = slices.DeleteFunc(c.Present, func(f *family) bool { return f.former })
	slices.SortFunc(c.Present, func(a, b *family) int { return strings.Compare(a.name, b.name) })
}

// chooseLeaders finds the claim of each family that leads.
func (c *Catalog) chooseLeaders(files []Source) {
	c.met = 0
	for _, file := range files {
		path, rank := file.Origin(), file.Standing().Rank
		for _, cl := range file.Claims() {
			c.enter(cl, path, rank)
			cl.Family.former = false
		}
		for _, cl := range file.Former() {
			cl.Family.former = cl.Family.former || cl.Family.pass != c.Pass
			c.enter(cl, path, rank)
		}
	}
	for _, f := range c.families {
		if f.pass == c.Pass {
			from := f.lead.from
			f.next, f.from, f.helped, f.united, f.modal = *f.lead, from, from, from, from
		}
	}
}

// enter has a file's claim lead its family if no other one does, or rather than that.
func (c *Catalog) enter(cl *Claim, path string, rank Rank) {
	f := cl.Family
	cl.sortBounds()
	if cl.Lost = false; cl.pass != c.Pass {
		cl.pass, cl.rank, cl.from = c.Pass, rank, path
	}
	switch {
	case f.pass != c.Pass:
		f.pass, f.lead, f.order = c.Pass, cl, c.met
		c.met++
	case cl.leads(f.lead):
		f.lead = cl
	}
}

// differs reports whether a claim changes the family at all, and whether the
// family's slots are others then.
func (f *family) differs(cl *Claim) (moved, changed bool) {
	moved = f.typ != cl.Type || f.Mode.Operation() != cl.Mode.Operation() || f.rows != cl.Rows || !slices.Equal(f.Bounds, cl.Bounds)
	return moved, moved || f.Mode != cl.Mode || f.help != cl.Help || f.unit != cl.Unit || !slices.Equal(f.States, cl.States) || f.Native != cl.Native
}

// compare holds a file's claim against the one that leads, and those before it.
func (c *Catalog) compare(f *family, cl *Claim, path string) {
	first := &f.next
	if cl.Type != first.Type {
		cl.Lost = true
		if e := c.conflict(ConflictKey{f.name, "type", cl.Type.String()}, f.from, path); e != nil {
			e.Lost = true
			e.Err = fmt.Errorf("it is a %s, and elsewhere a %s, which is left out", first.Type, cl.Type)
		}
		return
	}
	c.compareModes(f, cl, path)
	for _, text := range []struct {
		about string
		first *string
		from  *string
		other string
	}{{"help", &first.Help, &f.helped, cl.Help}, {"unit", &first.Unit, &f.united, cl.Unit}} {
		switch {
		case *text.first == "":
			*text.first, *text.from = text.other, path
		case text.about == "help" && cl.rank >= RankDead: // an earlier version's
		case text.other != "" && text.other != *text.first:
			if e := c.conflict(ConflictKey{family: f.name, about: text.about}, *text.from, path); e != nil {
				e.Err = fmt.Errorf("%.80q is shown, and elsewhere it is %.80q", *text.first, text.other)
			}
		}
	}
	first.Rows = first.Rows || cl.Rows
	if !slices.Equal(first.States, cl.States) {
		key := ConflictKey{family: f.name, about: "states"}
		if e := c.conflict(key, f.from, path); e != nil {
			e.Err = fmt.Errorf("they are %s, and elsewhere %s", some(first.States), some(cl.States))
		}
		known := PlacesOf(first.States)
		c.Conflicts[key].Lost = c.Conflicts[key].Lost || slices.ContainsFunc(cl.States, func(state string) bool {
			_, has := known[state]
			return !has
		})
	}
	switch with, without := first.Native.Buckets, cl.Native.Buckets; {
	case (with > 0) != (without > 0):
		if e := c.conflict(ConflictKey{family: f.name, about: "native buckets"}, f.from, path); e != nil {
			e.Err = errors.New("some have them and others do not, so that they are left out")
			e.Lost = true
		}
		first.Native = NativeContents{}
	case with > 0:
		first.Native.Buckets = max(with, without)
		first.Native.Exemplars = max(first.Native.Exemplars, cl.Native.Exemplars)
	}
	switch {
	case len(cl.Bounds) == 0 || slices.Equal(first.Bounds, cl.Bounds):
	case len(first.Bounds) == 0:
		first.Bounds = cl.Bounds
	case first.Rows && cl.rank < RankDead:
		if e := c.conflict(ConflictKey{family: f.name, about: "bounds"}, f.from, path); e != nil {
			e.Err = fmt.Errorf("%s are shown, and elsewhere they are %s", some(first.Bounds), some(cl.Bounds))
		}
	}
}

// PlacesOf returns where each state is among the states.
func PlacesOf(states []string) map[string]int {
	places := make(map[string]int, len(states))
	for i := len(states) - 1; i >= 0; i-- { // the first of a name counts
		places[states[i]] = i
	}
	return places
}

// some returns the first elements of a list for a message, and how many there are
// more.
func some[T string | float64](list []T) string {
	const most = 20
	verb := "%v"
	if _, texts := any(list).([]string); texts {
		verb = "%.80q"
	}
	text := fmt.Sprintf(verb, list[:min(len(list), most)])
	if len(list) > most {
		text += fmt.Sprintf(" and %d more", len(list)-most)
	}
	return text
}

// compareModes settles what counts where the modes of a gauge differ. Values are
// lost where series that each process has become one, or one becomes theirs, and
// where only some have the times that mostrecent asks for.
func (c *Catalog) compareModes(f *family, cl *Claim, path string) {
	first := &f.next
	if cl.Mode == first.Mode {
		return
	}
	one, other := first.Mode.Operation(), cl.Mode.Operation()
	lost := one != other && (one == OpSet || other == OpSet || one == OpLatest || other == OpLatest)
	key := ConflictKey{family: f.name, about: "mode"}
	if first.Rows || cl.Rows {
		if e := c.conflict(key, f.modal, path); e != nil {
			e.Lost = lost
			e.Err = fmt.Errorf("%s counts, and elsewhere it is %s", first.Mode, cl.Mode)
		} else if lost {
			c.Conflicts[key].Lost = true
		}
		return
	}
	e := c.conflict(key, path, f.modal)
	if e == nil {
		e = c.Conflicts[key]
	}
	e.Lost = e.Lost || lost
	e.Err = fmt.Errorf("%s gives way to %s, which comes later", first.Mode, cl.Mode)
	first.Mode, f.modal, c.mixed = cl.Mode, path, true
}

// conflict notes that the word of one file counts, and that another says
// otherwise. It returns the conflict if nobody noted it before, to be completed.
func (c *Catalog) conflict(key ConflictKey, counts, other string) (fresh *Conflict) {
	e, known := c.Conflicts[key]
	if !known {
		e = &Conflict{Family: key.family, About: key.about, Files: []string{counts}}
		c.Conflicts[key], fresh = e, e
	}
	e.Files[0] = counts
	switch {
	case slices.Contains(e.Files[1:], other):
	case len(e.Files) <= maxConflictFiles:
		e.Files = append(e.Files, other)
	default:
		e.More++
	}
	return fresh
}

// Disagreements returns the conflicts in a fixed order.
func (c *Catalog) Disagreements() []ConflictKey {
	return slices.SortedFunc(maps.Keys(c.Conflicts), func(a, b ConflictKey) int {
		return cmp.Or(strings.Compare(a.family, b.family), strings.Compare(a.about, b.about), strings.Compare(a.against, b.against))
	})
}

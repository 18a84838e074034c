package multiprocess

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"telltale/model"
	"telltale/multiprocess/internal/segment"
)

// conflictKey tells conflicts apart: by family, subject and, of types, the one
// that is left out.
type conflictKey struct{ family, about, against string }

// claim is what a file says of a family. Equal claims are the same pointer.
type claim struct {
	claimKey
	contents
	family *family
	lost   bool      // another claim's type counts
	met    []float64 // bounds of buckets that are not among the others yet
	series uint32    // the most that a segment has
}

type claimKey struct {
	name, help, unit string
	typ              model.Type
	mode             gaugeMode // of what does not just add up
	rows             bool      // a segment's; else a Python file's
	shape            string    // of rows: the contents as bytes
}

// contents is what the series of a family have in them.
type contents struct {
	bounds []float64 // of its buckets; of a Python file's claim those met so far
	states []string
	native nativeContents
}

// nativeContents is how many native buckets there are at most, 0 for none, and
// how many exemplars.
type nativeContents struct{ buckets, exemplars uint32 }

// claim returns the one claim of these contents.
func (c *catalog) claim(key claimKey) *claim {
	if found, ok := c.known[key]; ok {
		return found
	}
	f, ok := c.families[key.name]
	if !ok {
		f = &family{name: key.name, dirty: true}
		c.families[key.name] = f
	}
	fresh := &claim{claimKey: key, family: f}
	c.known[key] = fresh
	return fresh
}

// segmentClaim returns the claim of a segment's family.
func (c *catalog) segmentClaim(f *segment.Family) *claim {
	key := claimKey{name: f.Name, help: f.Help, unit: f.Unit, typ: f.Type, rows: true}
	switch f.Type {
	case model.Gauge:
		key.mode = gaugeModes[f.Mode]
	case model.Unknown: // a live writer's, whatever the mode
		key.mode = gaugeModes[liveModes+f.Mode%liveModes]
	case model.Info:
		key.mode = "liveall"
	case model.GaugeHistogram:
		key.mode = "livesum"
	case model.StateSet:
		key.mode = "livemostrecent"
	}
	var shape []byte
	for _, upper := range f.Bounds {
		shape = binary.NativeEndian.AppendUint64(shape, math.Float64bits(upper))
	}
	for _, state := range f.States {
		shape = append(binary.AppendUvarint(shape, uint64(len(state))), state...)
	}
	native := nativeContents{f.NativeBuckets, f.NativeExemplars}
	shape = binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(shape, native.buckets), native.exemplars)
	key.shape = string(shape)
	cl := c.claim(key)
	cl.contents = contents{f.Bounds, f.States, native}
	return cl
}

// meet notes a bound of a Python file's buckets.
func (cl *claim) meet(upper float64) {
	if _, found := slices.BinarySearch(cl.bounds, upper); found {
		return
	}
	if cl.met = append(cl.met, upper); len(cl.met) > 32+len(cl.bounds) {
		cl.sortBounds()
	}
}

// sortBounds puts the bounds that were met among the others. It leaves the slice of
// those as it is, which a family may have.
func (cl *claim) sortBounds() {
	if len(cl.met) > 0 {
		all := slices.Concat(cl.bounds, cl.met)
		slices.Sort(all)
		cl.bounds, cl.met = slices.Compact(all), cl.met[:0]
	}
}

// resolve settles what counts where files disagree, given all files in their
// order. The first file decides the type, the states and the mode, and the first
// that has any the help and the unit. Claims of another type lose. Among Python's
// files alone the last decides the mode, as in Python's client, which has all of
// it in the order of its directory listing.
//
// Histograms have the bounds that all have, so that cumulative counts are right,
// unless only Python's files have them: those show all bounds, as in Python. They
// have native buckets if all have some.
func (c *catalog) resolve(files []source) {
	c.pass++
	c.conflicts, c.mixed = make(map[conflictKey]*ConflictError), false
	met := 0
	for _, file := range files {
		path := file.origin()
		for _, cl := range file.claims() {
			f := cl.family
			cl.sortBounds()
			if cl.lost = false; f.pass != c.pass {
				f.pass, f.next, f.order, f.narrowed = c.pass, *cl, met, false
				f.from, f.helped, f.united, f.modal = path, path, path, path
				met++
				continue
			}
			c.compare(f, cl, path)
		}
	}
	renew := c.mixed
	c.present = c.present[:0]
	for _, f := range c.families {
		if f.pass != c.pass {
			continue
		}
		c.present = append(c.present, f)
		if !f.next.rows {
			f.next.bounds = nil
		}
		if moved, changed := f.differs(&f.next); changed {
			renew = renew || moved && len(f.series)+len(f.loose) > 0
			f.typ, f.mode, f.help, f.unit, f.rows, f.contents, f.dirty =
				f.next.typ, f.next.mode, f.next.help, f.next.unit, f.next.rows, f.next.contents, true
		}
	}
	if c.settleNames(files) || renew {
		c.renew()
	}
	slices.SortFunc(c.present, func(a, b *family) int { return strings.Compare(a.name, b.name) })
}

// differs reports whether a claim changes the family at all, and whether the
// family's slots are others then.
func (f *family) differs(cl *claim) (moved, changed bool) {
	moved = f.typ != cl.typ || f.mode.operation() != cl.mode.operation() || f.rows != cl.rows || !slices.Equal(f.bounds, cl.bounds)
	return moved, moved || f.mode != cl.mode || f.help != cl.help || f.unit != cl.unit || !slices.Equal(f.states, cl.states) || f.native != cl.native
}

// compare holds a file's claim against those before it.
func (c *catalog) compare(f *family, cl *claim, path string) {
	first := &f.next
	if cl.typ != first.typ {
		cl.lost = true
		if e := c.conflict(conflictKey{f.name, "type", cl.typ.String()}, f.from, path); e != nil {
			e.Lost = true
			e.Err = fmt.Errorf("it is a %s, and elsewhere a %s, which is left out", first.typ, cl.typ)
		}
		return
	}
	c.compareModes(f, cl, path)
	for _, text := range []struct {
		about string
		first *string
		from  *string
		other string
	}{{"help", &first.help, &f.helped, cl.help}, {"unit", &first.unit, &f.united, cl.unit}} {
		switch {
		case *text.first == "":
			*text.first, *text.from = text.other, path
		case text.other != "" && text.other != *text.first:
			if e := c.conflict(conflictKey{family: f.name, about: text.about}, *text.from, path); e != nil {
				e.Err = fmt.Errorf("%.80q is shown, and elsewhere it is %.80q", *text.first, text.other)
			}
		}
	}
	first.rows = first.rows || cl.rows
	if !slices.Equal(first.states, cl.states) {
		key := conflictKey{family: f.name, about: "states"}
		if e := c.conflict(key, f.from, path); e != nil {
			e.Err = fmt.Errorf("they are %s, and elsewhere %s", some(first.states), some(cl.states))
		}
		known := placesOf(first.states)
		c.conflicts[key].Lost = c.conflicts[key].Lost || slices.ContainsFunc(cl.states, func(state string) bool {
			_, has := known[state]
			return !has
		})
	}
	switch with, without := first.native.buckets, cl.native.buckets; {
	case (with > 0) != (without > 0):
		if e := c.conflict(conflictKey{family: f.name, about: "native buckets"}, f.from, path); e != nil {
			e.Err = errors.New("some have them and others do not, so that they are left out")
			e.Lost = true
		}
		first.native = nativeContents{}
	case with > 0:
		first.native.buckets = max(with, without)
		first.native.exemplars = max(first.native.exemplars, cl.native.exemplars)
	}
	if !slices.Equal(first.bounds, cl.bounds) && len(cl.bounds) > 0 {
		shared := common(first.bounds, cl.bounds)
		f.narrowed = true
		if first.rows {
			if e := c.conflict(conflictKey{family: f.name, about: "bounds"}, f.from, path); e != nil {
				e.Err = fmt.Errorf("%s and %s have %s in common, which are shown", some(first.bounds), some(cl.bounds), some(shared))
				e.Lost = true
			}
		}
		first.bounds = shared
	} else if key := (conflictKey{family: f.name, about: "bounds"}); first.rows && f.narrowed && c.conflicts[key] == nil {
		// Python's files before it differ, and by themselves would show all bounds.
		e := c.conflict(key, path, f.from)
		e.Err = fmt.Errorf("all have %s in common, which are shown", some(first.bounds))
		e.Lost = true
	}
}

// placesOf returns where each state is among the states.
func placesOf(states []string) map[string]int {
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
func (c *catalog) compareModes(f *family, cl *claim, path string) {
	first := &f.next
	if cl.mode == first.mode {
		return
	}
	one, other := first.mode.operation(), cl.mode.operation()
	lost := one != other && (one == opSet || other == opSet || one == opLatest || other == opLatest)
	key := conflictKey{family: f.name, about: "mode"}
	if first.rows || cl.rows {
		if e := c.conflict(key, f.modal, path); e != nil {
			e.Lost = lost
			e.Err = fmt.Errorf("%s counts, and elsewhere it is %s", first.mode, cl.mode)
		} else if lost {
			c.conflicts[key].Lost = true
		}
		return
	}
	e := c.conflict(key, path, f.modal)
	if e == nil {
		e = c.conflicts[key]
	}
	e.Lost = e.Lost || lost
	e.Err = fmt.Errorf("%s gives way to %s, which comes later", first.mode, cl.mode)
	first.mode, f.modal, c.mixed = cl.mode, path, true
}

// common returns the bounds that both have, and +Inf.
func common(a, b []float64) []float64 {
	shared := slices.DeleteFunc(slices.Clone(a), func(upper float64) bool {
		_, found := slices.BinarySearch(b, upper)
		return !found || math.IsInf(upper, 1)
	})
	return append(shared, math.Inf(1))
}

// conflict notes that the word of one file counts, and that another says
// otherwise. It returns the conflict if nobody noted it before, to be completed.
func (c *catalog) conflict(key conflictKey, counts, other string) (fresh *ConflictError) {
	e, known := c.conflicts[key]
	if !known {
		e = &ConflictError{Family: key.family, About: key.about, Files: []string{counts}}
		c.conflicts[key], fresh = e, e
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

// disagreements returns the conflicts in a fixed order.
func (c *catalog) disagreements() []conflictKey {
	return slices.SortedFunc(maps.Keys(c.conflicts), func(a, b conflictKey) int {
		return cmp.Or(strings.Compare(a.family, b.family), strings.Compare(a.about, b.about), strings.Compare(a.against, b.against))
	})
}

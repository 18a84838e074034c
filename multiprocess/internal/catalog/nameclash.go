package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"telltale/internal/reserved"
	"telltale/model"
)

// settleNames leaves out families of whose names some belong to another family,
// such as a gauge "x_total" beside a counter "x": no page can have both. The one
// stays whose claim leads, as if both were of one family. It reports whether slots
// are others than before.
func (c *Catalog) settleNames(files []Source) (renew bool) {
	left, literal := make(map[*family]bool), make(map[*family]bool)
	owners := make(map[string]*family)
	for _, f := range c.contested() {
		header := pageHeader(f, owners)
		literal[f] = header.IsLiteral()
		names := slices.Collect(reserved.Names(header))
		taken := slices.IndexFunc(names, func(name string) bool { return owners[name] != nil })
		if taken < 0 {
			for _, name := range names {
				owners[name] = f
			}
			continue
		}
		left[f] = true
		by := owners[names[taken]]
		if f.former {
			continue
		}
		if e := c.conflict(ConflictKey{family: f.name, about: "name"}, by.from, f.from); e != nil {
			e.Err = fmt.Errorf("%.80q belongs to the %s %.80q, so that this %s is left out", names[taken], by.next.Type, by.name, f.next.Type)
			e.Lost = true
		}
	}
	for _, f := range c.Present {
		if f.literal != literal[f] {
			f.literal, f.dirty = literal[f], true
		}
		if f.out != left[f] {
			f.out, f.dirty, renew = left[f], true, true
		}
	}
	if len(left) == 0 {
		return renew
	}
	c.Present = slices.DeleteFunc(c.Present, func(f *family) bool { return left[f] })
	for _, file := range files {
		for _, cl := range file.Claims() {
			cl.Lost = cl.Lost || left[cl.Family]
		}
	}
	return renew
}

// contested returns the families one of whose names is another's and a suffix, those
// first whose claims lead. Others have no name in common.
func (c *Catalog) contested() (found []*family) {
	for _, f := range c.Present {
		for _, suffix := range sampleSuffixes {
			short, cut := strings.CutSuffix(f.name, suffix)
			if other := c.families[short]; cut && other != nil && other.pass == c.Pass {
				found = append(found, f, other)
			}
		}
	}
	slices.SortFunc(found, func(a, b *family) int {
		switch {
		case a.lead.leads(b.lead):
			return -1
		case b.lead.leads(a.lead):
			return 1
		}
		return cmp.Compare(a.order, b.order)
	})
	return slices.Compact(found)
}

// sampleSuffixes are what samples' names have behind their family's.
var sampleSuffixes = func() (suffixes []string) {
	(model.AllParts &^ model.PartValue).Each(func(part model.Parts) { suffixes = append(suffixes, part.Suffix()) })
	return suffixes
}()

// pageHeader returns a family without its series as a page has it beside those that own names.
// A counter or an info whose name in OpenMetrics alone has an owner goes by that of its
// samples, as in a registry.
func pageHeader(f *family, owners map[string]*family) *model.Family {
	header := &model.Family{Name: f.name, Type: f.next.Type}
	if header.SampleName() != header.BaseName() && owners[header.BaseName()] != nil && owners[header.SampleName()] == nil {
		header = header.Literal()
	}
	return header
}

package lines

import (
	"slices"
	"strings"

	"telltale/model"
)

// arrange returns the indexes of the samples that fit no point: own are those
// named like samples of the first block, which are written right after it;
// others are families of their own to a reader and are grouped by name.
func (p *Page) arrange(first Block) (own, others []int) {
	samples := p.family.Loose()
	p.order = p.order[:0]
	for i := range samples {
		if p.owns(first, samples[i].Name) {
			p.order = append(p.order, i)
		}
	}
	n := len(p.order)
	if n == len(samples) {
		return p.order, nil
	}
	for i := range samples {
		if !p.owns(first, samples[i].Name) {
			p.order = append(p.order, i)
		}
	}
	own, others = p.order[:n], p.order[n:]
	slices.SortStableFunc(others, func(i, j int) int { return strings.Compare(samples[i].Name, samples[j].Name) })
	return own, others
}

// owns reports whether samples with the name stand below the block's header.
func (p *Page) owns(b Block, name string) bool {
	suffix, ok := strings.CutPrefix(name, p.family.BaseName())
	owned := false
	(b.Name | b.Parts).Each(func(part model.Parts) { owned = owned || suffix == p.suffix(part) })
	return ok && owned
}

// loose writes the samples at the given indexes, which fit no point, under the
// first block's header, which it writes if there is none yet. Those that the block does
// not own claim their names, of which equal ones follow each other.
func (p *Page) loose(places []int, first Block, owned bool) error {
	claimed, free := "", owned
	for _, i := range places {
		s := &p.family.Loose()[i]
		if s.Name == "" {
			p.report(s.Name, NoName)
			continue
		}
		if !p.format.TakesLoose(p.family, s) {
			p.report(s.Name, LooseSample)
			continue
		}
		printed, suffix := p.base, ""
		if owned {
			suffix = s.Name[len(p.family.BaseName()):]
		} else {
			printed = p.names.name(s.Name)
		}
		if !owned && s.Name != claimed {
			claimed = s.Name
			free = p.names.claim(&model.Family{Name: s.Name, Type: model.Unknown}, printed, model.PartValue)
		}
		switch {
		case !free:
			p.report(s.Name, ClashingName)
			continue
		case p.names.mixes && p.names.repeatsLoose(p.family, s, hashOf(printed.text)+hashOf(suffix), owned):
			p.report(s.Name, ClashingSeries)
			continue
		case !p.headed:
			p.header(first)
		}
		h := &p.head[0]
		h.set(printed, suffix)
		p.verbatim = false
		b := p.appendHead(p.buf, h, s.Labels)
		p.buf = p.appendTail(b, s.Value, s.Timestamp)
		p.buf = append(p.buf, '\n')
		if err := p.pass(); err != nil {
			return err
		}
	}
	return p.pass()
}

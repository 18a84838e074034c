package telltale

// The families of a scrape that may join: which they are, and which do.

import "telltale/model"

// findJoins finds the steps whose families may join: constant labels of theirs have
// different values on the page.
func (s *scrape) findJoins() {
	var labels variety
	for i := range s.steps {
		if st := &s.steps[i]; !st.apart {
			labels.add(st.constants())
		}
	}
	if len(labels.varying) == 0 {
		return
	}
	joins := &joining{parts: make([]part, 0, len(s.steps)), places: make(map[key]place, len(s.steps))}
	for i := range s.steps {
		st := &s.steps[i]
		if st.joins = !st.apart && labels.among(st.constants()); !st.joins {
			continue
		}
		switch {
		case st.family != nil:
			joins.add(st.key(st.family), i, st.family)
			continue
		case st.shared != nil:
			c := st.shared.custom()
			st.entry = &entry{collector: c}
			st.sub, st.shared = s.subscribe(c, st.entry, st.path), nil
			st.sub.Start()
		}
		joins.unknown = true
	}
	if joins.unknown || joins.several() {
		s.joins = joins
	}
}

// gather adds what custom collectors have emitted to the families that may join. It
// waits until each has ended or, because there is no room for another copy, lends a
// family. It is called before the turn of any of them, so that none waits for this
// scrape.
func (s *scrape) gather() {
	if s.joins == nil || !s.joins.unknown {
		return
	}
	s.joins.unknown = false
	for i := range s.steps {
		st := &s.steps[i]
		if !st.joins || st.sub == nil {
			continue
		}
		_ = st.sub.Wait() // at its turn the scrape will hear why it goes on without the rest
		for _, f := range st.sub.Emitted() {
			s.joins.add(st.key(f), i, f)
		}
	}
}

// constants returns the labels that all series of a step have, with the same value in
// each: those of its instrument, and those of views.
func (st *step) constants() (own, added model.Labels) {
	if st.of != nil {
		own = st.of.constLabels
	}
	if st.path.lens != nil {
		added = st.path.lens.labels
	}
	return own, added
}

// key returns by what the families of a step are found that may join one of its own.
func (st *step) key(f *model.Family) key {
	name := f.SampleName()
	if st.path.lens != nil {
		name = st.path.lens.prefix + name
	}
	return key{name, st.path.beyond}
}

// group returns a step's family with those of later steps that join it.
func (s *scrape) group(st *step, k key, f *model.Family) *group {
	g := newGroup(st.outline(f))
	if s.joins.places[k].shown != nil {
		return g // which is not shown, since its name is on the page
	}
	for _, p := range s.joins.of(k) {
		if p.step <= s.at || p.gone {
			continue
		}
		other := &s.steps[p.step]
		seen := s.show(other, other.path, other.literally(p.family))
		if seen == nil {
			p.gone = true // nothing of it is shown, as it was told
			continue
		}
		if len(g.members) == 0 {
			g.first = g.first.read()
		}
		p.why = g.add(other.outline(seen).read(), member{p, other.entry})
	}
	return g
}

// outline returns what is known of a family of a step that its path shows.
func (st *step) outline(f *model.Family) outline {
	_, added := st.constants()
	return outlineOf(f, st.of, added)
}

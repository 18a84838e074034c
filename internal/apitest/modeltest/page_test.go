package modeltest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shown is a family on a page.
type shown struct {
	name, kind string // the family's name, without suffixes
	literal    bool   // it is shown under its sample name
	masked     bool   // some of its samples are left out
	lines      []text
}

// text is a sample on a page.
type text struct {
	name, labels, value string
	own                 int     // number of labels of the series, before those of this sample
	of                  *series // nil for those of custom collectors
	exemplar            string
}

// page is the expected result of a collection, and its faults.
type page struct {
	families []shown
	steps    []*step
	customs  bool // the page has a collector that is run, not read
	seen     map[string]bool
	root     *registry
	own      *registry // counts faults outside of registries; nil stands for an error
	errors   bounds    // faults that no registry counts
}

// path is the views between a collector and the page.
type path struct {
	filters  []map[string]bool // in terms of the collector's names
	prefix   string            // outer prefixes
	labels   [][2]string       // inner ones first
	within   string            // the prefix that the entry of the registry has given already
	nested   bool              // no claim covers its names
	accounts []*registry
}

// step is one collector on the way to the page.
type step struct {
	of    any
	entry *entry
	path  path
	// target is the target info for which it stands, instead of a collector.
	target map[string]string
}

// collect returns the page of a collector.
func collect(c any) *page {
	p := &page{seen: make(map[string]bool), root: root(c), own: firstRegistry(c)}
	if f, ok := c.(*family); ok && !f.functions { // an instrument returns its family
		p.families = []shown{{name: f.name, kind: kinds[f.kind], lines: f.lines(f.name)}}
		return p
	}
	var accounts []*registry
	if p.own != nil {
		accounts = []*registry{p.own}
	}
	p.flatten(c, nil, path{accounts: accounts})
	runs := make(map[any][]*step)
	for _, s := range p.steps {
		p.emit(s)
		switch c := s.of.(type) {
		case *custom, *callback:
			runs[c] = append(runs[c], s)
		case *family:
			if c.functions {
				runs[c] = append(runs[c], s)
			}
		}
	}
	p.customs = len(runs) > 0
	for c, steps := range runs {
		p.run(c, steps)
	}
	return p
}

// flatten finds the steps under a collector.
func (p *page) flatten(c any, e *entry, at path) {
	if slices.ContainsFunc(at.filters, func(f map[string]bool) bool { return len(f) == 0 }) {
		return
	}
	switch c := c.(type) {
	case *registry:
		at.nested = at.nested || c != p.root
		at.within = ""
		if !slices.Contains(at.accounts, c) {
			at.accounts = append(slices.Clone(at.accounts), c)
		}
		if len(c.target) > 0 {
			p.steps = append(p.steps, &step{path: at, target: c.target})
		}
		for _, e := range c.entries {
			if asked(e, at.filters) {
				p.flatten(e.of, e, at)
			}
		}
	case *view:
		inner := at
		inner.filters = nil
		switch c.kind {
		case "restricted":
			// All filters must want a name, in whatever order they are applied.
			inner.filters = append(inner.filters, c.names)
		case "merged":
			inner.nested = at.nested || len(c.of) > 1
		}
		for _, f := range at.filters {
			cut := make(map[string]bool)
			for name := range f {
				if rest, ok := strings.CutPrefix(name, c.prefix); ok {
					cut[rest] = true
				}
			}
			inner.filters = append(inner.filters, cut)
		}
		inner.prefix, inner.within = at.prefix+c.prefix, at.within+c.prefix
		var labels [][2]string
		for _, name := range sorted(c.labels) {
			labels = append(labels, [2]string{name, c.labels[name]})
		}
		inner.labels = append(labels, at.labels...)
		for _, of := range c.of {
			p.flatten(of, e, inner)
		}
	default:
		p.steps = append(p.steps, &step{of: c, entry: e, path: at})
	}
}

// asked reports whether an entry can have names that all filters want.
func asked(e *entry, filters []map[string]bool) bool {
	if len(e.claims) == 0 {
		return true
	}
	for _, f := range filters {
		if !slices.ContainsFunc(sorted(e.claims), func(name string) bool { return f[name] }) {
			return false
		}
	}
	return true
}

// emit adds a step's families to the page.
func (p *page) emit(s *step) {
	for _, f := range s.families() {
		if s.entry != nil && s.entry.literal[s.path.within+sampleName(f.name, f.kind)] {
			f.literal = true
		}
		clashing, ok := 0, f.restrict(s.path.filters)
		if ok {
			clashing, ok = p.view(s, &f)
		}
		if ok && p.admit(s, &f) {
			p.report(s, "label_clash", uint64(clashing))
			p.families = append(p.families, f)
		}
	}
}

// families returns the families that a step emits.
func (s *step) families() (families []shown) {
	switch c := s.of.(type) {
	case nil:
		var labels [][2]string
		for _, name := range sorted(s.target) {
			labels = append(labels, [2]string{name, s.target[name]})
		}
		return []shown{{name: "target", kind: "info", lines: []text{{name: "target_info", labels: labelText(labels), value: "1.0"}}}}
	case *family:
		if slices.ContainsFunc(c.series, func(s *series) bool { return s.function == "panic" }) {
			return nil
		}
		return []shown{{name: c.name, kind: kinds[c.kind], lines: c.lines(c.name)}}
	case *callback:
		if c.value == "panic" {
			return nil
		}
		f := shown{name: c.name, kind: c.kind}
		if c.value != "error" {
			f.lines = []text{{name: sampleName(c.name, c.kind), value: c.value}}
		}
		return []shown{f}
	case *custom:
		for i, l := range c.families {
			if c.fails != "" && c.fails != "nil" && i >= c.after {
				break
			}
			f := shown{name: l.name, kind: l.kind}
			for _, s := range l.samples {
				t := text{name: sampleName(l.name, l.kind), labels: s.labels(), value: number(s.value), own: len(s.label)}
				if !slices.ContainsFunc(f.lines, func(u text) bool { return u.labels == t.labels }) {
					f.lines = append(f.lines, t)
				}
			}
			families = append(families, f)
		}
	}
	return families
}

func (s sample) labels() string {
	if s.label == "" {
		return ""
	}
	return labelText([][2]string{{"b", s.label}})
}

// run counts the faults of a collector that is run, perhaps once for all of its
// places on the page, perhaps for each.
func (p *page) run(c any, steps []*step) {
	faults := make(map[string]uint64)
	switch c := c.(type) {
	case *family:
		if slices.ContainsFunc(c.series, func(s *series) bool { return s.function == "panic" }) {
			faults["panic"] = 1
		}
	case *callback:
		if c.value == "panic" || c.value == "error" {
			faults[c.value] = 1
		}
	case *custom:
		for i, l := range c.families {
			if c.fails != "" && c.fails != "nil" && i >= c.after {
				break
			}
			seen := make(map[string]bool)
			for _, s := range l.samples {
				if seen[s.labels()] {
					faults["repeated_series"]++
				}
				seen[s.labels()] = true
			}
		}
		switch c.fails {
		case "error", "panic":
			faults[c.fails] = 1
		case "nil":
			faults["invalid_family"] = 1
		}
	}
	for reason, n := range faults {
		for account := range p.accounts(steps) {
			count(account, &p.errors, reason, n, n*uint64(len(steps)))
		}
	}
}

// accounts returns the registries that count the faults in the steps. Nil stands
// for none.
func (p *page) accounts(steps []*step) map[*registry]bool {
	all := map[*registry]bool{}
	if p.own == nil {
		all[nil] = true
	}
	for _, s := range steps {
		for _, r := range s.path.accounts {
			all[r] = true
		}
	}
	return all
}

func count(r *registry, otherwise *bounds, reason string, least, most uint64) {
	if r == nil {
		otherwise.least, otherwise.most = otherwise.least+least, otherwise.most+most
		return
	}
	r.faults.add(reason, least, most)
}

// report counts a fault of a step.
func (p *page) report(s *step, reason string, n uint64) {
	for account := range p.accounts([]*step{s}) {
		count(account, &p.errors, reason, n, n)
	}
}

// restrict removes samples that the filters do not want.
func (f *shown) restrict(filters []map[string]bool) bool {
	hidden := make(map[string]bool) // suffixes
	for _, names := range filters {
		if names[base(f.name, f.kind, f.literal)] {
			continue
		}
		left := false
		for _, suffix := range suffixes[f.kind] {
			if !names[f.name+suffix] {
				hidden[suffix] = true
			}
			left = left || !hidden[suffix]
		}
		if !left {
			return false
		}
	}
	f.masked = f.masked || len(hidden) > 0
	f.lines = slices.DeleteFunc(f.lines, func(t text) bool { return hidden[strings.TrimPrefix(t.name, f.name)] })
	return true
}

// view adds a path's prefix and labels, and returns the number of series that it
// leaves out because they have one of the labels. It reports whether the family
// is left.
func (p *page) view(s *step, f *shown) (clashing int, ok bool) {
	names := make(map[string]bool)
	for _, l := range s.path.labels {
		if names[l[0]] {
			p.report(s, "label_clash", 1)
			return 0, false
		}
		names[l[0]] = true
	}
	added := pairsOf(labelText(s.path.labels))
	without := make(map[string]bool) // series
	var lines []text
	for _, t := range f.lines {
		if own := labelsOf(t.labels); slices.ContainsFunc(own, func(name string) bool { return names[name] }) {
			without[seriesOf(t)] = true
			continue
		}
		t.name = s.path.prefix + t.name
		if f.kind == "stateset" && s.path.prefix != "" {
			t.labels = strings.Replace(t.labels, f.name+"=", s.path.prefix+f.name+"=", 1)
		}
		t.labels = strings.Join(slices.Insert(pairsOf(t.labels), t.own, added...), ",")
		lines = append(lines, t)
	}
	f.name, f.lines = s.path.prefix+f.name, lines
	return len(without), true
}

// seriesOf identifies the series of a line among those of its family.
func seriesOf(t text) string {
	if t.of != nil {
		return fmt.Sprintf("%p", t.of)
	}
	return t.labels
}

// admit leaves out a family whose names are on the page already, unless they
// were checked before.
func (p *page) admit(s *step, f *shown) bool {
	instrument, isInstrument := s.of.(*family)
	run := s.of != nil && (!isInstrument || instrument.functions)
	if !s.path.nested && !run {
		return true
	}
	taken := func(name string) bool {
		if p.seen[name] {
			return true
		}
		if p.root == nil {
			return false
		}
		return name == "target_info" && len(p.root.target) > 0 ||
			slices.ContainsFunc(p.root.entries, func(e *entry) bool { return e != s.entry && e.claims[name] })
	}
	total := sampleName(f.name, f.kind)
	if !f.literal && total != f.name && taken(f.name) && !taken(total) {
		f.literal = true
	}
	names := claims(f.name, f.kind, f.literal)
	if slices.ContainsFunc(sorted(names), taken) {
		p.report(s, "repeated_family", 1)
		return false
	}
	maps.Copy(p.seen, names)
	return true
}

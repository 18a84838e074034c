package onepage

import (
	"fmt"
	"strings"

	"telltale/internal/exported"
	"telltale/internal/reserved"
	"telltale/model"
)

// Page is what one target has said at one time.
type Page struct {
	Target   string       // what the target is known by from one scrape to the next
	Labels   model.Labels // added to its series, beside Instance
	Instance model.Labels // the label that keeps series of targets apart
	Own      bool         // whether it is this process's own page, shown as it is
	Families []*model.Family
}

// name is the target's name in messages.
func (p *Page) name() string {
	if p.Own {
		return "this process"
	}
	if instance, ok := p.Instance.Get("instance"); ok {
		return "target " + instance
	}
	return "target " + p.Target
}

// LeftOutError is the error of a family of a target that the common page cannot have.
type LeftOutError struct {
	Target string // as messages name it
	Family string
	Reason string
}

// Error says what is left out and why.
func (e *LeftOutError) Error() string {
	return fmt.Sprintf("%s: family %.200q: %s", e.Target, e.Family, e.Reason)
}

// heading is a family of the common page with what pages have of it.
type heading struct {
	family *model.Family // its name, help, unit and type, without points
	parts  []part
	own    bool // whether this process has it, too
}

type part struct {
	page   *Page
	family *model.Family
}

// headings are the families of the common page, in the order in which they were met.
type headings struct {
	byName map[string]*heading // by all names that their samples can have
	all    []*heading
}

func newHeadings() *headings { return &headings{byName: make(map[string]*heading)} }

// claims returns the names that no other family may have. Created times are no samples
// on pages in text, where another family may have their name.
func claims(f *model.Family) (names []string) {
	if f.Type != model.Counter && f.Type != model.Info {
		names = append(names, f.Name)
	}
	(f.Type.Parts() &^ model.PartCreated).Each(func(p model.Parts) { names = append(names, f.NameOf(p)) })
	for suffix := range reserved.Suffixes(f.Type) {
		names = append(names, f.Name+suffix)
	}
	return names
}

// alike reports whether families of two types can be one: a page that does not say that
// something is a gauge may have it beside one that does.
func alike(a, b model.Type) bool {
	plain := func(t model.Type) bool { return t == model.Gauge || t == model.Unknown }
	return a == b || plain(a) && plain(b)
}

// enter returns the heading of a family, and nil if another type has the name already.
func (h *headings) enter(f *model.Family) (*heading, error) {
	names := claims(f)
	found := h.byName[names[0]]
	for _, name := range names {
		switch other := h.byName[name]; {
		case other == nil && found == nil:
		case other == nil || other != found || !alike(other.family.Type, f.Type):
			if other == nil {
				other = found
			}
			return nil, fmt.Errorf("it is a %s here, and elsewhere %q is a %s: it is left out", f.Type, other.family.Name, other.family.Type)
		}
	}
	if found == nil {
		header := f.Header()
		if f.Type == model.Counter && !f.IsLiteral() {
			header = header.Renamed(f.BaseName())
		}
		found = &heading{family: header}
		h.all = append(h.all, found)
		for _, name := range names {
			h.byName[name] = found
		}
	}
	if found.family.Type == model.Unknown {
		found.family.Type = f.Type
	}
	if found.family.Help == "" {
		found.family.Help = f.Help
	}
	if found.family.Unit == "" && strings.HasSuffix(found.family.BaseName(), "_"+f.Unit) {
		found.family.Unit = f.Unit
	}
	return found, nil
}

// enterAll enters the families of pages and tells of those that are left out.
func (h *headings) enterAll(pages []Page, tell func(error)) {
	for i := range pages {
		page := &pages[i]
		for _, f := range page.Families {
			head, err := h.enter(f)
			if err != nil {
				tell(&LeftOutError{page.name(), f.Name, err.Error()})
				continue
			}
			head.parts = append(head.parts, part{page, f})
			head.own = head.own || page.Own
		}
	}
}

// taken reports whether labels have one of the names.
func taken(labels, names model.Labels) bool {
	for name := range names.All() {
		if !strings.Contains(labels.Text(), name) {
			continue
		}
		if _, has := labels.Get(name); has {
			return true
		}
	}
	return false
}

// withLabels returns the labels followed by those added. A label that has the name of
// an added one is renamed.
func withLabels(labels, added model.Labels) model.Labels {
	if !taken(labels, added) {
		return labels.Append(added)
	}
	return renamed(labels, added).Append(added)
}

// renamed returns the labels under names that the others do not have.
func renamed(labels, others model.Labels) model.Labels {
	return exported.Labels(labels, func(name string) bool {
		_, has := others.Get(name)
		return has
	})
}

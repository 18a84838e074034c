package rules

import (
	"context"
	"sync/atomic"

	"telltale"
	"telltale/internal/reshape"
	"telltale/model"
)

// View is a view of a collector through rules, which may be replaced at any time: a
// scrape uses those of its beginning. It is a Collector. All methods are safe for
// concurrent use.
//
// Registered with a registry it claims no names, because they may change with the
// rules; families whose names clash are left out of the page and counted.
type View struct {
	reshape.Mark
	collector telltale.Collector
	program   atomic.Pointer[program]
}

// New returns a view of c through the rules. It is an error if c is nil or of a type
// that == cannot compare, or if a rule is not valid, see [Rule] and the limits.
func New(c telltale.Collector, rules ...Rule) (*View, error) {
	if _, err := telltale.Prefixed(c, ""); err != nil {
		return nil, err
	}
	p, err := newProgram(rules)
	if err != nil {
		return nil, err
	}
	v := &View{collector: c}
	v.program.Store(p)
	v.Mark = reshape.NewMark(c, func() reshape.Reshaper { return v.program.Load().begin() })
	return v, nil
}

// Set replaces all rules by others. If one of them is not valid, it returns an error
// and the rules stay as they were.
func (v *View) Set(rules ...Rule) error {
	p, err := newProgram(rules)
	if err != nil {
		return err
	}
	v.program.Store(p)
	return nil
}

// Rules returns the present rules.
func (v *View) Rules() []Rule {
	var list []Rule
	p := v.program.Load()
	if p == nil {
		return nil // of a zero View
	}
	for _, r := range p.rules {
		list = append(list, r.Rule)
	}
	return list
}

// Collect emits what the families of the collector become under the rules. Errors are
// those of [telltale.Registry.Collect].
func (v *View) Collect(ctx context.Context, emit func(*model.Family) error) error {
	c, err := telltale.Merge(v)
	if err != nil {
		return err
	}
	return c.Collect(ctx, emit)
}

// Describe returns the families that those which the collector describes can become
// under the present rules, without samples.
func (v *View) Describe() (families []*model.Family) {
	d, ok := v.collector.(telltale.Describer)
	if !ok {
		return nil
	}
	p := v.program.Load()
	for _, f := range d.Describe() {
		families = append(families, p.Headers(f)...)
	}
	return families
}

// Restricted returns a live view of the named samples and families, which are those
// after the rules.
func (v *View) Restricted(names ...string) telltale.Collector { return telltale.Restrict(v, names...) }

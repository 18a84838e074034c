package rules

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"telltale/internal/reshape"
	"telltale/model"
)

// program is a list of rules, with what it has learned of families. It is the view's
// Reshaper.
type program struct {
	rules   []*compiled
	staying []*compiled // those that rename nothing

	scrapes atomic.Uint64 // that have begun

	mu         sync.Mutex
	plans      map[planKey]*plan
	mostNow    int          // plans; before one more is kept, those that nothing uses are looked for
	remembered atomic.Int64 // series, by the plans' memories
}

// begin is called once for each scrape.
func (p *program) begin() *program {
	p.scrapes.Add(1)
	return p
}

// planKey is what a plan depends on.
type planKey struct {
	name, unit string
	typ        model.Type
	mask       model.Parts
	literal    bool
	header     bool   // the family has no series to ask for labels
	prototype  string // the label names of its series, as text; unknownLabels if they are not known
}

func keyOf(f *model.Family, header bool, prototype string) planKey {
	return planKey{f.Name, f.Unit, f.Type, f.Mask(), f.IsLiteral(), header, prototype}
}

// How many plans are kept, and how many series all of them may remember. When a family
// comes that has no plan and either is reached, all are forgotten. Before that, when there
// are twice as many plans as were of use at the last look, those are forgotten whose
// families no scrape has met for a while.
const (
	mostPlans           = 20_000
	mostRememberedInAll = 4 * mostRemembered
	fewPlans            = 256 // that are not worth a look
	scrapesUnused       = 8   // after which a plan may be forgotten
)

// room forgets plans for another one. The caller holds the lock.
func (p *program) room() {
	if len(p.plans) >= max(fewPlans, p.mostNow) {
		now := p.scrapes.Load()
		for key, plan := range p.plans {
			if now-plan.used > scrapesUnused {
				delete(p.plans, key)
				for _, b := range plan.branches {
					p.remembered.Add(-b.memory.size())
				}
			}
		}
		p.mostNow = 2 * len(p.plans)
	}
	if len(p.plans) >= mostPlans || p.remembered.Load() > mostRememberedInAll {
		clear(p.plans)
		p.remembered.Store(0)
	}
}

// Error is the error of a rule that cannot be applied.
type Error struct {
	Index int // of the rule, from 0
	Err   error
}

// Error names the rule by its number, from 1.
func (e *Error) Error() string { return fmt.Sprintf("rules: rule %d: %v", e.Index+1, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Check returns the error of [New] for the rules: an [*Error], or one about their
// number.
func Check(rules ...Rule) error {
	_, err := newProgram(rules)
	return err
}

func newProgram(rules []Rule) (*program, error) {
	if len(rules) > MaxRules {
		return nil, fmt.Errorf("rules: %d rules, more than %d", len(rules), MaxRules)
	}
	p := &program{plans: make(map[planKey]*plan)}
	for i, r := range rules {
		c, err := compile(r)
		if err != nil {
			return nil, &Error{i, err}
		}
		p.rules = append(p.rules, c)
		if r.Action != ActionRename {
			p.staying = append(p.staying, c)
		}
	}
	return p, nil
}

// KeepsNames reports whether no rule renames.
func (p *program) KeepsNames() bool { return len(p.staying) == len(p.rules) }

// Headers returns what a family can become.
func (p *program) Headers(f *model.Family) (headers []*model.Family) {
	for _, b := range p.planned(keyOf(f, true, unknownLabels), f, nil).branches {
		headers = append(headers, b.restricted(b.header(f.Header())))
	}
	if len(headers) == 0 && len(f.Loose()) > 0 {
		headers = append(headers, f.Header())
	}
	return headers
}

// plan returns the plan for a family.
func (p *program) plan(f *model.Family) *plan {
	var found *plan
	var scratch model.Point
	_ = f.VisitPrototype(&scratch, func(pt *model.Point) error {
		if found == nil {
			found = p.planned(keyOf(f, false, pt.Labels.Text()), f, pt.Labels.Names)
		}
		return nil
	})
	if found != nil {
		return found
	}
	return p.planned(keyOf(f, false, unknownLabels), f, nil)
}

// unknownLabels is the prototype of a family whose series may have any labels. It is
// no text of labels.
const unknownLabels = "?"

// planned returns the plan of a key, which is made if there is none. Labels returns the
// names of the prototype; nil means that they are not known.
func (p *program) planned(key planKey, f *model.Family, labels func() []string) *plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found := p.plans[key]; found != nil {
		found.used = p.scrapes.Load()
		return found
	}
	var names []string
	if labels != nil {
		names = labels()
	}
	made := planFor(p.rules, f, names, labels != nil)
	for _, b := range made.branches {
		b.memory.total = &p.remembered
	}
	p.room()
	made.used = p.scrapes.Load()
	key.prototype = strings.Clone(key.prototype) // which may lie in the scratch of a walk
	p.plans[key] = made
	return made
}

// Reshape emits what a family becomes.
func (p *program) Reshape(f *model.Family, report func(reshape.Fault), emit func(*model.Family) error) error {
	if len(p.rules) == 0 {
		return emit(f)
	}
	plan := p.plan(f)
	for _, err := range plan.faults {
		report(reshape.Fault{Reason: "invalid_family", Family: f.Name, Err: err})
	}
	loose := p.loose(f, report)
	for i, b := range plan.branches {
		g := b.show(f, report)
		if i > 0 {
			g = g.WithLoose(nil)
		} else if len(f.Loose()) > 0 {
			g = g.WithLoose(loose)
		}
		if err := emit(g); err != nil {
			return err
		}
	}
	if len(plan.branches) == 0 && len(loose) > 0 {
		return emit(f.WithPoints(nothing{}).WithLoose(loose))
	}
	return nil
}

// nothing is a source of no points.
type nothing struct{}

func (nothing) VisitPoints(*model.Point, func(*model.Point) error) error { return nil }

// show returns a family as the branch shows it.
func (b *branch) show(f *model.Family, report func(reshape.Fault)) *model.Family {
	g := b.header(f)
	if b.gone == 0 && len(b.ops) == 0 {
		return g
	}
	points := &points{branch: b, family: f, report: report}
	switch {
	case b.gone == 0:
	case !isHistogram(f.Type) || !hasNative(f):
		g = b.restricted(g)
		if len(b.ops) == 0 {
			return g
		}
	}
	points.shown = g.Header()
	return g.WithPoints(points)
}

var errEnough = errors.New("enough")

// hasNative reports whether the first point of a family has a native histogram.
func hasNative(f *model.Family) (native bool) {
	var scratch model.Point
	_ = f.Visit(&scratch, func(p *model.Point) error {
		native = p.Histogram != nil && p.Histogram.Native != nil
		return errEnough
	})
	return native
}

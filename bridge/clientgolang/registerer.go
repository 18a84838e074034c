package clientgolang

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"telltale"
	"telltale/model"
)

// Registerer returns a registerer for packages that take one of client_golang's; what
// they register is on the pages of reg. It follows the rules of a
// [prometheus.Registry] with the same errors, so that
// [prometheus.AlreadyRegisteredError] has the collector that is registered, and
// [prometheus.WrapRegistererWith], [prometheus.WrapRegistererWithPrefix] and promauto
// work on it.
//
// A collector of a name that reg itself has is refused, with an error that says what
// to do; a name that reg gets later is a clash of pages, as with [FromGatherer]. Families
// of the Go runtime and the process are shown unless reg has them of its own.
// Collectors are collected side by side, each with the deadlines and the faults of a
// telltale collector, but those with families in common, one after the other.
//
// Each call returns a registerer that knows its own collectors only: call it once for
// a registry. It is safe for concurrent use.
func Registerer(reg *telltale.Registry) prometheus.Registerer {
	return &registerer{reg: reg, checks: prometheus.NewRegistry()}
}

// registerer registers collectors of client_golang with a telltale registry.
type registerer struct {
	reg    *telltale.Registry
	checks *prometheus.Registry // has all collectors, to tell what is a duplicate; it is never gathered

	mu     sync.Mutex
	groups []*group
}

// group is collectors that have families in common, directly or by way of others.
// The telltale registry has them as one collector.
type group struct {
	members []member
	bridge  *bridge
}

// member is a collector in a registry of its own.
type member struct {
	names    []string // that it describes
	registry *prometheus.Registry
}

// Register adds a collector.
func (r *registerer) Register(c prometheus.Collector) error {
	if c == nil {
		return errors.New("clientgolang: the collector is nil")
	}
	names, err := describe(c) // without holding the lock
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.clash(names); err != nil {
		return err
	}
	if err := r.checks.Register(c); err != nil {
		return err
	}
	m := member{names: names, registry: prometheus.NewRegistry()}
	err = m.registry.Register(c)
	if err == nil {
		err = r.add(m)
	}
	if err != nil {
		r.checks.Unregister(c)
	}
	return err
}

// add adds a member to the group with which it shares names, a new one if there is
// none. Groups that it connects become one.
func (r *registerer) add(m member) error {
	var of *group
	for _, g := range slices.Clone(r.groups) {
		switch {
		case !g.shares(m.names):
		case of == nil:
			of = g
		default:
			of.members = append(of.members, g.members...)
			if err := r.drop(g); err != nil {
				return err
			}
		}
	}
	if of != nil {
		of.members = append(of.members, m)
		return nil
	}
	g := &group{members: []member{m}}
	g.bridge = &bridge{gather: func() (prometheus.Gatherer, error) { return r.gatherers(g), nil }, hides: r.hides}
	if err := r.reg.Register(g.bridge); err != nil {
		return fmt.Errorf("clientgolang: %w", err)
	}
	r.groups = append(r.groups, g)
	return nil
}

// drop takes a group out of the telltale registry.
func (r *registerer) drop(g *group) error {
	r.groups = slices.DeleteFunc(r.groups, func(other *group) bool { return other == g })
	return r.reg.Unregister(g.bridge)
}

func (g *group) shares(names []string) bool {
	return slices.ContainsFunc(g.members, func(m member) bool {
		return slices.ContainsFunc(m.names, func(name string) bool { return slices.Contains(names, name) })
	})
}

// gatherers returns the present members of a group.
func (r *registerer) gatherers(g *group) prometheus.Gatherer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(g.members) == 1 {
		return g.members[0].registry
	}
	all := make(prometheus.Gatherers, len(g.members))
	for i, m := range g.members {
		all[i] = m.registry
	}
	return all
}

// MustRegister registers collectors and panics with the first error.
func (r *registerer) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

// Unregister takes out the collector with the same descriptors as c and reports
// whether there was one.
func (r *registerer) Unregister(c prometheus.Collector) bool {
	if c == nil {
		return false
	}
	if _, err := describe(c); err != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.checks.Unregister(c) {
		return false
	}
	for _, g := range r.groups {
		i := slices.IndexFunc(g.members, func(m member) bool { return m.registry.Unregister(c) })
		if i < 0 {
			continue
		}
		if g.members = slices.Delete(slices.Clone(g.members), i, i+1); len(g.members) == 0 {
			_ = r.drop(g) // somebody else may have taken it out of the telltale registry
		}
		break
	}
	return true
}

// clash returns an error if the telltale registry itself has a family or sample of one
// of the names, unless the family can be left out.
func (r *registerer) clash(names []string) error {
	claimed := claimedIn(r.reg)
	for _, name := range names {
		if !claimed.has(name) || isRuntime(name) || slices.ContainsFunc(r.groups, func(g *group) bool { return g.shares([]string{name}) }) {
			continue
		}
		return fmt.Errorf("clientgolang: the telltale registry has a family or a sample of the name %q already; give one of them another name "+
			"(prometheus.WrapRegistererWithPrefix does so for all that a package registers), or do not register one of them", name)
	}
	return nil
}

// hides returns which families a collection leaves out: those of the runtime that the
// telltale registry has of its own.
func (r *registerer) hides() func(string) bool {
	claimed := sync.OnceValue(func() claims { return claimedIn(r.reg) })
	return func(name string) bool { return isRuntime(name) && claimed().has(name) }
}

// claims are the names of the families that a telltale registry describes, and of
// their samples.
type claims map[string]bool

func claimedIn(reg *telltale.Registry) claims {
	names := make(claims)
	for _, f := range reg.Describe() {
		names[f.BaseName()] = true
		f.Type.Parts().Each(func(part model.Parts) { names[f.NameOf(part)] = true })
	}
	return names
}

// has reports whether a family of client_golang has a name among the claims.
func (c claims) has(name string) bool {
	return c[name] || c[strings.TrimSuffix(name, "_total")]
}

package telltale

// The error of names that two collectors claim.

import (
	"fmt"
	"strconv"
	"strings"
)

// Clash is a name that two collectors claim.
type Clash struct {
	Name   string    // of a sample or a family
	Holder Collector // the collector that has it; of an instrument its core, not a handle
	Held   string    // describes the holder: the type, name and options of an instrument, the type and a name of another collector
	reason error     // why their families do not join; nil if it does not matter
}

// DuplicateError says that a collector cannot be registered, because it is
// registered already or because names it claims belong to others.
type DuplicateError struct {
	Collector string  // the collector that could not be registered, described
	Clashes   []Clash // by name; one without a name if a collector without names is registered already
	again     bool    // the very collector is registered already
}

// Names returns the clashing names, sorted.
func (e *DuplicateError) Names() []string {
	var names []string
	for _, c := range e.Clashes {
		if c.Name != "" {
			names = append(names, c.Name)
		}
	}
	return names
}

// Error names the collector, every clashing name and the holder of each.
func (e *DuplicateError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "telltale: cannot register %s", e.Collector)
	if e.again {
		b.WriteString(": it is registered already")
		return b.String()
	}
	separator := ": "
	for rest := e.Clashes; len(rest) > 0; separator = "; " {
		held, reason := rest[0].Held, rest[0].reason
		var names []string
		others := rest[:0:0]
		for _, c := range rest { // a holder is described once, whatever it holds
			if c.Held == held {
				names = append(names, strconv.Quote(c.Name))
			} else {
				others = append(others, c)
			}
		}
		rest = others
		fmt.Fprintf(&b, "%s%s held by %s", separator, enumerate(names), held)
		if reason != nil {
			fmt.Fprintf(&b, " (they do not join: %v)", reason)
		}
	}
	return b.String()
}

// fewNames is how many names an error lists before it only counts the others.
const fewNames = 6

// enumerate lists quoted names with the verb that goes with them.
func enumerate(names []string) string {
	verb := "are"
	if len(names) == 1 {
		verb = "is"
	}
	if more := len(names) - fewNames; more > 0 {
		names = append(names[:fewNames:fewNames], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ") + " " + verb
}

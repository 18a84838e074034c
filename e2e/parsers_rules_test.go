package e2e

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"telltale/exposition"
)

// outcome is the way in which two parsers disagree about a page.
type outcome int

const (
	weRefuse      outcome = iota // telltale refuses the page, they accept it
	theyRefuse                   // they refuse the page, telltale accepts it
	otherSamples                 // all accept the page
	otherMetadata                // all accept the page, and samples are equal
)

// right names the parsers that follow the specification.
type right string

const (
	telltaleIs right = "telltale"
	bothAre    right = "both" // the specification leaves it open
)

// A parserRule explains one kind of disagreement between telltale's strict
// parsers and those of others. The tables are in parsers_table_test.go, for what
// more than one reader does with pages that telltale refuses, and in
// parsers_oracles_test.go. The first rule that fits counts.
type parserRule struct {
	readers string // the names of those that it is about
	format  string // "text", "openmetrics" or both
	outcome outcome
	says    *regexp.Regexp           // what the error of the one that refuses says
	when    func(*disagreement) bool // what else must hold; nil for nothing
	right   right
	clause  string // of OpenMetrics 1.0, or of "Exposition formats" in the documentation of Prometheus ("text: ...")
	why     string
	rare    bool // too few pages of the default run need it
}

func (r *parserRule) String() string {
	return fmt.Sprintf("[%s, %s] %s (%s: right is %s)", r.readers, r.format, r.why, r.clause, r.right)
}

// explain returns the first rule that a disagreement fits.
func explain(d *disagreement) *parserRule {
	for i := range parserRules {
		if parserRules[i].fits(d) {
			return &parserRules[i]
		}
	}
	return nil
}

func (r *parserRule) fits(d *disagreement) bool {
	format, outcome, said := "text", otherSamples, ""
	if d.dialect.openMetrics {
		format = "openmetrics"
	}
	var syntax *exposition.SyntaxError
	switch {
	case errors.As(d.ours, &syntax):
		outcome, said = weRefuse, syntax.Found+" / "+syntax.Expected
	case d.ours != nil:
		return false // nothing explains an error without a line
	case d.theirs != nil:
		outcome, said = theyRefuse, d.theirs.Error()
	case d.metadata != "":
		outcome = otherMetadata
	}
	return slices.Contains(strings.Fields(r.readers), d.reader.name) && slices.Contains(strings.Fields(r.format), format) &&
		r.outcome == outcome && (r.says == nil || r.says.MatchString(said)) && (r.when == nil || r.when(d))
}

// says matches an error. Of telltale's it sees "found / expected".
func says(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// onLineOf asks for a pattern in the line that telltale's error points at.
func onLineOf(pattern string) func(*disagreement) bool {
	return onText(pattern, func(d *disagreement) string { return d.line })
}

// onPage asks for a pattern in any line of the page.
func onPage(pattern string) func(*disagreement) bool {
	return onText("(?m)"+pattern, func(d *disagreement) string { return d.page })
}

func onText(pattern string, of func(*disagreement) string) func(*disagreement) bool {
	p := regexp.MustCompile(pattern)
	return func(d *disagreement) bool { return p.MatchString(of(d)) }
}

package rules

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"telltale/model"
)

// Action is what a rule does.
type Action string

// The actions. All but Rename are those of metric_relabel_configs.
const (
	ActionKeep      Action = "keep"      // samples that do not match are dropped
	ActionDrop      Action = "drop"      // samples that match are dropped
	ActionReplace   Action = "replace"   // a label is set, changed or removed if the sources match
	ActionLabelDrop Action = "labeldrop" // labels whose names match are removed
	ActionLabelKeep Action = "labelkeep" // labels whose names do not match are removed
	ActionLabelMap  Action = "labelmap"  // labels whose names match are copied to others
	ActionRename    Action = "rename"    // families whose name or sample matches get another name
)

// nameLabel is the label that stands for a sample's name.
const nameLabel = "__name__"

// Limits of rules.
const (
	MaxRules       = 1000    // rules of a view
	MaxRegexLength = 4096    // bytes of a regex, and of a replacement, a separator or a target label
	MaxSources     = 64      // labels that a rule reads
	MaxLabelsSize  = 1 << 16 // bytes of the labels of a series that rules changed
	MaxNames       = 8       // names under which one family is shown at once
	MaxNameLength  = 1024    // bytes of a name that a rule makes
)

// Rule is one rule. The functions of this package make rules with the defaults that
// Prometheus has; of a Rule made otherwise, each field counts as it is.
type Rule struct {
	Action       Action
	SourceLabels []string // whose values, joined by Separator, the regex is to match; "__name__" is the sample's name
	Separator    string
	Regex        string // RE2, anchored at both ends; "." matches newlines too
	TargetLabel  string // of replace; may refer to groups of the regex
	Replacement  string // of replace, labelmap and rename; may refer to groups: $1, ${name}
	KeepOld      bool   // of rename: the family is shown under both names
}

// The defaults of Prometheus.
const (
	DefaultSeparator   = ";"
	DefaultRegex       = "(.*)"
	DefaultReplacement = "$1"
)

// Keep returns a rule that drops all samples whose source labels do not match. Without
// source labels the regex is matched with the sample's name.
func Keep(regex string, source ...string) Rule { return choice(ActionKeep, regex, source) }

// Drop returns a rule that drops all samples whose source labels match. Without source
// labels the regex is matched with the sample's name.
func Drop(regex string, source ...string) Rule { return choice(ActionDrop, regex, source) }

func choice(action Action, regex string, source []string) Rule {
	if len(source) == 0 {
		source = []string{nameLabel}
	}
	return Rule{Action: action, SourceLabels: source, Separator: DefaultSeparator, Regex: regex}
}

// Replace returns a rule that sets the target label to the replacement where the
// source labels match. An empty value removes the label.
func Replace(target, replacement, regex string, source ...string) Rule {
	return Rule{Action: ActionReplace, SourceLabels: source, Separator: DefaultSeparator, Regex: regex, TargetLabel: target, Replacement: replacement}
}

// LabelDrop returns a rule that removes the labels whose names match.
func LabelDrop(regex string) Rule { return Rule{Action: ActionLabelDrop, Regex: regex} }

// LabelKeep returns a rule that removes the labels whose names do not match.
// "__name__" need not match: names stay.
func LabelKeep(regex string) Rule { return Rule{Action: ActionLabelKeep, Regex: regex} }

// LabelMap returns a rule that copies the labels whose names match to those that the
// replacement names.
func LabelMap(regex, replacement string) Rule {
	return Rule{Action: ActionLabelMap, Regex: regex, Replacement: replacement}
}

// Rename returns a rule that gives families other names. The regex is matched with the
// names of a family's samples and, for histograms and summaries, with its own first.
// The first name that matches decides; the family moves whole, with all its samples,
// and loses its unit if the new name does not end in it. A counter or an info whose
// new name lacks "_total" or "_info" has it as it is.
func Rename(regex, replacement string) Rule {
	return Rule{Action: ActionRename, Regex: regex, Replacement: replacement}
}

// KeepingOld returns the rule with the old name kept beside the new one: for a while,
// until all dashboards know the new one. It is for rules of Rename.
func (r Rule) KeepingOld() Rule {
	r.KeepOld = true
	return r
}

// String returns the rule in one line, for errors.
func (r Rule) String() string {
	return fmt.Sprintf("%s of regex %.200q", r.Action, r.Regex)
}

// compiled is a rule that can be applied.
type compiled struct {
	Rule
	regex  *regexp.Regexp
	prefix string // that everything begins with which the regex matches
	only   bool   // reads the sample's name alone

	fixedTarget bool // the target label refers to no groups
	legacy      bool // labels that it makes have legacy names
}

// compile checks and compiles a rule.
func compile(r Rule) (*compiled, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	// Without its anchors it is checked first, so that errors show what was written and
	// so that it knows what it begins with.
	bare, err := regexp.Compile("(?s:" + r.Regex + ")")
	var regex *regexp.Regexp
	if err == nil {
		regex, err = regexp.Compile("^(?s:" + r.Regex + ")$")
	}
	if err != nil {
		reason := err.Error()
		var invalid *syntax.Error
		if errors.As(err, &invalid) {
			reason = invalid.Code.String()
		}
		return nil, fmt.Errorf("the regex %.200q is not valid: %s", r.Regex, reason)
	}
	c := &compiled{Rule: r, regex: regex}
	c.SourceLabels = slices.Clone(r.SourceLabels)
	c.prefix, _ = bare.LiteralPrefix()
	c.only = len(r.SourceLabels) > 0 && !slices.ContainsFunc(r.SourceLabels, func(name string) bool { return name != nameLabel })
	c.fixedTarget = !strings.Contains(r.TargetLabel, "$")
	c.legacy = r.Action != ActionReplace && r.Action != ActionLabelMap || r.Action == ActionReplace && c.fixedTarget && model.LegacyLabelName(r.TargetLabel)
	return c, nil
}

// check returns an error if the rule cannot be: an action that is not known, or
// fields that its action does not have.
func (r Rule) check() error {
	for _, text := range append([]string{r.Regex, r.Replacement, r.Separator, r.TargetLabel}, r.SourceLabels...) {
		switch {
		case len(text) > MaxRegexLength:
			return fmt.Errorf("%.40q... has %d bytes, more than %d", text, len(text), MaxRegexLength)
		case !utf8.ValidString(text):
			return fmt.Errorf("%.200q is not valid UTF-8", text)
		}
	}
	if len(r.SourceLabels) > MaxSources {
		return fmt.Errorf("%d source labels, more than %d", len(r.SourceLabels), MaxSources)
	}
	if slices.Contains(r.SourceLabels, "") {
		return errors.New("a source label has no name")
	}
	switch r.Action {
	case ActionKeep, ActionDrop:
		return r.lacks("target label", r.TargetLabel, "replacement", r.Replacement)
	case ActionReplace:
		return checkTarget(r.TargetLabel)
	case ActionLabelDrop, ActionLabelKeep:
		return r.alone("target label", r.TargetLabel, "replacement", r.Replacement, "separator", r.Separator)
	case ActionLabelMap:
		if r.Replacement == nameLabel {
			return errors.New("labelmap cannot write __name__; rename can")
		}
		return r.alone("target label", r.TargetLabel, "separator", r.Separator)
	case ActionRename:
		if r.Replacement == "" {
			return errors.New("rename has no replacement")
		}
		if strings.HasPrefix(r.Replacement, "_") {
			return fmt.Errorf("rename cannot make %.200q: OpenMetrics reserves names that begin with an underscore", r.Replacement)
		}
		return r.alone("target label", r.TargetLabel, "separator", r.Separator)
	case "":
		return errors.New("the rule has no action")
	}
	return fmt.Errorf("the action %.40q is not known here; use keep, drop, replace, labeldrop, labelkeep, labelmap or rename", r.Action)
}

// alone returns an error if the rule reads labels or has one of the fields.
func (r Rule) alone(fields ...string) error {
	if len(r.SourceLabels) > 0 {
		return fmt.Errorf("%s takes no source labels", r.Action)
	}
	return r.lacks(fields...)
}

// lacks returns an error if the rule has one of the fields, or keeps old names
// without being a rename.
func (r Rule) lacks(fields ...string) error {
	for i := 0; i < len(fields); i += 2 {
		if fields[i+1] != "" {
			return fmt.Errorf("%s takes no %s", r.Action, fields[i])
		}
	}
	if r.KeepOld && r.Action != ActionRename {
		return fmt.Errorf("%s keeps no old name; rename can", r.Action)
	}
	return nil
}

// checkTarget returns an error if a rule cannot write the label.
func checkTarget(target string) error {
	switch {
	case target == "":
		return errors.New("replace has no target label")
	case target == nameLabel:
		return errors.New("replace cannot write __name__; rename can")
	case strings.HasPrefix(target, "_") && !strings.HasPrefix(target, "__"):
		return fmt.Errorf("replace cannot write %.200q: OpenMetrics reserves names that begin with an underscore", target)
	}
	return nil
}

package rulesfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"telltale/rules"
)

// MaxSize is the largest size of a file in bytes. How many rules it may have, and how
// long a regex may be, package rules says.
const MaxSize = 1 << 20

// section is the key of the list.
const section = "metric_relabel_configs"

// entry is one rule as it is written. Fields that are absent are nil.
type entry struct {
	SourceLabels []string `yaml:"source_labels"`
	Separator    *string  `yaml:"separator"`
	Regex        *string  `yaml:"regex"`
	TargetLabel  string   `yaml:"target_label"`
	Replacement  *string  `yaml:"replacement"`
	Action       string   `yaml:"action"`
	KeepOld      bool     `yaml:"keep_old"`
}

// Error is the error of a file.
type Error struct {
	Path string
	Err  error // with the line, where it is known
}

// Error names the file and says what is wrong with it.
func (e *Error) Error() string { return fmt.Sprintf("rulesfile: %s: %v", e.Path, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Read reads the rules of a file. Errors are an [*Error].
func Read(path string) ([]rules.Rule, error) {
	data, err := read(path)
	if err != nil {
		return nil, &Error{path, err}
	}
	list, err := Parse(data)
	if err != nil {
		return nil, &Error{path, err}
	}
	return list, nil
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case !info.Mode().IsRegular(): // a pipe would wait for a writer
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // it may be a pipe by now
	if err != nil {
		return nil, withoutPath(err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case len(data) > MaxSize:
		return nil, fmt.Errorf("it has more than %d bytes", MaxSize)
	}
	return data, nil
}

// withoutPath returns the cause of an error of a file, whose name is told anyway.
func withoutPath(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// Parse reads the rules in the text of a file. It returns an error if the text is not
// YAML, if it has anything but a list of rules under metric_relabel_configs, or if a
// rule is not valid.
func Parse(data []byte) ([]rules.Rule, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("the text has %d bytes, more than %d", len(data), MaxSize)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	var root yaml.Node
	if err := dec.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("there is no %s; %s: [] is for no rules", section, section)
		}
		return nil, plain(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one YAML document, or something after the first")
	}
	items, err := itemsOf(&root)
	if err != nil {
		return nil, err
	}
	if len(items) > rules.MaxRules {
		return nil, fmt.Errorf("line %d: %d rules, more than %d", items[rules.MaxRules].Line, len(items), rules.MaxRules)
	}
	list := make([]rules.Rule, 0, len(items))
	for _, item := range items {
		rule, err := ruleOf(item)
		if err != nil {
			return nil, err
		}
		list = append(list, rule)
	}
	if err := rules.Check(list...); err != nil {
		var of *rules.Error
		if errors.As(err, &of) {
			return nil, fmt.Errorf("line %d: rule %d: %w", items[of.Index].Line, of.Index+1, of.Err)
		}
		return nil, err
	}
	return list, nil
}

// itemsOf returns the items of the list in a document.
func itemsOf(root *yaml.Node) ([]*yaml.Node, error) {
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: want %s with a list of rules", max(root.Line, 1), section)
	}
	fields := root.Content[0].Content
	if len(fields) == 0 {
		return nil, fmt.Errorf("there is no %s; %s: [] is for no rules", section, section)
	}
	for i := 0; i < len(fields); i += 2 {
		if key := fields[i]; key.Value != section || i > 0 {
			return nil, fmt.Errorf("line %d: %.40q is not expected here, %s alone is, once", key.Line, key.Value, section)
		}
	}
	if list := fields[1]; list.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("line %d: %s is not a list; [] is for no rules", list.Line, section)
	}
	return fields[1].Content, nil
}

// ruleOf returns the rule in a node.
func ruleOf(item *yaml.Node) (rules.Rule, error) {
	if item.Kind != yaml.MappingNode {
		return rules.Rule{}, fmt.Errorf("line %d: a rule is a mapping of fields such as source_labels, regex and action", item.Line)
	}
	for i := 0; i < len(item.Content); i += 2 {
		if key, value := item.Content[i], item.Content[i+1]; !known[key.Value] {
			return rules.Rule{}, fmt.Errorf("line %d: a rule has no field %.40q", key.Line, key.Value)
		} else if value.Kind == yaml.AliasNode {
			return rules.Rule{}, fmt.Errorf("line %d: aliases are not read", value.Line)
		}
	}
	var e entry
	if err := item.Decode(&e); err != nil {
		return rules.Rule{}, plain(err)
	}
	return e.rule(), nil
}

var known = map[string]bool{
	"source_labels": true, "separator": true, "regex": true, "target_label": true, "replacement": true, "action": true, "keep_old": true,
}

// plain returns an error of the YAML package in one line, without its prefix.
func plain(err error) error {
	var types *yaml.TypeError
	if errors.As(err, &types) {
		return errors.New(strings.Join(types.Errors, "; "))
	}
	return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
}

// rule returns the rule with the defaults of Prometheus. Where an action does not
// take a separator or a replacement, its default may be written all the same, as
// Prometheus itself writes it.
func (e *entry) rule() rules.Rule {
	r := rules.Rule{
		Action: rules.Action(strings.ToLower(e.Action)), SourceLabels: e.SourceLabels, TargetLabel: e.TargetLabel,
		Regex: or(e.Regex, rules.DefaultRegex), KeepOld: e.KeepOld,
		Separator: or(e.Separator, rules.DefaultSeparator), Replacement: or(e.Replacement, rules.DefaultReplacement),
	}
	switch r.Action {
	case "":
		r.Action = rules.ActionReplace
	case rules.ActionKeep, rules.ActionDrop:
		if r.Replacement == rules.DefaultReplacement {
			r.Replacement = ""
		}
	case rules.ActionLabelDrop, rules.ActionLabelKeep, rules.ActionLabelMap, rules.ActionRename:
		if r.Separator == rules.DefaultSeparator {
			r.Separator = ""
		}
		if r.Replacement == rules.DefaultReplacement && r.Action != rules.ActionLabelMap && r.Action != rules.ActionRename {
			r.Replacement = ""
		}
		if r.Action == rules.ActionRename && len(r.SourceLabels) == 1 && r.SourceLabels[0] == "__name__" {
			r.SourceLabels = nil // which is what it reads
		}
	}
	return r
}

func or(s *string, def string) string {
	if s == nil {
		return def
	}
	return *s
}

package main

import (
	"context"
	"path/filepath"

	"telltale"
	"telltale/rules"
	"telltale/rulesfile"
)

// steered is a flag of verbs that serve a page which rules may change.
type steered struct {
	Rules operand `help:"Keep, drop, rename and relabel what is shown by the rules in this file (a YAML list under metric_relabel_configs), which is read again when it changes." placeholder:"FILE"`

	view *rules.View // of the page, nil without a file
}

// page returns what the page shows of c, until ctx is done: all of it without a file.
// It calls tell with an error if the file changes and its rules cannot be used.
func (s *steered) page(ctx context.Context, c telltale.Collector, tell func(error)) (telltale.Collector, error) {
	if s.Rules == "" {
		return c, nil
	}
	v, err := rules.New(c)
	if err != nil {
		return nil, err
	}
	if err := rulesfile.Watch(ctx, v, string(s.Rules), tell); err != nil {
		return nil, err
	}
	s.view = v
	return v, nil
}

// reread reads the file again now.
func (s *steered) reread() error {
	if s.view == nil {
		return nil
	}
	list, err := rulesfile.Read(string(s.Rules))
	if err != nil {
		return err
	}
	return s.view.Set(list...)
}

// check returns the error of the file, if it has one.
func (s *steered) check() error {
	if s.Rules == "" {
		return nil
	}
	_, err := rulesfile.Read(string(s.Rules))
	return err
}

// flags returns the flag for another process.
func (s *steered) flags() []string {
	if s.Rules == "" {
		return nil
	}
	path, err := filepath.Abs(string(s.Rules))
	if err != nil {
		path = string(s.Rules)
	}
	return []string{"--rules", path}
}

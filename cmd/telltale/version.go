package main

import (
	"context"
	"errors"
	"fmt"

	"telltale"
	"telltale/collectors"
	"telltale/model"
)

// versionVerb is the verb that prints what the command was built from.
type versionVerb struct {
	JSON bool `name:"json" help:"Print a JSON object."`
}

// Help is what kong prints below the usage.
func (*versionVerb) Help() string {
	return `It prints the labels of the family telltale_build_info, a line for each: version, revision (with "-dirty" where files differed from the commit), goversion, goos, goarch and tags. What the build does not record is left out; "go run" records no revision.`
}

// Run prints the labels.
func (v *versionVerb) Run(ctx context.Context, out output) error {
	built, err := collectors.NewVersion("telltale")
	if err != nil {
		return err
	}
	if v.JSON {
		labels := map[string]string{}
		err := eachInfo(ctx, built, func(name, value string) error {
			labels[name] = value
			return nil
		})
		return errors.Join(err, writeJSON(out, labels))
	}
	return eachInfo(ctx, built, func(name, value string) error {
		_, err := fmt.Fprintf(out, "%-9s  %s\n", name, printable(value))
		return err
	})
}

// eachInfo calls a function with each label of an info.
func eachInfo(ctx context.Context, c telltale.Collector, with func(name, value string) error) error {
	return c.Collect(ctx, func(f *model.Family) error {
		var scratch model.Point
		return f.Visit(&scratch, func(p *model.Point) (err error) {
			for name, value := range p.Info.All() {
				err = errors.Join(err, with(name, value))
			}
			return err
		})
	})
}

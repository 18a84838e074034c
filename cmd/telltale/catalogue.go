package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	catalogues "telltale/catalogue"
)

// catalogue is the verb that lists what a page exports, or compares that with a list.
type catalogue struct {
	Format     pageFormat `help:"Read the page in this format: auto, json, ${writable} (${default})." default:"auto" placeholder:"FORMAT"`
	Lenient    bool       `help:"Accept common mistakes of exporters."`
	Check      operand    `help:"Compare with this file, which the verb printed before." placeholder:"FILE"`
	AllowEmpty bool       `help:"Accept a page without metrics."`
	JSON       bool       `name:"json" help:"With --check, print a JSON array of objects, one for each difference."`
	source
}

// Help is what kong prints below the usage.
func (*catalogue) Help() string {
	return `Without --check it prints all families of the page as JSON: name, type, unit, help, label names, buckets, quantiles and states, without values. Keep that in a file beside the program. With --check it prints a line "page: family: difference" for whatever the page has otherwise: in CI, a family that is renamed or loses a label is seen before the dashboards that read it break. OpenMetrics tells more than text: units and types such as info.`
}

// Run prints the catalogue of the page, or how it differs from the file.
func (c *catalogue) Run(ctx context.Context, out output, diag diagnostics) error {
	d, err := c.read(ctx, c.Format, diag)
	if err != nil {
		return err
	}
	families, err := d.families(c.Lenient)
	if err != nil {
		return err
	}
	if err := d.empty(len(families)); err != nil && !c.AllowEmpty {
		return err
	}
	var got catalogues.Catalogue
	for _, f := range families {
		if err := got.Add(f); err != nil {
			return err
		}
	}
	if c.Check == "" {
		return got.Write(out)
	}
	return c.compare(d.name, &got, out)
}

func (c *catalogue) compare(page string, got *catalogues.Catalogue, out output) (err error) {
	f, err := os.Open(string(c.Check))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	want, err := catalogues.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", printable(string(c.Check)), err)
	}
	differences := catalogues.Compare(want, got)
	if err := c.print(page, differences, out); err != nil {
		return err
	}
	if len(differences) > 0 {
		return fmt.Errorf("%s: %s from %s", page, counted(len(differences), "difference"), printable(string(c.Check)))
	}
	return nil
}

func (c *catalogue) print(page string, differences []catalogues.Difference, out output) error {
	if c.JSON {
		type difference struct {
			Family string `json:"family"`
			What   string `json:"what"`
		}
		all := make([]difference, len(differences))
		for i, d := range differences {
			all[i] = difference{d.Family, d.What}
		}
		return writeJSON(out, all)
	}
	var lines bytes.Buffer
	for _, d := range differences {
		fmt.Fprintf(&lines, "%s: %s\n", page, printable(d.String()))
	}
	_, err := out.Write(lines.Bytes())
	return err
}

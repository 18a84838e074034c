package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// diff is the verb that compares two pages, or one page at two moments.
type diff struct {
	reading
	First      operand    `arg:"" name:"page" help:"A file, the URL of a page, unix: and the path of a socket that serves one, or -, which is standard input."`
	Second     operand    `arg:"" optional:"" name:"other" help:"The page to compare with. With --after it is the same page again."`
	After      span       `help:"Read the page again after this time and compare that." placeholder:"DURATION"`
	SeriesOnly bool       `help:"Compare which families and series there are, not their values."`
	Format     pageFormat `help:"Read the pages in this format: auto, json, ${writable} (${default})." default:"auto" placeholder:"FORMAT"`
	Lenient    bool       `help:"Accept common mistakes of exporters."`
	JSON       bool       `name:"json" help:"Print a JSON array of objects, one for each difference."`
}

// Help is what kong prints below the usage.
func (*diff) Help() string {
	return `It prints a line for each difference, in the order of the pages: "- name{labels} value" for a sample that only the first page has, "+ name{labels} value" for one that only the second has, "~ name{labels} old -> new" for another value, with the difference of numbers behind it, and "~ family: ..." for another type, unit or help text. The order of labels and of series does not matter, and neither do formats: text can be compared with OpenMetrics. Timestamps, created timestamps and exemplars are not compared.

Before and after a migration, --series-only shows what dashboards would miss. "telltale diff URL --after 10s" shows what moves.`
}

// Validate is called by kong.
func (d *diff) Validate() error {
	switch {
	case d.After == 0 && d.Second == "":
		return fmt.Errorf("expected a second page, or --after with a time above 0 to read the first again")
	case d.After > 0 && d.Second != "":
		return fmt.Errorf("--after is for one page, and there are two")
	case d.First == "-" && (d.Second == "-" || d.After > 0):
		return fmt.Errorf("standard input can be read only once")
	}
	return d.fetching.Validate()
}

// Run prints how the pages differ.
func (d *diff) Run(ctx context.Context, out output, diag diagnostics) error {
	first, err := d.page(ctx, string(d.First), diag)
	if err != nil {
		return err
	}
	if after := time.Duration(d.After); after > 0 {
		d.Second = d.First
		done := diag.during(fmt.Sprintf("waiting %v before %s is read again", after, shown(string(d.First))), nil)
		select {
		case <-time.After(after):
			done()
		case <-ctx.Done():
			done()
			return fmt.Errorf("interrupted before %s was read again, %v after the first time: nothing was compared", shown(string(d.First)), after)
		}
	}
	second, err := d.page(ctx, string(d.Second), diag)
	if err != nil {
		return err
	}
	done := diag.during("comparing", nil)
	changes := first.changes(second, !d.SeriesOnly)
	done()
	if err := d.print(changes, out); err != nil {
		return err
	}
	if len(changes) > 0 {
		return fmt.Errorf("%s and %s: %s", shown(string(d.First)), shown(string(d.Second)), counted(len(changes), "difference"))
	}
	return nil
}

func (d *diff) print(changes []change, out output) error {
	if d.JSON {
		return writeJSON(out, append([]change{}, changes...))
	}
	var page bytes.Buffer
	for _, c := range changes {
		page.WriteString(c.line() + "\n")
	}
	_, err := out.Write(page.Bytes())
	return err
}

func (d *diff) page(ctx context.Context, name string, diag diagnostics) (*side, error) {
	doc, err := d.read(ctx, name, d.Format, diag)
	if err != nil {
		return nil, err
	}
	families, err := doc.families(d.Lenient)
	if err != nil {
		return nil, err
	}
	return newSide(families), nil
}

// change is one difference of two pages. Of a sample that only one has, the other's
// value is nil.
type change struct {
	Name   string            `json:"name"` // of a sample, or of a family if Field is set
	Labels map[string]string `json:"labels,omitempty"`
	Field  string            `json:"field,omitempty"` // type, unit or help, of the family
	Old    *string           `json:"old"`
	New    *string           `json:"new"`

	series string // as in text
	delta  string // of numbers
}

// line returns the change for people.
func (c *change) line() string {
	switch {
	case c.Field != "":
		return printable(fmt.Sprintf("~ %s: the %s %.60q is %.60q", c.Name, c.Field, *c.Old, *c.New))
	case c.New == nil:
		return "- " + printable(c.series+" "+*c.Old)
	case c.Old == nil:
		return "+ " + printable(c.series+" "+*c.New)
	}
	return "~ " + printable(c.series+" "+*c.Old+" -> "+*c.New) + c.delta
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"telltale/exposition"
	"telltale/exposition/json"
	"telltale/model"
)

// convert is the verb that writes a page in another format.
type convert struct {
	From    pageFormat   `help:"Read the page in this format: auto, json, ${writable} (${default})." default:"auto" placeholder:"FORMAT"`
	To      targetFormat `help:"Write the page in this format: json, ${writable}." required:"" placeholder:"FORMAT"`
	Lenient bool         `help:"Accept common mistakes of exporters."`
	Strict  bool         `help:"Write nothing if the format cannot hold all of the page."`
	source
}

// Help is what kong prints below the usage.
func (*convert) Help() string {
	return `Families keep their order. The output passes telltale check. What the format cannot hold is reported on stderr, counted by reason; JSON holds everything, created times rounded to a float64. In text and openmetrics, names that need quotes are written with underscores; the other formats keep them.

In openmetrics, gauges "x_created" beside a counter, histogram or summary "x" become its created timestamps. A family that breaks a rule of its type, or whose type needs a name that another family has, is written as samples of unknown type. Names that OpenMetrics reserves, which begin with an underscore, are an error.

With --strict nothing is written if anything is lost, and the output converts back to the same page.`
}

// Run converts the page.
func (c *convert) Run(ctx context.Context, out output, diag diagnostics) error {
	d, err := c.read(ctx, c.From, diag)
	if err != nil {
		return err
	}
	families, err := d.families(c.Lenient)
	if err != nil {
		return err
	}
	var lost losses
	done := diag.during("converting "+d.name, nil)
	page, err := c.To.render(families, &lost)
	done()
	if err != nil {
		return fmt.Errorf("%s is not converted: %w", d.name, err)
	}
	if c.Strict && len(lost.all) > 0 {
		lost.tell(diag.fail, c.To.name)
		return fmt.Errorf("%s is not converted: %s cannot hold all of it", d.name, c.To.name)
	}
	lost.tell(diag.warn, c.To.name)
	_, err = out.Write(page)
	return err
}

// render returns the families as a page in the format that a strict parser
// accepts, and adds to lost what they lose. It returns an error if the format
// reserves a name.
func (f targetFormat) render(families []*model.Family, lost *losses) ([]byte, error) {
	if reserved := f.reserved(families); len(reserved) > 0 {
		return nil, fmt.Errorf("%s reserves names that begin with an underscore: %s", f.name, strings.Join(reserved, ", "))
	}
	for _, family := range families {
		lost.look(family, capacities[f.name], f.name != inJSON && f.Escaping() != model.AllowUTF8)
	}
	shown := families
	if f.name == "openmetrics" {
		shown = foldCreated(shown, lost)
	}
	if f.name != inJSON {
		shown = fit(f, shown, lost)
	}
	page, err := f.encode(shown, func(d exposition.Drop) {
		if d.Reason != exposition.ClashingName {
			return // fit has told what is dropped of each family
		}
		for _, clashing := range shown {
			if clashing.Name == d.Family {
				lost.dropped(clashing, d)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	back, err := f.reread(page)
	if err != nil {
		return nil, fmt.Errorf("%s has no form for it: %s", f.name, broken(err))
	}
	lost.compare(families, back)
	return page, nil
}

// reserved returns the families whose names the format reserves, and those with
// labels of such names.
func (f targetFormat) reserved(families []*model.Family) (names []string) {
	_, _ = f.encode(families, func(d exposition.Drop) { // the error is returned again when the page is written
		switch d.Reason {
		case exposition.ReservedName:
			names = append(names, fmt.Sprintf("the family %q", d.Family))
		case exposition.ReservedLabel:
			names = append(names, fmt.Sprintf("a label of %q", d.Family))
		}
	})
	return names
}

// encoder is the part that encoders of all formats have in common.
type encoder interface {
	Encode(f *model.Family) error
	Close() error
}

// encode returns a page of the families.
func (f targetFormat) encode(families []*model.Family, dropped func(exposition.Drop)) ([]byte, error) {
	var page bytes.Buffer
	var enc encoder
	if f.name == inJSON {
		enc = json.NewEncoder(&page)
	} else {
		enc = exposition.NewEncoder(&page, f.Format, exposition.WithCreated(), exposition.WithDropped(dropped))
	}
	for _, family := range families {
		if err := enc.Encode(family); err != nil {
			return nil, err
		}
	}
	err := enc.Close()
	return page.Bytes(), err
}

// reread parses a page that was written, strictly.
func (f targetFormat) reread(page []byte) (all []*model.Family, err error) {
	d := document{name: f.name, content: page, format: pageFormat(f)}
	p := d.parser()
	for {
		family, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, family)
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"telltale/exposition"
	"telltale/exposition/json"
	"telltale/model"
)

// convert is the verb that writes a page in another format.
type convert struct {
	From    pageFormat   `help:"Read the page as this: auto, json, ${writable} (${default})." default:"auto" placeholder:"FORMAT"`
	To      targetFormat `help:"Write it as this: json, ${writable}." required:"" placeholder:"FORMAT"`
	Lenient bool         `help:"Take what sloppy exporters write."`
	Strict  bool         `help:"Write nothing if the format cannot hold all of the page."`
	source
}

// Help is what kong prints below the usage.
func (*convert) Help() string {
	return `Families keep their order. What the format cannot hold is told on stderr, counted by reason; JSON holds everything. In text and openmetrics, names that need quotes are written with underscores; the other formats have them as they are.`
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
	page, err := c.To.render(families, &lost)
	if err != nil {
		return err
	}
	if c.Strict && len(lost.all) > 0 {
		lost.tell(diag.fail, c.To.name)
		return fmt.Errorf("%s is not converted: %s cannot hold all of it", d.name, c.To.name)
	}
	lost.tell(diag.warn, c.To.name)
	_, err = out.Write(page)
	return err
}

// encoder is what encoders of all formats can.
type encoder interface {
	Encode(f *model.Family) error
	Close() error
}

// render returns the families in the format, and adds what they lose there.
func (f targetFormat) render(families []*model.Family, lost *losses) ([]byte, error) {
	page, err := f.encode(families, lost)
	if err == nil {
		f.verify(page, lost)
	}
	return page, err
}

func (f targetFormat) encode(families []*model.Family, lost *losses) ([]byte, error) {
	var page bytes.Buffer
	var enc encoder
	if f.name == inJSON {
		enc = json.NewEncoder(&page)
	} else {
		enc = exposition.NewEncoder(&page, f.Format, exposition.WithCreated(), exposition.WithDropped(func(d exposition.Drop) {
			what := d.Sample
			if what == "" {
				what = d.Family
			}
			lost.add("something is left out: "+d.Reason.String(), what)
		}))
	}
	for _, family := range families {
		lost.look(family, capacities[f.name], f.Escaping() != model.AllowUTF8)
		if err := enc.Encode(family); err != nil {
			return nil, err
		}
	}
	err := enc.Close()
	return page.Bytes(), err
}

// verify reads what was written: a format may have rules that the page did not
// hold to before.
func (f targetFormat) verify(page []byte, lost *losses) {
	d := document{name: f.name, content: page, format: pageFormat(f)}
	p := d.parser(exposition.WithAllErrors())
	for last := error(nil); ; {
		_, err := p.Next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, exposition.ErrUnread), err != nil && errors.Is(err, last):
			return
		case err != nil:
			last = err
			lost.broken(&d, err)
		}
	}
}

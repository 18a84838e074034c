package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"telltale/exposition"
)

// check is the verb that checks pages against their format.
type check struct {
	Format     pageFormat `help:"Read the pages in this format: auto, json, ${writable} (${default})." default:"auto" placeholder:"FORMAT"`
	AllowEmpty bool       `help:"Accept a page without metrics."`
	MaxErrors  limit      `help:"Report at most this many errors of a page (${default})." default:"100" placeholder:"N"`
	JSON       bool       `name:"json" help:"Print a JSON array of objects, one for each page, with its errors."`
	annotated
	reading
	Pages []operand `arg:"" optional:"" name:"page" default:"-" help:"Files, URLs of pages, unix: and the paths of sockets that serve them, or -, which is standard input. Gzip is unpacked."`
}

// Help is what kong prints below the usage.
func (*check) Help() string {
	return `Each page is checked against all rules of its format. Errors are reported on stderr, with file, line and column; of protobuf only the first one, with its offset. Errors that follow from an earlier one are left out. With --format=auto, the format of a URL is the one that the server names, and the format of other pages is detected from their content: a page with "# EOF", or anything else that only OpenMetrics has, is OpenMetrics.

A page of text or protobuf without metrics is wrong unless --allow-empty is given, so that "curl URL | telltale check" fails where curl does.`
}

// pageReport is what check finds of a page. The names in the JSON do not change.
type pageReport struct {
	Page     string      `json:"page"`
	Right    bool        `json:"right"`
	Format   string      `json:"format,omitempty"` // absent if the page cannot be read
	Families int         `json:"families"`
	Samples  int         `json:"samples"`
	Errors   []pageError `json:"errors,omitempty"`
	Error    string      `json:"error,omitempty"` // why the page is not right
}

// pageError is an error of a page. Line and column count from 1; a format that is not
// text has none.
type pageError struct {
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Found    string `json:"found,omitempty"`
	Expected string `json:"expected,omitempty"`
	Message  string `json:"message"`
}

// Run checks the pages.
func (c *check) Run(ctx context.Context, out output, diag diagnostics) error {
	reports := make([]pageReport, len(c.Pages))
	var last error
	wrong := 0
	for i, name := range c.Pages {
		page := string(name)
		r := &reports[i]
		err := c.page(ctx, page, r, diag)
		switch {
		case err != nil:
			wrong++
			last = err
			r.Error = printable(err.Error())
			if len(r.Errors) == 0 && c.annotates() {
				_, _ = fmt.Fprintln(diag, annotationOf(page, "not a page of metrics", err, err.Error())) // as all messages
			}
			if len(c.Pages) > 1 {
				diag.fail(err)
			}
		case c.JSON:
			r.Right = true
		default:
			if _, err := fmt.Fprintf(out, "%s is right: %s, %s, %s\n", r.Page, r.Format, counted(r.Families, "family"), counted(r.Samples, "sample")); err != nil {
				return err
			}
		}
	}
	if c.JSON {
		if err := writeJSON(out, reports); err != nil {
			return err
		}
	}
	if len(c.Pages) > 1 && wrong > 0 {
		return fmt.Errorf("%d of %s are not right", wrong, counted(len(c.Pages), "page"))
	}
	return last
}

// page checks a page and returns why it is not right.
func (c *check) page(ctx context.Context, page string, r *pageReport, diag diagnostics) error {
	r.Page = shown(page)
	d, err := c.read(ctx, page, c.Format, diag)
	if err != nil {
		return err
	}
	d.errors = c.MaxErrors
	r.Format = d.format.name
	p := d.parser(exposition.WithAllErrors())
	defer d.parsing()()
	for last := error(nil); ; {
		f, err := p.Next()
		wrong := len(r.Errors)
		switch {
		case errors.Is(err, io.EOF) || wrong > 0 && errors.Is(err, last): // a parser that does not go on repeats its error
			if wrong > 0 {
				return fmt.Errorf("%s is not right: %s of %s", d.name, counted(wrong, "error"), d.format.name)
			}
			if err := d.empty(r.Families); err != nil && !c.AllowEmpty {
				return err
			}
			return nil
		case errors.Is(err, exposition.ErrUnread):
			return fmt.Errorf("%s is not right: %s of %s, and the rest was not read; --max-errors raises the limit", d.name, counted(wrong, "error"), d.format.name)
		case err != nil:
			last = err
			r.Errors = append(r.Errors, c.report(page, d, err, diag))
		default:
			r.Families++
			for range f.Samples() {
				r.Samples++
			}
		}
	}
}

// report returns an error of a page for the JSON, and prints it, unless the JSON will.
func (c *check) report(page string, d *document, err error, diag diagnostics) pageError {
	text := d.explain(err)
	switch {
	case c.annotates():
		_, _ = fmt.Fprintln(diag, annotationOf(page, d.format.name, err, text)) // as all messages
	case !c.JSON:
		_, _ = fmt.Fprintln(diag, text)
	}
	one := pageError{Message: printable(err.Error())}
	if wrong := (*exposition.SyntaxError)(nil); errors.As(err, &wrong) {
		one.Line, one.Column, one.Found, one.Expected = wrong.Line, wrong.Column, wrong.Found, wrong.Expected
	}
	return one
}

// counted returns a number with its word in the right form.
func counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	if stem := word[:len(word)-1]; word[len(stem):] == "y" {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, word)
}

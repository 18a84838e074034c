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
	reading
	Pages []string `arg:"" optional:"" name:"page" default:"-" help:"Files, URLs of pages, or -, which is standard input. Gzip is unpacked."`
}

// Help is what kong prints below the usage.
func (*check) Help() string {
	return `Each page is checked against all rules of its format. Errors are reported on stderr, with file, line and column; of protobuf only the first one, with its offset. Errors that follow from an earlier one are left out. With --format=auto, the format of a URL is the one that the server names, and the format of other pages is detected from their content: a page with "# EOF", or anything else that only OpenMetrics has, is OpenMetrics.

A page of text or protobuf without metrics is wrong unless --allow-empty is given, so that "curl URL | telltale check" fails where curl does.

The exit status is 0 if all pages are right, 1 if one has an error or cannot be read, and 2 for wrong usage.`
}

// Run checks the pages.
func (c *check) Run(ctx context.Context, out output, diag diagnostics) error {
	if len(c.Pages) == 1 {
		return c.page(ctx, c.Pages[0], out, diag)
	}
	wrong := 0
	for _, page := range c.Pages {
		if err := c.page(ctx, page, out, diag); err != nil {
			wrong++
			diag.fail(err)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %s are not right", wrong, counted(len(c.Pages), "page"))
	}
	return nil
}

// page checks a page.
func (c *check) page(ctx context.Context, page string, out output, diag diagnostics) error {
	d, err := c.read(ctx, page, c.Format, diag)
	if err != nil {
		return err
	}
	d.errors = c.MaxErrors
	families, samples, wrong := 0, 0, 0
	p := d.parser(exposition.WithAllErrors())
	for last := error(nil); ; {
		f, err := p.Next()
		switch {
		case errors.Is(err, io.EOF) || wrong > 0 && errors.Is(err, last): // a parser that does not go on repeats its error
			if wrong > 0 {
				return fmt.Errorf("%s is not right: %s of %s", d.name, counted(wrong, "error"), d.format.name)
			}
			if err := d.empty(families); err != nil && !c.AllowEmpty {
				return err
			}
			_, err = fmt.Fprintf(out, "%s is right: %s, %s, %s\n", d.name, d.format.name, counted(families, "family"), counted(samples, "sample"))
			return err
		case errors.Is(err, exposition.ErrUnread):
			return fmt.Errorf("%s is not right: %s of %s, and the rest was not read; --max-errors raises the limit", d.name, counted(wrong, "error"), d.format.name)
		case err != nil:
			wrong++
			last = err
			_, _ = fmt.Fprintln(diag, d.explain(err))
		default:
			families++
			for range f.Samples() {
				samples++
			}
		}
	}
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

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"telltale/exposition"
)

// check is the verb that says whether pages hold to their format.
type check struct {
	Format     pageFormat `help:"Read the pages as this: auto, json, ${writable} (${default})." default:"auto" placeholder:"FORMAT"`
	AllowEmpty bool       `help:"Take a page without metrics for right."`
	MaxErrors  limit      `help:"Tell no more errors of a page than this (${default})." default:"100" placeholder:"N"`
	reading
	Pages []string `arg:"" optional:"" name:"page" default:"-" help:"Files, URLs of pages, or -, which is standard input. Gzip is unpacked."`
}

// Help is what kong prints below the usage.
func (*check) Help() string {
	return `A page is held to all rules of its format. What is wrong is reported on stderr, with file, line and column, or of protobuf the first error with its offset, except what follows from an error before it. With --format=auto, the format of a URL is the one that the server names, and that of other pages the one that the content looks like: a page that has "# EOF", or anything else that only OpenMetrics has, is OpenMetrics.

A page of text or protobuf without metrics is wrong unless --allow-empty is given, so that "curl URL | telltale check" fails where curl does.

The exit status is 0 if all is right, 1 if anything is wrong, or cannot be read, and 2 for wrong usage.`
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
			return fmt.Errorf("%s is not right: %s of %s, and the rest was not read; --max-errors tells more", d.name, counted(wrong, "error"), d.format.name)
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

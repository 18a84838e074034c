package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"telltale/exposition"
)

// maxErrors is how many errors of a page are told.
const maxErrors = 100

// check is the verb that says whether a page holds to its format.
type check struct {
	Format pageFormat `help:"Read the page as this: auto, json, ${writable} (${default})." default:"auto" placeholder:"FORMAT"`
	source
}

// Help is what kong prints below the usage.
func (*check) Help() string {
	return `The page is held to all rules of its format. What is wrong is told on stderr, up to 100 errors with file, line and column, or of protobuf the first with its offset, except what follows from an error before it. With --format=auto, the format of a URL is the one that the server names, and that of other pages the one that the content looks like: a page that has "# EOF", or anything else that text has not, is OpenMetrics.

The exit status is 0 if all is right, 1 if anything is wrong, or cannot be read, and 2 for wrong usage.`
}

// Run checks the page.
func (c *check) Run(ctx context.Context, out output, diag diagnostics) error {
	d, err := c.read(ctx, c.Format, diag)
	if err != nil {
		return err
	}
	families, samples, wrong := 0, 0, 0
	p := d.parser(exposition.WithAllErrors())
	for last := error(nil); ; {
		f, err := p.Next()
		switch {
		case errors.Is(err, io.EOF) || wrong > 0 && errors.Is(err, last): // formats that do not go on say the same ever after
			if wrong > 0 {
				return fmt.Errorf("%s is not right: %s of %s", d.name, counted(wrong, "error"), d.format.name)
			}
			_, err = fmt.Fprintf(out, "%s is right: %s, %s, %s\n", d.name, d.format.name, counted(families, "family"), counted(samples, "sample"))
			return err
		case errors.Is(err, exposition.ErrUnread):
			return fmt.Errorf("%s is not right: %s of %s, and the rest was not read", d.name, counted(wrong, "error"), d.format.name)
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

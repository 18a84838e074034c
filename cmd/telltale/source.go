package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"telltale/exposition"
	"telltale/exposition/json"
	"telltale/model"
)

// source is where a verb reads a page from.
type source struct {
	MaxSize size          `help:"Read no more than this (${default})." default:"256MiB" placeholder:"SIZE"`
	Timeout time.Duration `help:"Wait no longer for a URL (${default})." default:"10s"`
	Page    string        `arg:"" optional:"" name:"page" default:"-" help:"A file, the URL of a page, or -, which is standard input."`
}

// document is a page that has been read, but not parsed.
type document struct {
	name    string // for messages
	content []byte
	format  pageFormat
}

// read reads the page. Where the format is to be found out, a URL's is the one
// of its Content-Type, and any other the one that the content looks like.
func (s *source) read(ctx context.Context, format pageFormat, diag diagnostics) (*document, error) {
	d := &document{name: printable(s.Page), format: format}
	var err error
	switch {
	case s.Page == "-":
		d.name = "stdin"
		d.content, err = s.all(os.Stdin)
	case strings.HasPrefix(s.Page, "http://"), strings.HasPrefix(s.Page, "https://"):
		err = s.fetch(ctx, d, diag)
	default:
		var file *os.File
		if file, err = os.Open(s.Page); err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }() // it is only read
		d.content, err = s.all(file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	if d.format.name == auto {
		d.format = sniff(d.content)
	}
	return d, nil
}

func (s *source) all(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, int64(s.MaxSize)+1))
	if err == nil && int64(len(content)) > int64(s.MaxSize) {
		err = fmt.Errorf("the page has more than %d bytes; --max-size lets it have more", s.MaxSize)
	}
	return content, err
}

// fetch gets the page from a URL.
func (s *source) fetch(ctx context.Context, d *document, diag diagnostics) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Page, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", d.format.accept())
	request.Header.Set("User-Agent", "telltale")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return errors.Unwrap(err) // which names the URL again
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", response.Status)
	}
	if d.content, err = s.all(response.Body); err != nil {
		return err
	}
	contentType := response.Header.Get("Content-Type")
	f, known := exposition.FormatOf(contentType)
	switch {
	case d.format.name != auto:
		if known && !d.format.is(f) {
			diag.warn(fmt.Errorf("%s: the server says that it is %q; it is read as %s all the same", d.name, contentType, d.format.name))
		}
	case known:
		d.format = formatOf(f)
	default:
		diag.warn(fmt.Errorf("%s: the server says that it is %q, which is no format of metrics; the content decides", d.name, contentType))
	}
	return nil
}

// parser returns a parser of the document.
func (d *document) parser(opts ...exposition.ParserOption) exposition.Parser {
	if d.format.name == inJSON {
		return json.NewParser(bytes.NewReader(d.content), json.WithLimits(d.limits()))
	}
	return exposition.NewParser(bytes.NewReader(d.content), d.format.Format, append(opts, exposition.WithLimits(d.limits()))...)
}

// limits let the parser read all that was read.
func (d *document) limits() exposition.Limits {
	return exposition.Limits{Input: int64(len(d.content)) + 1, Errors: maxErrors}
}

// families parses the document. An error of the page comes with its line.
func (d *document) families(lenient bool) ([]*model.Family, error) {
	var opts []exposition.ParserOption
	if lenient {
		if d.format.name == inJSON || d.format.name == "protobuf" {
			return nil, errors.New("--lenient is for the text formats")
		}
		opts = append(opts, exposition.WithLenient())
	}
	p := d.parser(opts...)
	var all []*model.Family
	for {
		f, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, &explanation{d.explain(err)}
		}
		all = append(all, f)
	}
}

// size is a number of bytes.
type size int64

// UnmarshalText is called by kong.
func (s *size) UnmarshalText(text []byte) error {
	number, unit := string(text), int64(1)
	for suffix, bytes := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 1e3, "MB": 1e6, "GB": 1e9} {
		if cut, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = cut, bytes
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > 1<<40/unit {
		return fmt.Errorf("%q is no size of up to 1024GiB; it should look like 64MiB or 1000000", text)
	}
	*s = size(n * unit)
	return nil
}

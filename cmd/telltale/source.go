package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"telltale/exposition"
	"telltale/exposition/json"
	"telltale/model"
)

// reading holds how pages are read and their limits.
type reading struct {
	MaxSize    size  `help:"Largest page to read (${default})." default:"256MiB" placeholder:"SIZE"`
	MaxLine    size  `help:"Longest line to read (${default})." default:"1MiB" placeholder:"SIZE"`
	MaxLabels  limit `help:"Most labels of a sample (${default})." default:"256" placeholder:"N"`
	MaxMessage size  `help:"Largest protobuf message to read, which holds a family (${default})." default:"256MiB" placeholder:"SIZE"`
	fetching

	raising map[string]string // other flags than limitFlags
}

// source is the page argument of a verb.
type source struct {
	reading
	Page operand `arg:"" optional:"" name:"page" default:"-" help:"A file, the URL of a page, unix: and the path of a socket that serves one, or -, which is standard input. Gzip is unpacked."`
}

// read reads the page.
func (s *source) read(ctx context.Context, format pageFormat, diag diagnostics) (*document, error) {
	return s.reading.read(ctx, string(s.Page), format, diag)
}

// document is a page that has been read, but not parsed.
type document struct {
	name    string // for messages
	content []byte
	format  pageFormat
	reading *reading // nil for a page that was written here, which has no size limit
	errors  limit    // errors after which the parser gives up; 0 means the default

	diag   diagnostics // that say how far it is; the zero value says nothing
	parsed amount
}

// read reads a page. If its format has to be detected, that of a URL is taken
// from its Content-Type, and that of any other page from its content.
func (r *reading) read(ctx context.Context, page string, format pageFormat, diag diagnostics) (*document, error) {
	d := &document{name: shown(page), format: format, reading: r, diag: diag}
	var err error
	var got amount
	done := diag.during("reading "+d.name, got.String)
	switch {
	case page == "-":
		d.content, err = r.all(got.through(os.Stdin))
	case isFetched(page):
		err = r.fetch(ctx, page, d, &got)
	default:
		var file *os.File
		if file, err = os.Open(page); err != nil {
			done()
			return nil, err
		}
		defer func() { _ = file.Close() }() // closing a file that was only read does not matter
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			got.of.Store(info.Size())
		}
		d.content, err = r.all(got.through(file))
	}
	if err == nil {
		err = r.unpack(d)
	}
	done()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	if d.format.name == auto {
		d.format = sniff(d.content)
	}
	return d, d.foreign()
}

func (r *reading) all(from io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(from, int64(r.MaxSize)+1))
	if err == nil && int64(len(content)) > int64(r.MaxSize) {
		err = fmt.Errorf("the page has more than %d bytes; --max-size raises the limit", r.MaxSize)
	}
	return content, err
}

// unpack decompresses a page in gzip, which must then be within the limit too.
func (r *reading) unpack(d *document) error {
	if !isGzip(d.content) {
		return nil
	}
	packed, err := gzip.NewReader(bytes.NewReader(d.content))
	if err == nil {
		d.content, err = r.all(packed)
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is gzip and was cut off")
	case err != nil:
		return fmt.Errorf("it is gzip: %w", err)
	case isGzip(d.content):
		return errors.New("it is gzip within gzip: something compresses it twice")
	}
	return nil
}

func isGzip(content []byte) bool { return bytes.HasPrefix(content, []byte{0x1f, 0x8b}) }

// packings are the first bytes of compressed files that the command does not
// unpack.
var packings = map[string]string{"zstd": "\x28\xb5\x2f\xfd", "xz": "\xfd7zXZ\x00", "bzip2": "BZh", "zip": "PK\x03\x04"}

// foreign returns an error if the page is not one of metrics, but compressed, or
// markup as of login and error pages.
func (d *document) foreign() error {
	for name, magic := range packings {
		if bytes.HasPrefix(d.content, []byte(magic)) && !utf8.Valid(d.content) {
			return fmt.Errorf("%s: this is %s, which has to be unpacked first; only gzip is unpacked here", d.name, name)
		}
	}
	start := bytes.TrimLeftFunc(bytes.TrimPrefix(d.content, []byte("\ufeff")), unicode.IsSpace)
	if !bytes.HasPrefix(start, []byte{'<'}) || d.format.name == inProtobuf && isDelimited(d.content) {
		return nil
	}
	what := "XML"
	head := bytes.ToLower(start[:min(len(start), 1024)])
	if bytes.Contains(head, []byte("html")) {
		what = "HTML"
	}
	line, _, _ := bytes.Cut(start, []byte{'\n'})
	begins, _ := excerpt(bytes.TrimRight(line, "\r"), 1)
	return &explanation{text: fmt.Sprintf("%s: this is %s, not a page of metrics; is its address right, and does it ask for a login?\n    %s", d.name, what, begins)}
}

// empty returns an error if the page has no families and its format cannot mark
// that as intended: a failed download leaves an empty page.
func (d *document) empty(families int) error {
	switch {
	case families > 0 || d.format.name != inText && d.format.name != inText1 && d.format.name != inProtobuf:
		return nil
	case len(bytes.TrimSpace(d.content)) == 0:
		return fmt.Errorf("%s is empty; --allow-empty accepts that", d.name)
	}
	return fmt.Errorf("%s has no metrics; --allow-empty accepts that", d.name)
}

// parser returns a parser of the document.
func (d *document) parser(opts ...exposition.ParserOption) exposition.Parser {
	d.parsed.of.Store(int64(len(d.content)))
	content := d.parsed.through(bytes.NewReader(d.content))
	if d.format.name == inJSON {
		return json.NewParser(content, json.WithLimits(d.limits()))
	}
	return exposition.NewParser(content, d.format.Format, append(opts, exposition.WithLimits(d.limits()))...)
}

// parsing says how far the parser is, until the returned function is called.
func (d *document) parsing() (done func()) {
	return d.diag.during("parsing "+d.name, d.parsed.String)
}

// limits returns limits with which the parser reads everything that was read.
func (d *document) limits() exposition.Limits {
	size := len(d.content) + 1
	limits := exposition.Limits{Input: int64(size), Line: size, Labels: size, Message: size, Errors: int(d.errors)}
	if r := d.reading; r != nil {
		limits.Line, limits.Labels, limits.Message = int(r.MaxLine), int(r.MaxLabels), int(r.MaxMessage)
	}
	return limits
}

// raising returns the flags that raise limits of the document's parser.
func (d *document) raising() map[string]string {
	if d.reading != nil && d.reading.raising != nil {
		return d.reading.raising
	}
	return limitFlags
}

// limitFlags are the flags that raise limits of parsers.
var limitFlags = map[string]string{"Input": "--max-size", "Line": "--max-line", "Labels": "--max-labels", "Message": "--max-message"}

// families parses the document. An error of the page includes its line.
func (d *document) families(lenient bool) ([]*model.Family, error) {
	var opts []exposition.ParserOption
	if lenient {
		if d.format.name == inJSON || d.format.name == inProtobuf {
			return nil, errors.New("--lenient is for the text formats")
		}
		opts = append(opts, exposition.WithLenient())
	}
	p := d.parser(opts...)
	defer d.parsing()()
	var all []*model.Family
	for {
		f, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, &explanation{d.explain(err), err}
		}
		all = append(all, f)
	}
}

// limit is a whole number above zero.
type limit int

// UnmarshalText is called by kong.
func (l *limit) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 32)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is not a number from 1 to %d", text, math.MaxInt32)
	}
	*l = limit(n)
	return nil
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
		return fmt.Errorf("%q is not a size from 1 byte to 1024GiB; it should look like 64MiB or 1000000", text)
	}
	*s = size(n * unit)
	return nil
}

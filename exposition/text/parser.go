package text

import (
	"cmp"
	"errors"
	"io"
	"strings"

	"telltale/internal/scan"
	"telltale/model"
)

// Parser reads a page family by family. It is not safe for concurrent use.
//
// It holds a page to the rules of the format, unless [WithLenient] makes it
// accept some mistakes. All lines of a family follow each other, HELP and TYPE
// before the samples, at most once each. Each series occurs once, or once for
// each timestamp. Buckets and quantiles come in increasing order, each once;
// buckets are cumulative, the last is that of +Inf and equals the histogram's
// count. The samples of a histogram or a summary are joined by labels and
// timestamp, whatever lines of the family are between them. A page that is
// restricted to some samples of a histogram breaks these rules.
//
// Nothing is renamed: the family of a counter "requests_total" has that name,
// and one whose name lacks the suffix is literal ([model.Family.IsLiteral]).
//
// A parser keeps 16 bytes for each series of the family being read, 16 for each
// run of its lines, and the names of all families. A repeated series is found
// once its family has ended, and stays in the family.
type Parser struct {
	scanner  *Scanner
	families *scan.Families
	owners   map[string]string // the family of each name of a family or its samples
	doubts   scan.Doubts
	repeats  scan.Repeats

	// Of the family being read:
	points  *scan.Points
	family  *model.Family
	help    bool
	typed   bool
	samples bool
	rules   rules
}

// NewParser returns a parser that reads from r, text 0.0.4 and 1.0.0 alike:
// names in quotes are understood wherever they stand.
func NewParser(r io.Reader, opts ...ParserOption) *Parser {
	o := scan.OptionsOf(opts)
	p := &Parser{
		scanner: NewScanner(r, opts...),
		owners:  map[string]string{}, points: scan.NewPoints(),
		rules: rules{distinct: scan.NewDistinct()},
	}
	p.families = scan.NewFamilies(p.read, o)
	if o.Lenient {
		p.families = scan.Gather(p.scanner.Next, o, true)
	}
	return p
}

// Next returns the next family as soon as it has ended, or io.EOF after the
// last. The caller may keep the family. An error is a [*SyntaxError] or an error
// of the reader, and is returned again by every later call, unless
// [WithAllErrors] makes the parser go on.
func (p *Parser) Next() (*model.Family, error) { return p.families.Next() }

// read reads a line. It returns the family that the line, or the end of the
// page, ends.
func (p *Parser) read() (*model.Family, error) {
	e, err := p.scanner.Next()
	switch {
	case err == nil:
		return p.take(e)
	case errors.Is(err, io.EOF):
		done, wrong := p.end()
		return done, cmp.Or(wrong, err)
	case p.families.GoesOn():
		return p.doubt(err)
	}
	return nil, err
}

// doubt uses what is known of a line that has an error.
func (p *Parser) doubt(err error) (*model.Family, error) {
	s := p.scanner.scan
	if !scan.IsSyntax(err) {
		return nil, err
	}
	if !p.doubts.Salvage(s) {
		p.damage()
		return nil, err
	}
	if more := p.families.Heed(err); more != nil {
		return nil, more
	}
	return p.take(&s.Entry)
}

// take reads a line. If the line is the first after a family, take returns that
// family, perhaps with an error in the line.
func (p *Parser) take(e *Entry) (done *model.Family, err error) {
	switch {
	case e.Kind == scan.KindSample && p.doubts.Has(e.Name):
		return nil, nil
	case p.family == nil:
	case e.Kind == scan.KindSample:
		if part, ok := p.partOf(e.Name); ok {
			return nil, p.sample(e, part)
		}
	case string(e.Name) == p.family.Name:
		return nil, p.describe(e)
	}
	if e.Kind == scan.KindSample && p.doubts.Adopt(e.Name) {
		return nil, nil
	}
	if done, err = p.end(); err != nil {
		return nil, err
	}
	if err := p.begin(e); err != nil {
		return done, err
	}
	if e.Kind == scan.KindSample {
		return done, p.sample(e, model.PartValue)
	}
	return done, p.describe(e)
}

// begin begins the family of a line.
func (p *Parser) begin(e *Entry) error {
	name := string(e.Name)
	p.family = &model.Family{Name: name}
	p.points.Begin(p.family)
	p.rules.reset()
	p.help, p.typed, p.samples = false, false, false
	owner, before := p.owners[name]
	if !before {
		p.owners[name] = name
		return nil
	}
	p.rules.allTorn = true // the missing lines may have come before
	s := p.scanner.scan
	err := s.Fail(s.Columns.Name, p.again(name), "all lines of a family together")
	return p.families.Heed(p.repeats.Tell(owner, err))
}

// describe reads a HELP or TYPE line of the family.
func (p *Parser) describe(e *Entry) error {
	s := p.scanner.scan
	line, had := "HELP", &p.help
	if e.Kind == scan.KindType {
		line, had = "TYPE", &p.typed
	}
	found, expected := "", ""
	switch {
	case *had:
		found, expected = "a second "+line+" of "+scan.Quote(e.Name), "one"
	case p.samples:
		found, expected = line+" after samples of "+scan.Quote(e.Name), "it before them"
	}
	if found != "" {
		if e.Kind == scan.KindType {
			p.doubts.Add(p.family.Name)
		}
		return s.Fail(1, found, expected)
	}
	*had = true
	if e.Kind == scan.KindType {
		p.doubts.Find()
		p.family.Type, _ = typeOf(e.Text) // the scanner has checked it
	} else {
		p.family.Help = string(e.Text)
	}
	return nil
}

// end ends the family being read, if any.
func (p *Parser) end() (*model.Family, error) {
	f := p.family
	if f == nil {
		return nil, nil
	}
	if err := cmp.Or(p.uniques(), p.wholes()); err != nil {
		return nil, err
	}
	p.claim(f)
	p.family, f = nil, p.points.End()
	if name := f.Name; f.Type == model.Counter && !strings.HasSuffix(name, "_total") {
		f = f.Literal()
		f.Name = name // Literal may have added a suffix
	}
	return f, nil
}

// partOf returns which part of the family a sample with the name is, or false if
// the sample is of another family. Native histograms have no lines in text, so a
// sample with the very name of a histogram is no part of it.
func (p *Parser) partOf(name []byte) (part model.Parts, ok bool) {
	base := p.family.Name
	if len(name) < len(base) || string(name[:len(base)]) != base {
		return 0, false
	}
	classic := p.family.Type == model.Histogram || p.family.Type == model.Summary
	switch string(name[len(base):]) {
	case "":
		if p.family.Type == model.Histogram {
			return 0, true
		}
		return model.PartValue, true
	case "_count":
		return model.PartCount, classic
	case "_sum":
		return model.PartSum, classic
	case "_bucket":
		return model.PartBucket, p.family.Type == model.Histogram
	}
	return 0, false
}

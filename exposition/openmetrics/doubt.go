package openmetrics

import (
	"errors"
	"io"

	"telltale/internal/scan"
	"telltale/model"
)

// doubt uses what is known of a line that has an error, if reading goes on.
func (p *Parser) doubt(err error) (*model.Family, error) {
	s := p.scanner.page
	switch {
	case errors.Is(err, io.EOF): // after an error in the last line
		done, more := p.end()
		if more == nil {
			more = err
		}
		return done, more
	case !scan.IsSyntax(err) || s.Blank():
		return nil, err
	}
	if !p.doubts.Salvage(s.Scanner) {
		p.damage()
		return nil, err
	}
	if more := p.families.Heed(err); more != nil {
		return nil, more
	}
	return p.take(&s.Entry)
}

// damage records that a sample is left out because its line is wrong. The point
// that it belongs to, or may belong to, is not checked for completeness.
func (p *Parser) damage() {
	s, pt := p.scanner.page, &p.point
	if s.Metadata() {
		return
	}
	if !s.Readable() {
		pt.torn, p.torn = true, true
		return
	}
	series := s.Entry.Labels
	for _, own := range []string{"le", "quantile"} {
		if i := series.Find(own); i >= 0 {
			series = series.Without(i, &p.scratch)
			break
		}
	}
	if pt.open && pt.Labels.Text() == string(series.Text()) {
		pt.torn = true
	} else {
		p.torn = true
	}
}

package lines

import (
	"bytes"
	"errors"

	"telltale/model"
)

// errFirst ends a walk over points behind the first.
var errFirst = errors.New("lines: the first point is enough")

// tellReserved tells of a family whose printed name begins with an underscore, or
// whose first series has such a label. Where labels are not printed as they are,
// each list of them is looked at as it is written; where they are, a source
// vouches for the names of all series, and they differ in their values.
func (p *Page) tellReserved() {
	p.told = false
	if len(p.base.text) > 0 && p.base.text[0] == '_' {
		p.Drop(0, ReservedName)
	}
	if p.names.keeps(p.family) {
		_ = p.family.Visit(&p.scratch, func(pt *model.Point) error { // an error of the source comes again
			p.checkReserved([]byte(pt.Labels.Text()))
			return errFirst
		})
	}
}

// checkReserved tells, once for each family, of labels as they are printed of which
// a name begins with an underscore.
func (p *Page) checkReserved(printed []byte) {
	if p.reserves && !p.told && hasReservedName(printed) {
		p.told = true
		p.Drop(0, ReservedLabel)
	}
}

// hasReservedName reports whether a name in label text begins with an underscore,
// in quotes or without. It begins the text or follows a comma behind the quote
// that ends a value; only a value that has an escaped quote can look like that.
func hasReservedName(printed []byte) bool {
	if !bytes.HasPrefix(printed, []byte("_")) && !bytes.HasPrefix(printed, []byte(`"_`)) &&
		!bytes.Contains(printed, []byte(`",_`)) && !bytes.Contains(printed, []byte(`","_`)) {
		return false
	}
	for name := range model.LabelsFromText(string(printed)).All() {
		if name[0] == '_' {
			return true
		}
	}
	return false
}

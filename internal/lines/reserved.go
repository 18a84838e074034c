package lines

import (
	"bytes"
	"errors"

	"telltale/model"
)

// errFirst ends a walk over points after the first.
var errFirst = errors.New("lines: the first point is enough")

// tellReserved reports a family whose printed name begins with an underscore, or
// whose first series has such a label. If it is not known that all label names are
// legacy names, each list of labels is checked as it is written, too.
func (p *Page) tellReserved() {
	p.told = false
	if len(p.base.text) > 0 && p.base.text[0] == '_' {
		p.Drop(0, ReservedName)
	}
	if p.names.legacy {
		_ = p.family.Visit(&p.scratch, func(pt *model.Point) error { // the source returns its error again
			p.checkReserved([]byte(pt.Labels.Text()))
			return errFirst
		})
	}
}

// checkReserved reports, once for each family, printed labels of which a name
// begins with an underscore.
func (p *Page) checkReserved(printed []byte) {
	if p.reserves && !p.told && hasReservedName(printed) {
		p.told = true
		p.Drop(0, ReservedLabel)
	}
}

// hasReservedName reports whether a name in label text begins with an
// underscore, quoted or not. A name begins the text or follows a comma after the
// quote that ends a value; only a value with an escaped quote can look like
// that.
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

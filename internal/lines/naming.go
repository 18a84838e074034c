package lines

import (
	"strings"

	"telltale/model"
)

// Names writes names under an escaping scheme as a [Page] does, for formats
// without lines. It is not safe for concurrent use.
type Names struct{ names names }

// NewNames returns the names of a page under the scheme.
func NewNames(e model.Escaping) *Names { return &Names{names{scheme: e}} }

// Claim reports whether a family may be written, that is, escaping has not given
// its name to an earlier family.
func (n *Names) Claim(f *model.Family) bool {
	return n.names.claim(f.BaseName(), n.names.family(f))
}

// AppendName appends the name of the family's samples of a part, without quotes.
func (n *Names) AppendName(dst []byte, f *model.Family, part model.Parts) []byte {
	base := n.names.family(f)
	if base.quoted {
		base.text, base.quoted = strings.ToValidUTF8(base.text, "\uFFFD"), false
	}
	return base.append(dst, suffixOf(part, Literal(f)))
}

// Keeps reports whether the labels of all of the family's points are known to be
// written unchanged.
func (n *Names) Keeps(f *model.Family) bool { return n.names.keeps(f) }

// Rewrites reports whether labels are written in another form.
func (n *Names) Rewrites(text string) bool { return n.names.rewrites(text) }

// AppendRewritten appends the text of labels under the scheme, those of more
// after those of text.
func (n *Names) AppendRewritten(dst []byte, text, more string) []byte {
	return n.names.appendRewritten(dst, text, more)
}

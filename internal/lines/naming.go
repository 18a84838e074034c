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

// Claim reports whether a family may be written, that is, escaping has not made its
// name, or that of one of its samples, equal to one of an earlier family.
func (n *Names) Claim(f *model.Family) bool {
	parts := f.Type.Parts() & f.Mask() &^ model.PartCreated
	if parts&(model.PartTotal|model.PartInfo) == 0 { // else the family has the name of its samples
		parts |= model.PartValue
	}
	return n.names.claim(f, n.names.family(f), parts)
}

// Consider sets what Keeps and Mixes return of a family. It fills scratch.
func (n *Names) Consider(f *model.Family, scratch *model.Point) { n.names.consider(f, scratch) }

// Keeps reports whether the labels of all points of the considered family are known to be
// written unchanged.
func (n *Names) Keeps() bool { return n.names.keeps }

// Mixes reports whether two series of the considered family may be written with the same
// labels, which [Names.Repeats] finds then.
func (n *Names) Mixes() bool { return n.names.mixes }

// Begin begins a walk of a family for Repeats.
func (n *Names) Begin() { n.names.begin() }

// Repeats reports whether a point's series is another one than one before it in the walk
// and is written with the same labels.
func (n *Names) Repeats(pt *model.Point) bool { return n.names.repeats(pt) }

// Joined reports whether labels of a series were written as one since it was last called.
func (n *Names) Joined() (joined bool) {
	joined, n.names.joined = n.names.joined, false
	return joined
}

// Release ends the use of the names.
func (n *Names) Release() { n.names.later.release() }

// AppendName appends the name of the family's samples of a part, without quotes.
func (n *Names) AppendName(dst []byte, f *model.Family, part model.Parts) []byte {
	base := n.names.family(f)
	if base.quoted {
		base.text, base.quoted = strings.ToValidUTF8(base.text, "\uFFFD"), false
	}
	return base.append(dst, suffixOf(part, Literal(f)))
}

// Rewrites reports whether labels are written in another form.
func (n *Names) Rewrites(text string) bool { return n.names.rewrites(text) }

// RewritesExemplar reports whether the labels of an exemplar are written in another form. A
// name that stands there twice is written once.
func (n *Names) RewritesExemplar(labels model.Labels) bool {
	return n.names.rewrites(labels.Text()) || hasTwice(labels)
}

// AppendRewritten appends the text of labels under the scheme, those of more
// after those of text.
func (n *Names) AppendRewritten(dst []byte, text, more string) []byte {
	return n.names.appendRewritten(dst, text, more)
}

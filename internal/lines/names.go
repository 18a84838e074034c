package lines

import (
	"slices"
	"strings"

	"telltale/internal/reserved"
	"telltale/model"
)

// names writes names under one escaping scheme. Names that the scheme changes
// are remembered with what they become, up to a fixed number, so that a page
// computes them once.
//
// Under every scheme a sample's name is its family's, as in the header, and a
// suffix: otherwise readers would take the sample for a family of its own. The
// names of counters and infos are escaped with the suffix ("a.b_total" is
// "a_dot_b__total", under the OpenMetrics header "a_dot_b_"), so that undoing
// the scheme gives the original; the suffixes of histograms and summaries are
// added unescaped ("a_dot_b_bucket"). Both match common/expfmt. Unlike it, Dots
// also doubles the underscores of legacy names, as in its definition and in the
// Python client: a reader could not tell which names to undo.
type names struct {
	scheme  model.Escaping
	metrics map[string]string // original to escaped
	labels  map[string]string // original, or with quotes as in canonical label text, to escaped
	fields  []field
	joined  bool // labels were printed as one since this was set to false
	claims
	distinct

	// Of the family being written:
	legacy bool // all label names are known to be legacy names
	keeps  bool // all labels are known to be printed unchanged
	mixes  bool // two series may be printed as one
}

// remembered is the number of names that each map holds before it is cleared.
const remembered = 4096

// remember enters a copy of the key, whose memory a source may reuse.
func remember(m *map[string]string, key, value string) {
	if *m == nil || len(*m) >= remembered {
		*m = map[string]string{}
	}
	(*m)[strings.Clone(key)] = value
}

// A name is the name of a family or loose sample as it is printed, without the
// suffix.
type name struct {
	text    string
	changed bool
	quoted  bool // text stands between quotes, and inside the braces of a sample
	doubled bool // an escaped underscore stands between text and suffix
}

func (n *names) name(s string) name {
	legacy := model.LegacyName(s)
	switch {
	case n.scheme == model.AllowUTF8:
		return name{text: s, quoted: !legacy}
	case legacy && n.scheme.Keeps():
		return name{text: s}
	}
	escaped, ok := n.metrics[s]
	if !ok {
		escaped = n.scheme.MetricName(s)
		remember(&n.metrics, s, escaped)
	}
	return name{text: escaped, changed: true}
}

// family returns the name with which the names of the family's samples begin.
func (n *names) family(f *model.Family) name {
	base := n.name(f.BaseName())
	base.doubled = base.changed && n.scheme != model.Underscores &&
		(f.Type == model.Counter || f.Type == model.Info) && !Literal(f)
	return base
}

// claim enters the names of the parts of a family. It reports false, and enters nothing,
// if escaping has made one of them equal to another name on the page.
func (n *names) claim(f *model.Family, base name, parts model.Parts) bool {
	switch {
	case n.scheme == model.AllowUTF8:
		return true
	case n.scheme == model.Values && !base.changed && !strings.HasPrefix(base.text, valuesPrefix):
		return true // no name becomes one like it
	}
	return n.claims.claim(f, base, parts|reserved.Parts(f.Type), Literal(f))
}

// valuesPrefix is how names begin that Values has changed.
const valuesPrefix = "U__"

// append appends the name with a suffix as in a header.
func (n name) append(dst []byte, suffix string) []byte {
	switch {
	case n.quoted:
		dst = append(dst, '"')
		dst = model.AppendEscaped(dst, n.text)
		dst = append(dst, suffix...)
		return append(dst, '"')
	case n.doubled:
		dst = append(dst, n.text...)
		dst = append(dst, '_')
	default:
		dst = append(dst, n.text...)
	}
	return append(dst, suffix...)
}

// label returns the printed form of a label's name, given as in label text.
func (n *names) label(raw string) string {
	if n.scheme == model.AllowUTF8 || raw[0] != '"' && n.scheme.Keeps() {
		return raw
	}
	escaped, ok := n.labels[raw]
	if !ok {
		for original := range model.LabelsFromText(raw + `=""`).All() {
			escaped = n.scheme.LabelName(original)
		}
		remember(&n.labels, raw, escaped)
	}
	return escaped
}

// field is a label in its printed form, the value without its quotes.
type field struct{ name, value string }

// consider sets legacy, keeps and mixes for a family. It fills scratch.
func (n *names) consider(f *model.Family, scratch *model.Point) {
	n.legacy = f.LegacyLabels()
	n.mixes = n.scheme != model.AllowUTF8 && (!n.legacy || !looseLegacy(f.Loose())) && n.mayMix(f, scratch)
	n.keeps = !n.mixes && (n.scheme == model.AllowUTF8 || n.scheme.Keeps() && n.legacy)
}

// rewrites reports whether labels are printed in another form.
func (n *names) rewrites(text string) bool {
	switch n.scheme {
	case model.AllowUTF8:
		return false
	case model.Dots:
		return text != ""
	}
	return hasQuotedName(text)
}

// appendRewritten appends labels under the scheme, those of more after those of
// text. If names become equal, their values are joined by semicolons, as the
// OpenTelemetry specification demands, and joined is set: a repeated name would
// make a scraper refuse the whole page, and dropping one could make two series equal.
func (n *names) appendRewritten(dst []byte, text, more string) []byte {
	fields := n.appendFields(n.appendFields(n.fields[:0], text), more)
	first := true
	for i := range fields {
		f := &fields[i]
		if f.name == "" {
			continue // joined
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, f.name...)
		dst = append(dst, '=', '"')
		dst = append(dst, f.value...)
		for j := i + 1; j < len(fields); j++ {
			if fields[j].name == f.name {
				n.joined = true
				dst = append(dst, ';')
				dst = append(dst, fields[j].value...)
				fields[j].name = ""
			}
		}
		dst = append(dst, '"')
	}
	clear(fields)
	n.fields = fields
	return dst
}

func (n *names) appendFields(fields []field, text string) []field {
	for name, value := range model.LabelsFromText(text).Raw() {
		fields = append(fields, field{n.label(name), value})
	}
	return fields
}

// hasTwice reports whether two labels have the same name.
func hasTwice(labels model.Labels) bool {
	var room [16]string
	names := room[:0]
	for name := range labels.Raw() {
		names = append(names, name)
	}
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			return true
		}
	}
	return false
}

// hasQuotedName reports whether a label name in canonical text stands between
// quotes. Such a name begins the text or follows a comma, and no value has a
// comma before a quote: its quotes come after backslashes.
func hasQuotedName(text string) bool {
	return strings.HasPrefix(text, `"`) || strings.Contains(text, `,"`)
}

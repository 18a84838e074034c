package python

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"telltale/internal/reserved"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/spool"
)

// key is the key of an entry: a JSON array of family name, sample name, an
// object of labels and, since client 0.16, help.
type key struct {
	family, sample, help string
	labels               []label // sorted by name
}

type label struct{ name, value string }

// parseKey reads a key, labels into the given slice. What it returns shares
// the key's memory.
func parseKey(raw string, labels []label) (key key, err error) {
	if err := checkUTF8(raw); err != nil {
		return key, err
	}
	s := scanner{text: raw, plain: true}
	for i := range len(raw) {
		if c := raw[i]; c < ' ' || c == '\\' {
			s.plain = false
			break
		}
	}
	s.expect('[')
	key.family = s.string()
	s.expect(',')
	key.sample = s.string()
	s.expect(',')
	key.labels = s.labels(labels)
	if s.accept(',') {
		key.help = s.string()
	}
	s.expect(']')
	if s.skip(); s.failed || s.pos != len(raw) {
		return key, spool.Defectf(spool.ReasonKey, "the key %.80q is not a JSON array of two strings, an object of strings and perhaps a string", raw)
	}
	if key.family == "" || key.sample == "" {
		return key, spool.Defectf(spool.ReasonKey, "the key %.80q has an empty name", raw)
	}
	return key, nil
}

// scanner reads the little JSON that keys are made of. After a failure it goes
// on failing.
type scanner struct {
	text   string
	pos    int
	plain  bool // no escapes and no control characters
	failed bool
}

func (s *scanner) skip() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) accept(c byte) bool {
	if s.skip(); s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) expect(c byte) {
	if !s.accept(c) {
		s.failed, s.pos = true, len(s.text)
	}
}

func (s *scanner) string() string {
	s.expect('"')
	start, escaped := s.pos, false
	if s.plain {
		if n := strings.IndexByte(s.text[start:], '"'); n >= 0 {
			s.pos += n + 1
			return s.text[start : s.pos-1]
		}
	}
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			inner := s.text[start:s.pos]
			s.pos++
			if !escaped {
				return inner
			}
			var decoded string
			if json.Unmarshal([]byte(s.text[start-1:s.pos]), &decoded) != nil {
				s.failed = true
			}
			return decoded
		case c == '\\':
			escaped = true
			s.pos++
		case c < ' ':
			s.failed = true
		}
	}
	s.failed = true
	return ""
}

// labels reads an object of strings. Of a name given twice the last counts.
func (s *scanner) labels(labels []label) []label {
	s.expect('{')
	if s.accept('}') {
		return labels
	}
	sorted := true // as Python has them
	for more := true; more && !s.failed; more = s.accept(',') {
		name := s.string()
		s.expect(':')
		value := s.string()
		n := len(labels)
		sorted = sorted && (n == 0 || labels[n-1].name < name)
		labels = append(labels, label{name, value})
	}
	s.expect('}')
	if !sorted {
		labels = sortLabels(labels)
	}
	return labels
}

// sortLabels sorts labels by name, and keeps the last of each name.
func sortLabels(labels []label) []label {
	slices.SortStableFunc(labels, func(a, b label) int { return strings.Compare(a.name, b.name) })
	kept := labels[:0]
	for i, l := range labels {
		if i+1 == len(labels) || labels[i+1].name != l.name {
			kept = append(kept, l)
		}
	}
	return kept
}

// define turns a key of the kind's files into a definition.
func (k *kind) define(key *key, c *catalog.Catalog) (d catalog.Definition, err error) {
	d.Part = partOf(k.typ, key)
	text := k.rendered[:0]
	for _, l := range key.labels {
		if k.typ == model.Histogram && l.name == "le" {
			if d.Upper, err = parseBound(l.value); err != nil {
				return d, err
			}
			continue
		}
		d.Quoted = d.Quoted || !model.LegacyLabelName(l.name)
		if l.name == catalog.PIDLabel {
			text = model.AppendLabel(text, l.name, l.value)
			d.PidTo = uint32(len(text))
			continue
		}
		text = model.AppendLabel(text, l.name, l.value)
		if l.name < catalog.PIDLabel {
			d.PidFrom, d.PidTo = uint32(len(text)), uint32(len(text))
		}
	}
	if int(d.PidTo) < len(text) && text[d.PidTo] == ',' {
		d.PidTo++
	}
	if d.Part == 0 {
		d.Sample = key.sample
	}
	k.rendered = text
	d.Labels = k.text.Keep(text)
	if err := reserved.Check(key.family, k.typ, model.LabelsFromText(d.Labels)); err != nil {
		return d, spool.Defectf(spool.ReasonKey, "a series of %.80q %v", key.family, err)
	}
	if last := k.last; last == nil || last.Name != key.family || last.Help != key.help {
		k.last = c.Claim(catalog.ClaimKey{Name: key.family, Help: key.help, Type: k.typ, Mode: k.mode}, catalog.Contents{})
	}
	d.Claim = k.last
	if d.Part == model.PartBucket {
		d.Claim.Meet(d.Upper)
	}
	return d, nil
}

// partOf finds the part of its series that a sample is, 0 for none.
func partOf(typ model.Type, key *key) model.Parts {
	if typ == model.Histogram && slices.ContainsFunc(key.labels, func(l label) bool { return l.name == "le" }) {
		return model.PartBucket
	}
	suffix, ok := strings.CutPrefix(key.sample, key.family)
	if !ok {
		return 0
	}
	switch typ {
	case model.Gauge:
		if suffix == "" {
			return model.PartValue
		}
	case model.Counter:
		if suffix == "_total" || suffix == "" && strings.HasSuffix(key.family, "_total") {
			return model.PartTotal
		}
	}
	switch {
	case typ == model.Gauge:
	case suffix == "_created":
		return model.PartCreated
	case typ == model.Counter:
	case suffix == "_sum":
		return model.PartSum
	case suffix == "_count":
		return model.PartCount
	}
	return 0
}

// parseBound reads a bucket's bound, however it is spelled.
func parseBound(le string) (float64, error) {
	upper, err := strconv.ParseFloat(le, 64)
	if err != nil || math.IsNaN(upper) {
		return 0, spool.Defectf(spool.ReasonKey, "the bucket bound %.80q is not a number", le)
	}
	return upper + 0, nil // -0 becomes 0
}

package telltale

// Label values as series have them: declared ones, valid ones, not too long ones.

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// fits reports whether series have the values as they are: declared where the label
// has declared values, else valid UTF-8 within the limit.
func (d *definition) fits(values []string) bool {
	for i, v := range values {
		if set := d.setOf(i); set != nil && !set.has(v) || set == nil && !d.wellFormed(v) {
			return false
		}
	}
	return true
}

// fit returns copies of the values as series have them. It reports those that were
// mended; a value that was not declared is no fault.
func (d *definition) fit(values []string, report reporting) []string {
	fitting := make([]string, len(values))
	for i, v := range values {
		fitting[i] = d.fitOne(i, strings.Clone(v), report)
	}
	return fitting
}

// fitOne does what fit does for the i-th label.
func (d *definition) fitOne(i int, value string, report reporting) string {
	set := d.setOf(i)
	switch {
	case set == nil:
		return d.sanitize(d.labels[i], value, report)
	case !set.has(value):
		return other
	}
	return value
}

// setOf returns the declared values of the i-th label, nil if it can have any.
func (d *definition) setOf(i int) *valueSet {
	if d.sets == nil {
		return nil
	}
	return d.sets[i]
}

// wellFormed reports whether a label value is valid UTF-8 within the limit.
func (d *definition) wellFormed(v string) bool {
	return (d.valueLimit <= 0 || len(v) <= d.valueLimit) && utf8.ValidString(v)
}

// sanitize returns the value of a label with invalid UTF-8 replaced and what is over
// the limit cut off. It reports both.
func (d *definition) sanitize(label, value string, report reporting) string {
	if d.wellFormed(value) {
		return value
	}
	// A copy, or the caller's bytes would be kept by a fault's text, and the
	// compiler would have every lookup's values on the heap.
	v := strings.Clone(value)
	if !utf8.ValidString(v) {
		invalid := v
		report(ReasonInvalidUTF8, func() error {
			return fmt.Errorf("telltale: the value of label %q of %q is not valid UTF-8: %.64q", label, d.name, invalid)
		})
		v = strings.ToValidUTF8(v, "\uFFFD")
	}
	if d.valueLimit > 0 && len(v) > d.valueLimit {
		long := v
		report(ReasonOversized, func() error {
			return fmt.Errorf("telltale: the value of label %q of %q has %d bytes, at most %d are kept: %.64q", label, d.name, len(long), d.valueLimit, long)
		})
		v = d.cut(v)
	}
	return v
}

// cut returns a value that is longer than the limit without what is over it or, where
// the definition says so, with a hash of the whole at its end.
func (d *definition) cut(v string) string {
	if !d.hashLong {
		return v[:wholeRunes(v, d.valueLimit)]
	}
	sum := sha256.Sum256([]byte(v))
	return v[:wholeRunes(v, d.valueLimit-hashLength)] + "~" + hex.EncodeToString(sum[:(hashLength-1)/2])
}

// wholeRunes returns the largest index up to end at which a character of v begins.
func wholeRunes(v string, end int) int {
	for end > 0 && !utf8.RuneStart(v[end]) {
		end--
	}
	return end
}

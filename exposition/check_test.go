package exposition_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"telltale/exposition"
	"telltale/model"
)

// A strict reader of lines, made from the grammars and not from the encoders.
const (
	legacyMetric = `[a-zA-Z_:][a-zA-Z0-9_:]*`
	legacyLabel  = `[a-zA-Z_][a-zA-Z0-9_]*`
	quoted       = `"(?:[^"\\\n]|\\["\\n])*"`
	labelPair    = `(?:` + legacyLabel + `|` + quoted + `)=` + quoted
	labelPairs   = labelPair + `(?:,` + labelPair + `)*`
	number       = `(?:NaN|[+-]Inf|-?[0-9]+\.[0-9]+(?:e[+-][0-9]{2,3})?|-?[0-9]e[+-][0-9]{2,3})`
	stamp        = `-?[0-9]+(?:\.[0-9]+)?(?:e[+-][0-9]{2,3})?`
	series       = `(?:` + legacyMetric + `(?:\{` + labelPairs + `\})?|\{` + quoted + `(?:,` + labelPairs + `)?\})`
	exemplar     = ` # \{(?:` + labelPairs + `)?\} ` + number
	count        = `(?:-?[0-9]+|` + number + `)`
	counts       = `\[(?:` + count + `(?:,` + count + `)*)?\]`
	pairs        = `\[(?:` + count + `:` + count + `(?:,` + count + `:` + count + `)*)?\]`
	native       = `,schema:-?[0-9],zero_threshold:` + number + `,zero_count:` + count +
		`(?:,negative_spans:` + pairs + `,negative_buckets:` + counts + `)?(?:,positive_spans:` + pairs + `,positive_buckets:` + counts + `)?`
	buckets   = `,bucket:` + pairs
	composite = `\{(?:count:` + count + `,sum:` + number + `,quantile:` + pairs +
		`|(?:count:` + count + `,sum:|gcount:` + count + `,gsum:)` + number + `(?:` + native + `)?(?:` + buckets + `)?)\}`
	name = `(` + legacyMetric + `|` + quoted + `)`
)

var (
	help     = regexp.MustCompile(`^# HELP ` + name + ` ((?:[^\\]|\\["\\n])*)$`)
	typeLine = regexp.MustCompile(`^# TYPE ` + name + ` ([a-z]+)$`)
	unit     = regexp.MustCompile(`^# UNIT ` + name + ` ([a-zA-Z0-9_:]+)$`)
	textLine = regexp.MustCompile(`^` + series + ` ` + number + `(?: -?[0-9]+)?$`)
	omLine   = regexp.MustCompile(`^` + series + ` ` + number + `(?: ` + stamp + `)?(?:` + exemplar + `(?: ` + stamp + `)?)?$`)
	om2Line  = regexp.MustCompile(`^` + series + ` (?:` + number + `|` + composite + `)(?: ` + stamp + `)?(?: st@` + stamp + `)?(?:` + exemplar + ` ` + stamp + `)*$`)
	names    = regexp.MustCompile(`(` + legacyLabel + `|` + quoted + `)=` + quoted)
	values   = regexp.MustCompile(`=` + quoted)
)

// checkPage fails the test if a page is not well-formed.
func checkPage(t testing.TB, page []byte, f exposition.Format) {
	t.Helper()
	if err := wellFormed(page, f); err != nil {
		t.Error(err)
	}
}

// grammars are what a sample is in each format.
var grammars = map[exposition.Format]*regexp.Regexp{
	exposition.Text004: textLine, exposition.Text100: textLine,
	exposition.OpenMetrics001: omLine, exposition.OpenMetrics1: omLine, exposition.OpenMetrics2: om2Line,
}

// plain returns the format under the scheme of its constant.
func plain(f exposition.Format) exposition.Format {
	for _, one := range formats {
		if one.WithEscaping(f.Escaping()) == f {
			return one
		}
	}
	return f
}

func wellFormed(page []byte, f exposition.Format) error {
	openMetrics := grammars[plain(f)] != textLine
	if !utf8.Valid(page) {
		return fmt.Errorf("the page is not UTF-8: %q", page)
	}
	if openMetrics {
		var ended bool
		if page, ended = bytes.CutSuffix(page, []byte("# EOF\n")); !ended {
			return fmt.Errorf("no # EOF at the end: %q", page)
		}
	}
	if len(page) == 0 {
		return nil
	}
	if page[len(page)-1] != '\n' {
		return fmt.Errorf("no newline at the end: %q", page)
	}
	typed := map[string]bool{}
	for n, line := range strings.Split(strings.TrimSuffix(string(page), "\n"), "\n") {
		if err := checkLine(line, f, typed); err != nil {
			return fmt.Errorf("line %d %w: %q", n+1, err, line)
		}
	}
	return nil
}

func checkLine(line string, f exposition.Format, typed map[string]bool) error {
	grammar, scheme := grammars[plain(f)], f.Escaping()
	openMetrics := grammar != textLine
	if strings.HasPrefix(line, "#") {
		m := help.FindStringSubmatch(line)
		if m == nil {
			m = typeLine.FindStringSubmatch(line)
			if m != nil && typed[m[1]] {
				return fmt.Errorf("repeats a TYPE")
			} else if m != nil {
				typed[m[1]] = true
			}
		} else if !openMetrics && strings.Contains(strings.ReplaceAll(m[2], `\\`, ""), `\"`) {
			return fmt.Errorf("escapes a quote")
		}
		if m == nil && openMetrics {
			m = unit.FindStringSubmatch(line)
			if m != nil && grammar == omLine && !strings.HasSuffix(strings.TrimSuffix(m[1], `"`), "_"+m[2]) {
				return fmt.Errorf("names a unit that the family does not end in")
			}
		}
		if m == nil {
			return fmt.Errorf("is no header")
		}
		if m[1][0] == '"' && scheme != model.AllowUTF8 {
			return fmt.Errorf("quotes a name")
		}
		return nil
	}
	if !grammar.MatchString(line) {
		return fmt.Errorf("is no sample")
	}
	bare := values.ReplaceAllString(line, "=")
	if scheme != model.AllowUTF8 && strings.Contains(bare, `"`) {
		return fmt.Errorf("quotes a name")
	}
	for _, part := range strings.Split(line, " # {") {
		seen := map[string]bool{}
		for _, m := range names.FindAllStringSubmatch(part, -1) {
			if seen[m[1]] {
				return fmt.Errorf("repeats the label %s", m[1])
			}
			seen[m[1]] = true
		}
	}
	return nil
}

package telltaletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"telltale"
	"telltale/exposition/text"
	"telltale/model"
)

// Compare compares the page of c with the one expected, in the Prometheus text
// format. With names, which are names of samples or of families, only these are
// collected, and a name that nothing bears fails the test.
//
// Families and series may come in any order, numbers be spelled in any way, lines
// be indented; a HELP or TYPE line that is not in want is not compared. Where pages
// differ the test fails with the lines of both: "-" what was expected, "+" what is
// there instead.
func Compare(t testing.TB, c telltale.Collector, want string, names ...string) {
	t.Helper()
	got, err := written(t.Context(), c, names)
	if err != nil {
		t.Fatal(err)
	}
	diff, err := difference(want, string(got))
	if err != nil {
		t.Fatal(err)
	}
	if diff != "" {
		t.Errorf("the page differs (- expected, + there):\n%s", diff)
	}
}

// written returns the page of c, or of the named samples and families of it, in
// the text format.
func written(ctx context.Context, c telltale.Collector, names []string) ([]byte, error) {
	for _, name := range names {
		list, err := collect(ctx, telltale.Restrict(c, name))
		if err != nil {
			return nil, fmt.Errorf("telltaletest: collecting %q failed: %w", name, err)
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("telltaletest: no sample and no family is named %q", name)
		}
	}
	if len(names) > 0 {
		c = telltale.Restrict(c, names...)
	}
	list, err := collect(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("telltaletest: collecting failed: %w", err)
	}
	var page bytes.Buffer
	enc := text.NewEncoder(&page, text.WithEscaping(model.AllowUTF8))
	for _, f := range list {
		if err := enc.Encode(f); err != nil {
			return nil, fmt.Errorf("telltaletest: %w", err)
		}
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("telltaletest: %w", err)
	}
	return page.Bytes(), nil
}

// line is a line of a page in the form in which lines are compared.
type line struct {
	key  string // the same for lines about the same thing
	text string
	help bool // HELP or TYPE, which may be missing in what is expected
}

// lines reads a page.
func lines(page string) ([]line, error) {
	var trimmed strings.Builder
	for l := range strings.Lines(page) {
		trimmed.WriteString(strings.TrimSpace(l) + "\n") // empty ones keep the numbers of errors right
	}
	var all []line
	s := text.NewScanner(strings.NewReader(trimmed.String()))
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		name := string(e.Name)
		switch e.Kind {
		case text.KindHelp:
			all = append(all, line{"# HELP " + name, "# HELP " + name + " " + string(e.Text), true})
		case text.KindType:
			all = append(all, line{"# TYPE " + name, "# TYPE " + name + " " + string(e.Text), true})
		case text.KindSample:
			key := name
			if labels := spelled(model.LabelsFromText(string(e.Labels.Text()))).Sorted(); !labels.IsEmpty() {
				key += labels.String()
			}
			l := line{key: key, text: key + " " + model.FormatValue(e.Value)}
			if e.Timestamp.IsSet() {
				ms := " " + strconv.FormatInt(e.Timestamp.UnixMilli(), 10)
				l.key, l.text = l.key+ms, l.text+ms
			}
			all = append(all, l)
		}
	}
}

// difference returns the lines in which two pages differ, each with those around
// it that are the same; it is empty if there are none.
func difference(want, got string) (string, error) {
	wanted, err := lines(want)
	if err != nil {
		return "", fmt.Errorf("telltaletest: the expected page is not valid: %w", err)
	}
	there, err := lines(got)
	if err != nil {
		return "", fmt.Errorf("telltaletest: the page is not valid: %w", err)
	}
	expected := make(map[string][]string, len(wanted)) // texts by key
	for _, l := range wanted {
		expected[l.key] = append(expected[l.key], l.text)
	}
	var marked []string // lines with "  ", "- " or "+ "
	for _, l := range there {
		texts := expected[l.key]
		at := slices.Index(texts, l.text)
		switch {
		case at >= 0:
			marked = append(marked, "  "+l.text)
			expected[l.key] = slices.Delete(slices.Clone(texts), at, at+1)
		case len(texts) > 0:
			marked = append(marked, "- "+texts[0], "+ "+l.text)
			expected[l.key] = texts[1:]
		case !l.help:
			marked = append(marked, "+ "+l.text)
		}
	}
	for _, l := range wanted {
		if at := slices.Index(expected[l.key], l.text); at >= 0 {
			marked = append(marked, "- "+l.text)
			expected[l.key] = slices.Delete(slices.Clone(expected[l.key]), at, at+1)
		}
	}
	return excerpt(marked), nil
}

// around is how many equal lines are shown beside different ones.
const around = 2

// excerpt returns the marked lines near a difference.
func excerpt(marked []string) string {
	var b strings.Builder
	last := -1
	for i, l := range marked {
		near := func(m string) bool { return m[0] != ' ' }
		if !slices.ContainsFunc(marked[max(0, i-around):min(len(marked), i+around+1)], near) {
			continue
		}
		if i > last+1 {
			b.WriteString("  ...\n")
		}
		last = i
		b.WriteString(l + "\n")
	}
	if b.Len() > 0 && last < len(marked)-1 {
		b.WriteString("  ...\n")
	}
	return b.String()
}

// number spells a number as telltale does; what is none stays.
func number(s string) string {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return model.FormatValue(v)
}

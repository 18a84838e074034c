package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"telltale/exposition"
	"telltale/model"
)

// The names of formats. The first two are not formats of package exposition.
const (
	auto       = "auto" // detected from the page
	inJSON     = "json"
	inText     = "text"
	inText1    = "text1"
	inProtobuf = "protobuf"
)

// pageFormat is the format of a page that is read, with the name it has on the
// command line.
type pageFormat struct{ namedFormat }

// UnmarshalText is called by kong.
func (f *pageFormat) UnmarshalText(text []byte) error {
	if name := string(text); name == auto || name == inJSON {
		f.name = name
		return nil
	}
	if f.namedFormat.UnmarshalText(text) != nil {
		return fmt.Errorf("there is no format %q to read; use auto, json, %s", text, writableNames())
	}
	return nil
}

// targetFormat is a format that a page is converted to.
type targetFormat struct{ namedFormat }

// UnmarshalText is called by kong.
func (f *targetFormat) UnmarshalText(text []byte) error {
	if string(text) == inJSON {
		f.name = inJSON
		return nil
	}
	if f.namedFormat.UnmarshalText(text) != nil {
		return fmt.Errorf("there is no format %q to write; use json, %s", text, writableNames())
	}
	return nil
}

// formatNamed returns the format with the name, or else text.
func formatNamed(name string) pageFormat {
	for _, f := range writable {
		if f.name == name {
			return pageFormat{f}
		}
	}
	return pageFormat{writable[0]}
}

// formatOf returns the format of a content type.
func formatOf(f exposition.Format) pageFormat {
	found := pageFormat{namedFormat{writable[0].name, f}}
	for _, known := range writable {
		if (pageFormat{known}).is(f) {
			found.name = known.name
		}
	}
	return found
}

// is reports whether two formats are equal except for escaping and for the old
// version of OpenMetrics, which is written alike.
func (f pageFormat) is(other exposition.Format) bool {
	if other.WithEscaping(model.Underscores) == exposition.OpenMetrics001 {
		other = exposition.OpenMetrics1
	}
	return f.name != inJSON && f.WithEscaping(model.Underscores) == other.WithEscaping(model.Underscores)
}

// accept returns the Accept header of a request for a page: for the format that
// was asked for, or else OpenMetrics before text, with unescaped names.
func (f pageFormat) accept() string {
	switch f.name {
	case inJSON:
		return "application/json"
	case auto:
		var ranges []string
		for i, name := range []string{"openmetrics", "text1", "text"} {
			ranges = append(ranges, fmt.Sprintf("%s;q=0.%d", formatNamed(name).accept(), 9-i))
		}
		return strings.Join(ranges, ",") + ",*/*;q=0.1"
	}
	return strings.ReplaceAll(f.WithEscaping(model.AllowUTF8).ContentType(), "; charset=utf-8", "")
}

// drafty matches lines that only OpenMetrics 2.0 has: with start timestamps, and with
// values in braces.
var drafty = regexp.MustCompile(`^[^#].*(\} | )(\{(g?count|g?sum|bucket|schema|quantile)[:,]|.* st@-?[0-9])`)

// isDraft reports whether a page of OpenMetrics is of version 2.0. Only lines that may
// match are matched: that is slow, and the page may be large.
func isDraft(content []byte) bool {
	for line := range bytes.Lines(content) {
		if (bytes.Contains(line, []byte(" {")) || bytes.Contains(line, []byte(" st@"))) && drafty.Match(line) {
			return true
		}
	}
	return false
}

// distinct matches lines that OpenMetrics has and text lacks, beside those of exemplars.
var distinct = regexp.MustCompile(`^# (EOF|UNIT .*|TYPE \S+ (unknown|info|stateset|gaugehistogram))$`)

// counters matches the families of counters, whose names in OpenMetrics 1.0
// differ from those of their samples.
var counters = regexp.MustCompile(`^# TYPE (\S+) counter$`)

// isOpenMetrics reports whether a page is OpenMetrics rather than text.
func isOpenMetrics(content []byte) bool {
	const enough = 10
	var names [][]byte
	for line := range bytes.Lines(content) {
		line = bytes.TrimSuffix(line, []byte{'\n'})
		switch {
		case !bytes.HasPrefix(line, []byte{'#'}):
			if i := bytes.Index(line, []byte(" # {")); i > 0 {
				return true
			}
		case distinct.Match(line):
			return true
		case len(names) < enough:
			if match := counters.FindSubmatch(line); match != nil {
				names = append(names, match[1])
			}
		}
	}
	for _, name := range names {
		if bytes.Contains(content, fmt.Appendf(nil, "\n%s_total", name)) {
			return true
		}
	}
	return false
}

// sniff detects the format of a page from its content.
func sniff(content []byte) pageFormat {
	start := bytes.TrimLeftFunc(content, unicode.IsSpace)
	switch {
	case len(start) > 0 && start[0] == '[':
		return pageFormat{namedFormat{name: inJSON}}
	case isDelimited(content):
		return formatNamed(inProtobuf)
	case !isOpenMetrics(content):
		return formatNamed(inText)
	case isDraft(content):
		if f := formatNamed("openmetrics2"); f.name == "openmetrics2" {
			return f
		}
	}
	return formatNamed("openmetrics")
}

// isDelimited reports whether a page begins like a delimited protobuf message:
// with its length, and its first field, a name, in full.
func isDelimited(content []byte) bool {
	length, n := binary.Uvarint(content)
	if n <= 0 || length < 2 || uint64(len(content)-n) < 2 || content[n] != 1<<3|2 {
		return false
	}
	name, m := binary.Uvarint(content[n+1:])
	if m <= 0 || name == 0 || name+1+uint64(m) > length || uint64(len(content)-n-1-m) < name {
		return false
	}
	return !bytes.ContainsFunc(content[n+1+m:][:name], unicode.IsSpace)
}

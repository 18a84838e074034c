package exposition_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/exposition"
	"telltale/exposition/json"
)

// sized are pages that ask for so much of what a limit bounds, in each format that
// has it.
var sized = map[string]map[exposition.Format]func(n int) string{
	"Input": {
		exposition.Text004:      func(n int) string { return strings.Repeat("#", n-1) + "\n" },
		exposition.OpenMetrics1: func(n int) string { return strings.Repeat("a", n-8) + " 1\n# EOF" },
		exposition.OpenMetrics2: func(n int) string { return strings.Repeat("a", n-8) + " 1\n# EOF" },
		exposition.Protobuf:     func(n int) string { return strings.Repeat("\x03\x0a\x01a", n/4) + strings.Repeat("\x00", n%4) },
	},
	"Line": {
		exposition.Text004:      func(n int) string { return "#" + strings.Repeat("x", n-1) + "\n" },
		exposition.OpenMetrics1: func(n int) string { return "# HELP a " + strings.Repeat("x", n-9) + "\n# EOF" },
		exposition.OpenMetrics2: func(n int) string { return "# HELP a " + strings.Repeat("x", n-9) + "\n# EOF" },
	},
	"Labels": {
		exposition.Text004:      func(n int) string { return "a{" + manyLabels(n) + "} 1\n" },
		exposition.OpenMetrics1: func(n int) string { return "a{" + manyLabels(n) + "} 1\n# EOF" },
		exposition.OpenMetrics2: func(n int) string { return "a{" + manyLabels(n) + "} 1\n# EOF" },
		exposition.Protobuf: func(n int) string {
			var metric []byte
			for i := range n {
				pair := protowire.AppendString([]byte{1<<3 | 2}, fmt.Sprint("l", i))
				metric = protowire.AppendBytes(append(metric, 1<<3|2), pair)
			}
			metric = append(metric, 3<<3|2, 0)
			return string(protowire.AppendBytes(nil, protowire.AppendBytes([]byte("\x0a\x01a\x22"), metric)))
		},
	},
	"Message": {
		exposition.Protobuf: func(n int) string {
			help := protowire.AppendString([]byte("\x0a\x01a\x12"), strings.Repeat("x", n-4-protowire.SizeVarint(uint64(n))))
			return string(protowire.AppendBytes(nil, help))
		},
	},
}

func manyLabels(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "l%d=\"\",", i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// Each limit is a field of Limits with a default; a page may ask for just as much,
// and the error of a page that exceeds one names it.
func TestEachLimit(t *testing.T) {
	defaults := exposition.Limits{}.WithDefaults()
	fields := reflect.ValueOf(defaults)
	var names []string
	for i := range fields.NumField() {
		name, value := fields.Type().Field(i).Name, fields.Field(i).Int()
		names = append(names, name)
		if value <= 0 {
			t.Errorf("%s has no default", name)
		}
		if name != "Errors" && len(sized[name]) == 0 { // TestErrorLimits has that
			t.Errorf("no page exceeds %s", name)
		}
	}
	for name, formats := range sized {
		if !slices.Contains(names, name) {
			t.Errorf("there is no limit %s", name)
			continue
		}
		for format, page := range formats {
			for _, most := range []int{40, 200} {
				limits := exposition.Limits{}
				reflect.ValueOf(&limits).Elem().FieldByName(name).SetInt(int64(most))
				if _, err := parse([]byte(page(most)), format, exposition.WithLimits(limits)); name != "Input" && err != nil {
					t.Errorf("%s of %d in %s: %v", name, most, format, err)
				}
				exceeds(t, page(most+1), format, name, int64(most), exposition.WithLimits(limits))
			}
			if most := fields.FieldByName(name).Int(); most <= 1<<20 { // others take minutes
				exceeds(t, page(int(most)+1), format, name, most)
			}
		}
	}
}

// exceeds reads a page that must exceed a limit.
func exceeds(t *testing.T, page string, format exposition.Format, name string, most int64, opts ...exposition.ParserOption) {
	t.Helper()
	_, err := parse([]byte(page), format, opts...)
	var limit *exposition.LimitError
	if !errors.As(err, &limit) || limit.Limit != name || limit.Max != most {
		t.Errorf("more than %s of %d in %s: %v", name, most, format, err)
	}
}

// A message that says it is longer than the default allows is refused before it is
// read.
func TestDefaultOfMessages(t *testing.T) {
	most := exposition.Limits{}.WithDefaults().Message
	page := protowire.AppendVarint(nil, uint64(most)+1)
	exceeds(t, string(page), exposition.Protobuf, "Message", int64(most))
	_, err := parse(protowire.AppendVarint(nil, uint64(most)), exposition.Protobuf)
	var limit *exposition.LimitError
	if err == nil || errors.As(err, &limit) {
		t.Errorf("a message of the greatest length that is not there: %v", err)
	}
}

// idle returns nothing, and no error, ever.
type idle struct{ reads int }

func (r *idle) Read([]byte) (int, error) {
	r.reads++
	return 0, nil
}

// A reader that returns nothing again and again is given up, in the middle of a page
// too.
func TestIdleReaders(t *testing.T) {
	for _, format := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2, exposition.Protobuf} {
		for _, before := range []string{"", "\x05"} {
			r := &idle{}
			_, err := exposition.NewParser(io.MultiReader(strings.NewReader(before), r), format).Next()
			if !errors.Is(err, io.ErrNoProgress) || r.reads > 1000 {
				t.Errorf("%s behind %q: %v after %d reads", format, before, err, r.reads)
			}
		}
	}
	if _, err := json.NewParser(&idle{}).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("JSON: %v", err)
	}
}

package exposition_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// parse returns the families of a page.
func parse(page []byte, f exposition.Format, opts ...exposition.ParserOption) ([]*model.Family, error) {
	p := exposition.NewParser(bytes.NewReader(page), f, opts...)
	var all []*model.Family
	for {
		family, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		}
		all = append(all, family)
	}
}

// differ returns the first lines in which two pages differ.
func differ(a, b []byte) (string, string) {
	x, y := bytes.SplitAfter(a, []byte{'\n'}), bytes.SplitAfter(b, []byte{'\n'})
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return string(x[i]), string(y[i])
		}
	}
	return string(a), string(b)
}

// whole leaves out what text prints though its readers refuse it: samples that
// fit no type, and a histogram restricted to its count.
func whole(families []*model.Family) []*model.Family {
	var fit []*model.Family
	for _, f := range families {
		if f.Type == model.Histogram && f.Mask()&model.PartBucket == 0 {
			continue
		}
		fit = append(fit, f.WithLoose(slices.DeleteFunc(slices.Clone(f.Loose()), func(s model.Sample) bool { return s.Name != f.Name })))
	}
	return fit
}

// What encoders write parses, and is written the same again.
func TestPagesParse(t *testing.T) {
	all := whole(families(t))
	for _, f := range formats {
		for _, scheme := range schemes {
			t.Run(f.WithEscaping(scheme).String(), func(t *testing.T) {
				for _, opts := range [][]exposition.EncoderOption{nil, {exposition.WithCreated()}} {
					want := page(t, f.WithEscaping(scheme), all, opts...)
					parsed, err := parse(want, f)
					if err != nil {
						t.Fatalf("%v in\n%s", err, want)
					}
					got := page(t, f.WithEscaping(model.AllowUTF8), parsed, append(opts, exposition.WithDropped(func(d exposition.Drop) {
						t.Errorf("dropped: %+v", d)
					}))...)
					if !bytes.Equal(got, want) {
						a, b := differ(got, want)
						t.Errorf("got  %swant %s", a, b)
					}
				}
			})
		}
	}
}

// A help text may end in what looks like another system's line ending.
func TestHelpEndsInCarriageReturn(t *testing.T) {
	for _, f := range formats {
		written := page(t, f, []*model.Family{{Name: "a", Help: "b\r\nc\r\r"}, {Name: "b", Help: "\r"}})
		got, err := parse(written, f)
		if err != nil || got[0].Help != "b\r\nc\r\r" {
			t.Errorf("%s: %v in\n%q", f, err, written)
		}
	}
}

// reparse parses a page, writes what it reads and parses that: the families are
// the same but for what encoders complete, and are written alike ever after.
func reparse(t *testing.T, in []byte, f exposition.Format) {
	first, err := parse(in, f)
	if err != nil {
		return
	}
	f = f.WithEscaping(model.AllowUTF8)
	written := page(t, f, first, exposition.WithCreated())
	second, err := parse(written, f)
	if err != nil {
		t.Fatalf("%v in\n%s\nfrom\n%s", err, written, in)
	}
	if again := page(t, f, second, exposition.WithCreated()); !bytes.Equal(again, written) {
		a, b := differ(again, written)
		t.Fatalf("got  %swant %sfrom\n%s", a, b, in)
	}
	if len(first) != len(second) {
		t.Fatalf("%d families became %d in\n%s", len(first), len(second), in)
	}
	for i := range first {
		a, b := slices.Collect(first[i].Samples()), slices.Collect(second[i].Samples())
		if unnamed(first[i]) && f != exposition.OpenMetrics2 || first[i].Type == model.Histogram && f == exposition.Text004.WithEscaping(model.AllowUTF8) {
			continue
		}
		if first[i].Name != second[i].Name || first[i].Type != second[i].Type || first[i].Help != second[i].Help ||
			first[i].Unit != second[i].Unit || !slices.EqualFunc(a, b, sameSample) {
			t.Fatalf("%+v became\n%+v in\n%s", a, b, in)
		}
	}
}

// unnamed reports whether OpenMetrics writes a state set as unknown, since its
// name cannot be the name of a label.
func unnamed(f *model.Family) bool {
	return f.Type == model.StateSet && bytes.ContainsRune([]byte(f.Name), ':')
}

// sameSample compares samples, NaN with NaN too.
func sameSample(a, b model.Sample) bool {
	same := func(x, y float64) bool { return model.FormatValue(x) == model.FormatValue(y) }
	if (a.Exemplar == nil) != (b.Exemplar == nil) {
		return false
	}
	if a.Exemplar != nil && (a.Exemplar.Labels != b.Exemplar.Labels || !same(a.Exemplar.Value, b.Exemplar.Value) || a.Exemplar.Timestamp != b.Exemplar.Timestamp) {
		return false
	}
	value := same(a.Value, b.Value)
	if a.NativeHistogram != nil && b.NativeHistogram != nil { // which NaN would make unequal
		value = value && fmt.Sprintf("%+v", *a.NativeHistogram) == fmt.Sprintf("%+v", *b.NativeHistogram)
		a.NativeHistogram, b.NativeHistogram = nil, nil
	}
	a.Exemplar, b.Exemplar, a.Value, b.Value = nil, nil, 0, 0
	return value && reflect.DeepEqual(a, b)
}

package protobuf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/exposition/protobuf"
)

// Messages are put together by hand here: a field after the other.

func field(n protowire.Number, b ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), bytes.Join(b, nil))
}

func text(n protowire.Number, s string) []byte { return field(n, []byte(s)) }

func number(n protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), v)
}

func signed(n protowire.Number, v int64) []byte { return number(n, protowire.EncodeZigZag(v)) }

func double(n protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(nil, n, protowire.Fixed64Type), math.Float64bits(v))
}

func message(fields ...[]byte) []byte { return protowire.AppendBytes(nil, bytes.Join(fields, nil)) }

// family is a message of a family called "f" of the type, with one series.
func family(typ uint64, series ...[]byte) []byte {
	return message(text(1, "f"), number(3, typ), field(4, series...))
}

func label(name, value string) []byte { return field(1, text(1, name), text(2, value)) }

const counter, gauge, summary, untyped, histogram = 0, 1, 2, 3, 4

func histogramOf(fields ...[]byte) []byte { return family(histogram, field(7, fields...)) }

// read reads the whole page.
func read(r io.Reader, opts ...protobuf.ParserOption) (families, series int, err error) {
	p := protobuf.NewParser(r, opts...)
	for {
		f, err := p.Next()
		if errors.Is(err, io.EOF) {
			return families, series, nil
		}
		if err != nil {
			return families, series, err
		}
		families++
		for range f.Samples() {
			series++
		}
	}
}

func TestErrors(t *testing.T) {
	good := family(gauge, field(2, double(1, 1)))
	span := func(offset int64, length uint64) []byte { return field(12, signed(1, offset), number(2, length)) }
	for _, test := range []struct {
		name string
		page []byte
		want string
	}{
		{"cut in the length", []byte{0x80}, `offset 0: found the end of the page at byte 1, within the length of a message, expected the rest of it: the page was cut off`},
		{"endless length", bytes.Repeat([]byte{0xff}, 20), `offset 0: found a length without end, expected a varint`},
		{"cut in the message", good[:len(good)-3], `offset 0, family "f": found the end of the page at byte 16, after 15 of 18 bytes of a message, expected the rest of it: the page was cut off`},
		{"cut in the name", append(bytes.Clone(good), good[:4]...), `offset 19, family "f": found the end of the page at byte 23, after 3 of 18 bytes of a message, expected the rest of it: the page was cut off`},
		{"a large message", protowire.AppendVarint(nil, 1<<40), `offset 0: found a message of 1099511627776 bytes, expected at most 268435456`},
		{"no tag", message([]byte{0x80}), `offset 1: found no tag of a field, expected one`},
		{"field 0", message([]byte{0}), `offset 1: found no tag of a field, expected one`},
		{"no name", message(number(3, gauge)), `offset 0, MetricFamily.name: found no name, expected one`},
		{"a name that is not UTF-8", message(text(1, "\xff")), `offset 1, MetricFamily.name: found "\xff", expected UTF-8`},
		{"a type beyond", message(text(1, "f"), number(3, 6)), `offset 4, family "f", MetricFamily.type: found 6, expected a type from 0 to 5`},
		{"a type as text", message(text(1, "f"), text(3, "x")), `offset 4, family "f", MetricFamily.type: found the wire type length and bytes, expected varint`},
		{"a family again", append(append(bytes.Clone(good), message(text(1, "g"))...), good...), `offset 23, family "f": found the family again, expected all of a family together`},
		{"more of a family with other help", append(bytes.Clone(good), message(text(1, "f"), text(2, "help"), number(3, gauge))...), `offset 19, family "f": found more of the family with other metadata, expected the same help, type and unit`},
		{"no value", family(gauge), `offset 8, family "f", Metric: found no value, expected the value of a gauge`},
		{"another type's value", family(gauge, field(3, double(1, 1))), `offset 8, family "f": found a second value, or one of another type, expected the one value of a gauge`},
		{"two values", family(gauge, field(2), field(2)), `offset 10, family "f": found a second value, or one of another type, expected the one value of a gauge`},
		{"a value of 32 bits", family(gauge, field(2, []byte{1<<3 | 5, 0, 0, 0, 0})), `offset 10, family "f", Gauge.value: found the wire type 32 bits, expected 64 bits`},
		{"a value cut off", family(gauge, field(2, []byte{1<<3 | 1, 0})), `offset 10, family "f", Gauge.value: found no whole value, expected one`},
		{"a label without a name", family(gauge, text(1, ""), field(2)), `offset 8, family "f", Metric.label: found a label without a name, expected one`},
		{"a label twice", family(gauge, label("a", ""), label("a", "x"), field(2)), `offset 15, family "f", Metric.label: found the label name "a" again, expected each name once`},
		{"a label of a bucket", family(histogram, label("le", ""), field(7)), `offset 8, family "f", Metric.label: found the label "le", expected it on buckets or quantiles alone`},
		{"a label that is not UTF-8", family(gauge, label("a", "\xfe"), field(2)), `offset 13, family "f", LabelPair.value: found "\xfe", expected UTF-8`},
		{"a quantile twice", family(summary, field(4, field(3, double(1, 0.5)), field(3, double(1, 0.5)))), `offset 10, family "f", Summary.quantile: found the quantile 0.5 twice, expected each once`},
		{"a quantile of NaN", family(summary, field(4, field(3, double(1, math.NaN())))), `offset 12, family "f", Quantile.quantile: found NaN, expected a number`},
		{"nanoseconds", family(counter, field(3, field(3, number(2, 1e9)))), `offset 12, family "f", Timestamp.nanos: found nanoseconds out of range, expected 0 to 999999999`},
		{"bounds that fall", histogramOf(field(3, double(2, 2)), field(3, double(2, 1))), `offset 23, family "f", Bucket.upper_bound: found the bound 1.0 after 2.0, expected increasing bounds, each once`},
		{"buckets that fall", histogramOf(field(3, number(1, 2), double(2, 1)), field(3, number(1, 1), double(2, 2))), `offset 25, family "f", Bucket.cumulative_count: found a bucket of less than the one before, expected cumulative buckets`},
		{"a negative count", histogramOf(double(4, -1)), `offset 10, family "f", Histogram.sample_count_float: found -1.0, expected a number not below zero: it counts`},
		{"a schema beyond", histogramOf(signed(5, 9), span(0, 0)), `offset 10, family "f", Histogram.schema: found 9.0, expected a schema from -4 to 8`},
		{"spans without buckets", histogramOf(span(0, math.MaxInt32)), `offset 10, family "f", Histogram.positive_span: found spans that cover another number of buckets, expected spans that cover the buckets`},
		{"a span that goes back", histogramOf(span(5, 1), span(-1, 1), signed(13, 1), signed(13, 1)), `offset 10, family "f", Histogram.positive_span: found a span that goes back, expected spans that cover the buckets`},
		{"a span out of sight", histogramOf(span(math.MaxInt32, 1), signed(13, 1)), `offset 10, family "f", Histogram.positive_span: found a bucket beyond all numbers, expected spans that cover the buckets`},
		{"a span of 33 bits", histogramOf(span(0, 1<<32)), `offset 14, family "f", BucketSpan.length: found too many buckets, expected a number of 32 bits`},
		{"a bucket below zero", histogramOf(span(0, 1), signed(13, -1)), `offset 10, family "f", Histogram.positive_delta: found the count -1, expected a number not below zero: it counts`},
		{"a bucket beyond", histogramOf(span(0, 2), signed(13, math.MaxInt64), signed(13, 1)), `offset 10, family "f", Histogram.positive_delta: found a count beyond all numbers of 64 bits, expected counts of observations`},
		{"deltas and counts", histogramOf(span(0, 1), signed(13, 1), double(14, 1)), `offset 10, family "f", Histogram.positive_delta: found counts of buckets beside it, expected one of both`},
		{"packed counts cut off", histogramOf(text(14, "1234567")), `offset 10, family "f", Histogram.positive_count: found a part of a number among packed ones, expected numbers of 64 bits`},
		{"an endless group", message(text(1, "f"), []byte{9<<3 | 3}), `offset 4, family "f": found no whole value, expected one`},
	} {
		_, _, err := read(bytes.NewReader(test.page))
		var wrong *protobuf.SyntaxError
		if !errors.As(err, &wrong) || err.Error() != test.want {
			t.Errorf("%s:\n got %v\nwant %s", test.name, err, test.want)
		}
	}
}

// What a message may have is read: fields in any order, unknown ones, absent
// ones, packed numbers.
func TestForms(t *testing.T) {
	for _, test := range []struct {
		name             string
		page             []byte
		families, series int
	}{
		{"nothing", nil, 0, 0},
		{"no series", message(text(1, "f")), 1, 0},
		{"the name last", message(field(4, field(2, double(1, 1)), label("a", "b")), number(3, gauge), text(1, "f")), 1, 1},
		{"no type is a counter", message(text(1, "f"), field(4, field(3))), 1, 1},
		{"unknown fields", message(text(1, "f"), text(99, "x"), number(3, gauge), field(4, number(98, 1), field(2, double(97, 1))), []byte{9<<3 | 3, 9<<3 | 4}), 1, 1},
		{"a name that is given twice", message(text(1, "e"), text(1, "f")), 1, 0},
		{"a length of too many bytes", append([]byte{0x83, 0x00}, text(1, "f")...), 1, 0},
		{"packed deltas", histogramOf(field(12, number(2, 2)), field(13, []byte{2, 4})), 1, 1},
		{"packed counts", histogramOf(field(12, number(2, 1)), field(14, protowire.AppendFixed64(nil, math.Float64bits(0.5)))), 1, 1},
		{"a native histogram without observations", histogramOf(field(12)), 1, 1},
		{"a family in pieces", append(family(gauge, field(2)), family(gauge, field(2))...), 1, 2},
	} {
		families, series, err := read(bytes.NewReader(test.page))
		if err != nil || families != test.families || series != test.series {
			t.Errorf("%s: %d families, %d series, %v; want %d and %d", test.name, families, series, err, test.families, test.series)
		}
	}
}

func TestLimits(t *testing.T) {
	page := family(gauge, label("a", "1"), label("b", "2"), field(2, double(1, 1)))
	for _, test := range []struct {
		limits protobuf.Limits
		want   string
	}{
		{protobuf.Limits{Input: int64(len(page)) - 1}, fmt.Sprintf("offset 0: found a page of more than %d bytes, expected a shorter one", len(page)-1)},
		{protobuf.Limits{Message: len(page) - 2}, fmt.Sprintf("offset 0: found a message of %d bytes, expected at most %d", len(page)-1, len(page)-2)},
		{protobuf.Limits{Labels: 1}, `offset 16, family "f", Metric.label: found more than 1 labels, expected fewer`},
		{protobuf.Limits{Input: int64(len(page)), Message: len(page) - 1, Labels: 2}, ""},
		{protobuf.Limits{}, ""},
	} {
		_, _, err := read(bytes.NewReader(page), protobuf.WithLimits(test.limits))
		if got := fmt.Sprint(err); test.want != "" && got != test.want || test.want == "" && err != nil {
			t.Errorf("%+v: got %v, want %q", test.limits, err, test.want)
		}
	}
}

// A length that promises much takes no memory until it is kept.
func TestPromises(t *testing.T) {
	page := append(protowire.AppendVarint(nil, 200<<20), "short"...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := read(bytes.NewReader(page)); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were taken for 5", n)
	}
}

// A message that is in memory already takes as much once.
func TestMessageInMemory(t *testing.T) {
	page := message(text(1, "f"), text(2, strings.Repeat("x", 8<<20)))
	for name, r := range map[string]io.Reader{
		"bytes":  bytes.NewReader(page),
		"string": strings.NewReader(string(page)),
		"buffer": bytes.NewBuffer(page),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := protobuf.NewScanner(r).Next(); err != nil {
			t.Error(err)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 9<<20 {
			t.Errorf("%s: %d bytes were taken for %d", name, n, len(page))
		}
	}
}

// Errors of the reader are returned by every later call; small reads make no
// difference.
func TestReaders(t *testing.T) {
	page := append(family(gauge, field(2, double(1, 1))), message(text(1, "g"), text(2, strings.Repeat("x", 200_000)))...)
	if families, _, err := read(iotest.OneByteReader(bytes.NewReader(page))); families != 2 || err != nil {
		t.Errorf("byte by byte: %d families, %v", families, err)
	}
	broken := errors.New("broken")
	p := protobuf.NewParser(io.MultiReader(bytes.NewReader(page[:30]), iotest.ErrReader(broken)))
	for range 3 {
		if _, err := p.Next(); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
}

// Series cost the scanner no allocation.
func TestScannerAllocations(t *testing.T) {
	exemplar := func(n protowire.Number) []byte {
		return field(n, label("trace_id", "x\ny"), double(2, 1), field(3, number(1, 5)))
	}
	var page []byte
	for range 3000 {
		page = append(page, histogramOf(number(1, 3), double(2, 1), field(3, number(1, 1), double(2, 1), exemplar(3)), field(3, number(1, 3), double(2, 2)),
			signed(5, 1), field(12, number(2, 2)), signed(13, 1), signed(13, 1), exemplar(16), field(15, number(1, 9)))...)
		page = append(page, family(counter, label("a", "b"), field(3, double(1, 1), exemplar(2)))...)
		page = append(page, family(summary, label("a", "b"), field(4, number(1, 1), field(3, double(1, 0.5), double(2, 1))))...)
	}
	s := protobuf.NewScanner(bytes.NewReader(page))
	next := func() {
		for range 100 {
			if _, err := s.Next(); err != nil {
				t.Fatal(err)
			}
		}
	}
	next()
	if n := testing.AllocsPerRun(100, next); n != 0 {
		t.Errorf("100 entries cost %v allocations", n)
	}
}

// Pages that would take minutes if anything took more than linear time.
func TestLinear(t *testing.T) {
	const n = 50_000
	repeat := func(of func(i int) []byte) (all []byte) {
		for i := range n {
			all = append(all, of(i)...)
		}
		return all
	}
	none := protobuf.WithLimits(protobuf.Limits{Labels: math.MaxInt})
	for name, page := range map[string][]byte{
		"families":  repeat(func(i int) []byte { return message(text(1, fmt.Sprint(i))) }),
		"pieces":    repeat(func(int) []byte { return message(text(1, "f")) }),
		"labels":    family(gauge, repeat(func(i int) []byte { return label(fmt.Sprint(i), "") }), field(2)),
		"exemplar":  family(counter, field(3, field(2, repeat(func(i int) []byte { return label(fmt.Sprint(i), "\\") })))),
		"exemplars": histogramOf(field(12), repeat(func(int) []byte { return field(16, label("a", "b")) })),
		"buckets":   histogramOf(repeat(func(i int) []byte { return field(3, double(2, float64(i)), field(3, label("a", "b"))) })),
		"quantiles": family(summary, field(4, repeat(func(i int) []byte { return field(3, double(1, float64(n-i))) }))),
		"spans":     histogramOf(repeat(func(int) []byte { return field(12) })),
		"deltas":    histogramOf(field(12, number(2, n)), repeat(func(int) []byte { return signed(13, 1) })),
		"series":    message(text(1, "f"), number(3, gauge), repeat(func(int) []byte { return field(4, field(2)) })),
		"groups":    message(text(1, "f"), bytes.Repeat([]byte{9<<3 | 3}, n)),
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := read(bytes.NewReader(page), none); err != nil && len(err.Error()) > 500 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

package protobuf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/exposition/protobuf"
)

// A page is read alike whether or not its series have label names seen before.

// shown is all that a scanner says of the entry that it has read.
func shown(e *protobuf.Entry, err error) string {
	if err != nil {
		return err.Error()
	}
	p := &e.Point
	s := fmt.Sprintf("kind %d at %d of %q, %q, %q, %v: labels %q has %b created %v at %v value %x",
		e.Kind, e.Offset, e.Name, e.Help, e.Unit, e.Type, p.Labels.Text(), p.Has, p.Created, p.Timestamp, math.Float64bits(p.Value))
	for x := p.Exemplar; x != nil; x = x.Older {
		s += fmt.Sprintf(" exemplar %q %x %v", x.Labels.Text(), math.Float64bits(x.Value), x.Timestamp)
	}
	if p.Summary != nil {
		s += fmt.Sprintf(" summary %+v", *p.Summary)
	}
	if h := p.Histogram; h != nil {
		s += fmt.Sprintf(" histogram %v %v %v %v", h.Bounds.Upper(), h.Cumulative, h.Count, h.Sum)
	}
	return s
}

// readAlike reads the page series by series, with the names of those before and
// without, and returns how many labels have names seen before.
func readAlike(t *testing.T, page []byte) (known int) {
	t.Helper()
	limits := protobuf.WithLimits(protobuf.Limits{Labels: 24})
	quick, slow := protobuf.NewScanner(bytes.NewReader(page), limits), protobuf.NewScanner(bytes.NewReader(page), limits)
	for {
		slow.Forget()
		e, err := quick.Next()
		other, wrong := slow.Next()
		if got, want := shown(e, err), shown(other, wrong); got != want {
			t.Fatalf("%s, and without names\n%s", got, want)
		}
		if err != nil {
			if errors.Is(err, io.EOF) != errors.Is(wrong, io.EOF) {
				t.Fatalf("%v, and without names %v", err, wrong)
			}
			return known
		}
		if e.Kind == protobuf.KindSeries {
			_, names := quick.Remembered()
			known += names
		}
	}
}

// namedPage makes up a page of series whose labels have the same names mostly, in
// the same order and form.
func namedPage(r *rand.Rand) []byte {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	odd := func(usual string, odd ...string) string {
		if r.IntN(20) > 0 {
			return usual
		}
		return pick(odd...)
	}
	var page []byte
	for f := range 1 + r.IntN(4) {
		typ := r.Uint64N(6)
		names := make([]string, r.IntN(4)+r.IntN(2)*r.IntN(30))
		for i := range names {
			names[i] = odd(pick("a", "method", "handler.name", "ü", `q"q`)+odd(fmt.Sprint(i), ""), "le", "quantile", "", "\xff", strings.Repeat("n", 120+r.IntN(20)))
		}
		var series [][]byte
		for range 1 + r.IntN(20) {
			var metric [][]byte
			for _, name := range names[:len(names)-min(len(names), r.IntN(10)/9)] {
				value := odd(pick("", "x", "GET", "/api/v1/resource/00042", "ü花", "eight888"), "\xff", "\n", `"`, `\`, `a"b\c`, strings.Repeat("v", 100+r.IntN(100)))
				pair := label(odd(name, "other"), value)
				switch r.IntN(60) {
				case 0:
					pair = field(1, text(2, value), text(1, name))
				case 1:
					pair = field(1, text(1, name))
				case 2:
					pair = field(1, text(1, name), text(2, value), number(9, 7))
				case 3:
					pair = field(1, text(1, "x"), text(1, name), text(2, value))
				case 4:
					pair = field(1, text(1, name), number(2, 1))
				case 5:
					pair = number(1, 1)
				case 6: // a length of more bytes than it takes
					pair = append([]byte{1<<3 | 2, byte(len(pair)-2) | 0x80, 0}, pair[2:]...)
				case 7:
					pair = append(pair, number(6, 1700000000000)...)
				}
				metric = append(metric, pair)
			}
			value := field(protowire.Number([]int{3, 2, 4, 5, 7, 7}[typ]), double(1, r.Float64()))
			if typ >= histogram || typ == summary {
				value = value[:1:1]
				value = append(value, 0)
			}
			metric = append(metric, value)
			series = append(series, field(4, metric...))
		}
		one := message(append([][]byte{text(1, fmt.Sprint("f", f)), number(3, typ)}, series...)...)
		if r.IntN(10) == 0 {
			one[r.IntN(len(one))] ^= byte(1 << r.IntN(8))
		}
		page = append(page, one...)
	}
	if r.IntN(10) == 0 {
		page = page[:r.IntN(len(page))]
	}
	return page
}

// FuzzNames compares reading by the names of the series before with reading each
// series as if it were the first.
func FuzzNames(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(namedPage(rand.New(rand.NewPCG(seed, 5))))
	}
	f.Fuzz(func(t *testing.T, page []byte) { readAlike(t, page) })
}

// Made up pages have many labels whose names were seen before, as the fuzz target is
// to compare.
func TestNamesRecur(t *testing.T) {
	known := 0
	for seed := range uint64(500) {
		known += readAlike(t, namedPage(rand.New(rand.NewPCG(seed, 6))))
	}
	if known < 2000 {
		t.Errorf("%d labels of 500 pages have known names", known)
	}
}

// What is remembered of a page has a bound, whatever its names.
func TestNamesAreBounded(t *testing.T) {
	for name, of := range map[string]func(i, j int) string{
		"other names": func(i, j int) string { return fmt.Sprint("n", i, "_", j) },
		"long names":  func(i, j int) string { return fmt.Sprint(strings.Repeat("n", i), j) },
		"same names":  func(_, j int) string { return fmt.Sprint("n", j) },
	} {
		var series [][]byte
		for i := range 200 {
			metric := [][]byte{field(2, double(1, 1))}
			for j := range 200 {
				metric = append(metric, label(of(i, j), ""))
			}
			series = append(series, field(4, metric...))
		}
		s := protobuf.NewScanner(bytes.NewReader(message(append([][]byte{text(1, "f"), number(3, gauge)}, series...)...)))
		for {
			_, err := s.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if bytes, _ := s.Remembered(); bytes > 16<<10 {
				t.Fatalf("%s: %d bytes are remembered", name, bytes)
			}
		}
		if bytes, _ := s.Remembered(); bytes == 0 {
			t.Errorf("%s: nothing is remembered", name)
		}
	}
}

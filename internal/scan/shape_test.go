package scan_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/internal/scan"
)

// A page is read alike whether or not its lines are of shapes seen before.

// grammarOf returns a grammar for each number: the lowest are those of text, of
// OpenMetrics 1.0 and of 2.0.
func grammarOf(number uint16) scan.Grammar {
	flags := number >> 2
	g := [...]scan.Grammar{
		{Blanks: true, TrailingComma: true, TextHelp: true, NameReserved: true, Timestamp: scan.Milliseconds, Timestamps: "milliseconds"},
		{AnyEscape: true, EscapedQuotes: true, Exemplars: 1, Timestamp: scan.Seconds, Timestamps: "seconds"},
		{AnyEscape: true, Composites: true, Starts: true, Exemplars: math.MaxInt, TimedAlways: true, Timestamp: scan.Seconds, Timestamps: "seconds"},
		{Blanks: true, Composites: true, Exemplars: 2, Timestamp: scan.LenientMilliseconds, Timestamps: "milliseconds"},
	}[number&3]
	for i, flag := range []*bool{&g.Blanks, &g.TrailingComma, &g.AnyEscape, &g.NameReserved, &g.Composites, &g.Starts, &g.TimedAlways} {
		*flag = *flag != (flags>>i&1 > 0)
	}
	if flags>>7&1 > 0 {
		g = g.Leniently()
	}
	return g
}

// shown is all that a scanner says of the line that it has read.
func shown(s *scan.Scanner, err error) string {
	e := &s.Entry
	var b strings.Builder
	labels := func(l scan.Labels) {
		fmt.Fprintf(&b, " %d labels %q", l.Len(), l.Text())
		for i := range l.Len() {
			fmt.Fprintf(&b, " %d:%q", l.Column(i), l.Value(i))
			if first := l.Find(string(l.Text()[:1])); first >= 0 {
				fmt.Fprintf(&b, " found %d", first)
			}
		}
	}
	fmt.Fprintf(&b, "%v; kind %d line %d name %q readable %v", err, e.Kind, e.Line, e.Name, s.Readable())
	labels(e.Labels)
	for i := range e.Labels.Len() {
		var scratch scan.Labels
		fmt.Fprintf(&b, " without %q", e.Labels.Without(i, &scratch).Text())
	}
	fmt.Fprintf(&b, " value %x at %v start %v columns %+v rest %q", math.Float64bits(e.Value), e.Timestamp, e.Start, s.Columns, s.Rest())
	for i := range e.Exemplars {
		x := &e.Exemplars[i]
		labels(x.Labels)
		fmt.Fprintf(&b, " %x at %v", math.Float64bits(x.Value), x.Timestamp)
	}
	if e.Composite != nil {
		fmt.Fprintf(&b, " %+v", *e.Composite)
	}
	return b.String()
}

// readAlike reads the page line by line, with the shapes of the lines before and
// without, and returns how many lines are samples of shapes seen before.
func readAlike(t *testing.T, page []byte, number uint16) (recalled int) {
	t.Helper()
	g := grammarOf(number)
	limits := scan.Limits{Line: 4 << 10, Labels: 8}
	quick, slow := scan.New(bytes.NewReader(page), g, limits), scan.New(bytes.NewReader(page), g, limits)
	for {
		slow.Forget()
		line, err := quick.Advance()
		if _, other := slow.Advance(); fmt.Sprint(err) != fmt.Sprint(other) {
			t.Fatalf("%v, and without shapes %v", err, other)
		}
		if errors.Is(err, io.EOF) {
			return recalled
		}
		if err != nil {
			continue
		}
		line = bytes.Clone(line)
		if g.Blanks {
			quick.SkipBlanks()
			slow.SkipBlanks()
		}
		wrong, otherwise := quick.Sample(), slow.Sample()
		if got, want := shown(quick, wrong), shown(slow, otherwise); got != want {
			t.Fatalf("grammar %d, line %q:\n%s, and without shapes\n%s", number, line, got, want)
		}
		if wrong == nil && quick.Recalled() {
			recalled++
		}
	}
}

// shapedPage makes up a page whose lines come in runs of one shape, some of them
// spoilt.
func shapedPage(r *rand.Rand) []byte {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	odd := func(usual string, odd ...string) string {
		if r.IntN(12) > 0 {
			return usual
		}
		return pick(odd...)
	}
	var page []byte
	for range 1 + r.IntN(12) {
		head := odd(pick("a", "a_total", "a_bucket", "b:c")+odd("{", " {", "{ "), " a{", "é{", "{", "a")
		if r.IntN(4) == 0 {
			head = odd(pick(`{"http.requests"`, `{"a\"b"`, `{"a"`), `{ "a" `, `{""`) + odd(",", "", " , ")
		}
		names := make([]string, r.IntN(5))
		for i := range names {
			n := odd(fmt.Sprint(i), "")
			names[i] = odd(pick("a", "b", "le", "quantile", "method")+n, `"odd `+n+`"`, `"q\"q`+n+`"`, "__name__", `"b"`, "9")
		}
		equals, comma, brace := odd("=", " = "), odd(",", " ,", ", "), odd("}", ",}", " }", `,"n"}`)
		for range 1 + r.IntN(6) {
			line := []byte(head)
			for i, name := range names {
				if i > 0 {
					line = append(line, comma...)
				}
				value := odd(pick("", "x", "GET", "200", "/api/v1/resource/00042", "1", "+Inf", "0.5", "a}b", "a,b=", "{}", "eight888", "sevens7"),
					"ü花", `\n`, `\\`, `\"`, `a\x`, "\xff", "\x00", `x" y="z`, strings.Repeat("long", r.IntN(100)))
				line = append(append(append(append(append(line, name...), equals...), '"'), value...), '"')
			}
			line = append(append(line, brace...), odd(" ", "", "  ", "\t")...)
			line = append(line, odd(pick("1", "42.0", "0.125", "-7", "NaN", "+Inf", "1e3", "123456789012345", "1234567890123456", "12345678901234567890"),
				"1.2.3", "", ".", "-", "0.1234567890123456", "{count:1,sum:2,quantile:[]}", "{count:1,sum:2,bucket:[+Inf:1]}")...)
			line = append(line, odd("", " ", " 123", " 1.5", "\t5", " 1 ", ` # {trace_id="x"} 1`, ` 1 # {a="ü",b="\n"} 1 2.5`,
				" # {} 1 1 # {} 2 2", " st@1", " 5 st@1.5 # {} 1 1", "\r", "#c", " # c", " \xff")...)
			if r.IntN(12) == 0 && len(line) > 0 {
				at := r.IntN(len(line))
				switch r.IntN(4) {
				case 0:
					line = line[:at]
				case 1:
					line = append(line[:at:at], line[at+1:]...)
				case 2:
					line = append(line[:at:at], append([]byte(pick(" ", `"`, "{", "}", ",", `\`, "=", "a", "\xc3")), line[at:]...)...)
				default:
					line[at] = byte(r.Uint32())
				}
			}
			page = append(append(page, line...), odd("\n", "\r\n", "\n# comment\n", "\n\n")...)
		}
	}
	return page
}

// FuzzShapes compares reading by the shapes of the lines before with reading each
// line as if it were the first.
func FuzzShapes(f *testing.F) {
	for seed := range uint64(400) {
		f.Add(shapedPage(rand.New(rand.NewPCG(seed, 3))), uint16(seed%4|seed/4%2<<9))
	}
	f.Add([]byte(strings.Repeat("h_bucket{m=\"GET\",le=\"1\"} 1\nh_bucket{m=\"GET\",le=\"+Inf\"} 1\nh_sum{m=\"GET\"} 1.5\nh_count{m=\"GET\"} 1\n", 5)), uint16(0))
	cases, _ := filepath.Glob("../../../shared/conformance/openmetrics-1.0/cases/*/metrics") // none, outside of the project's own machines
	for _, file := range cases {
		if in, err := os.ReadFile(file); err == nil {
			f.Add(bytes.Repeat(in, 2), uint16(1))
		}
	}
	f.Fuzz(func(t *testing.T, page []byte, number uint16) { readAlike(t, page, number) })
}

// Of made up pages, each grammar reads many lines by the shapes of others, as the
// fuzz target is to compare.
func TestShapesRecur(t *testing.T) {
	recalled := [4]int{}
	for seed := range uint64(200) {
		for number := range recalled {
			recalled[number] += readAlike(t, shapedPage(rand.New(rand.NewPCG(seed, 4))), uint16(number))
		}
	}
	for number, lines := range recalled {
		if lines < 300 {
			t.Errorf("grammar %d reads %d lines of 200 pages by the shapes of others", number, lines)
		}
	}
}

// What is remembered of a page has a bound, whatever its lines.
func TestShapesAreBounded(t *testing.T) {
	const most = 32 << 10
	lines := map[string]func(i int) string{
		"names":  func(i int) string { return fmt.Sprintf("n%d%s{a=\"\"} 1\n", i, strings.Repeat("n", 1<<(i%16))) },
		"labels": func(i int) string { return "n{" + strings.Repeat("l", 1+i%3000) + "=\"\"} 1\n" },
		"many labels": func(i int) string {
			var b strings.Builder
			for j := range 200 {
				fmt.Fprintf(&b, "l%d_%d=\"\",", i, j)
			}
			return "n{" + b.String() + "} 1\n"
		},
		"short labels": func(i int) string {
			var b strings.Builder
			for j := range 60 {
				fmt.Fprintf(&b, "%c%c=\"%d\",", 'a'+j%26, 'a'+(i+j/26)%26, i)
			}
			return "n{" + b.String() + "z=\"\"} 1\n"
		},
		"values": func(i int) string { return fmt.Sprintf("n{a%d=\"%s\"} 1\n", i%5, strings.Repeat("v", 1<<(i%16))) },
		"quoted": func(i int) string { return fmt.Sprintf("{\"%s.%d\",a=\"\"} 1\n", strings.Repeat("\\\\", i%500), i) },
	}
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			var page strings.Builder
			for i := range 600 {
				page.WriteString(line(i))
			}
			s := scan.New(strings.NewReader(page.String()), grammarOf(0), scan.Limits{})
			for {
				_, err := s.Advance()
				if errors.Is(err, io.EOF) {
					break
				}
				if err == nil {
					err = s.Sample()
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := s.Remembered(); got > most {
					t.Fatalf("line %d: %d bytes are remembered, at most %d may", s.Entry.Line, got, most)
				}
			}
			if got := s.Remembered(); got == 0 && name != "many labels" {
				t.Error("nothing is remembered")
			}
		})
	}
}

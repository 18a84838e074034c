package screen

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"telltale/model"
)

func TestSparkline(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, test := range []struct {
		values   []float64
		n        int
		fromZero bool
		want     string
	}{
		{nil, 3, false, "   "},
		{[]float64{1, 2, 3}, 5, false, "  ▁▅█"},
		{[]float64{1, 2, 3}, 2, false, "▁█"},
		{[]float64{4, 8}, 2, true, "▅█"},
		{[]float64{0, 0}, 2, true, "▁▁"},
		{[]float64{5, 5}, 2, false, "▁▁"},
		{[]float64{1, nan, 3}, 3, false, "▁ █"},
		{[]float64{1, inf, -inf}, 3, false, "▁█▁"},
		{[]float64{-math.MaxFloat64, 0, math.MaxFloat64}, 3, false, "▁▅█"},
		{[]float64{nan, nan}, 2, true, "  "},
	} {
		if got := sparkline(test.values, test.n, test.fromZero); got != test.want {
			t.Errorf("%v: %q, want %q", test.values, got, test.want)
		}
	}
}

func TestBar(t *testing.T) {
	for share, want := range map[float64]string{0: "", -1: "", math.NaN(): "", 1: "████", 2: "████", 0.5: "██", 1.0 / 32: "▏", 0.001: "▏", 3.0 / 32: "▍", 0.4: "█▋", math.Inf(1): "████"} {
		if got := bar(share, 4); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 42: "42", -1.5: "-1.5", 1796000000.25: "1796000000", 1e18: "1e+18", 0.000012345678: "1.2346e-05", math.Inf(-1): "-Inf"} {
		if got := number(v); got != want || len(got) > numberWidth {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}

// styles are all escape sequences that are drawn.
var styles = strings.NewReplacer("\x1b[1m", "", "\x1b[2m", "", "\x1b[7m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[1;31m", "", "\x1b[m", "")

// replaced stands for Config.Printable: it replaces what is not printed.
func replaced(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, text)
}

// still is a source that is never read.
type still string

func (s still) Name() string                                          { return string(s) }
func (s still) Read(context.Context) ([]*model.Family, string, error) { return nil, "", nil }
func (s still) Writers() ([]Writer, error)                            { return nil, nil }
func press(name string, code rune) tea.KeyPressMsg                    { return tea.KeyPressMsg{Code: code, Text: name} }
func drawn(width, height int, sources ...Source) *table {
	t := newTable(context.Background(), &Config{Sources: sources, Interval: time.Hour, Series: 100, Printable: replaced})
	t.width, t.height = width, height
	return t
}

// Whatever targets send, a screen has as many lines and columns as the terminal, and
// no control sequences but its own.
func FuzzScreen(f *testing.F) {
	f.Add("a\x1b[2J", "b", "\x1b]0;x\a", "e\r\n", uint8(80), uint8(24))
	f.Add("花火", "a\u202eb", "\xff\x9b1m", "\u0300\u0300", uint8(3), uint8(1))
	f.Add("", "", "", "", uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, name, value, help, problem string, width, height uint8) {
		family := &model.Family{Name: name, Help: help, Unit: value, Type: model.Unknown}
		family.AddSample(name, map[string]string{"l": value, name: help}, 1)
		info := &model.Family{Name: name + "i", Type: model.Info}
		info.Append(model.Point{Info: model.LabelsOf(map[string]string{"x": value})})
		histogram := &model.Family{Name: name + "h", Type: model.Histogram}
		histogram.Append(model.Point{Histogram: &model.HistogramValue{Native: &model.NativeHistogram{
			Schema: 8, PositiveSpans: []model.Span{{Offset: -5, Length: 5}}, Positive: []float64{1, 2, math.Inf(1), math.NaN(), -1}, Count: math.NaN(),
		}}})
		tb := drawn(int(width), int(height), still(name), still(value), still(help))
		look := func(what string) {
			lines := strings.Split(tb.draw(), "\n")
			if len(lines) != max(int(height), 1) {
				t.Errorf("%s: %d lines of %d", what, len(lines), height)
			}
			for _, line := range lines {
				plain := styles.Replace(line)
				if strings.ContainsFunc(plain, unicode.IsControl) || ansi.StringWidth(plain) > int(width) {
					t.Errorf("%s: %d columns of %d: %q", what, ansi.StringWidth(plain), width, line)
				}
			}
		}
		look("nothing")
		at := time.Unix(1000, 0)
		for range 3 {
			at = at.Add(time.Second)
			tb.Update(reading{target: 0, at: at, families: []*model.Family{family, info, histogram}, note: help})
			tb.Update(reading{target: 1, at: at, err: errors.New(problem)})
			look("series")
			tb.Update(press("", tea.KeyDown))
		}
		tb.Update(press("", tea.KeyEnter))
		for range tb.rows {
			look("detail")
			tb.Update(press("", tea.KeyUp))
		}
		tb.Update(press("w", 'w'))
		tb.Update(writersRead{files: []Writer{{File: name, PID: value, Alive: help, Health: problem, Used: 1}}, err: errors.New(problem)})
		look("writers")
		tb.Update(press("?", '?'))
		look("keys")
		tb.Update(press("/", '/'))
		tb.Update(press(value, 'x'))
		tb.Update(tea.PasteMsg{Content: help})
		look("filter")
		tb.Update(press("", tea.KeyBackspace))
		tb.Update(press("", tea.KeyEnter))
		look("filtered")
	})
}

func TestKeys(t *testing.T) {
	tb := drawn(80, 10, still("x"))
	family := &model.Family{Name: "g", Type: model.Gauge}
	for _, v := range []string{"a", "b", "c"} {
		family.AddSample("g", map[string]string{"l": v}, 1)
	}
	tb.Update(reading{at: time.Unix(1, 0), families: []*model.Family{family}})
	chosen := func(want string) {
		t.Helper()
		if tb.chosen == nil || tb.chosen.Labels != want {
			t.Errorf("the cursor is on %+v, want %s", tb.chosen, want)
		}
	}
	chosen(`l="a"`)
	tb.Update(press("", tea.KeyEnd))
	chosen(`l="c"`)
	tb.Update(press("", tea.KeyPgUp))
	chosen(`l="a"`)
	tb.Update(press("j", 'j'))
	chosen(`l="b"`)
	tb.Update(press("r", 'r')) // the cursor stays on its series
	chosen(`l="b"`)
	tb.Update(press("/", '/'))
	for _, r := range `l="c` {
		tb.Update(press(string(r), r))
	}
	tb.Update(press("", tea.KeyEnter))
	if chosen(`l="c"`); len(tb.rows) != 1 || tb.filter != `l="c` {
		t.Errorf("%d rows with %q", len(tb.rows), tb.filter)
	}
	tb.Update(tea.PasteMsg{Content: "x"}) // not while no filter is written
	tb.Update(press("", tea.KeyEscape))
	if len(tb.rows) != 3 {
		t.Errorf("%d rows", len(tb.rows))
	}
	tb.Update(press(" ", tea.KeySpace))
	tb.Update(reading{at: time.Unix(2, 0), families: nil})
	if tb.board.Targets()[0].Families != 1 || !strings.Contains(tb.draw(), "PAUSED") {
		t.Error("it is not paused")
	}
	for _, quit := range []tea.KeyPressMsg{press("q", 'q'), {Code: 'c', Mod: tea.ModCtrl}} {
		if _, cmd := tb.Update(quit); cmd == nil || cmd() != tea.Quit() {
			t.Errorf("%v does not quit", quit)
		}
	}
	tb.Update(press("/", '/'))
	for range 3 {
		tb.Update(tea.PasteMsg{Content: strings.Repeat("é", maxFilter)})
	}
	if n := len([]rune(tb.filter)); n != maxFilter {
		t.Errorf("the filter has %d characters", n)
	}
	if _, cmd := tb.Update(press("q", 'q')); cmd != nil {
		t.Error("q quits while a filter is written")
	}
}

// What is cut out of a series is its middle.
func TestFitMiddle(t *testing.T) {
	const long = `http_requests_total{method="GET",code="200"}`
	for _, test := range []struct {
		text string
		n    int
		want string
	}{
		{"up", 4, "up  "},
		{long, len(long), long},
		{long, 24, `http_req…ET",code="200"}`},
		{long, 8, `http_re…`},
		{"", 12, "            "},
	} {
		if got := fitMiddle(test.text, test.n); got != test.want {
			t.Errorf("%q in %d columns: %q", test.text, test.n, got)
		}
	}
	for n := range 40 { // of characters two columns wide, too
		if got := fitMiddle(`x_total{name="日本語日本語日本語"}`, n); ansi.StringWidth(got) != n {
			t.Errorf("%d columns: %q", n, got)
		}
	}
}

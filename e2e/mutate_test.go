package e2e

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// mutations each spoil a page at one place, or leave it as it is where it has no
// such place. The last line is what stands behind the last line feed: nothing,
// on a page that is whole.
var mutations = []func(d dice, lines []string) []string{
	func(d dice, lines []string) []string { // lines
		i, j := d.IntN(len(lines)), d.IntN(len(lines))
		switch line := lines[i]; d.IntN(4) {
		case 0:
			return slices.Delete(lines, i, i+1)
		case 1:
			return slices.Insert(lines, i, line)
		case 2:
			return slices.Insert(lines, j, line)
		default:
			lines[i], lines[j] = lines[j], line
			return lines
		}
	},
	onLine(func(d dice, line string) string { // bytes
		i := d.IntN(len(line) + 1)
		cut := i
		if d.chance(50) {
			cut = min(i+1, len(line))
		}
		return line[:i] + pick(d, meaningful...) + line[cut:]
	}),
	onLine(func(d dice, line string) string { // one byte less
		i := d.IntN(max(len(line), 1))
		return line[:i] + line[min(i+1, len(line)):]
	}),
	onLine(func(d dice, line string) string { // tokens
		tokens := strings.Split(line, " ")
		i, j := d.IntN(len(tokens)), d.IntN(len(tokens))
		tokens[i], tokens[j] = tokens[j], tokens[i]
		return strings.Join(tokens, " ")
	}),
	onToken(func(s string) bool { return slices.Contains(typeWords, s) }, typeWords),
	onToken(func(s string) bool { return slices.Contains(keywords, s) }, keywords),
	onToken(startsNumber, numbers),
	onLine(func(d dice, line string) string { // a timestamp, or something else
		if strings.HasPrefix(line, "#") {
			return line
		}
		before, exemplar, found := strings.Cut(line, " # ")
		if line = before + " " + pick(d, times...); found {
			line += " # " + exemplar
		}
		return line
	}),
	func(d dice, lines []string) []string { // the end
		switch last := len(lines) - 1; d.IntN(5) {
		case 0:
			return append(lines[:last], "# EOF", "")
		case 1:
			return lines[:last] // without a line feed
		case 2:
			lines[last] = pick(d, "a 1", "#", " ", "\t", "# EOF", "\n")
		case 3:
			lines[max(last-1, 0)] = pick(d, "# EOF ", " # EOF", "#  EOF", "# eof", "#EOF", "# EOF\r")
		default:
			return slices.Insert(lines, d.IntN(last+1), pick(d, "# EOF", "", " ", "#", "# a comment", "#a", "# HELP", "# TYPE a", "# UNIT a s"))
		}
		return lines
	},
	onLine(func(d dice, line string) string { // quotes and escapes
		if i := strings.LastIndexByte(line, '"'); i >= 0 && d.chance(70) {
			return line[:i] + pick(d, `\`, `\\`, `\n`, `\"`, `\q`, `"`, "}", ",", "é", " # {", "\t") + line[i:]
		}
		return line + pick(d, `\`, `\\`, `\n`, `\"`, `\q`, `"`)
	}),
	onLine(func(d dice, line string) string { // blanks, at the seams of a line
		seams := []int{0, len(line)}
		for i, c := range line {
			if strings.ContainsRune(`{}=," #`, c) {
				seams = append(seams, i, i+1)
			}
		}
		i := pick(d, seams...)
		return line[:i] + pick(d, " ", "\t", "  ", "\r", "\u00a0") + line[i:]
	}),
	onLine(func(d dice, line string) string { // bounds and quantiles
		for _, name := range []string{`le="`, `quantile="`} {
			if before, rest, found := strings.Cut(line, name); found {
				_, after, _ := strings.Cut(rest, `"`)
				return before + name + pick(d, numbers...) + `"` + after
			}
		}
		return line
	}),
	onLine(func(d dice, line string) string { // exemplars
		if before, _, found := strings.Cut(line, " # "); found && d.chance(30) {
			return before
		}
		if strings.HasPrefix(line, "#") {
			return line
		}
		return line + pick(d, ` # {} 1`, ` # {a="b"} 0.1 2`, ` # {a="b"}`, ` # {a="b"} `, ` # {a="b",} 1`, ` # {a="b",a="c"} 1`, ` # {a="\""} 1`,
			` #{a="b"} 1`, ` # 1`, ` # {a="`+strings.Repeat("x", 127)+`"} 1`, ` # {a="`+strings.Repeat("é", 128)+`"} 1`, ` # {"a b"="c"} 1`, ` # {a="b"} 1 NaN`)
	}),
	onLine(func(d dice, line string) string { // labels
		if before, after, found := strings.Cut(line, "{"); found {
			return before + "{" + pick(d, "", ",", `a="b",`, `a="b" `, `le="1",`, `quantile="0.5",`, `"u",`, `"a b"="c",`, `__name__="x",`, `1="a",`, `a:b="c",`, `a='b',`) + after
		}
		if before, after, found := strings.Cut(line, " "); found && before != "#" {
			return before + pick(d, "{}", "{ }", "{,}", `{a="b"}`, `{a="b",}`, `{a="b",,}`, `{a="b",a="c"}`, `{"a"}`, "{", "}") + " " + after
		}
		return line
	}),
}

var (
	meaningful = []string{" ", "\t", `"`, `\`, "{", "}", "=", ",", "#", "\n", "\r", "\x00", "0", "1", "-", "+", ".", "e", "_", ":", "a", "N", "é", "\xff"}
	typeWords  = []string{"counter", "gauge", "histogram", "summary", "untyped", "unknown", "info", "stateset", "gaugehistogram", "Counter", "rate", ""}
	keywords   = []string{"HELP", "TYPE", "UNIT", "EOF", "help", "HELPS", ""}
	numbers    = []string{"0", "-0", "1", "-1", "+1", "1.", ".5", ".", "1e5", "1E+5", "1e", "e1", "0x1p4", "0x1", "1_0", "Inf", "+Inf", "-Inf", "+inf",
		"infinity", "NaN", "nan", "+NaN", "-nan", "1e999", "-1e999", "1e-999", "007", "0.5", "1,5", "1.5e0", "9007199254740993", "18446744073709551616", "٣", ""}
	times = []string{"0", "1", "-1", "+1", "1.5", "-0.5", "-1.5", "1e3", "0x10", "1_000", "NaN", "Inf", "1700000000.123456789", "1700000000123",
		"9223372036854775807", "9223372036854775808", "1e300", "1 2", ".5", "5.", "-.5", "٣"}
)

// onLine makes a mutation of one that spoils a single line.
func onLine(spoil func(d dice, line string) string) func(dice, []string) []string {
	return func(d dice, lines []string) []string {
		i := d.IntN(max(len(lines)-1, 1))
		lines[i] = spoil(d, lines[i])
		return lines
	}
}

// onToken makes a mutation that replaces one of the tokens that fit.
func onToken(fits func(string) bool, by []string) func(dice, []string) []string {
	return func(d dice, lines []string) []string {
		type place struct{ line, token int }
		var places []place
		for i, line := range lines {
			for j, token := range strings.Split(line, " ") {
				if fits(token) {
					places = append(places, place{i, j})
				}
			}
		}
		if len(places) == 0 {
			return lines
		}
		at := pick(d, places...)
		tokens := strings.Split(lines[at.line], " ")
		tokens[at.token] = pick(d, by...)
		lines[at.line] = strings.Join(tokens, " ")
		return lines
	}
}

func startsNumber(s string) bool {
	return s != "" && strings.ContainsRune("+-.0123456789", rune(s[0])) || s == "NaN"
}

// mutate spoils a page at one place, or now and then at two.
func mutate(r *rand.Rand, page string) string {
	d := dice{r}
	for {
		lines := pick(d, mutations...)(d, strings.Split(page, "\n"))
		if d.chance(10) && len(lines) > 0 {
			lines = pick(d, mutations...)(d, lines)
		}
		if mutated := strings.Join(lines, "\n"); mutated != page {
			return mutated
		}
	}
}

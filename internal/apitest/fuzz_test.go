package apitest

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"telltale"
)

// FuzzLabelValues counts under label values, given one after another and
// separated by bars: the page always keeps to its grammar, and each distinct
// pair of mended values is exactly one series with the right count.
func FuzzLabelValues(f *testing.F) {
	f.Add("a|b|a|b|c|d", byte(0))
	f.Add(`",b="|\|\\|"|\n`+"|\n", byte(0))
	f.Add("\xff|\xfe|\uFFFD|x|\xffx|\xc0\xafx|", byte(2))
	f.Add("#|# EOF\n|} 1\n|{|a=b|,", byte(1))
	f.Add("||||", byte(3))
	f.Fuzz(func(t *testing.T, text string, how byte) {
		reg := telltale.NewRegistry()
		const limit = 40
		v := telltale.Must(telltale.NewCounterVec("c", "", []string{"a", "b"}, telltale.In(reg),
			telltale.WithConstLabels(map[string]string{"zone": `",a="`}), telltale.WithLabelValueLimit(limit)))
		want := map[[2]string]float64{}
		values := strings.Split(text, "|")
		for i := 0; i+1 < len(values); i++ {
			pair := [2]string{values[i], values[i+1]}
			switch (int(how) + i) % 4 {
			case 0:
				v.With(pair[0], pair[1]).Inc()
			case 1:
				v.WithLabels(map[string]string{"a": pair[0], "b": pair[1]}).Inc()
			case 2:
				curry(t, v, "b", pair[1]).With(pair[0]).Inc()
			case 3:
				if _, there := want[[2]string{mend(pair[0], limit), mend(pair[1], limit)}]; v.Remove(pair[0], pair[1]) != there {
					t.Fatalf("Remove(%q) disagrees that it is there: %v", pair, there)
				}
				delete(want, [2]string{mend(pair[0], limit), mend(pair[1], limit)})
				continue
			}
			want[[2]string{mend(pair[0], limit), mend(pair[1], limit)}]++
		}
		latest, err := telltale.GenerateLatest(reg)
		if err != nil {
			t.Fatal(err)
		}
		got := map[[2]string]float64{}
		for line := range strings.Lines(string(latest)) {
			if strings.HasPrefix(line, "# ") {
				continue
			}
			labels, value, err := parseLine(strings.TrimSuffix(line, "\n"), "c_total")
			if err != nil {
				t.Fatalf("line %q: %v", line, err)
			}
			if len(labels) != 3 || labels[0] != [2]string{"zone", `",a="`} || labels[1][0] != "a" || labels[2][0] != "b" {
				t.Fatalf("line %q has the labels %q", line, labels)
			}
			pair := [2]string{labels[1][1], labels[2][1]}
			if _, twice := got[pair]; twice {
				t.Fatalf("the series %q is there twice", pair)
			}
			got[pair] = value
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if v.Len() != len(want) {
			t.Errorf("Len() = %d, want %d", v.Len(), len(want))
		}
	})
}

// mend returns the label value that a value becomes, by the specification.
func mend(value string, limit int) string {
	value = strings.ToValidUTF8(value, "\uFFFD")
	for len(value) > limit {
		_, size := utf8.DecodeLastRuneInString(value)
		value = value[:len(value)-size]
	}
	return value
}

// parseLine reads one line of the text format and accepts nothing else.
func parseLine(line, name string) (labels [][2]string, value float64, err error) {
	rest, ok := strings.CutPrefix(line, name)
	if !ok || !utf8.ValidString(line) {
		return nil, 0, fmt.Errorf("it does not begin with %s or is not UTF-8", name)
	}
	if inside, ok := strings.CutPrefix(rest, "{"); ok {
		for {
			label, text, ok := strings.Cut(inside, `="`)
			if !ok || label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz_") != "" {
				return nil, 0, fmt.Errorf("no label at %q", inside)
			}
			var b strings.Builder
			i := 0
			for ; i < len(text) && text[i] != '"'; i++ {
				c := text[i]
				if c == '\\' {
					if i++; i == len(text) {
						break
					}
					switch text[i] {
					case 'n':
						c = '\n'
					case '\\', '"':
						c = text[i]
					default:
						return nil, 0, fmt.Errorf("no such escape: \\%c", text[i])
					}
				}
				b.WriteByte(c)
			}
			if i == len(text) {
				return nil, 0, fmt.Errorf("the value of %q does not end", label)
			}
			labels = append(labels, [2]string{label, b.String()})
			inside = text[i+1:]
			if more, ok := strings.CutPrefix(inside, ","); ok {
				inside = more
				continue
			}
			if rest, ok = strings.CutPrefix(inside, "}"); !ok {
				return nil, 0, fmt.Errorf("neither a comma nor a brace at %q", inside)
			}
			break
		}
	}
	number, ok := strings.CutPrefix(rest, " ")
	if !ok {
		return nil, 0, fmt.Errorf("no value at %q", rest)
	}
	value, err = strconv.ParseFloat(number, 64)
	return labels, value, err
}

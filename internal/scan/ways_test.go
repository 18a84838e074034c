package scan_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"telltale/internal/scan"
	"telltale/model"
)

// Where the package has a fast way and a slow one, both come to the same.

// FuzzDistinct compares the hashes of series, of a few together and of many in
// parts, with their text.
func FuzzDistinct(f *testing.F) {
	for _, s := range []string{"", "a", "aa", "abab", "abcdefghijklmnopqrstuvwxyzabc", "\x00\x01\x02\x80\x81\x80\x00"} {
		f.Add([]byte(s), uint16(0))
		f.Add([]byte(s), uint16(300))
		f.Add([]byte(s), uint16(5000))
	}
	d := scan.NewDistinct()
	f.Fuzz(func(t *testing.T, in []byte, others uint16) {
		d.Reset()
		for i := range int(others) % 10_000 {
			d.Add(scan.Labels{}.Append("other", fmt.Sprint(i)), model.Timestamp{})
		}
		had, unique := map[string]bool{}, true
		for i, c := range in {
			var labels scan.Labels
			var at model.Timestamp
			pairs := []string{"a", fmt.Sprint(c & 7), "b", fmt.Sprint(c >> 3 & 3)}
			if i%2 > 0 {
				pairs = []string{pairs[2], pairs[3], pairs[0], pairs[1]}
			}
			for j := 0; j < len(pairs); j += 2 {
				labels = labels.Append(pairs[j], pairs[j+1])
			}
			if others%10_000 == 0 && in[0] >= 0x80 {
				at = model.Unix(int64(c>>5), 0)
			}
			key := fmt.Sprint(c&31, at)
			unique = unique && !had[key]
			had[key] = true
			d.Add(labels, at)
		}
		if got := d.Unique(); got != unique {
			t.Fatalf("%v of %v beside %d others, want %v", got, in, others, unique)
		}
		d.Add(scan.Labels{}.Append("c", ""), model.Unix(1, 0))
		d.Add(scan.Labels{}.Append("d", ""), model.Timestamp{})
		if d.Unique() {
			t.Fatal("some series have a timestamp and some have none")
		}
	})
}

// FuzzLabelNames compares the search for a repeated name among few labels, and
// among many, with a map.
func FuzzLabelNames(f *testing.F) {
	for _, s := range []string{"", "a", "aba", "abcdefghijklmnop", "abcdefghijklmnopa", "abcdefghijklmnopqp"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		in = in[:min(len(in), 200)]
		line, seen, repeated := bytes.NewBufferString("x{"), map[byte]bool{}, -1
		for i, c := range in {
			if seen[c] && repeated < 0 {
				repeated = line.Len() + 1
			}
			seen[c] = true
			if i%3 == 0 {
				fmt.Fprintf(line, "\"l%d\"=\"\",", c)
			} else {
				fmt.Fprintf(line, "l%d=\"\",", c)
			}
		}
		s := scan.New(strings.NewReader(line.String()+"} 1\n"), scan.Grammar{TrailingComma: true, Timestamp: scan.Milliseconds}, scan.Limits{})
		if _, err := s.Advance(); err != nil {
			t.Fatal(err)
		}
		switch err := s.Sample(); {
		case repeated < 0 && len(in) > 0 && err != nil:
			t.Fatal(err)
		case repeated >= 0 && (err == nil || !strings.Contains(err.Error(), fmt.Sprintf("column %d: found the label name", repeated))):
			t.Fatalf("%v, want the label name in column %d of %s", err, repeated, line)
		}
	})
}

// FuzzPoints puts the samples of histograms together in order, where each belongs
// to the point before it, and in turn, where it is looked for.
func FuzzPoints(f *testing.F) {
	for _, s := range []string{"\x01", "\x03\x05", "\x02\x09\x07\x05\x03\x01"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		in = in[:min(len(in), 50)]
		var runs [][]scan.Entry
		for i, c := range in {
			labels := scan.Labels{}.Append("a", fmt.Sprint(i))
			at := model.Timestamp{}
			if c&1 > 0 {
				at = model.Unix(int64(c), 0)
			}
			var run []scan.Entry
			for j := range int(c>>1&7) + 1 {
				run = append(run, scan.Entry{Name: []byte("h_bucket"), Labels: labels.Append("le", fmt.Sprint(j)), Value: float64(j), Timestamp: at})
			}
			runs = append(runs, append(run, scan.Entry{Name: []byte("h_count"), Labels: labels, Value: float64(c), Timestamp: at}))
		}
		read := func(order []scan.Entry) string {
			p := scan.NewPoints()
			p.Begin(&model.Family{Name: "h", Type: model.Histogram})
			for i := range order {
				part := model.PartBucket
				if strings.HasSuffix(string(order[i].Name), "_count") {
					part = model.PartCount
				}
				if m := p.Fit(&order[i], part); m != scan.Fits {
					t.Fatalf("%v: misfit %v", order[i], m)
				}
			}
			var all []string
			for s := range p.End().Samples() {
				all = append(all, fmt.Sprintf("%s%s %v %v", s.Name, s.Labels, s.Value, s.Timestamp))
			}
			slices.Sort(all)
			return strings.Join(all, "\n")
		}
		var inTurn []scan.Entry
		for i := 0; ; i++ {
			before := len(inTurn)
			for _, run := range runs {
				if i < len(run) {
					inTurn = append(inTurn, run[i])
				}
			}
			if len(inTurn) == before {
				break
			}
		}
		if a, b := read(slices.Concat(runs...)), read(inTurn); a != b {
			t.Fatalf("in order\n%s\nin turn\n%s", a, b)
		}
	})
}

// FuzzHelp compares the reading of a help text with and without escapes with
// replacing them one by one.
func FuzzHelp(f *testing.F) {
	for _, s := range []string{"", "a", " a ", `\\`, `\n`, `\\n`, `"\"`, `\`, `\\\`, `a\tb`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, help string) {
		if strings.ContainsAny(help, "\n") {
			return
		}
		s := scan.New(strings.NewReader("  "+help+"\n"), scan.Grammar{TextHelp: true}, scan.Limits{})
		if _, err := s.Advance(); err != nil {
			t.Fatal(err)
		}
		want, wrong := strings.TrimLeft(help, " \t"), false
		pieces := strings.Split(want, `\\`) // no escape reaches over one
		for i, piece := range pieces {
			pieces[i] = strings.ReplaceAll(piece, `\n`, "\n")
			wrong = wrong || strings.Contains(strings.ReplaceAll(piece, `\n`, ""), `\`)
		}
		err := s.Help()
		if (err != nil) != wrong || !wrong && string(s.Entry.Text) != strings.Join(pieces, `\`) {
			t.Fatalf("%q: %q, error %v; want %q, wrong %v", help, s.Entry.Text, err, strings.Join(pieces, `\`), wrong)
		}
	})
}
